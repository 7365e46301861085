//! Requests and answers between the platform's types and `http`'s.

use axum::body::Body;
use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri, header};
use http_body_util::BodyExt;
use url::{Position, Url};
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

/// Converts a request. Its body is read to one byte beyond what the router accepts, which is how the router knows.
///
/// # Errors
/// When its URL or method is none, which the platform does not let happen.
pub(super) async fn request(mut request: worker::Request) -> worker::Result<Request<Body>> {
    let method = Method::from_bytes(request.inner().method().as_bytes()).map_err(fault)?;
    let url = Url::parse(&request.inner().url()).map_err(fault)?;
    let uri: Uri = url[Position::BeforePath..Position::AfterQuery].parse().map_err(fault)?;
    let mut converted = Request::builder().method(method).uri(uri);
    if let Some(headers) = converted.headers_mut() {
        for name in READ {
            let value = request.headers().get(name.as_str())?;
            // A value that is none is left out, as if the header had not been sent.
            if let Some(Ok(value)) = value.map(|value| HeaderValue::from_bytes(value.as_bytes())) {
                headers.insert(name, value);
            }
        }
    }
    let body = read(&mut request).await?;
    converted.body(Body::from(body)).map_err(fault)
}

async fn read(request: &mut worker::Request) -> worker::Result<Bytes> {
    if request.inner().body().is_none() {
        return Ok(Bytes::new());
    }
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
