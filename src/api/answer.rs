//! Answers in JSON, and the shape of a page.

use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::extract::header_text;

/// One page of a collection. It may be shorter than `limit`; only `next_cursor: null` ends the list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The page.
    pub data: Vec<T>,
    /// Pass it as `cursor` for the next page.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A page from one row more than its limit, which tells whether there is a next one.
    pub fn cut<R>(mut rows: Vec<R>, limit: usize, cursor: impl Fn(&R) -> String, view: impl Fn(R) -> T) -> Self {
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| has_more).map(cursor);
        Self { data: rows.into_iter().map(view).collect(), next_cursor }
    }
}

/// Answers with JSON that no cache may keep.
pub fn json(status: StatusCode, body: &impl Serialize) -> Response {
    json_text(status, serde_json::to_string(body).unwrap_or_default())
}

/// Answers with JSON text that no cache may keep.
pub fn json_text(status: StatusCode, text: String) -> Response {
    let mut response = (status, text).into_response();
    set(&mut response, header::CONTENT_TYPE, "application/json");
    set(&mut response, header::CACHE_CONTROL, "no-store");
    response
}

/// Answers without a body.
#[must_use]
pub fn no_content() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// Sets a header; a value that is none is left out.
pub fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// Answers with an `ETag` over the body, or 304 where the caller has it already. Tags are compared weakly (RFC 9110, section
/// 13.1.2): whoever compresses the answer on its way marks the tag `W/`.
#[must_use]
pub fn cacheable(headers: &HeaderMap, body: String) -> Response {
    let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(Sha256::digest(body.as_bytes())));
    let known = header_text(headers, &header::IF_NONE_MATCH).unwrap_or_default();
    let is_known = known.split(',').map(str::trim).any(|tag| tag.trim_start_matches("W/") == etag || tag == "*");
    let mut response =
        if is_known { StatusCode::NOT_MODIFIED.into_response() } else { json_text(StatusCode::OK, body) };
    set(&mut response, header::ETAG, &etag);
    set(&mut response, header::CACHE_CONTROL, "private, no-cache");
    response
}
