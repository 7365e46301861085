//! Every request: an id, what it may use, one log line. Never a value.

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use std::sync::atomic::Ordering;

use crate::app::App;

use super::error::{ApiError, Failure};

const REQUEST_ID: HeaderName = HeaderName::from_static("keyfob-request-id");
/// The other way in, where there is one: a challenge beside `Bearer` (RFC 9110, section 11.6.1), which the sign-in page reads.
const ACCESS: HeaderValue = HeaderValue::from_static("Cloudflare-Access");

/// What a handler may use: what [`observe`] gave its request.
impl<S: Send + Sync> FromRequestParts<S> for App {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| ApiError::Internal("the request is not observed".to_owned()))
    }
}

#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    method: &'a str,
    route: &'a str,
    status: u16,
    ms: i64,
    database_calls: u64,
    blob_calls: u64,
    rows_read: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a str>,
}

/// Gives a request its id and what it may use, and writes its log line. What is left for after the answer goes with it.
///
/// The route is the template, never the path: ids are no secrets, but what somebody puts where an id belongs may be one.
pub async fn observe(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let app = app.for_request();
    let began = app.now();
    let method = request.method().clone();
    request.extensions_mut().insert(app.clone());
    let mut response = next.run(request).await;
    let route = response.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str).to_owned();
    let failure = response.extensions().get::<Failure>().map(|failure| failure.0.clone());
    let trace = &app.trace;
    let line = Line {
        id: trace.id.as_str(),
        method: method.as_str(),
        route: &route,
        status: response.status().as_u16(),
        ms: app.now().millis() - began.millis(),
        database_calls: trace.database_calls.load(Ordering::Relaxed),
        blob_calls: trace.blob_calls.load(Ordering::Relaxed),
        rows_read: trace.rows_read.load(Ordering::Relaxed),
        caller: trace.caller.get().map(String::as_str),
        refusal: trace.refusal.get().map(String::as_str),
        failure: failure.as_deref(),
    };
    app.log.line(&serde_json::to_string(&line).unwrap_or_default());
    if !app.deferred.is_empty() {
        response.extensions_mut().insert(app.deferred.clone());
    }
    let headers = response.headers_mut();
    if app.config.access.is_some() && headers.contains_key(header::WWW_AUTHENTICATE) {
        headers.append(header::WWW_AUTHENTICATE, ACCESS);
    }
    if let Ok(id) = HeaderValue::from_str(trace.id.as_str()) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Hands the matched route on with the answer, for the log line.
pub async fn note_route(route: Option<MatchedPath>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if let Some(route) = route {
        response.extensions_mut().insert(route);
    }
    response
}

/// Answers a route that does not exist.
pub async fn not_found() -> ApiError {
    ApiError::NotFound
}

/// Answers a method that a route does not have.
pub async fn method_not_allowed() -> ApiError {
    ApiError::MethodNotAllowed
}

/// GET /healthz
///
/// Tells that the Worker runs, and as which deployment, so that a key for one is not sent to another. Asks nothing of the
/// storage.
#[utoipa::path(
    get, path = "/healthz", tag = "Operation", security(()),
    responses((status = 200, description = "It runs", body = String, content_type = "text/plain"))
)]
pub async fn health(app: App) -> Response {
    let text = format!("ok {}\n", app.config.deployment.as_deref().unwrap_or("unnamed"));
    (StatusCode::OK, [(header::CACHE_CONTROL, "no-store")], text).into_response()
}
