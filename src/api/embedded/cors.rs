//! Cross-origin requests (the Fetch standard's CORS protocol) to what pages ask, from registered origins alone.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::api::error::ApiError;
use crate::api::extract::header_text;
use crate::app::App;
use crate::store::access;

const METHODS: &str = "GET, POST, PATCH, DELETE, OPTIONS";
const HEADERS: &str = "Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key";
const EXPOSED: &str = "ETag, Retry-After, Keyfob-Request-Id";

/// Answers a preflight, before any authentication: the browser sends no key with it.
///
/// # Errors
/// When the storage failed.
pub async fn preflight(app: App, headers: HeaderMap) -> Result<Response, ApiError> {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let Some(origin) = header_text(&headers, &header::ORIGIN) else { return Ok(response) };
    if access::is_registered(origin).run(&*app.database).await? {
        let _ = app.trace.registered_origin.set(origin.to_owned());
        let allow = response.headers_mut();
        allow.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
        allow.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(HEADERS));
        allow.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("300"));
    }
    Ok(response)
}

/// Lets a page of a registered origin read the answer, whatever it says.
pub async fn allow_registered(app: App, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = app.trace.registered_origin.get().and_then(|origin| HeaderValue::from_str(origin).ok()) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    }
    response
}
