//! `GET /embed/`: the picker. Pages of registered origins show it in a frame, and connect links open it by themselves.
//!
//! The page itself is a static file; what is decided here is who may frame it. It holds nothing of anybody: its session
//! reaches it afterwards, from the page that frames it.

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::answer;
use crate::api::error::ApiError;
use crate::api::extract::{InQuery, Parsed};
use crate::api::openapi::PageProblems;
use crate::app::App;
use crate::store::access;

/// The path of the page among the static files.
const PATH: &str = "/embed/";

/// Who frames the picker. Whatever else stands in the query is not looked at: mail programs add to links.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// The origin of the page that frames it; without one, or with one that is not registered, no page may.
    #[param(example = "https://app.example.com")]
    origin: Option<String>,
}

/// GET /embed/
///
/// Shows the picker. The page that is named may frame it, where its origin is registered, and no other page.
#[utoipa::path(
    get, path = "/embed/", tag = "Embedded", operation_id = "show_picker", params(PageQuery), security(()),
    responses((status = 200, description = "The page", body = String, content_type = "text/html"), PageProblems)
)]
pub async fn show_picker(app: App, query: Parsed<InQuery<PageQuery>>) -> Result<Response, ApiError> {
    // What cannot be read names no origin.
    let InQuery(PageQuery { origin }) = query.unwrap_or(InQuery(PageQuery::default()));
    let framed_by = match origin {
        Some(origin) if access::is_registered(&origin).run(&*app.database).await? => origin,
        _ => "'none'".to_owned(),
    };
    let file = app.assets.read(PATH).await.map_err(|error| ApiError::StorageUnavailable(error.to_string()))?;
    let page = file.ok_or_else(|| ApiError::Internal(format!("no static file {PATH}")))?;
    let mut response = (StatusCode::OK, page).into_response();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, &*policy(&framed_by)),
        // A page that opens it keeps no hold of it; the windows of providers that it opens itself may answer it.
        (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin-allow-popups"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains"),
        // An origin that is removed frames nothing any more.
        (header::CACHE_CONTROL, "no-store"),
    ] {
        answer::set(&mut response, name, value);
    }
    Ok(response)
}

/// What the page may do: run and show its own files, ask its own origin, and stand in frames of this one.
fn policy(framed_by: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors {framed_by}"
    )
}
