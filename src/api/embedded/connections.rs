//! `GET /v1/embedded/connections`: what is exposed to embedded workflows, and the customer's own connections.

use axum::response::Response;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use crate::api::answer::{self, Page};
use crate::api::claim::Claim;
use crate::api::connections::view::HealthView;
use crate::api::cursor;
use crate::api::error::ApiError;
use crate::api::extract::{InQuery, Parsed};
use crate::api::openapi::Problems;
use crate::app::App;
use crate::domain::caller::SessionCaller;
use crate::domain::connection::Kind;
use crate::domain::health::Status;
use crate::domain::id::ConnectionId;
use crate::domain::text::{Customer, Name, StableKey};
use crate::store::embedded;
use crate::store::listing::Position;
use crate::store::row::ConnectionRow;
use crate::store::walk::SortKey;

/// How the list is filtered and paged.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EmbeddedQuery {
    /// Any of these providers.
    #[serde(default)]
    provider: Vec<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// The most connections of a page; a page may be shorter.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u8>,
}

/// A connection as an embedded workflow may see it: no secret, host, tag or author of the organization's.
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
    /// Its own ones' details.
    #[serde(flatten)]
    details: Option<OwnDetails<'a>>,
}

/// What a customer sees of an own connection alone.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnDetails<'a> {
    /// What is known of it.
    health: HealthView,
    /// Its settings.
    #[schema(value_type = Object)]
    settings: &'a RawValue,
    /// Scopes that the provider granted.
    #[schema(value_type = Vec<String>)]
    granted_scopes: &'a RawValue,
    /// Scopes that were asked for and not granted.
    #[schema(value_type = Vec<String>)]
    missing_scopes: &'a RawValue,
    /// Raised by every change; its ETag.
    version: u64,
}

impl<'a> EmbeddedConnection<'a> {
    fn new(connection: &'a ConnectionRow<'a>, session: &SessionCaller) -> Self {
        let columns = &connection.columns;
        let customer = columns.customer.as_ref().map(|customer| &*customer.0);
        let own = customer.is_some() && customer == session.customer.as_ref().map(Customer::as_str);
        let details = own.then(|| OwnDetails {
            health: (&columns.health()).into(),
            settings: connection.settings,
            granted_scopes: connection.granted_scopes,
            missing_scopes: connection.missing_scopes,
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
            details,
        }
    }
}

/// GET /v1/embedded/connections
///
/// Lists the connections that are exposed and enabled, and the customer's own in any state, by name.
#[utoipa::path(
    get, path = "/v1/embedded/connections", tag = "Embedded", operation_id = "list_embedded_connections",
    params(EmbeddedQuery, ("If-None-Match" = Option<String>, Header, description = "The ETag of what you have.")),
    responses(
        (status = 200, description = "A page", body = Page<EmbeddedConnection>),
        (status = 304, description = "It is as you have it"),
        Problems
    )
)]
pub async fn list_connections(
    app: App,
    claim: Claim,
    query: Parsed<InQuery<EmbeddedQuery>>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let InQuery(query) = claim.accept(&app, query).await?;
    let limit = claim.accept(&app, cursor::limit(query.limit)).await?;
    let after = claim.accept(&app, after(query.cursor.as_deref())).await?;
    let wanted = embedded::list(claim.session_hash(), &query.provider, after.as_ref(), limit);
    let (who, listed) = claim.load(&app, wanted).await?;
    let session = who.session()?;
    let page = listed.page()?;
    let page = Page {
        data: page.items.iter().map(|item| EmbeddedConnection::new(&item.connection, session)).collect(),
        next_cursor: page.next.map(|position| cursor::encode(&position)),
    };
    Ok(answer::cacheable(&headers, serde_json::to_string(&page).unwrap_or_default()))
}

fn after(cursor: Option<&str>) -> Result<Option<Position>, ApiError> {
    let position: Option<Position> = cursor.map(cursor::decode).transpose()?;
    let fits = position.as_ref().is_none_or(|position| position.fits(SortKey::Name));
    if fits { Ok(position) } else { Err(ApiError::InvalidCursor) }
}
