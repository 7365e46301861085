//! The ports natively: a network that is real, a clock that is set by hand, randomness that repeats.
//!
//! Plain files: any test crate takes them in with `#[path]`.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use http::header::HOST;
use keyfob::domain::time::Timestamp;
use keyfob::ports::{Clock, Connect, Inbound, Line, Network, NetworkError, Outbound, Random, Unicode};
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;
use url::{Host, Url};

/// The network through reqwest: no redirects, bodies decompressed.
pub(crate) struct RealNetwork(reqwest::Client);

impl RealNetwork {
    pub(crate) fn new() -> Self {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build();
        Self(client.unwrap())
    }
}

#[async_trait]
impl Network for RealNetwork {
    async fn send(&self, request: Outbound) -> Result<Inbound, NetworkError> {
        let sent = self.0.request(request.method, request.url).headers(request.headers).body(request.body).send();
        let answer = sent.await.map_err(|_| NetworkError)?;
        Ok(Inbound {
            status: answer.status(),
            headers: answer.headers().clone(),
            body: answer.bytes_stream().map_err(|_| NetworkError).boxed(),
        })
    }
}

/// The real network, except that every request goes to one counterpart on loopback: for providers whose addresses are
/// fixed. The counterpart sees in `Host` where the request was meant to go.
pub(crate) struct Rerouted {
    network: RealNetwork,
    to: Url,
}

impl Rerouted {
    pub(crate) fn to(counterpart: Url) -> Self {
        Self { network: RealNetwork::new(), to: counterpart }
    }
}

#[async_trait]
impl Network for Rerouted {
    async fn send(&self, mut request: Outbound) -> Result<Inbound, NetworkError> {
        request.headers.insert(HOST, request.url.authority().parse().unwrap());
        request.url.set_scheme(self.to.scheme()).unwrap();
        request.url.set_host(self.to.host_str()).unwrap();
        request.url.set_port(self.to.port()).unwrap();
        self.network.send(request).await
    }
}

/// Servers that lead nowhere: each says back what it hears, and something before it heard anything.
pub(crate) struct Parrots;

#[async_trait]
impl Connect for Parrots {
    async fn connect(&self, _: &Host, _: u16) -> Result<Box<dyn Line>, NetworkError> {
        Ok(Box::new(Parrot(Bytes::from_static(b"a parrot"))))
    }
}

struct Parrot(Bytes);

#[async_trait]
impl Line for Parrot {
    async fn send(&mut self, bytes: &[u8]) -> Result<(), NetworkError> {
        self.0 = Bytes::copy_from_slice(bytes);
        Ok(())
    }

    async fn receive(&mut self) -> Result<Bytes, NetworkError> {
        Ok(self.0.clone())
    }

    async fn start_tls(self: Box<Self>) -> Result<Box<dyn Line>, NetworkError> {
        Err(NetworkError)
    }
}

/// A clock that shows what it is told; waiting takes real time, but never longer than its patience.
pub(crate) struct SetClock {
    now: AtomicI64,
    patience: Mutex<Duration>,
}

impl SetClock {
    pub(crate) fn at(now: Timestamp) -> Self {
        Self { now: AtomicI64::new(now.millis()), patience: Duration::MAX.into() }
    }

    /// As [`hurry`](Self::hurry).
    pub(crate) fn with_patience(self, patience: Duration) -> Self {
        self.hurry(patience);
        self
    }

    /// Makes every longer wait as short as this: limits can be tested without waiting for them.
    pub(crate) fn hurry(&self, patience: Duration) {
        *self.patience.lock().unwrap() = patience;
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.now.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.load(Ordering::SeqCst))
    }

    async fn sleep(&self, duration: Duration) {
        let patience = *self.patience.lock().unwrap();
        tokio::time::sleep(duration.min(patience)).await;
    }
}

/// Randomness that is the same in every run: SHA-256 of a counter.
#[derive(Default)]
pub(crate) struct SeededRandom(AtomicU64);

impl Random for SeededRandom {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(32) {
            let block = Sha256::digest(self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes());
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}

/// The tables of a crate.
pub(crate) struct Tables;

impl Unicode for Tables {
    fn nfkc(&self, text: &str) -> String {
        text.nfkc().collect()
    }
}
