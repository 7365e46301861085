//! What a test tells of a host that gives no answer: the same word after the same time, whatever keeps it from answering.
//! The clock is tokio's, paused: it jumps to the next thing that is waited for.

use std::collections::BTreeSet;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, StatusCode};
use keyfob::catalog::Catalog;
use keyfob::domain::origin::Origin;
use keyfob::domain::reason::Reason;
use keyfob::domain::time::Timestamp;
use keyfob::domain::values::{Secret, Secrets, Settings};
use keyfob::egress::exchange::TIME_LIMIT;
use keyfob::egress::{Egress, Policy};
use keyfob::ports::{Connect, Inbound, Line, Network, NetworkError, Outbound};
use keyfob::probe;
use serde_json::json;
use tokio::time::{Instant, sleep};
use url::Host as Name;

use crate::ports::{Parrots, SeededRandom, SetClock};
use crate::probe::means;

/// What becomes of a request.
#[derive(Debug, Clone, Copy)]
enum Host {
    /// The platform refuses it, or the name does not resolve: an error at once.
    Absent,
    /// Its port is closed: an error after a round trip.
    Closed,
    /// Packets to it are dropped.
    Filtered,
    /// Cloudflare answers in its place, after a while.
    Replaced(u16, u64),
    /// It begins to answer and breaks off.
    Torn,
    /// It begins to answer and drips a byte a second.
    Drips,
    /// It answers, after a while.
    There(u16, u64),
    /// It is there for whoever has the credential; others are dropped.
    Anonymous,
}

#[async_trait]
impl Network for Host {
    async fn send(&self, request: Outbound) -> Result<Inbound, NetworkError> {
        match *self {
            Self::Absent => Err(NetworkError),
            Self::Closed => {
                sleep(Duration::from_millis(40)).await;
                Err(NetworkError)
            }
            Self::Replaced(status, millis) | Self::There(status, millis) => {
                sleep(Duration::from_millis(millis)).await;
                Ok(inbound(status, stream::empty().boxed()))
            }
            Self::Torn => Ok(inbound(200, stream::once(async { Err(NetworkError) }).boxed())),
            Self::Drips => {
                let drip = |()| async {
                    sleep(Duration::from_secs(1)).await;
                    Some((Ok(Bytes::from_static(b" ")), ()))
                };
                Ok(inbound(200, stream::unfold((), drip).boxed()))
            }
            Self::Anonymous if request.headers.contains_key("authorization") => {
                Ok(inbound(200, stream::empty().boxed()))
            }
            Self::Filtered | Self::Anonymous => pending().await,
        }
    }
}

fn inbound(status: u16, body: stream::BoxStream<'static, Result<Bytes, NetworkError>>) -> Inbound {
    Inbound { status: StatusCode::from_u16(status).unwrap(), headers: HeaderMap::new(), body }
}

/// The word that a test of a bearer token has for a host, and how long it took to say it.
async fn found(host: Host, base_url: &str, allowed: &str) -> (Option<Reason>, Duration) {
    let clock = SetClock::at(Timestamp::from_millis(0));
    let egress = Egress::new((Arc::new(host), Arc::new(Parrots)), Arc::new(clock), Policy::default());
    let bearer = Catalog::embedded().connection_type("http", "bearer").unwrap();
    let settings: Settings = [("base_url", base_url), ("test_method", "GET"), ("test_path", "/me")]
        .map(|(key, value)| (key.to_owned(), json!(value)))
        .into();
    let secrets: Secrets = [("token".to_owned(), Secret::new("s3cret".to_owned()))].into_iter().collect();
    let allowed = BTreeSet::from([Origin::try_from(allowed.to_owned()).unwrap()]);
    let began = Instant::now();
    let finding = probe::test(means(&egress, &SeededRandom::default()), bearer, &settings, &secrets, &allowed).await;
    (finding.reason, began.elapsed())
}

const URL: &str = "https://api.acme.dev";

