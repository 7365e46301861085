//! `GET /v1/embedded/providers` and `/v1/embedded/providers/{provider}`: the catalogue, as far as a session may use it.

use axum::response::Response;
use http::HeaderMap;
use serde_json::Value;

use crate::api::answer::{self, Page};
use crate::api::claim::Claim;
use crate::api::error::ApiError;
use crate::api::extract::{InPath, Parsed};
use crate::api::openapi::Problems;
use crate::api::providers::{ProviderSummary, read_view};
use crate::app::App;
use crate::catalog::Catalog;
use crate::catalog::view::ProviderView;
use crate::domain::caller::SessionCaller;
use crate::store::nothing;

/// GET /v1/embedded/providers
///
/// Lists the providers and connection types that the session may use.
#[utoipa::path(
    get, path = "/v1/embedded/providers", tag = "Embedded", operation_id = "list_embedded_providers",
    params(("If-None-Match" = Option<String>, Header, description = "The ETag of what you have.")),
    responses(
        (status = 200, description = "The providers", body = Page<ProviderSummary>),
        (status = 304, description = "It is as you have it"),
        Problems
    )
)]
pub async fn list_providers(app: App, claim: Claim, headers: HeaderMap) -> Result<Response, ApiError> {
    let (who, ()) = claim.load(&app, nothing()).await?;
    let session = who.session()?;
    let data =
        Catalog::embedded().providers().iter().filter_map(|provider| allowed(session, provider.into())).collect();
    let page = Page { data, next_cursor: None };
    Ok(answer::cacheable(&headers, serde_json::to_string(&page).unwrap_or_default()))
}

/// GET /v1/embedded/providers/{provider}
///
/// Finds a provider: guides and forms of the connection types that the session may use.
#[utoipa::path(
    get, path = "/v1/embedded/providers/{provider}", tag = "Embedded", operation_id = "find_embedded_provider",
    params(
        ("provider" = String, Path, example = "slack"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of what you have."),
    ),
    responses(
        (status = 200, description = "The provider", body = ProviderView),
        (status = 304, description = "It is as you have it"),
        Problems
    )
)]
pub async fn find_provider(
    app: App,
    claim: Claim,
    headers: HeaderMap,
    key: Parsed<InPath<String>>,
) -> Result<Response, ApiError> {
    let InPath(key) = claim.accept(&app, key).await?;
    let (who, ()) = claim.load(&app, nothing()).await?;
    let session = who.session()?;
    let provider = Catalog::embedded().provider(&key).ok_or(ApiError::NotFound)?;
    allowed(session, provider.into()).ok_or(ApiError::NotFound)?;
    let view = read_view(&app, provider).await?;
    Ok(answer::cacheable(&headers, within(session, view)?))
}

/// A provider with the types that the session may use; none where there are none.
fn allowed<'a>(session: &SessionCaller, mut provider: ProviderSummary<'a>) -> Option<ProviderSummary<'a>> {
    provider.connection_types.retain(|of| session.allows_type(of.key));
    (session.allows_provider(provider.key) && !provider.connection_types.is_empty()).then_some(provider)
}

/// The view of a provider without the types that the session may not use.
fn within(session: &SessionCaller, view: String) -> Result<String, ApiError> {
    if session.connection_types.is_none() {
        return Ok(view);
    }
    let mut view: Value = serde_json::from_str(&view).map_err(|error| ApiError::Internal(error.to_string()))?;
    if let Some(types) = view.get_mut("connection_types").and_then(Value::as_array_mut) {
        types.retain(|of| of.get("key").and_then(Value::as_str).is_some_and(|key| session.allows_type(key)));
    }
    Ok(view.to_string())
}
