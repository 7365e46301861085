//! The customers that have connections. Their rows are kept by triggers.

use serde::Deserialize;

use crate::domain::connection::Connection;
use crate::domain::environment::Environment;
use crate::domain::text::Customer;
use crate::ports::Statement;

use super::row::connection_json;
use super::{Query, many, optional, statement};

/// A customer and how many connections it has.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CustomerRow {
    /// The organization's own id.
    pub customer: Customer,
    /// Its connections.
    pub connections: u64,
    /// Those of them that are active.
    pub active: u64,
}

/// Lists the customers of an environment by id, behind one.
#[must_use]
pub fn list(environment: Environment, after: Option<&Customer>, limit: u64) -> Query<Vec<CustomerRow>> {
    const SQL: &str = "select json_object('customer', customer, 'connections', connections, 'active', active) as row \
        from customers where environment = ?1 and customer > ?2 order by customer limit ?3";
    let after = after.map_or("", Customer::as_str);
    many(statement(SQL, [environment.as_str().into(), after.into(), limit.into()]))
}

/// Finds a customer that has connections.
#[must_use]
pub fn find(environment: Environment, customer: &Customer) -> Query<Option<CustomerRow>> {
    const SQL: &str = "select json_object('customer', customer, 'connections', connections, 'active', active) as row \
        from customers where environment = ?1 and customer = ?2";
    optional(statement(SQL, [environment.as_str().into(), customer.as_str().into()]))
}

/// Lists all connections of a customer: so few that one batch can delete them.
#[must_use]
pub fn list_connections(environment: Environment, customer: &Customer) -> Query<Vec<Connection>> {
    const SQL: &str = concat!(
        "select ",
        connection_json!(),
        " as row from connections c indexed by connections_name where c.environment = ?1 and c.customer = ?2 \
         and c.deleted_at is null order by c.name_key, c.rowid"
    );
    many(statement(SQL, [environment.as_str().into(), customer.as_str().into()]))
}

/// Aborts its batch unless the customer has so many connections.
#[must_use]
pub fn expect(environment: Environment, customer: &Customer, connections: u64) -> Statement {
    const SQL: &str = "update customers set connections = null \
                       where environment = ?1 and customer = ?2 and connections <> ?3";
    statement(SQL, [environment.as_str().into(), customer.as_str().into(), connections.into()])
}
