//! API keys and tokens: what a key grants, how it ends, how it rests, and how failures are slowed down.

use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::world::{ENVIRONMENTS, SCOPES, id, text};
use crate::support::{Answer, Keyfob, ROOT};

async fn mint(keyfob: &Keyfob, granter: &str, scopes: &[&str], environments: &[&str]) -> Answer {
    let body = json!({ "name": "Child", "scopes": scopes, "environments": environments });
    keyfob.request("POST", "/v1/api-keys", granter, &[], &body).await
}

#[tokio::test]
async fn a_key_grants_no_scope_and_no_environment_that_it_lacks() {
    let keyfob = Keyfob::start().await;
    let granter = keyfob.key(&["api-keys:manage", "connections:read"], &["development", "staging"]).await;
    let before = keyfob.database.dump();
    for scope in SCOPES.into_iter().filter(|scope| !matches!(*scope, "api-keys:manage" | "connections:read")) {
        let answer = mint(&keyfob, &granter, &["connections:read", scope], &["staging"]).await;
        assert_eq!(answer.problem(), (403, "grant_exceeded".to_owned()), "{scope}");
    }
    for environments in [&["production"][..], &ENVIRONMENTS] {
        let answer = mint(&keyfob, &granter, &["connections:read"], environments).await;
        assert_eq!(answer.problem(), (403, "grant_exceeded".to_owned()));
    }
    assert_eq!(keyfob.database.dump(), before);
    let child = mint(&keyfob, &granter, &["connections:read"], &["staging"]).await.expect(201).json();
    let answer = keyfob.request("GET", "/v1/api-keys", &text(&child, "secret"), &[], &Value::Null).await;
    assert_eq!(answer.problem(), (403, "missing_scope".to_owned()));
}

