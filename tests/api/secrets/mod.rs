//! A canary in every secret field of every connection type, in API keys and in session tokens: after a whole life in which
//! the provider echoes what it gets, it is in no answer (but those of reveal and credentials), no log line, no row and no
//! blob, in no spelling.

mod canaries;
mod hostile;
mod purposes;
mod spellings;

use std::sync::atomic::{AtomicUsize, Ordering};

use keyfob::catalog::Catalog;
use serde_json::{Value, json};

use crate::support::counterpart::{Received, Reply, answer};
use crate::support::{Answer, Keyfob, ROOT};
use canaries::{Canary, canaries, telling};
use spellings::spellings;

/// A Keyfob of which everything that leaves is kept.
struct Watched {
    keyfob: Keyfob,
    answers: Vec<String>,
}

impl Watched {
    async fn start(status: u16) -> Self {
        Self::with(move |request| echo(status, request)).await
    }

    async fn with(rule: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        Self { keyfob: Keyfob::with(rule).await, answers: Vec::new() }
    }

    /// Sends a request and keeps its answer, which may be any but a fault of Keyfob's.
    async fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        self.ask_as(ROOT, method, path, headers, body).await
    }

    async fn ask_as(&mut self, key: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let answer = self.ask_in_vain(key, method, path, headers, body).await;
        assert!(answer.status.as_u16() < 500, "{method} {path}: {}", answer.text);
        answer
    }

    /// Sends a request and keeps its answer, whatever it is.
    async fn ask_in_vain(
        &mut self,
        key: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        let answer = self.keyfob.request(method, path, key, headers, body).await;
        self.answers.push(format!("{method} {} {:?} {}", answer.status, answer.headers, answer.text));
        answer
    }

    /// Fails where the secret stands in anything that was kept, in any spelling.
    fn search(&self, what: &str, secret: &str) {
        let (database, file) = (self.keyfob.database.dump(), self.keyfob.database.file());
        let blobs = self.keyfob.blobs.stored.lock().unwrap();
        let blobs = blobs.iter().flat_map(|(key, blob)| [key.as_bytes(), blob]).map(bytes);
        let places =
            [("the database", vec![database]), ("the log", self.keyfob.log.all()), ("an answer", self.answers.clone())];
        let texts =
            places.iter().flat_map(|(place, texts)| texts.iter().map(move |text| (*place, bytes(text.as_bytes()))));
        let files = blobs.map(|blob| ("a blob", blob)).chain([("the file of the database", bytes(&file))]);
        let places: Vec<(&str, String)> = texts.chain(files).collect();
        for (spelling, needle) in spellings(secret) {
            let found = places.iter().find(|(_, text)| text.contains(&bytes(&needle)));
            assert!(found.is_none(), "{what} stands in {}, {spelling}: {:.4000?}", found.unwrap().0, found.unwrap().1);
        }
    }
}

