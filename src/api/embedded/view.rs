//! A connection as an embedded workflow may see it: no secret, host, tag or author of the organization's.

use std::collections::BTreeSet;

use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::answer;
use crate::api::connections::view::{HealthView, Part, with_version};
use crate::domain::caller::SessionCaller;
use crate::domain::connection::{Connection, Kind, SuppliedBy};
use crate::domain::health::Status;
use crate::domain::id::ConnectionId;
use crate::domain::text::{Customer, Name, StableKey};
use crate::domain::values::Settings;
use crate::store::row::ConnectionRow;

/// A connection as an embedded workflow may see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct EmbeddedConnection<'a> {
    /// Its id.
    #[schema(value_type = ConnectionId)]
    id: &'a str,
    /// The key of its provider.
    provider: &'a str,
    /// The key of its connection type.
    connection_type: &'a str,
    /// Whose credentials it holds.
    kind: Kind,
    /// Its name.
    #[schema(value_type = Name)]
    name: &'a str,
    /// The name under which workflows find it.
    #[schema(value_type = StableKey)]
    stable_key: &'a str,
    /// Whether it can be used.
    status: Status,
    /// Whether it is the customer's own.
    own: bool,
    /// The fields of which each customer has values of its own: of a template that customers connect to themselves (in a
    /// builder session of every template), and, where one is read, of an own connection under a template.
    #[schema(value_type = Option<BTreeSet<String>>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_fields: Option<Part<'a, BTreeSet<String>>>,
    /// Its own ones' details; not where the organization enters the values.
    #[serde(flatten)]
    details: Option<OwnDetails<'a>>,
}

/// What a customer sees of an own connection alone.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnDetails<'a> {
    /// The template that it stands under; null where it stands alone.
    #[schema(value_type = Option<ConnectionId>)]
    template: Option<&'a str>,
    /// What is known of it.
    health: HealthView,
    /// Its settings: those that the customer entered.
    #[schema(value_type = Object)]
    settings: Part<'a, Settings>,
    /// Scopes that the provider granted.
    #[schema(value_type = Vec<String>)]
    granted_scopes: Part<'a, Vec<String>>,
    /// Scopes that were asked for and not granted.
    #[schema(value_type = Vec<String>)]
    missing_scopes: Part<'a, Vec<String>>,
    /// Raised by every change; its ETag.
    version: u64,
}

impl<'a> EmbeddedConnection<'a> {
    /// Shows a connection to a session that may see it.
    #[must_use]
    pub fn new(connection: &'a Connection, session: &SessionCaller) -> Self {
        let own = session.owns(connection);
        let is_shown = own && connection.owner.supplied_by != Some(SuppliedBy::Organization);
        let details = is_shown.then(|| OwnDetails {
            template: connection.owner.template.as_ref().map(ConnectionId::as_str),
            health: (&connection.health).into(),
            settings: Part::Value(&connection.values.settings),
            granted_scopes: Part::Value(&connection.found.granted_scopes),
            missing_scopes: Part::Value(&connection.found.missing_scopes),
            version: connection.history.version,
        });
        Self {
            id: connection.id.as_str(),
            provider: &connection.provider,
            connection_type: &connection.connection_type,
            kind: connection.owner.kind,
            name: connection.label.name.as_str(),
            stable_key: connection.label.stable_key.as_str(),
            status: connection.status(),
            own,
            customer_fields: customer_fields(connection, session),
            details,
        }
    }

    /// Says of an own connection under a template which fields are the customer's.
    #[must_use]
    pub fn under(self, template: Option<&'a Connection>, session: &SessionCaller) -> Self {
        let is_entered = self.details.is_some();
        let fields = template.filter(|_| is_entered).and_then(|template| customer_fields(template, session));
        Self { customer_fields: fields.or(self.customer_fields), ..self }
    }

    /// Shows a connection of a list in the same way.
    #[must_use]
    pub fn listed(connection: &'a ConnectionRow<'a>, session: &SessionCaller) -> Self {
        let columns = &connection.columns;
        let customer = columns.customer.as_ref().map(|customer| &*customer.0);
        let own = customer.is_some() && customer == session.customer.as_ref().map(Customer::as_str);
        let is_shown = own && columns.supplied_by != Some(SuppliedBy::Organization);
        let is_told = session.is_builder() || columns.supplied_by == Some(SuppliedBy::Customer);
        let details = is_shown.then(|| OwnDetails {
            template: columns.template,
            health: (&columns.health()).into(),
            settings: Part::Text(connection.settings),
            granted_scopes: Part::Text(connection.granted_scopes),
            missing_scopes: Part::Text(connection.missing_scopes),
            version: columns.version,
        });
        Self {
            id: columns.id,
            provider: columns.provider,
            connection_type: columns.connection_type,
            kind: columns.kind,
            name: &columns.name,
            stable_key: columns.stable_key,
            status: columns.status(),
            own,
            customer_fields: connection.customer_fields.filter(|_| is_told).map(Part::Text),
            details,
        }
    }
}

/// The fields of which each customer has values of its own under a template: told to who enters them, and to the designer, who
/// enters test credentials for them.
fn customer_fields<'a>(template: &'a Connection, session: &SessionCaller) -> Option<Part<'a, BTreeSet<String>>> {
    let is_told = session.is_builder() || template.owner.supplied_by == Some(SuppliedBy::Customer);
    let definition = template.definition.as_ref().filter(|_| is_told)?;
    Some(Part::Value(&definition.customer_fields))
}

/// Answers with a connection; who owns it, or manages all of them, gets its version as ETag.
#[must_use]
pub fn answer(connection: &Connection, template: Option<&Connection>, session: &SessionCaller) -> Response {
    let response = answer::json(StatusCode::OK, &EmbeddedConnection::new(connection, session).under(template, session));
    if session.owns(connection) || session.is_builder() {
        return with_version(response, connection.history.version);
    }
    response
}