#[tokio::test]
async fn a_key_without_scope_or_environment_or_with_a_past_end_is_refused() {
    let keyfob = Keyfob::start().await;
    let valid = json!({ "name": "Key", "scopes": ["transfer"], "environments": ["staging"] });
    for (field, value) in [
        ("scopes", json!([])),
        ("environments", json!([])),
        ("expires_at", json!("2026-11-20T10:00:00Z")),
        ("expires_at", json!("tomorrow")),
        ("scopes", json!(["everything"])),
        ("environments", json!(["test"])),
    ] {
        let mut body = valid.clone();
        body[field] = value;
        let answer = keyfob.post("/v1/api-keys", &body).await;
        assert_eq!(answer.problem(), (422, "invalid_body".to_owned()), "{body}");
        let pointer = &answer.errors()[0].0;
        assert!(pointer.starts_with(&format!("/{field}")), "{pointer}");
    }
    assert_eq!(keyfob.database.value::<i64>("select count(*) from api_keys"), 0);
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_the_next_request() {
    let keyfob = Keyfob::start().await;
    let key = mint(&keyfob, ROOT, &["api-keys:manage"], &["development"]).await.expect(201).json();
    let (secret, path) = (text(&key, "secret"), format!("/v1/api-keys/{}", id(&key)));
    keyfob.request("GET", "/v1/api-keys", &secret, &[], &Value::Null).await.expect(200);
    keyfob.request("DELETE", &path, &secret, &[], &Value::Null).await.expect(204);
    keyfob.request("GET", "/v1/api-keys", &secret, &[], &Value::Null).await.expect(401);
    keyfob.request("DELETE", &path, ROOT, &[], &Value::Null).await.expect(404);
}

#[tokio::test]
async fn a_key_works_up_to_the_moment_at_which_it_expires() {
    let keyfob = Keyfob::start().await;
    let body = json!({
        "name": "Short", "scopes": ["api-keys:manage"], "environments": ["development"],
        "expires_at": "2026-11-20T11:00:01+01:00",
    });
    let key = keyfob.post("/v1/api-keys", &body).await.expect(201).json();
    assert_eq!(key["expires_at"], "2026-11-20T10:00:01.000Z");
    keyfob.advance(Duration::from_millis(999));
    keyfob.request("GET", "/v1/api-keys", &text(&key, "secret"), &[], &Value::Null).await.expect(200);
    keyfob.advance(Duration::from_millis(1));
    keyfob.request("GET", "/v1/api-keys", &text(&key, "secret"), &[], &Value::Null).await.expect(401);
}

#[tokio::test]
async fn the_list_shows_keys_without_their_secrets_the_newest_first() {
    let keyfob = Keyfob::start().await;
    let mut expected = Vec::new();
    for number in 0..5 {
        let mut key = mint(&keyfob, ROOT, &["transfer"], &["staging"]).await.expect(201).json();
        key.as_object_mut().unwrap().remove("secret");
        expected.insert(0, key);
        keyfob.advance(Duration::from_millis(number % 2));
    }
    expected.sort_by(|a, b| {
        (b["created_at"].as_str(), b["id"].as_str()).cmp(&(a["created_at"].as_str(), a["id"].as_str()))
    });
    let (mut listed, mut path) = (Vec::new(), "/v1/api-keys?limit=2".to_owned());
    loop {
        let page = keyfob.get(&path).await.expect(200).json();
        listed.extend(page["data"].as_array().unwrap().clone());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/api-keys?limit=2&cursor={cursor}");
    }
    assert_eq!(listed, expected);
    let root = json!({ "id": "key_root", "name": "Root key", "claimed": null });
    assert_eq!(listed[0]["created_by"], root);
    assert_eq!(listed[0]["scopes"], json!(["transfer"]));
}

#[tokio::test]
async fn tokens_rest_as_hashes_alone() {
    let keyfob = Keyfob::start().await;
    let key = keyfob.key(&["transfer"], &["staging"]).await;
    let session = keyfob.post("/v1/embedded/sessions", &json!({ "environment": "staging" })).await.expect(201).json();
    let session = text(&session, "token");
    let hash = |token: &str| URL_SAFE_NO_PAD.encode(Sha256::digest(token));
    assert_eq!(keyfob.database.value::<String>("select token_hash from api_keys"), hash(&key));
    assert_eq!(keyfob.database.value::<String>("select token_hash from embedded_sessions"), hash(&session));
    let dump = keyfob.database.dump();
    for token in [key.as_str(), session.as_str(), ROOT] {
        assert!(!dump.contains(token) && !dump.contains(&token[3..46]), "a token is in the database");
    }
}

#[tokio::test]
async fn a_repeated_creation_of_a_secret_answers_already_created_with_the_id() {
    let keyfob = Keyfob::start().await;
    let key = |name: &str| json!({ "name": name, "scopes": ["transfer"], "environments": ["staging"] });
    let session = |environment: &str| json!({ "environment": environment });
    for (path, body, other) in [
        ("/v1/api-keys", key("Key"), key("Other")),
        ("/v1/embedded/sessions", session("staging"), session("production")),
    ] {
        let once = [("idempotency-key", "once")];
        let first = keyfob.request("POST", path, ROOT, &once, &body).await.expect(201).json();
        let before = keyfob.database.dump();
        let second = keyfob.request("POST", path, ROOT, &once, &body).await;
        assert_eq!(second.problem(), (409, "already_created".to_owned()));
        assert!(second.json()["detail"].as_str().unwrap().contains(&id(&first)));
        let third = keyfob.request("POST", path, ROOT, &once, &other).await;
        assert_eq!(third.problem(), (422, "idempotency_key_reused".to_owned()));
        assert_eq!(keyfob.database.dump(), before);
    }
}

#[tokio::test]
async fn an_idempotency_key_is_its_callers_own() {
    let keyfob = Keyfob::start().await;
    let other = keyfob.key(&["embedded:manage"], &["staging"]).await;
    let (once, body) = ([("idempotency-key", "once")], json!({ "environment": "staging" }));
    let first = keyfob.request("POST", "/v1/embedded/sessions", ROOT, &once, &body).await.expect(201).json();
    let second = keyfob.request("POST", "/v1/embedded/sessions", &other, &once, &body).await.expect(201).json();
    assert_ne!(id(&first), id(&second));
}

#[tokio::test]
async fn too_many_failures_are_429_and_a_valid_key_still_works() {
    let keyfob = Keyfob::start().await;
    keyfob.throttle.0.store(true, Ordering::SeqCst);
    for key in ["kf_secret", &ROOT.replacen("kf_", "ks_", 1)] {
        let answer = keyfob.request("GET", "/v1/providers", key, &[], &Value::Null).await;
        assert_eq!(answer.problem(), (429, "too_many_failures".to_owned()));
        assert_eq!(answer.header("retry-after"), "60");
    }
    keyfob.get("/v1/providers").await.expect(200);
}

#[tokio::test]
async fn whom_an_engine_acts_for_is_recorded_as_claimed_and_gives_no_right() {
    let keyfob = Keyfob::start().await;
    let key = keyfob.key(&["transfer"], &["staging"]).await;
    let headers = [("keyfob-actor", "root")];
    keyfob.request("GET", "/v1/api-keys", &key, &headers, &Value::Null).await.expect(403);
    let body = json!({ "name": "Key", "scopes": ["transfer"], "environments": ["staging"] });
    let headers = [("keyfob-actor", "ann@example.com")];
    let made = keyfob.request("POST", "/v1/api-keys", ROOT, &headers, &body).await.expect(201).json();
    assert_eq!(made["created_by"], json!({ "id": "key_root", "name": "Root key", "claimed": "ann@example.com" }));
    let actor: String = keyfob.database.value("select actor from audit_events order by seq desc limit 1");
    assert_eq!(serde_json::from_str::<Value>(&actor).unwrap(), made["created_by"]);
}

#[tokio::test]
async fn a_key_sees_and_revokes_no_key_that_may_do_more() {
    let keyfob = Keyfob::start().await;
    let small = mint(&keyfob, ROOT, &["api-keys:manage"], &["development"]).await.expect(201).json();
    let secret = text(&small, "secret");
    for (scopes, environments) in
        [(&["api-keys:manage"][..], &["production"][..]), (&["api-keys:manage", "audit:read"], &["development"])]
    {
        let other = mint(&keyfob, ROOT, scopes, environments).await.expect(201).json();
        let path = format!("/v1/api-keys/{}", id(&other));
        let answer = keyfob.request("DELETE", &path, &secret, &[], &Value::Null).await;
        assert_eq!(answer.problem(), (404, "not_found".to_owned()));
    }
    let listed = keyfob.request("GET", "/v1/api-keys", &secret, &[], &Value::Null).await.expect(200).json();
    let ids: Vec<&str> = listed["data"].as_array().unwrap().iter().map(|key| key["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [id(&small)]);
}

#[tokio::test]
async fn a_key_makes_none_that_outlives_it() {
    let keyfob = Keyfob::start().await;
    let body = |end: Option<&str>| json!({ "name": "Key", "scopes": ["api-keys:manage"], "environments": ["staging"], "expires_at": end });
    let granter = keyfob.post("/v1/api-keys", &body(Some("2026-11-21T10:00:00Z"))).await.expect(201).json();
    let granter = text(&granter, "secret");
    for end in [None, Some("2026-11-21T10:00:01Z")] {
        let answer = keyfob.request("POST", "/v1/api-keys", &granter, &[], &body(end)).await;
        assert_eq!(answer.problem(), (403, "grant_exceeded".to_owned()));
    }
    keyfob.request("POST", "/v1/api-keys", &granter, &[], &body(Some("2026-11-21T10:00:00Z"))).await.expect(201);
}