#[tokio::test(start_paused = true)]
async fn hosts_that_do_not_answer_differ_neither_in_word_nor_in_time() {
    let silent = [
        Host::Absent,
        Host::Closed,
        Host::Filtered,
        Host::Replaced(521, 3),
        Host::Replaced(522, 9_000),
        Host::Replaced(523, 100),
        Host::Replaced(530, 20),
        Host::Torn,
        Host::Anonymous,
    ];
    for host in silent {
        let told = found(host, URL, URL).await;
        assert_eq!(told, (Some(Reason::Unreachable), TIME_LIMIT), "{host:?}");
    }
    // Refused by the guard: addresses, names, other origins. Nothing is sent, so what the host would do plays no part.
    for url in
        ["https://10.0.0.1", "https://[::1]", "https://vault.internal", "https://other.acme.dev", "http://api.acme.dev"]
    {
        for host in [Host::Absent, Host::There(200, 0)] {
            for allowed in [URL, url] {
                let told = found(host, url, allowed).await;
                let is_refused = url != "https://other.acme.dev" || allowed == URL;
                assert!(!is_refused || told == (Some(Reason::Unreachable), TIME_LIMIT), "{url} {told:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_answers_is_told_of_at_once() {
    for (status, reason) in [(401, Reason::Rejected), (429, Reason::RateLimited), (503, Reason::Unreachable)] {
        let told = found(Host::There(status, 70), URL, URL).await;
        assert_eq!(told, (Some(reason), Duration::from_millis(70)), "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_began_to_answer_is_late_and_not_absent() {
    assert_eq!(found(Host::Drips, URL, URL).await, (Some(Reason::Timeout), TIME_LIMIT));
}

/// What becomes of a line to a server.
#[derive(Debug, Clone, Copy)]
enum Server {
    /// The platform refuses it, or the name does not resolve.
    Absent,
    /// Its port is closed: an error after a round trip.
    Closed,
    /// Packets to it are dropped.
    Filtered,
    /// It lets everybody in and says nothing.
    Silent,
    /// It closes what it accepted.
    HangsUp,
    /// It begins to say something and closes.
    Torn,
    /// It begins to say something and goes on for ever: a byte a second.
    Drips,
    /// It has no TLS, and says so after a while.
    There,
}

#[async_trait]
impl Connect for Server {
    async fn connect(&self, _: &Name, _: u16) -> Result<Box<dyn Line>, NetworkError> {
        match self {
            Self::Absent => Err(NetworkError),
            Self::Closed => {
                sleep(Duration::from_millis(40)).await;
                Err(NetworkError)
            }
            Self::Filtered => pending().await,
            _ => Ok(Box::new(Opened(*self, 0))),
        }
    }
}

/// A line, and how many pieces were received.
struct Opened(Server, usize);

#[async_trait]
impl Line for Opened {
    async fn send(&mut self, _: &[u8]) -> Result<(), NetworkError> {
        Ok(())
    }

    async fn receive(&mut self) -> Result<Bytes, NetworkError> {
        self.1 += 1;
        match (self.0, self.1) {
            (Server::There, 1) => {
                sleep(Duration::from_millis(70)).await;
                Ok(Bytes::from_static(b"N"))
            }
            (Server::Torn, 1) => Ok(Bytes::from_static(b"R")),
            (Server::Drips, _) => {
                sleep(Duration::from_secs(1)).await;
                Ok(Bytes::from_static(b"R\0\0\0\x20".get(self.1 - 1..self.1).unwrap_or(b"x")))
            }
            (Server::HangsUp | Server::Torn, _) => Ok(Bytes::new()),
            _ => pending().await,
        }
    }

    async fn start_tls(self: Box<Self>) -> Result<Box<dyn Line>, NetworkError> {
        Err(NetworkError)
    }
}

/// The word that a test of a database has for a server, and how long it took to say it.
async fn found_database(server: Server, host: &str, ssl_mode: &str, allowed: &str) -> (Option<Reason>, Duration) {
    let ports = (Arc::new(Host::Absent) as Arc<dyn Network>, Arc::new(server) as Arc<dyn Connect>);
    let egress = Egress::new(ports, Arc::new(SetClock::at(Timestamp::from_millis(0))), Policy::default());
    let of = Catalog::embedded().connection_type("postgresql", "password").unwrap();
    let settings: Settings =
        [("host", host), ("port", "5432"), ("database", "app"), ("user", "ann"), ("ssl_mode", ssl_mode)]
            .map(|(key, value)| (key.to_owned(), json!(value)))
            .into();
    let secrets: Secrets = [("password".to_owned(), Secret::new("s3cret".to_owned()))].into_iter().collect();
    let allowed = BTreeSet::from([Origin::try_from(allowed.to_owned()).unwrap()]);
    let began = Instant::now();
    let finding = probe::test(means(&egress, &SeededRandom::default()), of, &settings, &secrets, &allowed).await;
    (finding.reason, began.elapsed())
}

const DATABASE: &str = "postgresql://db.acme.dev:5432";

#[tokio::test(start_paused = true)]
async fn servers_that_do_not_answer_differ_neither_in_word_nor_in_time() {
    let silent = [Server::Absent, Server::Closed, Server::Filtered, Server::Silent, Server::HangsUp, Server::Torn];
    for server in silent {
        let told = found_database(server, "db.acme.dev", "disable", DATABASE).await;
        assert_eq!(told, (Some(Reason::Unreachable), TIME_LIMIT), "{server:?}");
    }
    // Refused by the guard: nothing is opened.
    for host in ["10.0.0.1", "::1", "169.254.169.254", "vault.internal", "localhost", "other.acme.dev"] {
        for allowed in
            [DATABASE.to_owned(), format!("postgresql://{}:5432", if host == "::1" { "[::1]" } else { host })]
        {
            let is_refused = host != "other.acme.dev" || allowed == DATABASE;
            let told = found_database(Server::There, host, "verify-full", &allowed).await;
            assert!(!is_refused || told == (Some(Reason::Unreachable), TIME_LIMIT), "{host} {told:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_answers_is_told_of_at_once_and_one_that_does_not_end_is_late() {
    let told = found_database(Server::There, "db.acme.dev", "verify-full", DATABASE).await;
    assert_eq!(told, (Some(Reason::TlsFailed), Duration::from_millis(70)));
    let told = found_database(Server::Drips, "db.acme.dev", "disable", DATABASE).await;
    assert_eq!(told, (Some(Reason::Timeout), TIME_LIMIT));
}
