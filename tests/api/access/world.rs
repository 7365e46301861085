//! A Keyfob with one of everything, and one of every kind of caller.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Body;
use http::Request;
use keyfob::token::Token;
use serde_json::{Value, json};

use super::table::{Need, Row};
use crate::support::people::OWN;
use crate::support::ports::SeededRandom;
use crate::support::{Answer, Keyfob, ROOT, bearer};

/// Every scope there is.
pub(crate) const SCOPES: [&str; 14] = [
    "connections:read",
    "connections:write",
    "connections:delete",
    "connections:test",
    "credentials:use",
    "credentials:reveal",
    "usages:write",
    "customers:manage",
    "transfer",
    "embedded:manage",
    "webhooks:manage",
    "api-keys:manage",
    "master-keys:manage",
    "audit:read",
];
/// Every environment.
pub(crate) const ENVIRONMENTS: [&str; 3] = ["development", "staging", "production"];

/// A Keyfob with a connection, an API key, an origin and a webhook.
pub(crate) struct World {
    pub(crate) keyfob: Keyfob,
    pub(crate) connection: String,
    /// That of the customer `known`.
    pub(crate) own: String,
    /// Another one, which the step `s` of the workflow `w` uses.
    used: String,
    pub(crate) key: String,
    pub(crate) origin: String,
    pub(crate) webhook: String,
    signing_key: String,
    link: String,
    /// Two that wait for a consent, the second of the customer `known`, each with an attempt.
    waiting: [(String, String); 2],
}

/// Everything that a refused caller must not have changed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct State {
    /// Every value of every row of every table.
    database: String,
    blobs: BTreeMap<String, Vec<u8>>,
    sent: usize,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::of(Keyfob::start().await).await
    }

    /// Puts one of everything into a Keyfob.
    pub(crate) async fn of(keyfob: Keyfob) -> Self {
        let connection = keyfob.create(&bearer("Acme")).await;
        let mut customers = bearer("Known");
        customers["kind"] = "customer".into();
        customers["customer"] = "known".into();
        let own = id(&keyfob.create(&customers).await);
        let used = id(&keyfob.create(&bearer("Used")).await);
        keyfob.request("PUT", &format!("/v1/connections/{used}/usages/w/s"), ROOT, &[], &Value::Null).await.expect(201);
        let key = json!({ "name": "Old", "scopes": ["api-keys:manage"], "environments": ["development"] });
        let key = keyfob.post("/v1/api-keys", &key).await.expect(201).json();
        let origin = json!({ "origin": "https://app.example.com" });
        let origin = keyfob.post("/v1/embedded/origins", &origin).await.expect(201).json();
        let webhook = json!({
            "environment": "development", "url": "https://hooks.acme.dev/", "event_types": ["connection.status_changed"],
        });
        let webhook = keyfob.post("/v1/webhooks", &webhook).await.expect(201).json();
        let signing_key = id(&keyfob.post("/v1/signing-keys", &super::table::signing_key()).await.expect(201).json());
        let link = json!({
            "environment": "development", "customer": "known", "provider": "http", "connection_type": "bearer",
        });
        let link = id(&keyfob.post(&format!("{OWN}/v1/connect-links"), &link).await.expect(201).json());
        let (connection, key, origin, webhook) = (id(&connection), id(&key), id(&origin), id(&webhook));
        let waiting = [waiting(&keyfob, None).await, waiting(&keyfob, Some("known")).await];
        Self { keyfob, connection, own, used, key, origin, webhook, signing_key, link, waiting }
    }

    pub(crate) fn state(&self) -> State {
        State {
            database: self.keyfob.database.dump(),
            blobs: self.keyfob.blobs.stored.lock().unwrap().clone(),
            sent: self.keyfob.counterpart.received().len(),
        }
    }

    /// The path of a route, with what is there.
    pub(crate) fn path(&self, row: &Row) -> String {
        if row.path.contains("/authorizations") {
            let (id, attempt) = &self.waiting[usize::from(row.need == Need::Own)];
            return path_of(row, id).replace(ATTEMPT, attempt);
        }
        let id = match row.path.split('/').nth(2) {
            _ if row.need == Need::Builder && row.path.ends_with("/replace") => &self.used,
            _ if row.need == Need::Builder => &self.connection,
            _ if row.path.starts_with("/v1/embedded/connections/") => &self.own,
            Some("connections") if row.path.contains("/usages") || row.path.ends_with("/replace") => &self.used,
            Some("connections") => &self.connection,
            Some("api-keys") => &self.key,
            Some("webhooks") => &self.webhook,
            Some("signing-keys") => &self.signing_key,
            Some("connect-links") => &self.link,
            _ => &self.origin,
        };
        path_of(row, id)
    }

    /// The body of a route, with what is there.
    pub(crate) fn body(&self, row: &Row) -> Value {
        serde_json::from_str(&row.body.to_string().replace("{connection}", &self.connection)).unwrap()
    }

    /// Sends the request of a row with what stands in `Authorization`.
    pub(crate) async fn ask(&self, row: &Row, authorization: Option<&str>) -> Answer {
        self.ask_at(&self.path(row), row, authorization).await
    }

    /// Sends the request of a row to a path of its own.
    pub(crate) async fn ask_at(&self, path: &str, row: &Row, authorization: Option<&str>) -> Answer {
        self.ask_by(row.method, path, row, authorization).await
    }

    /// Sends the request of a row by another method.
    pub(crate) async fn ask_by(&self, method: &str, path: &str, row: &Row, authorization: Option<&str>) -> Answer {
        let mut request = Request::builder().method(method).uri(absolute(path));
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        if row.needs_version() {
            request = request.header("if-match", "\"1\"");
        }
        let body = if row.body.is_null() {
            Body::empty()
        } else {
            request = request.header("content-type", "application/json");
            Body::from(self.body(row).to_string())
        };
        self.keyfob.send(request.body(body).unwrap()).await
    }

    /// The callers whose claim does not hold, by what they are.
    pub(crate) async fn unproved(&self) -> Vec<(&'static str, Option<String>)> {
        let keyfob = &self.keyfob;
        let stranger = Token::new_api_key(&SeededRandom::default()).token.to_string();
        let strange_session = Token::new_session(&SeededRandom::default()).token.to_string();
        let (revoked, expired) = (self.revoked_key().await, self.expiring_key().await);
        let expired_session = self.session(&json!({ "customer": "c1", "expires_in": 60 })).await;
        keyfob.advance(Duration::from_mins(1));
        let ended = self.session(&json!({ "customer": "ended" })).await;
        let path = "/v1/embedded/sessions?environment=development&customer=ended";
        keyfob.request("DELETE", path, ROOT, &[], &Value::Null).await.expect(204);
        let bearer = |token: &str| Some(format!("Bearer {token}"));
        vec![
            ("no key", None),
            ("an empty header", Some(String::new())),
            ("no token", bearer("")),
            ("a malformed key", bearer("kf_secret")),
            ("a key with a wrong check sum", bearer(&ROOT.replace("2CZclj", "2CZclk"))),
            ("another scheme", Some(format!("Basic {ROOT}"))),
            ("the key without a scheme", Some(ROOT.to_owned())),
            ("the root key as a session", bearer(&ROOT.replacen("kf_", "ks_", 1))),
            ("an unknown key", bearer(&stranger)),
            ("a revoked key", bearer(&revoked)),
            ("an expired key", bearer(&expired)),
            ("an unknown session", bearer(&strange_session)),
            ("an expired session", bearer(&expired_session)),
            ("an ended session", bearer(&ended)),
        ]
    }

    async fn revoked_key(&self) -> String {
        let body = json!({ "name": "Revoked", "scopes": SCOPES, "environments": ENVIRONMENTS });
        let key = self.keyfob.post("/v1/api-keys", &body).await.expect(201).json();
        let path = format!("/v1/api-keys/{}", id(&key));
        self.keyfob.request("DELETE", &path, ROOT, &[], &Value::Null).await.expect(204);
        text(&key, "secret")
    }

    /// A key that expires within the minute.
    async fn expiring_key(&self) -> String {
        let body = json!({
            "name": "Expired", "scopes": SCOPES, "environments": ENVIRONMENTS, "expires_at": "2026-11-20T10:01:00Z",
        });
        text(&self.keyfob.post("/v1/api-keys", &body).await.expect(201).json(), "secret")
    }

    /// Mints a session for the development environment.
    pub(crate) async fn session(&self, body: &Value) -> String {
        let mut body = body.clone();
        body["environment"] = "development".into();
        text(&self.keyfob.post("/v1/embedded/sessions", &body).await.expect(201).json(), "token")
    }

    /// A key with exactly what a route needs.
    pub(crate) async fn exact_key(&self, need: Need, environment: &str) -> String {
        let scope = if let Need::Scope(scope) = need { scope } else { "transfer" };
        self.keyfob.key(&[scope], &[environment]).await
    }

    /// A key with everything but what a route needs.
    pub(crate) async fn key_without(&self, scope: &str) -> String {
        let others: Vec<&str> = SCOPES.into_iter().filter(|other| *other != scope).collect();
        self.keyfob.key(&others, &ENVIRONMENTS).await
    }
}

