//! One running Keyfob a test: the real router over SQLite, a blob store in memory, and a counterpart on loopback in the
//! place of every provider. Time and randomness are set, so whole bodies can be asserted.

#[expect(dead_code, reason = "the tests of what leaves use the rest")]
pub(crate) mod counterpart;
pub(crate) mod database;
pub(crate) mod people;
#[expect(dead_code, reason = "the tests of what leaves use the rest")]
pub(crate) mod ports;
pub(crate) mod routes;
pub(crate) mod signing;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use keyfob::app::deferred::Deferred;
use keyfob::app::{App, Ports};
use keyfob::config::Config;
use keyfob::domain::time::Timestamp;
use keyfob::jobs;
use keyfob::ports::{AssetError, Assets, BlobError, BlobStore, Keys, Log, Throttle};
use keyfob::router::router;
use serde_json::{Value, json};
use tower::ServiceExt;

use counterpart::{Counterpart, Received, Reply, answer};
use database::Sqlite;
use ports::{Parrots, Rerouted, SeededRandom, SetClock, Tables};
use signing::Ring;

/// 2026-11-20T10:00:00.000Z.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_795_168_800_000);
/// The root key: 43 zeros and their check sum.
pub(crate) const ROOT: &str = "kf_00000000000000000000000000000000000000000002CZclj";
/// A ring with one key: 32 bytes of 7.
pub(crate) const MASTER_KEYS: &str = r#"{"primary":1,"keys":{"1":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="}}"#;

/// What outlives a Keyfob.
#[derive(Clone)]
struct World {
    database: Arc<Sqlite>,
    blobs: Arc<Blobs>,
    clock: Arc<SetClock>,
    counterpart: Arc<Counterpart>,
    random: Arc<SeededRandom>,
}

/// A Keyfob to talk to.
pub(crate) struct Keyfob {
    router: Router,
    app: App,
    world: World,
    pub(crate) database: Arc<Sqlite>,
    pub(crate) blobs: Arc<Blobs>,
    pub(crate) clock: Arc<SetClock>,
    pub(crate) counterpart: Arc<Counterpart>,
    pub(crate) log: Arc<Lines>,
    pub(crate) throttle: Arc<Gate>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The status and the code of a problem.
    pub(crate) fn problem(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text);
        (self.status.as_u16(), self.json()["code"].as_str().unwrap().to_owned())
    }

    /// The pointers and codes of the values that are wrong.
    pub(crate) fn errors(&self) -> Vec<(String, String)> {
        let word = |error: &Value, name: &str| error[name].as_str().unwrap().to_owned();
        let errors = self.json()["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| (word(error, "pointer"), word(error, "code"))).collect()
    }

    /// The answer, which must have this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }
}

impl Keyfob {
    /// Starts with a counterpart that answers 200 `{}` to everything.
    pub(crate) async fn start() -> Self {
        Self::with(|_| answer(200, &[], "{}")).await
    }

    /// Starts with a counterpart that answers as this rule says.
    pub(crate) async fn with(rule: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        Self::configured(rule, &[]).await
    }

    /// Starts with a provider that knows its credentials: 200 with one, 401 without.
    pub(crate) async fn working() -> Self {
        Self::with(|request| answer(if request.header("authorization").is_some() { 200 } else { 401 }, &[], "{}")).await
    }

    /// Starts with a provider that answers a credential with what the status says at the time, and 401 without one.
    pub(crate) async fn answering(status: &Arc<AtomicU16>) -> Self {
        let status = Arc::clone(status);
        Self::with(move |request| {
            let status = if request.header("authorization").is_some() { status.load(Ordering::SeqCst) } else { 401 };
            answer(status, &[], "{}")
        })
        .await
    }

