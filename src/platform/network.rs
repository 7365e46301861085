//! Requests that leave. The guard in `egress` has let them pass; redirects are answers.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use js_sys::Uint8Array;
use worker::send::{SendFuture, SendWrapper};
use worker::{ByteStream, CacheMode, Headers, Request, RequestInit, RequestRedirect};

use crate::ports::{Inbound, Network, NetworkError, Outbound};

/// The platform's `fetch`.
pub(super) struct Fetch;

#[async_trait]
impl Network for Fetch {
    async fn send(&self, request: Outbound) -> Result<Inbound, NetworkError> {
        // What the platform says of a failure would tell absent hosts from filtered ones.
        SendFuture::new(send(request)).await.map_err(|_| NetworkError)
    }
}

async fn send(outbound: Outbound) -> worker::Result<Inbound> {
    let headers = Headers::new();
    for (name, value) in &outbound.headers {
        let value = value.to_str().map_err(|_| worker::Error::BadEncoding)?;
        headers.append(name.as_str(), value)?;
    }
    let mut init = RequestInit::new();
    // A cached answer would tell of a credential that was, and might answer a request that carries none.
    init.with_method(outbound.method.as_str().to_owned().into())
        .with_headers(headers)
        .with_redirect(RequestRedirect::Manual)
        .with_cache(CacheMode::NoStore);
    if !outbound.body.is_empty() {
        init.with_body(Some(Uint8Array::from(&*outbound.body).into()));
    }
    let request = Request::new_with_init(outbound.url.as_str(), &init)?;
    let mut response = worker::Fetch::Request(request).send().await?;
    let status = StatusCode::from_u16(response.status_code()).map_err(|_| worker::Error::BadEncoding)?;
    let mut headers = HeaderMap::new();
    for (name, value) in response.headers() {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value.as_bytes())) {
            headers.append(name, value);
        }
    }
    // An answer without a body has no stream.
    let body = match response.stream() {
        Ok(bytes) => stream::unfold(super::sendable(bytes), |bytes| SendFuture::new(next(bytes))).boxed(),
        Err(_) => stream::empty().boxed(),
    };
    Ok(Inbound { status, headers, body })
}

async fn next(mut bytes: SendWrapper<ByteStream>) -> Option<(Result<Bytes, NetworkError>, SendWrapper<ByteStream>)> {
    let chunk = bytes.next().await?;
    Some((chunk.map(Bytes::from).map_err(|_| NetworkError), bytes))
}
