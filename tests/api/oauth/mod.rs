//! OAuth 2.0 against an authorization server in the place of the provider: consent, renewal, and what goes wrong with either.

mod client;
mod consent;
mod renewal;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Request;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::{Url, form_urlencoded};

use super::support::counterpart::{Received, Reply, answer};
use super::support::{Answer, Keyfob, path_of};

/// The client secret of every connection here.
pub(super) const CLIENT_SECRET: &str = "planted-client-secret";

/// An authorization server, and the API behind it: one rotating refresh token a consent.
#[derive(Clone, Default)]
pub(super) struct Server(Arc<State>);

struct State {
    /// The token calls that were answered with tokens.
    calls: AtomicU64,
    /// The status that the token endpoint answers in place of anything else; 0 for none.
    broken: AtomicU16,
    /// How long an access token lives, in seconds.
    lifetime: AtomicU64,
    /// What a token answer says beside the tokens, or in their place.
    more: Mutex<Value>,
    /// The code challenge by code.
    codes: Mutex<BTreeMap<String, String>>,
    /// The refresh token that is good.
    refresh: Mutex<Option<String>>,
    /// The access tokens that are good.
    access: Mutex<Vec<String>>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            calls: AtomicU64::new(0),
            broken: AtomicU16::new(0),
            lifetime: AtomicU64::new(3600),
            more: Mutex::new(json!({})),
            codes: Mutex::default(),
            refresh: Mutex::default(),
            access: Mutex::default(),
        }
    }
}

impl Server {
    pub(super) fn calls(&self) -> u64 {
        self.0.calls.load(Ordering::SeqCst)
    }

    /// Answers this status from now on; 0 for as usual.
    pub(super) fn break_with(&self, status: u16) {
        self.0.broken.store(status, Ordering::SeqCst);
    }

    pub(super) fn live_for(&self, seconds: u64) {
        self.0.lifetime.store(seconds, Ordering::SeqCst);
    }

    /// Says this beside the tokens; null takes a member away.
    pub(super) fn say(&self, more: Value) {
        *self.0.more.lock().unwrap() = more;
    }

    /// Withdraws the consent.
    pub(super) fn withdraw(&self) {
        *self.0.refresh.lock().unwrap() = None;
        self.0.access.lock().unwrap().clear();
    }

    /// What its page does when the person consents: remembers the challenge, and gives a code.
    fn consent(&self, url: &Url) -> String {
        let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!(query["response_type"], "code");
        assert_eq!(query["code_challenge_method"], "S256");
        assert_eq!(query["redirect_uri"], "https://keyfob.example/oauth/callback");
        let code = format!("code-{}", self.0.codes.lock().unwrap().len());
        self.0.codes.lock().unwrap().insert(code.clone(), query["code_challenge"].clone());
        code
    }