/// The id of an attempt to authorize that there is not.
const ATTEMPT: &str = "aut_01kag3p3g0zzzzzzzzzzzzzzzz";

/// Creates a connection that waits for a consent, and begins an attempt.
async fn waiting(keyfob: &Keyfob, customer: Option<&str>) -> (String, String) {
    let mut body = crate::oauth::code_connection("Waiting");
    if let Some(customer) = customer {
        body["kind"] = "customer".into();
        body["customer"] = customer.into();
    }
    let connection = id(&keyfob.create(&body).await);
    let begin = format!("{OWN}/v1/connections/{connection}/authorizations");
    let attempt = id(&keyfob.post(&begin, &json!({})).await.expect(201).json());
    (connection, attempt)
}

/// The address of a path under this Keyfob; the same, where it is one.
pub(crate) fn absolute(path: &str) -> String {
    if path.starts_with('/') { format!("{OWN}{path}") } else { path.to_owned() }
}

/// The path of a route with this id in it.
pub(crate) fn path_of(row: &Row, id: &str) -> String {
    // A step that is registered already would leave no trace.
    let step = if row.method == "PUT" { "new" } else { "s" };
    let path = row.path.replace("{id}", id).replace("{number}", "1").replace("{provider}", "slack");
    // Who has nothing is deleted with one line in the audit log.
    let customer = if row.method == "DELETE" { "nobody" } else { "known" };
    let path = path.replace("{ticket}", "none").replace("{authorization}", ATTEMPT);
    let path = path.replace("{workflow}", "w").replace("{step}", step).replace("{customer}", customer);
    format!("{path}{}", row.query)
}

/// The id of what the API shows.
pub(crate) fn id(shown: &Value) -> String {
    text(shown, "id")
}

/// A text of what the API shows.
pub(crate) fn text(shown: &Value, field: &str) -> String {
    shown[field].as_str().unwrap().to_owned()
}