    /// Starts with variables of its own.
    pub(crate) async fn configured(
        rule: impl Fn(&Received) -> Reply + Send + Sync + 'static,
        variables: &[(&str, &str)],
    ) -> Self {
        let world = World {
            database: Arc::new(Sqlite::migrated()),
            blobs: Arc::default(),
            clock: Arc::new(SetClock::at(NOW)),
            counterpart: Arc::new(Counterpart::start(rule).await),
            random: Arc::default(),
        };
        Self::in_world(world, variables)
    }

    /// Starts once more over the same storage, with variables of its own.
    pub(crate) fn restarted(&self, variables: &[(&str, &str)]) -> Self {
        Self::in_world(self.world.clone(), variables)
    }

    /// Starts once more over another database, and the same blobs.
    pub(crate) fn over(&self, database: Sqlite, variables: &[(&str, &str)]) -> Self {
        Self::in_world(World { database: Arc::new(database), ..self.world.clone() }, variables)
    }

    fn in_world(world: World, variables: &[(&str, &str)]) -> Self {
        let World { database, blobs, clock, counterpart, random } = world.clone();
        let (log, throttle) = (Arc::new(Lines::default()), Arc::new(Gate::default()));
        let ports = Ports {
            database: Arc::clone(&database) as _,
            blobs: Arc::clone(&blobs) as _,
            assets: Arc::new(Built),
            network: Arc::new(Rerouted::to(counterpart.url("/"))),
            connect: Arc::new(Parrots),
            sign: Arc::new(Ring),
            clock: Arc::clone(&clock) as _,
            random,
            unicode: Arc::new(Tables),
            log: Arc::clone(&log) as _,
            throttle: Arc::clone(&throttle) as _,
        };
        let own: BTreeMap<&str, &str> = variables.iter().copied().collect();
        let config = Config::read(|name| {
            let default = match name {
                "MASTER_KEYS" => Some(MASTER_KEYS),
                "ROOT_API_KEY" => Some(ROOT),
                _ => None,
            };
            own.get(name).copied().or(default).map(str::to_owned)
        });
        let app = App::new(ports, config.unwrap_or_else(|error| panic!("{error}")));
        Self { router: router(app.clone()), app, world, database, blobs, clock, counterpart, log, throttle }
    }

