//! `GET /v1/embedded/providers`: the catalogue, as far as a session may use it.

use axum::response::Response;
use http::HeaderMap;

use crate::api::answer::{self, Page};
use crate::api::claim::Claim;
use crate::api::error::ApiError;
use crate::api::openapi::Problems;
use crate::api::providers::ProviderView;
use crate::app::App;
use crate::catalog::Catalog;
use crate::store::nothing;

/// GET /v1/embedded/providers
///
/// Lists the providers and connection types that the session may use, with guides and forms.
#[utoipa::path(
    get, path = "/v1/embedded/providers", tag = "Embedded", operation_id = "list_embedded_providers",
    params(("If-None-Match" = Option<String>, Header, description = "The ETag of what you have.")),
    responses(
        (status = 200, description = "The providers", body = Page<ProviderView>),
        (status = 304, description = "It is as you have it"),
        Problems
    )
)]
pub async fn list_providers(app: App, claim: Claim, headers: HeaderMap) -> Result<Response, ApiError> {
    let (who, ()) = claim.load(&app, nothing()).await?;
    let session = who.session()?;
    let allowed = Catalog::embedded().providers().iter().filter(|provider| session.allows_provider(&provider.key));
    let view = |provider| {
        let mut view = ProviderView::from(provider);
        view.connection_types.retain(|of| session.allows_type(of.key));
        view
    };
    let data = allowed.map(view).filter(|view| !view.connection_types.is_empty()).collect();
    let page = Page { data, next_cursor: None };
    Ok(answer::cacheable(&headers, serde_json::to_string(&page).unwrap_or_default()))
}
