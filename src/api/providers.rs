//! The catalogue over HTTP: `GET /v1/providers` and `/v1/providers/{provider}`.

use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::catalog::Catalog;
use crate::catalog::file::Category;
use crate::catalog::provider::{ConnectionType, Provider};
use crate::catalog::view::{ProviderView, icon_path, view_path};
use crate::store::nothing;

use super::answer::{self, Page};
use super::claim::Claim;
use super::error::ApiError;
use super::extract::{InPath, Parsed};
use super::openapi::Problems;

/// A provider as a list shows it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProviderSummary<'a> {
    /// Its key.
    #[schema(example = "slack")]
    pub key: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its category.
    pub category: Category,
    /// Its icon, an SVG document: a path on this host, which any page may load without a key.
    #[schema(example = "/providers/slack.svg")]
    pub icon_url: String,
    /// Its connection types.
    pub connection_types: Vec<TypeSummary<'a>>,
}

/// A connection type as a list shows it.
#[derive(Debug, Serialize, ToSchema)]
pub struct TypeSummary<'a> {
    /// Its key.
    #[schema(example = "incoming_webhook")]
    pub key: &'a str,
    /// Its name.
    pub name: &'a str,
}

impl<'a> From<&'a Provider> for ProviderSummary<'a> {
    fn from(provider: &'a Provider) -> Self {
        let summary = |of: &'a ConnectionType| TypeSummary { key: &of.key, name: &of.name };
        Self {
            key: &provider.key,
            name: &provider.name,
            category: provider.category,
            icon_url: icon_path(&provider.key),
            connection_types: provider.connection_types.iter().map(summary).collect(),
        }
    }
}

/// GET /v1/providers
///
/// Lists the catalogue, whole.
#[utoipa::path(
    get, path = "/v1/providers", tag = "Providers",
    responses((status = 200, description = "The providers", body = Page<ProviderSummary>), Problems)
)]
pub async fn list_providers(app: App, claim: Claim) -> Result<Response, ApiError> {
    let (who, ()) = claim.load(&app, nothing()).await?;
    who.grants()?;
    let data = Catalog::embedded().providers().iter().map(ProviderSummary::from).collect();
    Ok(answer::json(StatusCode::OK, &Page { data, next_cursor: None }))
}

/// GET /v1/providers/{provider}
///
/// Finds a provider: guides, forms, and what its tests do.
#[utoipa::path(
    get, path = "/v1/providers/{provider}", tag = "Providers", params(("provider" = String, Path, example = "slack")),
    responses((status = 200, description = "The provider", body = ProviderView), Problems)
)]
pub async fn find_provider(app: App, claim: Claim, key: Parsed<InPath<String>>) -> Result<Response, ApiError> {
    let InPath(key) = claim.accept(&app, key).await?;
    let (who, ()) = claim.load(&app, nothing()).await?;
    who.grants()?;
    let provider = Catalog::embedded().provider(&key).ok_or(ApiError::NotFound)?;
    Ok(answer::json_text(StatusCode::OK, read_view(&app, provider).await?))
}

/// Reads the view of a provider, in JSON.
///
/// # Errors
/// When the static files cannot be read, or were not deployed with this Worker.
pub async fn read_view(app: &App, provider: &Provider) -> Result<String, ApiError> {
    let path = view_path(&provider.key);
    let file = app.assets.read(&path).await.map_err(|error| ApiError::StorageUnavailable(error.to_string()))?;
    let text = file.and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| ApiError::Internal(format!("no static file {path}")))
}
