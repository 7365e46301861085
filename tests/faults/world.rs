//! A world: one database and one blob store, several isolates in several locations, simulated time. Nothing in it takes real
//! time, and nothing happens but what the test polls.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use keyfob::app::{App, Ports};
use keyfob::config::Config;
use keyfob::jobs;
use keyfob::ports::{
    BlobError, BlobStore, Clock, Database, DatabaseError, Inbound, Keys, Network, NetworkError, Outbound, Random, Rows,
    Statement,
};
use keyfob::router::router;
use serde_json::Value;
use tower::ServiceExt;
use url::form_urlencoded;

use crate::edge::{Kv, Location};
use crate::sim::{Plan, Port, Sim, SimClock};
use crate::support::database::Sqlite;
use crate::support::people::OWN;
use crate::support::ports::{Parrots, SeededRandom, Tables};
use crate::support::signing::Ring;
use crate::support::{Answer, Built, Gate, Lines, MASTER_KEYS, NOW, ROOT};

const DAY: Duration = Duration::from_hours(24);
/// Limits that nothing here meets.
const GENEROUS: &str = r#"{"reveals_per_hour":1000000,"tests_per_minute":1000000,"tests_per_minute_per_host":1000000,
    "messages_per_hour":1000000,"reports_per_minute":1000000}"#;

pub(crate) struct World {
    pub(crate) sim: Arc<Sim>,
    pub(crate) clock: Arc<SimClock>,
    pub(crate) database: Arc<Sqlite>,
    pub(crate) kv: Arc<Kv>,
    pub(crate) tokens: Arc<Tokens>,
    isolates: Vec<(App, Router)>,
    keys: &'static str,
}

/// A request as a client sends it, again if need be.
#[derive(Debug, Clone, Default)]
pub(crate) struct Call {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Value,
}

impl Call {
    pub(crate) fn new(method: &'static str, path: impl Into<String>, body: Value) -> Self {
        Self { method, path: path.into(), headers: Vec::new(), body }
    }

    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::new("GET", path, Value::Null)
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn if_match(self, version: u64) -> Self {
        self.with("if-match", format!("\"{version}\""))
    }

    fn request(&self) -> http::Request<Body> {
        let mut request = http::Request::builder().method(self.method).uri(format!("{OWN}{}", self.path));
        if self.headers.iter().all(|(name, _)| !["cookie", "authorization"].contains(name)) {
            request = request.header("authorization", format!("Bearer {ROOT}"));
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let body = if self.body.is_null() { Body::empty() } else { Body::from(self.body.to_string()) };
        request.header("content-type", "application/json").body(body).unwrap()
    }
}

impl World {
    /// A world with an empty database.
    pub(crate) fn new(seed: u64, isolates: usize, lag: Duration) -> Self {
        let (sim, clock) = (Sim::seeded(seed), Arc::new(SimClock::at(NOW)));
        let kv = Kv::new(&sim, &clock, lag);
        Self::of(
            (sim, clock),
            Arc::new(Sqlite::migrated()),
            kv,
            (isolates, MASTER_KEYS),
            (&Arc::default(), Arc::default()),
        )
    }

    /// A world of its own that begins as this one is now.
    pub(crate) fn copy(&self) -> Self {
        self.copy_under(self.keys)
    }

    /// The same under other master keys.
    pub(crate) fn copy_under(&self, keys: &'static str) -> Self {
        let (sim, clock) = (Sim::seeded(0), Arc::new(SimClock::at(self.clock.now())));
        let kv = self.kv.copy(&sim, &clock);
        let random = Arc::new(SeededRandom::default());
        // Never again what was drawn before.
        random.fill(&mut vec![0; 32 * 1000]);
        Self::of(
            (sim, clock),
            Arc::new(Sqlite::of(&self.database.file())),
            kv,
            (self.isolates.len(), keys),
            (&random, Arc::new(self.tokens.copy())),
        )
    }