    pub(super) fn rule(&self) -> impl Fn(&Received) -> Reply + Send + Sync + 'static {
        let server = self.clone();
        move |request| server.reply(request)
    }

    fn reply(&self, request: &Received) -> Reply {
        if request.target == "/me" {
            let token = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
            let good = token.is_some_and(|token| self.0.access.lock().unwrap().iter().any(|it| it == token));
            return answer(if good { 200 } else { 401 }, &[], "{}");
        }
        if request.target == "/revoke" {
            let form: BTreeMap<String, String> = form_urlencoded::parse(&request.body).into_owned().collect();
            let status = self.0.broken.load(Ordering::SeqCst);
            if status == 0 && self.0.refresh.lock().unwrap().as_ref() == form.get("token") {
                self.withdraw();
            }
            return answer(if status == 0 { 200 } else { status }, &[], "");
        }
        assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/token"));
        match self.0.broken.load(Ordering::SeqCst) {
            0 => {}
            status => return answer(status, &[], "{}"),
        }
        let form: BTreeMap<String, String> = form_urlencoded::parse(&request.body).into_owned().collect();
        if form.get("client_secret").map(String::as_str) != Some(CLIENT_SECRET) {
            return answer(401, &[], r#"{"error":"invalid_client"}"#);
        }
        let good = match form["grant_type"].as_str() {
            "authorization_code" => {
                let challenge = self.0.codes.lock().unwrap().remove(&form["code"]);
                let verifier = URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"]));
                challenge == Some(verifier) && form["redirect_uri"] == "https://keyfob.example/oauth/callback"
            }
            "refresh_token" => self.0.refresh.lock().unwrap().take().as_ref() == form.get("refresh_token"),
            "client_credentials" => true,
            other => panic!("an unknown grant: {other}"),
        };
        if !good {
            return answer(400, &[], r#"{"error":"invalid_grant","error_description":"planted words"}"#);
        }
        self.give()
    }

    /// New tokens in the place of the old ones.
    fn give(&self) -> Reply {
        let number = self.0.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let (access, refresh) = (format!("planted-access-{number}"), format!("planted-refresh-{number}"));
        self.0.access.lock().unwrap().push(access.clone());
        *self.0.refresh.lock().unwrap() = Some(refresh.clone());
        let lifetime = self.0.lifetime.load(Ordering::SeqCst);
        let mut body = json!({
            "access_token": access, "refresh_token": refresh, "token_type": "Bearer", "expires_in": lifetime,
        });
        for (name, value) in self.0.more.lock().unwrap().as_object().unwrap() {
            if value.is_null() {
                body.as_object_mut().unwrap().remove(name);
            } else {
                body[name] = value.clone();
            }
        }
        answer(200, &[], body.to_string())
    }
}

/// A connection whose tokens a person's consent gives.
pub(super) fn code_connection(name: &str) -> Value {
    json!({
        "environment": "development", "provider": "oauth2", "connection_type": "authorization_code", "name": name,
        "settings": {
            "base_url": "https://api.acme.dev", "authorize_url": "https://login.acme.dev/authorize",
            "token_url": "https://login.acme.dev/token", "client_id": "client-1", "scopes": "read write", "test_path": "/me",
        },
        "secrets": { "client_secret": CLIENT_SECRET },
    })
}

/// A Keyfob whose provider is this server, and a connection that waits for a consent.
pub(super) async fn waiting() -> (Keyfob, Server, Value) {
    let server = Server::default();
    let keyfob = Keyfob::with(server.rule()).await;
    let connection = keyfob.create(&code_connection("Acme")).await;
    (keyfob, server, connection)
}

/// The same after the consent.
pub(super) async fn authorized() -> (Keyfob, Server, Value) {
    let (keyfob, server, connection) = waiting().await;
    authorize(&keyfob, &server, &connection).await;
    (keyfob, server, connection)
}

/// A browser: the cookies that it was given.
#[derive(Default, Clone)]
pub(super) struct Browser(BTreeMap<String, String>);

impl Browser {
    /// Opens an address of this Keyfob.
    pub(super) async fn open(&mut self, keyfob: &Keyfob, target: &str) -> Answer {
        self.open_with(keyfob, target, &[]).await
    }

    pub(super) async fn open_with(&mut self, keyfob: &Keyfob, target: &str, headers: &[(&str, &str)]) -> Answer {
        let cookies: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request =
            Request::builder().uri(format!("https://keyfob.example{target}")).header("cookie", cookies.join("; "));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = keyfob.send(request.body(Body::empty()).unwrap()).await;
        if let Some((name, rest)) = answer.header("set-cookie").split_once('=') {
            assert!(name.starts_with("__Host-") && rest.contains("Secure; HttpOnly; SameSite=Lax"), "{rest}");
            let (value, _) = rest.split_once(';').unwrap();
            if value.is_empty() {
                self.0.remove(name);
            } else {
                self.0.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }
}

/// Begins an authorization, and gives it as the API shows it.
pub(super) async fn begin(keyfob: &Keyfob, connection: &Value) -> Value {
    let target = format!("https://keyfob.example{}/authorizations", path_of(connection));
    keyfob.post(&target, &json!({})).await.expect(201).json()
}

/// The path of the start page of an authorization.
pub(super) fn start_of(begun: &Value) -> String {
    begun["start_url"].as_str().unwrap().strip_prefix("https://keyfob.example").unwrap().to_owned()
}

/// Opens the start page, and gives the address of the provider's page.
pub(super) async fn start(keyfob: &Keyfob, browser: &mut Browser, begun: &Value) -> Url {
    let sent = browser.open(keyfob, &start_of(begun)).await.expect(303);
    Url::parse(sent.header("location")).unwrap()
}

/// The address where the provider sends the browser back.
pub(super) fn callback(at: &Url, answer: &[(&str, &str)]) -> String {
    let state = at.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let query =
        form_urlencoded::Serializer::new(String::new()).append_pair("state", &state).extend_pairs(answer).finish();
    format!("/oauth/callback?{query}")
}

/// Goes through the whole consent.
pub(super) async fn authorize(keyfob: &Keyfob, server: &Server, connection: &Value) -> Value {
    let mut browser = Browser::default();
    let begun = begin(keyfob, connection).await;
    let at = start(keyfob, &mut browser, &begun).await;
    let code = server.consent(&at);
    browser.open(keyfob, &callback(&at, &[("code", &code)])).await.expect(200);
    attempt(keyfob, connection, &begun).await
}

/// Goes through a consent whose code no token endpoint takes.
pub(super) async fn refused(keyfob: &Keyfob, server: &Server, connection: &Value) {
    let mut browser = Browser::default();
    let begun = begin(keyfob, connection).await;
    let at = start(keyfob, &mut browser, &begun).await;
    let code = server.consent(&at);
    browser.open(keyfob, &callback(&at, &[("code", &code)])).await.expect(409);
    attempt(keyfob, connection, &begun).await;
}

/// A Keyfob that did everything with tokens that there is to do.
pub(super) async fn renewed() -> Keyfob {
    let (keyfob, server, connection) = authorized().await;
    keyfob.advance(HOUR);
    token(&keyfob, &connection).await;
    keyfob.advance(HOUR);
    keyfob.tick().await;
    keyfob.advance(HOUR);
    server.break_with(503);
    resolve(&keyfob, &connection).await.expect(503);
    server.break_with(0);
    keyfob.patch(&path_of(&connection), 1, &json!({ "settings": { "test_path": "/you" } })).await.expect(200);
    server.withdraw();
    resolve(&keyfob, &connection).await.expect(409);
    keyfob.patch(&path_of(&connection), 2, &json!({ "enabled": false })).await.expect(200);
    keyfob.tick().await;
    keyfob
}

/// How an authorization is doing.
pub(super) async fn attempt(keyfob: &Keyfob, connection: &Value, begun: &Value) -> Value {
    let path = format!("{}/authorizations/{}", path_of(connection), begun["id"].as_str().unwrap());
    keyfob.get(&path).await.expect(200).json()
}

/// Resolves the credentials.
pub(super) async fn resolve(keyfob: &Keyfob, connection: &Value) -> Answer {
    keyfob.get(&format!("{}/credentials", path_of(connection))).await
}

/// The access token that a resolve gives.
pub(super) async fn token(keyfob: &Keyfob, connection: &Value) -> String {
    resolve(keyfob, connection).await.expect(200).json()["secrets"]["access_token"].as_str().unwrap().to_owned()
}

/// The health of a connection as the API shows it: verdict and reason.
pub(super) async fn health(keyfob: &Keyfob, connection: &Value) -> (String, Value) {
    let shown = keyfob.get(&path_of(connection)).await.expect(200).json();
    (shown["health"]["verdict"].as_str().unwrap().to_owned(), shown["health"]["reason"].clone())
}

pub(super) const HOUR: Duration = Duration::from_hours(1);
