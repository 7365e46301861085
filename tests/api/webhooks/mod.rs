//! Webhooks: who is told, of what, how it is signed, and when it is tried again.

mod announce;
mod deliver;
mod manage;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::counterpart::{Received, Reply, answer};
use crate::support::{Keyfob, bearer, path_of};

const PATH: &str = "/v1/webhooks";
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// What endpoints answer, by host: a status, and headers.
type Answers = Arc<Mutex<BTreeMap<String, (u16, Vec<(&'static str, &'static str)>)>>>;

/// A Keyfob whose provider works, and endpoints at any host below `hooks.dev`.
struct World {
    keyfob: Keyfob,
    answers: Answers,
}

impl World {
    async fn new() -> Self {
        let answers = Answers::default();
        let rule = Arc::clone(&answers);
        Self { keyfob: Keyfob::with(move |request| reply(&rule, request)).await, answers }
    }

    /// Lets an endpoint answer so from now on; without, it answers 204.
    fn answers(&self, host: &str, status: u16, headers: &[(&'static str, &'static str)]) {
        self.answers.lock().unwrap().insert(host.to_owned(), (status, headers.to_vec()));
    }

    async fn register(&self, host: &str, event_types: &[&str]) -> Value {
        let body = json!({ "environment": "development", "url": format!("https://{host}/in?a=1"), "event_types": event_types });
        self.keyfob.post(PATH, &body).await.expect(201).json()
    }

    /// What an endpoint received.
    fn received(&self, host: &str) -> Vec<Received> {
        let all = self.keyfob.counterpart.received();
        all.into_iter().filter(|request| request.header("host") == Some(host)).collect()
    }

    /// A connection that is active.
    async fn connection(&self) -> String {
        path_of(&self.keyfob.create(&bearer("Acme")).await)
    }

    async fn switch(&self, path: &str, version: u64, enabled: bool) {
        self.keyfob.patch(path, version, &json!({ "enabled": enabled })).await.expect(200);
    }

    async fn deliveries(&self, webhook: &Value) -> Value {
        let path = format!("{PATH}/{}/deliveries", webhook["id"].as_str().unwrap());
        self.keyfob.get(&path).await.expect(200).json()["data"].clone()
    }
}

fn reply(answers: &Answers, request: &Received) -> Reply {
    let host = request.header("host").unwrap_or_default();
    if !host.ends_with("hooks.dev") {
        return answer(if request.header("authorization").is_some() { 200 } else { 401 }, &[], "{}");
    }
    let (status, headers) = answers.lock().unwrap().get(host).cloned().unwrap_or((204, Vec::new()));
    answer(status, &headers, "what an endpoint answers is kept nowhere")
}

/// HMAC-SHA256 as RFC 2104 has it, apart from the crate that signs.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let pad = |byte: u8| -> Vec<u8> { (0..64).map(|at| key.get(at).copied().unwrap_or(0) ^ byte).collect() };
    let inner = Sha256::digest([pad(0x36), message.to_vec()].concat());
    Sha256::digest([pad(0x5c), inner.to_vec()].concat()).to_vec()
}

/// Whether a request carries the signature of its id, its time and its body, as the specification has a receiver check it.
fn verifies(request: &Received, secret: &str) -> bool {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    assert_eq!(key.len(), 32);
    let [id, timestamp, signature] =
        ["webhook-id", "webhook-timestamp", "webhook-signature"].map(|name| request.header(name).unwrap());
    let signed = [id.as_bytes(), b".", timestamp.as_bytes(), b".", &request.body].concat();
    signature.strip_prefix("v1,").unwrap() == STANDARD.encode(hmac(&key, &signed))
}

/// The body of a message.
fn body(request: &Received) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}
