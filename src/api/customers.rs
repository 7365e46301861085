//! `GET /v1/customers`, `GET` and `DELETE /v1/customers/{customer}`: the customers that have connections. Their connections
//! are those of `GET /v1/connections?customer=`.

use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use crate::api::answer::{self, Page};
use crate::api::audited::Entry;
use crate::api::claim::Claim;
use crate::api::connections::delete::{deleted, gone_all};
use crate::api::connections::record;
use crate::api::cursor;
use crate::api::error::ApiError;
use crate::api::extract::{InPath, InQuery, Parsed};
use crate::api::openapi::{ChangeProblems, Problems};
use crate::app::App;
use crate::domain::audit::AuditAction;
use crate::domain::connection::Connection;
use crate::domain::environment::Environment;
use crate::domain::event::EventType;
use crate::domain::scope::Scope;
use crate::domain::text::Customer;
use crate::store::commit::{CommitError, Conflict};
use crate::store::customers::{self, CustomerRow};
use crate::store::{access, connect_links};

/// Which customers.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CustomersQuery {
    /// The environment.
    environment: Environment,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// The most customers of a page.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u8>,
}

/// Where a customer is meant.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CustomerQuery {
    /// The environment.
    environment: Environment,
}

/// A customer that has connections.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CustomerSummary)]
pub struct CustomerView {
    /// The organization's own id.
    #[schema(value_type = String)]
    customer: Customer,
    /// The environment.
    environment: Environment,
    /// Its connections.
    connection_count: u64,
    /// Those of them that are active.
    active_count: u64,
}

impl CustomerView {
    fn new(row: CustomerRow, environment: Environment) -> Self {
        let CustomerRow { customer, connections, active } = row;
        Self { customer, environment, connection_count: connections, active_count: active }
    }
}

/// GET /v1/customers
///
/// Lists the customers that have connections in an environment, by id.
#[utoipa::path(
    get, path = "/v1/customers", tag = "Customers", params(CustomersQuery),
    responses((status = 200, description = "A page", body = Page<CustomerView>), Problems)
)]
pub async fn list_customers(
    app: App,
    claim: Claim,
    query: Parsed<InQuery<CustomersQuery>>,
) -> Result<Response, ApiError> {
    let InQuery(query) = claim.accept(&app, query).await?;
    let limit = claim.accept(&app, cursor::limit(query.limit)).await?;
    let after = claim.accept(&app, query.cursor.as_deref().map(cursor::decode::<Customer>).transpose()).await?;
    let rows = u64::try_from(limit).unwrap_or(0) + 1;
    let wanted = customers::list(query.environment, after.as_ref(), rows);
    let (who, found) = claim.load(&app, wanted).await?;
    who.authorize_in(Scope::ConnectionsRead, query.environment)?;
    let page =
        Page::cut(found, limit, |row| cursor::encode(&row.customer), |row| CustomerView::new(row, query.environment));
    Ok(answer::json(StatusCode::OK, &page))
}

/// GET /v1/customers/{customer}
///
/// Finds a customer that has connections.
#[utoipa::path(
    get, path = "/v1/customers/{customer}", tag = "Customers", params(("customer" = Customer, Path), CustomerQuery),
    responses((status = 200, description = "The customer", body = CustomerView), Problems)
)]
pub async fn find_customer(
    app: App,
    claim: Claim,
    customer: Parsed<InPath<Customer>>,
    query: Parsed<InQuery<CustomerQuery>>,
) -> Result<Response, ApiError> {
    let InPath(customer) = claim.accept(&app, customer).await?;
    let InQuery(CustomerQuery { environment }) = claim.accept(&app, query).await?;
    let (who, found) = claim.load(&app, customers::find(environment, &customer)).await?;
    who.authorize_in(Scope::ConnectionsRead, environment)?;
    let row = found.ok_or(ApiError::NotFound)?;
    Ok(answer::json(StatusCode::OK, &CustomerView::new(row, environment)))
}

/// DELETE /v1/customers/{customer}
///
/// Deletes every connection of a customer in an environment and ends all their sessions and connect links, at once: their
/// secrets are unreadable from then on. Steps that used them stay listed as orphaned. Repeating it changes nothing.
#[utoipa::path(
    delete, path = "/v1/customers/{customer}", tag = "Customers", params(("customer" = Customer, Path), CustomerQuery),
    responses((status = 204, description = "Deleted"), ChangeProblems)
)]
pub async fn delete_customer(
    app: App,
    claim: Claim,
    customer: Parsed<InPath<Customer>>,
    query: Parsed<InQuery<CustomerQuery>>,
) -> Result<Response, ApiError> {
    let InPath(customer) = claim.accept(&app, customer).await?;
    let InQuery(CustomerQuery { environment }) = claim.accept(&app, query).await?;
    let wanted = customers::list_connections(environment, &customer);
    let (who, found) = claim.load(&app, wanted).await?;
    who.authorize_in(Scope::CustomersManage, environment)?;
    let of_customer = Entry {
        environment: Some(environment),
        action: AuditAction::CustomerDeleted,
        resource_id: customer.to_string(),
        detail: json!({ "connections": found.len() }),
    };
    let after: Vec<Connection> = found.iter().map(|before| deleted(&app, before)).collect();
    let changes = found.iter().zip(&after).map(|(before, after)| (EventType::Deleted, (Some(before), after), None));
    let mut commit = record::begin_all((&app, &who), Some(of_customer), changes)?;
    commit.push(customers::expect(environment, &customer, u64::try_from(found.len()).unwrap_or(0)));
    commit.extend(gone_all(&found.iter().collect::<Vec<_>>(), app.now()));
    commit.push(access::end_sessions(environment, &customer, app.now()));
    commit.push(connect_links::delete_of(environment, &customer));
    match commit.run(&*app.database).await {
        Ok(()) => Ok(answer::no_content()),
        Err(CommitError::Conflict(Conflict::Version)) => Err(ApiError::CustomerChanged),
        Err(error) => Err(error.into()),
    }
}
