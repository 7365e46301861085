//! `GET /v1/embedded/connections`: what is exposed to embedded workflows, and the customer's own connections.

use axum::response::Response;
use http::HeaderMap;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::answer::{self, Page};
use crate::api::claim::Claim;
use crate::api::cursor;
use crate::api::error::ApiError;
use crate::api::extract::{InQuery, Parsed};
use crate::api::openapi::Problems;
use crate::app::App;
use crate::store::embedded;
use crate::store::listing::Position;
use crate::store::walk::SortKey;

use super::view::EmbeddedConnection;

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

/// GET /v1/embedded/connections
///
/// Lists the connections that are exposed and enabled, and the customer's own in any state, by name; for a builder session all
/// of the organization's.
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
        data: page.items.iter().map(|item| EmbeddedConnection::listed(&item.connection, session)).collect(),
        next_cursor: page.next.map(|position| cursor::encode(&position)),
    };
    Ok(answer::cacheable(&headers, serde_json::to_string(&page).unwrap_or_default()))
}

fn after(cursor: Option<&str>) -> Result<Option<Position>, ApiError> {
    let position: Option<Position> = cursor.map(cursor::decode).transpose()?;
    let fits = position.as_ref().is_none_or(|position| position.fits(SortKey::Name));
    if fits { Ok(position) } else { Err(ApiError::InvalidCursor) }
}