    /// Sends any request, and does what it left for after its answer.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let mut response = self.router.clone().oneshot(request).await.unwrap();
        if let Some(deferred) = response.extensions_mut().remove::<Deferred>() {
            deferred.run().await;
        }
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    /// Sends a request with a key, further headers, and a JSON body unless it is null.
    pub(crate) async fn request(
        &self,
        method: &str,
        path: &str,
        key: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {key}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = if body.is_null() {
            Body::empty()
        } else {
            request = request.header("content-type", "application/json");
            Body::from(body.to_string())
        };
        self.send(request.body(body).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request("GET", path, ROOT, &[], &Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.request("POST", path, ROOT, &[], body).await
    }

    pub(crate) async fn patch(&self, path: &str, version: u64, body: &Value) -> Answer {
        self.request("PATCH", path, ROOT, &[("if-match", &format!("\"{version}\""))], body).await
    }

    pub(crate) async fn delete(&self, path: &str, version: u64) -> Answer {
        self.request("DELETE", path, ROOT, &[("if-match", &format!("\"{version}\""))], &Value::Null).await
    }

    /// Creates a connection and gives it as the API shows it.
    pub(crate) async fn create(&self, body: &Value) -> Value {
        self.post("/v1/connections", body).await.expect(201).json()
    }

    /// Mints an API key.
    pub(crate) async fn key(&self, scopes: &[&str], environments: &[&str]) -> String {
        let body = json!({ "name": "Some key", "scopes": scopes, "environments": environments });
        self.post("/v1/api-keys", &body).await.expect(201).json()["secret"].as_str().unwrap().to_owned()
    }

    /// Runs the scheduled handler once.
    pub(crate) async fn tick(&self) {
        jobs::run(&self.app).await;
    }

    /// The present moment of its clock.
    pub(crate) fn clock_now(&self) -> Timestamp {
        self.app.now()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }
}

/// A bearer connection of the generic HTTP provider, which the counterpart answers.
pub(crate) fn bearer(name: &str) -> Value {
    json!({
        "environment": "development", "provider": "http", "connection_type": "bearer", "name": name,
        "settings": { "base_url": "https://api.acme.dev", "test_path": "/me" },
        "secrets": { "token": "planted-secret-1" },
    })
}

/// The path of a connection that the API showed.
pub(crate) fn path_of(connection: &Value) -> String {
    format!("/v1/connections/{}", connection["id"].as_str().unwrap())
}

/// Some fields of an object.
pub(crate) fn shown<const N: usize>(object: &Value, fields: [&str; N]) -> Value {
    fields.iter().map(|field| ((*field).to_owned(), object[field].clone())).collect::<serde_json::Map<_, _>>().into()
}

/// How many keys a page of the blob store has; the platform's has 1,000.
const PAGE: usize = 3;

/// A blob store in memory.
#[derive(Default)]
pub(crate) struct Blobs {
    pub(crate) stored: Mutex<BTreeMap<String, Vec<u8>>>,
    /// Whether what is stored is invisible, as it may be elsewhere for a minute.
    pub(crate) lagging: AtomicBool,
}

#[async_trait]
impl BlobStore for Blobs {
    async fn put(&self, key: &str, blob: Vec<u8>) -> Result<(), BlobError> {
        let before = self.stored.lock().unwrap().insert(key.to_owned(), blob.clone());
        assert!(before.is_none_or(|before| before == blob), "a blob is never overwritten");
        Ok(())
    }

    async fn get(&self, key: &str, _: Option<Duration>) -> Result<Option<Vec<u8>>, BlobError> {
        let is_visible = !self.lagging.load(Ordering::SeqCst);
        Ok(self.stored.lock().unwrap().get(key).cloned().filter(|_| is_visible))
    }

    async fn delete(&self, key: &str) -> Result<(), BlobError> {
        self.stored.lock().unwrap().remove(key);
        Ok(())
    }

    async fn list(&self, cursor: Option<&str>) -> Result<Keys, BlobError> {
        let stored = self.stored.lock().unwrap();
        let mut keys: Vec<String> =
            stored.keys().filter(|key| cursor.is_none_or(|last| &***key > last)).cloned().collect();
        let is_last = keys.len() <= PAGE;
        keys.truncate(PAGE);
        let cursor = keys.last().filter(|_| !is_last).cloned();
        Ok(Keys { keys, cursor })
    }
}

/// The static files as the build made them, and a page in the place of the picker.
pub(crate) struct Built;

/// What stands for the page of the picker, which another build makes.
pub(crate) const PICKER: &str = "<!doctype html><title>Picker</title>";

#[async_trait]
impl Assets for Built {
    async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, AssetError> {
        let files: BTreeMap<String, String> =
            serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/assets.json"))).unwrap();
        if path == "/embed/" {
            return Ok(Some(PICKER.as_bytes().to_vec()));
        }
        Ok(files.get(path).map(|text| text.clone().into_bytes()))
    }
}

/// The log, kept.
#[derive(Default)]
pub(crate) struct Lines(Mutex<Vec<String>>);

impl Lines {
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// The last line that a job of the cron trigger ended with, parsed.
    pub(crate) fn of_job(&self, name: &str) -> Value {
        let lines = self.all().into_iter().rev().map(|line| serde_json::from_str::<Value>(&line).unwrap());
        lines.into_iter().find(|line| line["scheduled"] == name && line.get("id").is_none()).unwrap_or_default()
    }

    /// The last line, parsed.
    pub(crate) fn last(&self) -> Value {
        serde_json::from_str(self.0.lock().unwrap().last().unwrap()).unwrap()
    }
}

impl Log for Lines {
    fn line(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

/// A limiter that is shut by hand.
#[derive(Default)]
pub(crate) struct Gate(pub(crate) AtomicBool);

#[async_trait]
impl Throttle for Gate {
    async fn too_many_failures(&self, _: &str) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
