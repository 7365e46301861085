//! One request and its answer, within the limits. It knows time and size; it does not know what the answer means.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt;
use futures_util::future::{BoxFuture, Either, FutureExt, select};
use futures_util::stream::BoxStream;
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderName};
use url::Url;

use super::guard::{self, Policy, Refused};
use super::server;
use crate::domain::origin::Origin;
use crate::domain::time::Timestamp;
use crate::ports::{Clock, Connect, Network, NetworkError, Outbound};

/// How long an answer may take, from the first byte sent to the last byte received.
pub const TIME_LIMIT: Duration = Duration::from_secs(10);

/// How many bytes of a body are read, counted after decompression.
pub const SIZE_LIMIT: usize = 64 * 1024;

/// Headers that decide about the connection or the encoding: the network sets them, nobody else.
const CONNECTION_HEADERS: &[HeaderName] = &[
    header::ACCEPT_ENCODING,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// The guard refused the request; nothing was sent.
    #[error("refused: {0}")]
    Refused(#[from] Refused),
    /// No answer began in time, or one broke off: refused, filtered and absent hosts look the same.
    #[error("no answer")]
    Unreachable,
    /// An answer that began, but did not end within [`TIME_LIMIT`].
    #[error("no whole answer in time")]
    Timeout,
    /// A server that is there, but with which TLS did not come about.
    #[error("no TLS")]
    Tls,
    /// A body beyond [`SIZE_LIMIT`].
    #[error("the answer is too large")]
    TooLarge,
}

impl From<NetworkError> for EgressError {
    fn from(NetworkError: NetworkError) -> Self {
        Self::Unreachable
    }
}

/// An answer that arrived in time. Its body may repeat a secret: it has no `Debug`.
pub struct Answer {
    /// The status. A redirect is an answer like any other.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body, or nothing of it.
    body: Option<Vec<u8>>,
}

impl Answer {
    /// An answer with a whole body: for tests of what answers mean.
    #[cfg(test)]
    pub(crate) const fn new(status: StatusCode, headers: HeaderMap, body: Vec<u8>) -> Self {
        Self { status, headers, body: Some(body) }
    }

    /// The whole body.
    ///
    /// # Errors
    /// [`EgressError::TooLarge`] when it is beyond the limit. Then the status still stands, but no part of the body is
    /// kept, so that nothing can rest on a body that was cut.
    pub fn body(&self) -> Result<&[u8], EgressError> {
        self.body.as_deref().ok_or(EgressError::TooLarge)
    }
}

/// When [`TIME_LIMIT`] will have passed, counted from when this was made. Several exchanges may share one.
pub struct Deadline {
    rest: Option<BoxFuture<'static, ()>>,
}

impl Deadline {
    /// Waits for it.
    pub async fn passed(&mut self) {
        if let Some(rest) = &mut self.rest {
            rest.await;
            self.rest = None;
        }
    }

    /// What some work came to; none when the deadline passed first, and then the work is dropped.
    pub(super) async fn or_late<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        match select(pin!(work), pin!(self.passed())).await {
            Either::Left((done, _)) => Some(done),
            Either::Right(((), _)) => None,
        }
    }
}

/// The network behind its guard.
#[derive(Clone)]
pub struct Egress {
    network: Arc<dyn Network>,
    pub(super) connect: Arc<dyn Connect>,
    clock: Arc<dyn Clock>,
    pub(super) policy: Policy,
}

impl Egress {
    /// Puts the guard before the network.
    #[must_use]
    pub fn new(
        (network, connect): (Arc<dyn Network>, Arc<dyn Connect>),
        clock: Arc<dyn Clock>,
        policy: Policy,
    ) -> Self {
        Self { network, connect, clock, policy }
    }

    /// Refuses an origin that may never be called, so that it can be told while it is entered.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn check_destination(&self, origin: &Origin) -> Result<(), Refused> {
        let url = Url::parse(origin.as_str()).map_err(|_| Refused::Name)?;
        // What is special in the URL Standard is reached by requests, everything else by lines.
        if url.is_special() { self.check_address(&url) } else { server::destination(&url, self.policy).map(drop) }
    }

    /// Refuses a whole address that may never be called.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn check_address(&self, url: &Url) -> Result<(), Refused> {
        guard::destination(url, self.policy).map(drop)
    }

    /// The present moment, which signatures state.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Waits between two requests.
    pub async fn pause(&self, duration: Duration) {
        self.clock.sleep(duration).await;
    }

    /// The deadline of what begins now.
    #[must_use]
    pub fn deadline(&self) -> Deadline {
        let clock = Arc::clone(&self.clock);
        Deadline { rest: Some(async move { clock.sleep(TIME_LIMIT).await }.boxed()) }
    }

    /// Sends a request to one of the allowed origins and reads the answer. Redirects are not followed.
    ///
    /// # Errors
    /// [`EgressError::Refused`] before anything is sent; `Unreachable` and `Timeout` after.
    pub async fn exchange(&self, request: Outbound, allowed: &BTreeSet<Origin>) -> Result<Answer, EgressError> {
        self.exchange_before(&mut self.deadline(), request, allowed).await
    }

    /// As [`exchange`](Self::exchange), before a deadline that is running already.
    ///
    /// # Errors
    /// As [`exchange`](Self::exchange).
    pub async fn exchange_before(
        &self,
        deadline: &mut Deadline,
        request: Outbound,
        allowed: &BTreeSet<Origin>,
    ) -> Result<Answer, EgressError> {
        guard::check(&request.url, allowed, self.policy)?;
        if CONNECTION_HEADERS.iter().any(|name| request.headers.contains_key(name)) {
            return Err(Refused::Header.into());
        }
        // A host that says nothing may as well not be there; one that began to answer is there.
        let inbound = deadline.or_late(self.network.send(request)).await.ok_or(EgressError::Unreachable)??;
        let body = deadline.or_late(read(inbound.body)).await.ok_or(EgressError::Timeout)??;
        Ok(Answer { status: inbound.status, headers: inbound.headers, body })
    }
}

/// Reads a whole body; `None` when it is beyond the limit, and then no more of it is read.
async fn read(mut chunks: BoxStream<'static, Result<Bytes, NetworkError>>) -> Result<Option<Vec<u8>>, EgressError> {
    let mut body = Vec::new();
    while let Some(chunk) = chunks.try_next().await? {
        if body.len() + chunk.len() > SIZE_LIMIT {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}