    fn of(
        (sim, clock): (Arc<Sim>, Arc<SimClock>),
        database: Arc<Sqlite>,
        kv: Arc<Kv>,
        (isolates, keys): (usize, &'static str),
        (random, tokens): (&Arc<SeededRandom>, Arc<Tokens>),
    ) -> Self {
        let isolate = |number| {
            let port = |inner| Faulty { sim: Arc::clone(&sim), inner };
            let ports = Ports {
                database: Arc::new(Faulty { sim: Arc::clone(&sim), inner: Arc::clone(&database) }),
                blobs: Arc::new(port(Arc::new(Location::new(&kv, number)))),
                assets: Arc::new(Built),
                network: Arc::new(Faulty { sim: Arc::clone(&sim), inner: Arc::new(Provider(Arc::clone(&tokens))) }),
                connect: Arc::new(Parrots),
                sign: Arc::new(Ring),
                clock: Arc::clone(&clock) as _,
                random: Arc::clone(random) as _,
                unicode: Arc::new(Tables),
                log: Arc::new(Lines::default()),
                throttle: Arc::new(Gate::default()),
            };
            let config = Config::read(|name| match name {
                "MASTER_KEYS" => Some(keys.to_owned()),
                "ROOT_API_KEY" => Some(ROOT.to_owned()),
                "RATE_LIMITS" => Some(GENEROUS.to_owned()),
                _ => None,
            });
            let app = App::new(ports, config.unwrap());
            (app.clone(), router(app))
        };
        let isolates = (0..isolates).map(isolate).collect();
        Self { sim, clock, database, kv, tokens, isolates, keys }
    }

    /// A call to one of the isolates, not begun yet.
    pub(crate) fn send(&self, isolate: usize, call: &Call) -> BoxFuture<'static, Answer> {
        let (router, request) = (self.isolates[isolate].1.clone(), call.request());
        async move {
            let response = router.oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let bytes = body.collect().await.unwrap().to_bytes();
            Answer { status: parts.status, headers: parts.headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
        }
        .boxed()
    }

    /// One tick of the cron trigger, not begun yet.
    pub(crate) fn tick(&self, isolate: usize) -> BoxFuture<'static, ()> {
        let app = self.isolates[isolate].0.clone();
        async move { jobs::run(&app).await }.boxed()
    }

    /// Makes a call from beginning to end; none where no answer is heard.
    pub(crate) fn call(&self, call: &Call) -> Option<Answer> {
        self.sim.run(&self.clock, self.send(0, call))
    }

    /// Makes a call that must be answered.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16, call: &Call) -> Answer {
        self.call(call).unwrap_or_else(|| panic!("no answer: {} {}", call.method, call.path)).expect(status)
    }

    /// Ends all faults and does what was late.
    pub(crate) fn calm(&self) {
        self.sim.plan(Plan::Nothing);
        self.sim.finish_late();
    }

    /// Lets 31 days pass after the sweeps have seen everything, with the sweeps before and after. A tick does a bounded part:
    /// so many ticks as make an end.
    pub(crate) fn settle(&self) {
        self.clock.advance(DAY);
        for _ in 0..2 {
            loop {
                self.sim.run(&self.clock, self.tick(0)).unwrap();
                let walking = "select count(*) from orphan_walk where cursor is not null";
                if self.database.value::<i64>(walking) == 0 {
                    break;
                }
            }
            self.clock.advance(DAY * 31);
        }
        self.sim.run(&self.clock, self.tick(0)).unwrap();
    }
}

/// A port whose effects may fail.
struct Faulty<P> {
    sim: Arc<Sim>,
    inner: Arc<P>,
}

#[async_trait]
impl Database for Faulty<Sqlite> {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, DatabaseError> {
        let inner = Arc::clone(&self.inner);
        let act = move || {
            let (inner, statements) = (Arc::clone(&inner), statements.clone());
            async move { inner.run(statements) }.boxed()
        };
        self.sim.effect(Port::Database, act, Err(DatabaseError::Failed("the connection was lost".to_owned()))).await
    }
}

fn lost<T>() -> Result<T, BlobError> {
    Err(BlobError("the connection was lost".to_owned()))
}