/// One character a byte: so any bytes are searched as text is.
fn bytes(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// A provider that answers with everything that it was sent, where facts are looked for too.
fn echo(status: u16, request: &Received) -> Reply {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let credential = request.header("authorization").or_else(|| request.header("x-api-key")).unwrap_or_default();
    let last = request.target.rsplit(['/', '=']).next().unwrap_or_default();
    let bare =
        credential.strip_prefix("Basic ").map_or(credential, |_| "").rsplit([' ', '=']).next().unwrap_or_default();
    let facts = ["id", "login", "object", "team", "user", "accountId", "portalId", "sid", "status", "friendly_name"];
    let mut body = json!({
        "name": last, "channel_id": format!("id {last}"), "guild_id": request.target, "message": credential,
        "error": format!("invalid_token {request:?}"), "call": CALLS.fetch_add(1, Ordering::SeqCst),
        "ok": true, "active": true, "scopes": ["read", bare, credential], "abilities": [bare],
    });
    body.as_object_mut().unwrap().extend(facts.map(|key| (key.to_owned(), json!(bare))));
    let headers = [
        ("X-OAuth-Scopes", bare),
        ("OpenAI-Organization", bare),
        ("Content-Type", "application/json"),
        ("X-Echo", &request.target),
        ("Location", &request.target),
        ("Server", last),
    ];
    answer(status, &headers, body.to_string())
}

#[test]
fn every_secret_field_of_the_catalogue_has_a_canary() {
    let planted: Vec<_> = canaries().iter().map(|c| (c.provider, c.connection_type, c.field)).collect();
    for provider in Catalog::embedded().providers() {
        for of in &provider.connection_types {
            for field in of.fields.iter().filter(|field| field.secret) {
                let place = (provider.key.as_str(), of.key.as_str(), field.key.as_str());
                // It changes together with its key only: tests/e2e/canary.test.mjs plants both.
                if place == ("snowflake", "key_pair", "passphrase") {
                    continue;
                }
                assert!(planted.contains(&place), "{place:?}: plant a canary in tests/api/secrets/canaries.rs");
            }
        }
    }
}

#[tokio::test]
async fn a_secret_of_a_connection_is_found_nowhere_after_a_whole_life() {
    for canary in canaries() {
        // What a status does is the same whatever the provider: the generic one and the webhooks go through all of them.
        let is_key = !["http", "discord", "slack"].contains(&canary.provider);
        let statuses = if is_key { &[200][..] } else { &[200, 302, 401, 404, 500] };
        for &status in statuses {
            let mut watched = Watched::start(status).await;
            live(&mut watched, &canary).await;
            for secret in [&canary.first, &canary.second] {
                let what = format!("{}/{}/{} ({status})", canary.provider, canary.connection_type, canary.field);
                for piece in telling(secret) {
                    watched.search(&what, &piece);
                }
            }
        }
    }
}

/// Everything that can be done with a connection.
async fn live(watched: &mut Watched, canary: &Canary) {
    let (once, whole) = ([("idempotency-key", "once")], canary.connection(&canary.first));
    let created = watched.ask("POST", "/v1/connections", &once, &whole).await.expect(201).json();
    watched.ask("POST", "/v1/connections", &once, &whole).await.expect(201);
    watched.ask("POST", "/v1/connections", &once, &canary.connection(&canary.second)).await.expect(422);
    let path = format!("/v1/connections/{}", created["id"].as_str().unwrap());
    test(watched, canary, &path).await;
    let secret = |secret: &str| json!({ "secrets": { canary.field: secret } });
    let rotated = watched.ask("PATCH", &path, &[("if-match", "\"1\"")], &secret(&canary.second)).await.expect(200);
    let labels = json!({ "embedded": true, "tags": ["a"], "description": "Changed", "note": "Why not" });
    watched.ask("PATCH", &path, &[("if-match", rotated.header("etag"))], &labels).await.expect(200);
    let restore = format!("{path}/revisions/1/restore");
    watched.ask("POST", &restore, &[("if-match", "\"3\"")], &json!({ "note": "Back" })).await.expect(200);
    uncover(&watched.keyfob, canary, &path).await;
    mistakes(watched, canary, &path).await;
    watched.ask("POST", &format!("{path}/reports"), &[], &json!({ "revision": 3 })).await.expect(200);
    read(watched, &path).await;
    watched.ask("DELETE", &path, &[("if-match", "\"4\"")], &Value::Null).await.expect(204);
    read(watched, &path).await;
    watched.keyfob.tick().await;
}

async fn test(watched: &mut Watched, canary: &Canary, path: &str) {
    let tests = format!("{path}/tests");
    watched.ask("POST", &tests, &[], &json!({})).await.expect(201);
    let edits = json!({ "secrets": { canary.field: canary.second } });
    watched.ask("POST", &tests, &[], &edits).await.expect(200);
    watched.ask("POST", &tests, &[], &json!({ "mode": "send_message" })).await;
    let mut draft = canary.connection(&canary.second);
    draft.as_object_mut().unwrap().remove("name");
    watched.ask("POST", "/v1/tests", &[], &draft).await.expect(200);
}

/// Everything that can be read.
async fn read(watched: &mut Watched, path: &str) {
    let all = "environment=development";
    for path in [
        path.to_owned(),
        format!("{path}/tests"),
        format!("{path}/revisions"),
        format!("{path}/revisions/1"),
        format!("{path}/revisions/2"),
        format!("{path}/events"),
        format!("/v1/connections?{all}"),
        format!("/v1/connections/facets?{all}"),
        "/v1/api-keys".to_owned(),
        "/v1/providers".to_owned(),
    ] {
        watched.ask("GET", &path, &[], &Value::Null).await;
    }
    let session = json!({ "environment": "development", "customer": "c1" });
    let session = watched.keyfob.post("/v1/embedded/sessions", &session).await.expect(201).json();
    let token = session["token"].as_str().unwrap();
    for path in ["/v1/embedded/connections", "/v1/embedded/providers", "/v1/embedded/providers/slack"] {
        watched.ask_as(token, "GET", path, &[], &Value::Null).await.expect(200);
    }
}

/// The two answers that hold the secret: they are not kept, but show that it was planted at all.
async fn uncover(keyfob: &Keyfob, canary: &Canary, path: &str) {
    let wanted = json!({ "fields": [canary.field], "reason": "To see that it is there" });
    let revealed = keyfob.post(&format!("{path}/reveal"), &wanted).await.expect(200);
    assert_eq!(revealed.json()["secrets"][canary.field], canary.first);
    assert_eq!(revealed.header("cache-control"), "no-store");
    let resolved = keyfob.get(&format!("{path}/credentials")).await;
    let of = Catalog::embedded().connection_type(canary.provider, canary.connection_type).unwrap();
    if of.oauth.is_some() {
        // A client secret goes to the authorization server alone.
        assert!(!resolved.text.contains(&canary.first) && resolved.json()["secrets"][canary.field].is_null());
        return;
    }
    assert_eq!(resolved.json()["secrets"][canary.field], canary.first);
    assert_eq!(resolved.header("cache-control"), "no-store");
}

/// Requests in which the secret stands where it does not belong.
async fn mistakes(watched: &mut Watched, canary: &Canary, path: &str) {
    let secret = &canary.first;
    let base = canary.connection(secret);
    for (place, value) in [
        ("/settings", json!({ canary.field: secret })),
        ("/settings", json!({ "base_url": secret, "test_path": secret, "unknown": secret })),
        ("/secrets", json!({ canary.field: [secret] })),
        ("/secrets", json!({ canary.field: { "deep": secret } })),
        ("/secrets", json!({ canary.field: format!("  \n{secret}\u{1}{secret}") })),
        ("/secrets", json!({ canary.field: secret.repeat(500) })),
        ("/secrets", json!(secret)),
        ("/environment", json!(secret)),
        ("/provider", json!(secret)),
        ("/connection_type", json!(secret)),
        ("/name", json!(secret.repeat(50))),
        ("/stable_key", json!(format!("Key {secret}"))),
        ("/tags", json!(secret)),
        ("/enabled", json!(secret)),
        ("/expires_at", json!(secret)),
        ("/note", json!({ "note": secret })),
    ] {
        let mut body = base.clone();
        body[&place[1..]] = value;
        let answer = watched.ask("POST", "/v1/connections", &[], &body).await;
        assert_eq!(answer.problem(), (422, "invalid_body".to_owned()), "{place}");
    }
    let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    for path in [
        format!("/v1/connections/{encoded}"),
        format!("/v1/connections?environment={encoded}"),
        format!("/v1/connections?environment=development&limit={encoded}&cursor={encoded}"),
        format!("/v1/connections?environment=development&search={encoded}&status={encoded}"),
        format!("/{encoded}"),
    ] {
        watched.ask("GET", &path, &[], &Value::Null).await;
    }
    let reveal = json!({ "fields": [secret], "reason": "Mistaken" });
    watched.ask("POST", &format!("{path}/reveal"), &[], &reveal).await.expect(422);
}

#[tokio::test]
async fn the_tokens_of_keys_and_sessions_and_the_master_key_are_found_nowhere() {
    let mut watched = Watched::start(200).await;
    let keyfob = &watched.keyfob;
    let (key, session) =
        (keyfob.key(&["api-keys:manage"], &["development"]).await, json!({ "environment": "development" }));
    let session = keyfob.post("/v1/embedded/sessions", &session).await.expect(201).json();
    let session = session["token"].as_str().unwrap().to_owned();
    let tokens = [key.as_str(), &session, ROOT];
    for token in tokens {
        let (swapped, cut) = (token.replacen('k', "x", 1), &token[..token.len() - 1]);
        for presented in [token, &swapped, cut] {
            for path in ["/v1/api-keys", "/v1/embedded/connections", "/v1/connections?environment=staging"] {
                watched.ask_as(presented, "GET", path, &[("keyfob-actor", "Ann")], &Value::Null).await;
            }
        }
        let body = json!({ "name": "Key", "scopes": [token], "environments": [token], "expires_at": token });
        watched.ask("POST", "/v1/api-keys", &[], &body).await.expect(422);
        watched.ask("GET", &format!("/v1/api-keys/{token}"), &[], &Value::Null).await;
        watched.ask("DELETE", &format!("/v1/api-keys/{token}"), &[], &Value::Null).await.expect(404);
    }
    let canaries = canaries();
    let webhook = canaries.iter().find(|of| of.connection_type == "incoming_webhook").unwrap();
    let created = webhook.connection("https://hooks.slack.com/services/T1/B1/abcdefgh12345678");
    watched.ask("POST", "/v1/connections", &[], &created).await.expect(201);
    for token in tokens {
        watched.search("a token", token);
        watched.search("the random part of a token", &token[3..46]);
    }
    watched.search("the master key", &"\u{7}".repeat(32));
    watched.search("the master key, as it is configured", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc");
}
