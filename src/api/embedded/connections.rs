//! `GET /v1/embedded/connections`: what is exposed to embedded workflows, and the customer's own connections.

use axum::response::Response;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
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
use crate::domain::connection::{Connection, Kind};
use crate::domain::health::Status;
use crate::domain::id::ConnectionId;
use crate::domain::text::{Name, StableKey};
use crate::domain::values::Settings;
use crate::store::embedded;
use crate::store::listing::Position;
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
    id: &'a ConnectionId,
    /// The key of its provider.
    provider: &'a str,
    /// The key of its connection type.
    connection_type: &'a str,
    /// Whose credentials it holds.
    kind: Kind,
    /// Its name.
    name: &'a Name,
    /// The name under which workflows find it.
    stable_key: &'a StableKey,
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
    settings: &'a Settings,
    /// Scopes that the provider granted.
    granted_scopes: &'a [String],
    /// Scopes that were asked for and not granted.
    missing_scopes: &'a [String],
    /// Raised by every change; its ETag.
    version: u64,
}

impl<'a> EmbeddedConnection<'a> {
    fn new(connection: &'a Connection, session: &SessionCaller) -> Self {
        let own = session.customer.is_some() && connection.owner.customer == session.customer;
        let details = own.then(|| OwnDetails {
            health: (&connection.health).into(),
            settings: &connection.values.settings,
            granted_scopes: &connection.found.granted_scopes,
            missing_scopes: &connection.found.missing_scopes,
            version: connection.history.version,
        });
        Self {
            id: &connection.id,
            provider: &connection.provider,
            connection_type: &connection.connection_type,
            kind: connection.owner.kind,
            name: &connection.label.name,
            stable_key: &connection.label.stable_key,
            status: connection.status(),
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
    let (who, page) = claim.load(&app, wanted).await?;
    let session = who.session()?;
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