#[async_trait]
impl BlobStore for Faulty<Location> {
    async fn put(&self, key: &str, blob: Vec<u8>) -> Result<(), BlobError> {
        let (inner, key) = (Arc::clone(&self.inner), key.to_owned());
        let act = move || {
            let (inner, key, blob) = (Arc::clone(&inner), key.clone(), blob.clone());
            async move { inner.put(&key, blob).await }.boxed()
        };
        self.sim.effect(Port::Blobs, act, lost()).await
    }

    async fn get(&self, key: &str, cache: Option<Duration>) -> Result<Option<Vec<u8>>, BlobError> {
        let (inner, key) = (Arc::clone(&self.inner), key.to_owned());
        let act = move || {
            let (inner, key) = (Arc::clone(&inner), key.clone());
            async move { inner.get(&key, cache).await }.boxed()
        };
        self.sim.effect(Port::Blobs, act, lost()).await
    }

    async fn delete(&self, key: &str) -> Result<(), BlobError> {
        let (inner, key) = (Arc::clone(&self.inner), key.to_owned());
        let act = move || {
            let (inner, key) = (Arc::clone(&inner), key.clone());
            async move { inner.delete(&key).await }.boxed()
        };
        self.sim.effect(Port::Blobs, act, lost()).await
    }

    async fn list(&self, cursor: Option<&str>) -> Result<Keys, BlobError> {
        let (inner, cursor) = (Arc::clone(&self.inner), cursor.map(str::to_owned));
        let act = move || {
            let (inner, cursor) = (Arc::clone(&inner), cursor.clone());
            async move { inner.list(cursor.as_deref()).await }.boxed()
        };
        self.sim.effect(Port::Blobs, act, lost()).await
    }
}

/// A token endpoint: each refresh token is good once, and makes the next.
#[derive(Default)]
pub(crate) struct Tokens {
    /// The number of the newest tokens.
    newest: AtomicU64,
    /// How often it was asked.
    pub(crate) calls: AtomicU64,
}

impl Tokens {
    fn copy(&self) -> Self {
        let number = |counter: &AtomicU64| AtomicU64::new(counter.load(Ordering::SeqCst));
        Self { newest: number(&self.newest), calls: number(&self.calls) }
    }

    /// The access token that was given last.
    pub(crate) fn newest(&self) -> String {
        format!("planted-access-{}", self.newest.load(Ordering::SeqCst))
    }

    fn answer(&self, body: &[u8]) -> (StatusCode, String) {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let newest = self.newest.load(Ordering::SeqCst);
        let spent = form_urlencoded::parse(body).find(|(name, _)| name == "refresh_token");
        if spent.is_some_and(|(_, token)| token != format!("planted-refresh-{newest}")) {
            return (StatusCode::BAD_REQUEST, r#"{"error":"invalid_grant"}"#.to_owned());
        }
        let next = newest + 1;
        self.newest.store(next, Ordering::SeqCst);
        let tokens = serde_json::json!({
            "access_token": format!("planted-access-{next}"), "refresh_token": format!("planted-refresh-{next}"),
            "expires_in": 3600,
        });
        (StatusCode::OK, tokens.to_string())
    }
}

/// A provider that accepts every credential and every signed message, and nothing else; beside it a token endpoint.
struct Provider(Arc<Tokens>);

#[async_trait]
impl Network for Faulty<Provider> {
    async fn send(&self, request: Outbound) -> Result<Inbound, NetworkError> {
        let knows = ["authorization", "webhook-signature"].iter().any(|name| request.headers.contains_key(*name));
        let status = if knows { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
        let tokens = (request.url.path() == "/token").then(|| (Arc::clone(&self.inner.0), request.body));
        let act = move || {
            // What the endpoint does, it does when the effect is done, and each time that it is.
            let tokens = tokens.clone();
            async move {
                let (status, body) = match tokens {
                    Some((tokens, body)) => tokens.answer(&body),
                    None => (status, "{}".to_owned()),
                };
                let body = stream::iter([Ok(Bytes::from(body))]).boxed();
                Ok(Inbound { status, headers: HeaderMap::new(), body })
            }
            .boxed()
        };
        self.sim.effect(Port::Network, act, Err(NetworkError)).await
    }
}
