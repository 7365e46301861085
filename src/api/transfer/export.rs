//! `GET /v1/export`: the definitions of an environment, never a secret, nothing of a customer.

use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::answer;
use crate::api::claim::Claim;
use crate::api::cursor;
use crate::api::error::ApiError;
use crate::api::extract::{InQuery, Parsed};
use crate::api::openapi::Problems;
use crate::app::App;
use crate::domain::environment::Environment;
use crate::domain::scope::Scope;
use crate::domain::text::StableKey;
use crate::store::transfer;

use super::document::{DefinitionView, ExportDocument, Format};
use super::import::MAX_PART;

/// The most bytes of the definitions in one document: it can be imported as it is, and printed with white space before.
const MAX_BYTES: usize = 640 * 1024;

/// What to export.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// The environment. Required.
    environment: Environment,
    /// `next_cursor` of the document before.
    cursor: Option<String>,
}

/// GET /v1/export
///
/// Exports the definitions of the organization's connections and templates, by stable key: at most 500 in a document, which can
/// be imported as it is. Never a secret, nothing of a customer.
#[utoipa::path(
    get, path = "/v1/export", tag = "Transfer", params(ExportQuery),
    responses((status = 200, description = "The definitions", body = ExportDocument), Problems)
)]
pub async fn export_definitions(
    app: App,
    claim: Claim,
    query: Parsed<InQuery<ExportQuery>>,
) -> Result<Response, ApiError> {
    let InQuery(ExportQuery { environment, cursor }) = claim.accept(&app, query).await?;
    let after = cursor.as_deref().map(cursor::decode::<StableKey>).transpose();
    let after = claim.accept(&app, after).await?;
    let rows = u64::try_from(MAX_PART).unwrap_or(0) + 1;
    let (who, found) = claim.load(&app, transfer::list_after(environment, after.as_ref(), rows)).await?;
    who.authorize_in(Scope::Transfer, environment)?;
    let mut bytes = 0;
    let fits = found.iter().take(MAX_PART).take_while(|connection| {
        let view = DefinitionView::from(*connection);
        bytes += serde_json::to_string(&view).map_or(0, |text| text.len());
        bytes <= MAX_BYTES
    });
    // One alone fits always: its values have 64 KiB at most.
    let count = fits.count();
    let last = found.iter().take(count).next_back().filter(|_| count < found.len());
    let document = ExportDocument {
        format: Format::One,
        environment,
        connections: found.iter().take(count).map(DefinitionView::from).collect(),
        next_cursor: last.map(|last| cursor::encode(&last.label.stable_key)),
    };
    Ok(answer::json(StatusCode::OK, &document))
}
