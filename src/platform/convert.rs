//! Requests and answers between the platform's types and `http`'s.

use std::sync::OnceLock;

use axum::body::Body;
use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri, header};
use http_body_util::BodyExt;
use js_sys::JsString;
use wasm_bindgen::JsCast;
use worker::send::SendWrapper;
use worker::worker_sys::web_sys;
use worker::{Headers, ResponseBuilder};

use crate::router::MAX_BODY;

/// The headers that anything of ours reads: each costs a crossing, and the platform adds many more.
const READ: [HeaderName; 8] = [
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::ORIGIN,
    HeaderName::from_static("cf-connecting-ip"),
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("keyfob-actor"),
];

/// What a request without `Authorization` may bring instead.
const READ_INSTEAD: [HeaderName; 2] = [header::COOKIE, HeaderName::from_static("cf-access-jwt-assertion")];

mod binding {
    use js_sys::JsString;
    use wasm_bindgen::prelude::*;

    #[wasm_bindgen]
    extern "C" {
        /// The headers of a request.
        pub(super) type HeaderList;

        #[wasm_bindgen(method, structural)]
        pub(super) fn get(this: &HeaderList, name: &JsString) -> Option<String>;
    }
}
use binding::HeaderList;

/// The headers that are read, with their names as JavaScript has them: to hand a text over costs more than to look it up.
fn wanted() -> &'static [(HeaderName, JsString)] {
    static WANTED: OnceLock<SendWrapper<Vec<(HeaderName, JsString)>>> = OnceLock::new();
    WANTED.get_or_init(|| {
        let with_text = |name: HeaderName| (name.clone(), JsString::from(name.as_str()));
        super::sendable(READ.into_iter().chain(READ_INSTEAD).map(with_text).collect())
    })
}

/// Converts a request. Its body is read to one byte beyond what the router accepts, which is how the router knows.
///
/// # Errors
/// When its URL or method is none, which the platform does not let happen.
pub(super) async fn request(request: web_sys::Request) -> worker::Result<Request<Body>> {
    let method = Method::from_bytes(request.method().as_bytes()).map_err(fault)?;
    let mut converted = Request::builder().method(method).uri(uri(&request.url())?);
    if let Some(headers) = converted.headers_mut() {
        let sent: HeaderList = request.headers().unchecked_into();
        for (name, text) in wanted() {
            if READ_INSTEAD.contains(name) && headers.contains_key(header::AUTHORIZATION) {
                continue;
            }
            // A value that is none is left out, as if the header had not been sent.
            if let Some(Ok(value)) = sent.get(text).map(|value| HeaderValue::from_bytes(value.as_bytes())) {
                headers.insert(name, value);
            }
        }
    }
    let body = if request.body().is_some() { read(&mut request.into()).await? } else { Bytes::new() };
    converted.body(Body::from(body)).map_err(fault)
}

/// A URL without its fragment, which the platform has parsed and written anew (WHATWG URL, section 4.5). Its origin is how
/// requests of our own pages are told from those of others.
fn uri(url: &str) -> worker::Result<Uri> {
    url.split('#').next().unwrap_or_default().parse().map_err(fault)
}

async fn read(request: &mut worker::Request) -> worker::Result<Bytes> {
    let mut stream = request.stream()?;
    let mut body = Vec::new();
    while let Some(chunk) = stream.next().await {
        body.extend_from_slice(&chunk?);
        if body.len() > MAX_BODY {
            body.truncate(MAX_BODY + 1);
            break;
        }
    }
    Ok(body.into())
}

/// Converts an answer.
///
/// # Errors
/// When the platform refuses a header, or the body fails, which none of ours does.
pub(super) async fn response(response: Response<Body>) -> worker::Result<worker::Response> {
    let (parts, body) = response.into_parts();
    let headers = Headers::new();
    for (name, value) in &parts.headers {
        headers.append(name.as_str(), value.to_str().map_err(fault)?)?;
    }
    let body = body.collect().await.map_err(fault)?.to_bytes();
    let builder = ResponseBuilder::new().with_status(parts.status.as_u16()).with_headers(headers);
    Ok(if body.is_empty() { builder.empty() } else { builder.fixed(body.into()) })
}

fn fault(error: impl std::fmt::Display) -> worker::Error {
    worker::Error::RustError(error.to_string())
}
