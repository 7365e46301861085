//! What moves: the organization's connections in the order of their stable keys, and any with given keys.

use serde::Serialize;

use crate::domain::connection::Connection;
use crate::domain::environment::Environment;
use crate::domain::text::{Customer, StableKey};
use crate::ports::Statement;
use crate::vault::Entry;

use super::row::connection_json;
use super::vault_entries::entry_json;
use super::{Query, json, many as rows, statement};

/// What names a connection in every environment and deployment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Key {
    /// The customer; empty for the organization's.
    pub customer: String,
    /// Its stable key.
    pub stable_key: StableKey,
}

impl Key {
    /// The key of a connection.
    #[must_use]
    pub fn of(connection: &Connection) -> Self {
        Self { customer: connection.owner.customer_key().to_owned(), stable_key: connection.label.stable_key.clone() }
    }
}

/// Lists the organization's connections and templates by stable key, behind one.
#[must_use]
pub fn list_after(environment: Environment, after: Option<&StableKey>, limit: u64) -> Query<Vec<Connection>> {
    const SQL: &str = concat!(
        "select ",
        connection_json!(),
        " as row from connections c indexed by connections_stable_key where c.environment = ?1 and c.customer = '' \
         and c.stable_key > ?2 and c.deleted_at is null order by c.stable_key limit ?3"
    );
    let after = after.map_or("", StableKey::as_str);
    rows(statement(SQL, [environment.as_str().into(), after.into(), limit.into()]))
}

/// Finds the connections with these keys.
#[must_use]
pub fn find_by_keys(environment: Environment, keys: &[Key]) -> Query<Vec<Connection>> {
    const SQL: &str = concat!(
        "select ",
        connection_json!(),
        " as row from json_each(?2) w cross join connections c indexed by connections_stable_key on c.environment = ?1 \
         and c.customer = w.value ->> 'customer' and c.stable_key = w.value ->> 'stable_key' and c.deleted_at is null"
    );
    rows(of_keys(SQL, environment, keys))
}

/// Finds the entries that hold the secrets of the current revisions of the connections with these keys.
#[must_use]
pub fn find_entries_by_keys(environment: Environment, keys: &[Key]) -> Query<Vec<Entry>> {
    const SQL: &str = concat!(
        "select ",
        entry_json!(),
        " as row from json_each(?2) w cross join connections c indexed by connections_stable_key on c.environment = ?1 \
         and c.customer = w.value ->> 'customer' and c.stable_key = w.value ->> 'stable_key' and c.deleted_at is null \
         cross join vault_entries v on v.owner_id = c.id and v.purpose = 'values' and v.number = c.secrets_revision"
    );
    rows(of_keys(SQL, environment, keys))
}

/// A customer under a template, which its stable key names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Pair {
    /// The stable key of the template.
    pub template: StableKey,
    /// The customer.
    pub customer: Customer,
}

/// Finds what these customers have under these templates: template, customer, and the stable key of the connection.
#[must_use]
pub fn find_keys_under(environment: Environment, pairs: &[Pair]) -> Query<Vec<(StableKey, Customer, StableKey)>> {
    const SQL: &str = "select json_array(t.stable_key, c.customer, c.stable_key) as row from json_each(?2) w \
         cross join connections t indexed by connections_stable_key on t.environment = ?1 and t.customer = '' \
         and t.stable_key = w.value ->> 'template' and t.deleted_at is null \
         cross join connections c indexed by connections_customer_template on c.template_id = t.id \
         and c.customer = w.value ->> 'customer' and c.deleted_at is null";
    rows(statement(SQL, [environment.as_str().into(), json(&pairs)]))
}

fn of_keys(sql: &'static str, environment: Environment, keys: &[Key]) -> Statement {
    statement(sql, [environment.as_str().into(), json(&keys)])
}
