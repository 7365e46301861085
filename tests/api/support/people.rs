//! People: a Keyfob behind Cloudflare Access, whose keys the counterpart publishes, and browsers with cookies.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, LazyLock};

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

use super::counterpart::{Received, Reply, answer};
use super::signing::Signer;
use super::{Answer, Keyfob, NOW, ROOT};

/// Where browsers reach the Keyfob of a test.
pub(crate) const OWN: &str = "https://keyfob.example.com";
pub(crate) const TEAM: &str = "acme.cloudflareaccess.com";
pub(crate) const AUDIENCE: &str = "32eafc7626e974616deaf0dc3ce63d7bcbed58a2731e84d06bc3cdf1b53c4228";

/// Ann may do nearly everything in development, Bob (by his group) reads there, everybody else of the domain nothing but test.
pub(crate) const ROLES: &str = r#"[
    {"email": "ann@example.com", "environments": ["development"], "scopes": ["connections:read", "connections:write",
     "connections:delete", "connections:test", "credentials:use", "credentials:reveal", "api-keys:manage", "embedded:manage"]},
    {"group": "readers", "environments": ["development"], "scopes": ["connections:read"]},
    {"email_domain": "example.com", "environments": ["staging"], "scopes": ["connections:test"]}]"#;

/// Who signs for Access.
pub(crate) static ACCESS: LazyLock<Signer> = LazyLock::new(Signer::rsa);

/// The variables of a Keyfob behind Access.
pub(crate) const VARIABLES: [(&str, &str); 3] =
    [("ACCESS_TEAM_DOMAIN", TEAM), ("ACCESS_AUDIENCE", AUDIENCE), ("ACCESS_ROLES", ROLES)];

/// What Access answers where it publishes its keys.
pub(crate) fn certs(kid: &str) -> Reply {
    let keys = json!({ "keys": [ACCESS.jwk(kid)], "public_cert": { "kid": kid, "cert": "" }, "public_certs": [] });
    answer(200, &[("Content-Type", "application/json")], keys.to_string())
}

pub(crate) fn asks_for_keys(request: &Received) -> bool {
    request.target == "/cdn-cgi/access/certs"
}

/// Starts a Keyfob behind Access; its providers know their credentials.
pub(crate) async fn start() -> Keyfob {
    start_while(&Arc::new(AtomicU16::new(200))).await
}

/// The same, but the keys are answered with this status unless it is 200.
pub(crate) async fn start_while(status: &Arc<AtomicU16>) -> Keyfob {
    let status = Arc::clone(status);
    let rule = move |request: &Received| match status.load(Ordering::SeqCst) {
        200 if asks_for_keys(request) => certs("key-1"),
        other if asks_for_keys(request) => answer(other, &[], "{}"),
        _ => answer(if request.header("authorization").is_some() { 200 } else { 401 }, &[], "{}"),
    };
    Keyfob::configured(rule, &VARIABLES).await
}

/// The claims that Access makes of a person for an hour from now.
pub(crate) fn claims(email: &str) -> Value {
    let now = NOW.millis() / 1000;
    json!({
        "aud": [AUDIENCE], "email": email, "exp": now + 3600, "iat": now, "nbf": now, "iss": format!("https://{TEAM}"),
        "type": "app", "identity_nonce": "6ei69kawdKzMIAPF", "sub": "7335d417-61da-459d-899c-0a01c76a2f94", "country": "US",
    })
}

/// What a browser sends.
#[derive(Debug, Clone, Default)]
pub(crate) struct Browser {
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Browser {
    /// One on a page of this Keyfob.
    pub(crate) fn own() -> Self {
        Self::default().with("origin", OWN)
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) async fn send(&self, keyfob: &Keyfob, method: &str, path: &str, body: &Value) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("{OWN}{path}"));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let body = if body.is_null() {
            Body::empty()
        } else {
            request = request.header("content-type", "application/json");
            Body::from(body.to_string())
        };
        keyfob.send(request.body(body).unwrap()).await
    }

    pub(crate) async fn get(&self, keyfob: &Keyfob, path: &str) -> Answer {
        self.send(keyfob, "GET", path, &Value::Null).await
    }

    /// The same browser with the cookie that an answer set.
    pub(crate) fn after(self, answer: &Answer) -> Self {
        let pair = answer.header("set-cookie").split(';').next().unwrap().to_owned();
        self.with("cookie", pair)
    }
}

/// Signs in with an API key.
pub(crate) async fn sign_in_with(keyfob: &Keyfob, key: &str) -> Browser {
    let answer = Browser::own().with("authorization", format!("Bearer {key}"));
    Browser::own().after(&answer.send(keyfob, "POST", "/v1/session", &Value::Null).await.expect(201))
}

/// Signs in as the person of these claims.
pub(crate) async fn sign_in_as(keyfob: &Keyfob, claims: &Value) -> Answer {
    let browser = Browser::own().with("cf-access-jwt-assertion", ACCESS.token("key-1", claims));
    browser.send(keyfob, "POST", "/v1/session", &Value::Null).await
}

/// Signs in as a person.
pub(crate) async fn person(keyfob: &Keyfob, email: &str) -> Browser {
    Browser::own().after(&sign_in_as(keyfob, &claims(email)).await.expect(201))
}

/// Signs in with the root key.
pub(crate) async fn root(keyfob: &Keyfob) -> Browser {
    sign_in_with(keyfob, ROOT).await
}
