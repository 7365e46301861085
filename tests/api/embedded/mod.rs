//! The embedded builder: sessions, origins, and what pages read.

mod builder;
mod cors;
mod exchange;
mod list;
mod origins;
mod own;
mod page;
mod sessions;
mod stored;

use serde_json::{Value, json};

use crate::support::counterpart::{Received, Reply, answer};
use crate::support::{Answer, Keyfob};

/// A provider that checks the credential.
fn strict(request: &Received) -> Reply {
    answer(if request.header("authorization").is_some() { 200 } else { 401 }, &[], "{}")
}

/// Mints a session and gives its token.
async fn session(keyfob: &Keyfob, body: &Value) -> String {
    let created = keyfob.post("/v1/embedded/sessions", body).await.expect(201).json();
    created["token"].as_str().unwrap().to_owned()
}

/// A session for a customer in development.
async fn customer(keyfob: &Keyfob, customer: &str) -> String {
    session(keyfob, &json!({ "environment": "development", "customer": customer })).await
}

/// What a page reads.
async fn read(keyfob: &Keyfob, path: &str, token: &str, headers: &[(&str, &str)]) -> Answer {
    keyfob.request("GET", path, token, headers, &Value::Null).await
}

/// The names that a session sees.
async fn names(keyfob: &Keyfob, token: &str) -> Vec<String> {
    let page = read(keyfob, "/v1/embedded/connections", token, &[]).await.expect(200).json();
    page["data"].as_array().unwrap().iter().map(|seen| seen["name"].as_str().unwrap().to_owned()).collect()
}
