//! Resolving credentials: the whole shape, who is refused, and what happens when the storage is not as it should be.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::counterpart::answer;
use crate::support::{Keyfob, bearer, path_of};

const OTHER_KEY: (&str, &str) =
    ("MASTER_KEYS", r#"{"primary":1,"keys":{"1":"CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg="}}"#);
const TWO_KEYS: (&str, &str) = (
    "MASTER_KEYS",
    r#"{"primary":2,"keys":{"1":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=","2":"CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg="}}"#,
);
const NO_KEYS: (&str, &str) = ("MASTER_KEYS", "");

async fn start() -> (Keyfob, Value, String) {
    let keyfob = Keyfob::working().await;
    let connection = keyfob.create(&bearer("Acme")).await;
    let path = format!("{}/credentials", path_of(&connection));
    (keyfob, connection, path)
}

#[tokio::test]
async fn the_credentials_are_told_whole_and_no_cache_keeps_them() {
    let (keyfob, connection, path) = start().await;
    let expected = json!({
        "connection_id": connection["id"], "revision": 1, "template": null, "template_revision": null,
        "token_generation": null, "token_type": null,
        "provider": "http", "connection_type": "bearer",
        "settings": connection["settings"], "secrets": { "token": "planted-secret-1" },
        "expires_at": null, "health": connection["health"],
        "request": {
            "base_url": "https://api.acme.dev", "headers": { "authorization": "Bearer planted-secret-1" }, "query": {},
        },
        "server": null,
    });
    let by_key = "/v1/credentials?environment=development&stable_key=acme";
    for path in
        [path.as_str(), &format!("{path}?purpose=test&require=active"), by_key, &format!("{by_key}&purpose=run")]
    {
        let answer = keyfob.get(path).await.expect(200);
        assert_eq!(answer.json(), expected, "{path}");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("etag"), "");
    }
}

#[tokio::test]
async fn each_way_to_authenticate_is_rendered_as_a_request() {
    let keyfob = Keyfob::working().await;
    for (connection_type, settings, secrets, headers, query) in [
        ("none", json!({}), json!({}), json!({}), json!({})),
        (
            "basic",
            json!({ "username": "Aladdin" }),
            json!({ "password": "open sesame" }),
            json!({ "authorization": "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==" }),
            json!({}),
        ),
        ("header", json!({}), json!({ "header_value": "k1" }), json!({ "x-api-key": "k1" }), json!({})),
        (
            "query",
            json!({ "query_name": "key" }),
            json!({ "query_value": "a b&c" }),
            json!({}),
            json!({ "key": "a b&c" }),
        ),
    ] {
        let mut body = json!({
            "environment": "development", "provider": "http", "connection_type": connection_type,
            "name": connection_type, "settings": settings, "secrets": secrets,
        });
        body["settings"]["base_url"] = json!("https://api.acme.dev/v2");
        let connection = keyfob.post("/v1/connections?test=false", &body).await.expect(201).json();
        let credentials = keyfob.get(&format!("{}/credentials", path_of(&connection))).await.expect(200).json();
        let request = json!({ "base_url": "https://api.acme.dev/v2", "headers": headers, "query": query });
        assert_eq!((&credentials["request"], &credentials["secrets"]), (&request, &secrets), "{connection_type}");
    }
}

#[tokio::test]
async fn a_disabled_connection_is_refused() {
    let (keyfob, connection, path) = start().await;
    keyfob.patch(&path_of(&connection), 1, &json!({ "enabled": false })).await.expect(200);
    for path in [path.as_str(), "/v1/credentials?environment=development&stable_key=acme"] {
        assert_eq!(keyfob.get(path).await.problem(), (409, "connection_disabled".to_owned()));
    }
}

#[tokio::test]
async fn an_expired_connection_is_refused_from_its_last_moment_on() {
    let (keyfob, connection, path) = start().await;
    keyfob.patch(&path_of(&connection), 1, &json!({ "expires_at": "2026-11-20T10:00:01Z" })).await.expect(200);
    assert_eq!(keyfob.get(&path).await.expect(200).json()["expires_at"], "2026-11-20T10:00:01.000Z");
    keyfob.advance(Duration::from_secs(1));
    assert_eq!(keyfob.get(&path).await.problem(), (409, "connection_expired".to_owned()));
}

#[tokio::test]
async fn a_verdict_refuses_only_who_requires_an_active_connection() {
    for status in [401, 500] {
        let keyfob = Keyfob::with(move |_| answer(status, &[], "")).await;
        let path = format!("{}/credentials", path_of(&keyfob.create(&bearer("Acme")).await));
        keyfob.get(&path).await.expect(200);
        let required = keyfob.get(&format!("{path}?require=active")).await;
        assert_eq!(required.problem(), (409, "connection_not_active".to_owned()), "{status}");
    }
}

#[tokio::test]
async fn a_stable_key_leads_to_its_own_environment_alone() {
    let (keyfob, ..) = start().await;
    let mut staging = bearer("Acme");
    staging["environment"] = json!("staging");
    staging["secrets"]["token"] = json!("planted-secret-2");
    keyfob.create(&staging).await;
    let secret = async |environment: &str| {
        let path = format!("/v1/credentials?environment={environment}&stable_key=acme");
        let answer = keyfob.get(&path).await;
        (answer.status.as_u16(), answer.json()["secrets"]["token"].clone())
    };
    assert_eq!(secret("development").await, (200, json!("planted-secret-1")));
    assert_eq!(secret("staging").await, (200, json!("planted-secret-2")));
    assert_eq!(secret("production").await, (404, json!(null)));
}

#[tokio::test]
async fn wrong_parameters_are_refused() {
    let (keyfob, _, path) = start().await;
    for query in ["?purpose=play", "?require=anything", "?stable_key=acme", "?customer=", "?customer=c1&purpose=test"] {
        assert_eq!(keyfob.get(&format!("{path}{query}")).await.problem(), (400, "invalid_query".to_owned()), "{query}");
    }
    for query in ["", "?environment=development", "?stable_key=acme", "?environment=development&stable_key=A"] {
        let answer = keyfob.get(&format!("/v1/credentials{query}")).await;
        assert_eq!(answer.problem(), (400, "invalid_query".to_owned()), "{query}");
    }
}

#[tokio::test]
async fn a_blob_that_is_not_visible_yet_is_pending_and_then_served() {
    let (keyfob, connection, path) = start().await;
    keyfob.blobs.lagging.store(true, Ordering::SeqCst);
    keyfob.advance(Duration::from_secs(599));
    let pending = keyfob.get(&path).await;
    assert_eq!(pending.problem(), (503, "secret_pending".to_owned()));
    assert_eq!(pending.header("retry-after"), "5");
    // Never an older revision in its place, and nothing that needs the kept secret goes on without it.
    let edit = json!({ "settings": { "test_path": "/user" } });
    assert_eq!(keyfob.patch(&path_of(&connection), 1, &edit).await.problem().1, "secret_pending");
    keyfob.get(&path_of(&connection)).await.expect(200);
    keyfob.blobs.lagging.store(false, Ordering::SeqCst);
    keyfob.get(&path).await.expect(200);
}

#[tokio::test]
async fn an_old_blob_that_is_gone_is_a_fault_with_an_alarm() {
    let (keyfob, _, path) = start().await;
    keyfob.blobs.stored.lock().unwrap().clear();
    keyfob.advance(Duration::from_mins(10));
    let gone = keyfob.get(&path).await;
    assert_eq!(gone.problem(), (500, "internal".to_owned()));
    assert!(!gone.text.contains("blob"), "{}", gone.text);
    let line = keyfob.log.last();
    assert_eq!(line["failure"], "ALARM: vault: the blob is gone");
    assert_eq!(line["route"], "/v1/connections/{id}/credentials");
    assert_eq!(line["id"], gone.header("keyfob-request-id"));
}

#[tokio::test]
async fn a_blob_that_was_changed_does_not_open() {
    let (keyfob, _, path) = start().await;
    for blob in keyfob.blobs.stored.lock().unwrap().values_mut() {
        blob[20] ^= 1;
    }
    assert_eq!(keyfob.get(&path).await.problem(), (500, "internal".to_owned()));
    assert!(keyfob.log.last()["failure"].as_str().unwrap().starts_with("ALARM: vault: "));
}

#[tokio::test]
async fn the_entry_of_another_connection_does_not_open() {
    let (keyfob, connection, path) = start().await;
    let mut other = bearer("Other");
    other["secrets"]["token"] = json!("planted-secret-2");
    let other = keyfob.create(&other).await;
    let (first, second) = (connection["id"].as_str().unwrap(), other["id"].as_str().unwrap());
    let swap = format!(
        "delete from vault_entries where owner_id = '{first}'; \
         update vault_entries set owner_id = '{first}' where owner_id = '{second}'"
    );
    keyfob.database.execute(&swap).unwrap();
    assert_eq!(keyfob.get(&path).await.problem(), (500, "internal".to_owned()));
}

#[tokio::test]
async fn without_the_right_master_key_metadata_is_served_and_secrets_are_not() {
    let (keyfob, connection, path) = start().await;
    let calls = keyfob.counterpart.received().len();
    for variables in [OTHER_KEY, NO_KEYS] {
        let keyfob = keyfob.restarted(&[variables]);
        let (rows, blobs) = (keyfob.database.counts(), keyfob.blobs.stored.lock().unwrap().len());
        let own = path_of(&connection);
        assert_eq!(keyfob.get(&own).await.expect(200).json(), connection);
        keyfob.get("/v1/connections?environment=development").await.expect(200);
        keyfob.get("/v1/connections/facets?environment=development").await.expect(200);
        keyfob.get(&format!("{own}/revisions")).await.expect(200);
        for answer in [
            keyfob.get(&path).await,
            keyfob.get("/v1/credentials?environment=development&stable_key=acme").await,
            keyfob.post("/v1/connections", &bearer("New")).await,
            keyfob.post(&format!("{own}/tests"), &json!({})).await,
            keyfob.post(&format!("{own}/reveal"), &json!({ "fields": ["token"], "reason": "why" })).await,
            keyfob.patch(&own, 1, &json!({ "secrets": { "token": "planted-secret-2" } })).await,
            keyfob.patch(&own, 1, &json!({ "settings": { "test_path": "/user" } })).await,
            keyfob
                .request(
                    "POST",
                    &format!("{own}/revisions/1/restore"),
                    crate::support::ROOT,
                    &[("if-match", "\"1\"")],
                    &json!({}),
                )
                .await,
        ] {
            assert_eq!(answer.problem(), (503, "key_unavailable".to_owned()));
        }
        assert_eq!((keyfob.database.counts(), keyfob.blobs.stored.lock().unwrap().len()), (rows, blobs));
        assert_eq!(keyfob.counterpart.received().len(), calls, "nothing was tested");
    }
    keyfob.restarted(&[]).get(&path).await.expect(200);
}

#[tokio::test]
async fn without_a_secret_no_master_key_and_no_blob_is_needed() {
    let keyfob = Keyfob::working().await;
    let body = json!({
        "environment": "development", "provider": "http", "connection_type": "none", "name": "Open",
        "settings": { "base_url": "https://api.acme.dev" },
    });
    let path = format!("{}/credentials", path_of(&keyfob.create(&body).await));
    let keyfob = keyfob.restarted(&[NO_KEYS]);
    let credentials = keyfob.get(&path).await.expect(200).json();
    assert_eq!((&credentials["secrets"], &credentials["request"]["headers"]), (&json!({}), &json!({})));
    assert_eq!(keyfob.log.last()["blob_calls"], 0);
}

#[tokio::test]
async fn a_new_primary_key_opens_what_the_old_one_wrapped() {
    let (keyfob, _, path) = start().await;
    let keyfob = keyfob.restarted(&[TWO_KEYS]);
    keyfob.get(&path).await.expect(200);
    let new = keyfob.create(&bearer("New")).await;
    keyfob.get(&format!("{}/credentials", path_of(&new))).await.expect(200);
    let keys: i64 = keyfob.database.value("select sum(key_id) from vault_entries");
    assert_eq!(keys, 3);
}

#[tokio::test]
async fn a_resolve_takes_one_database_call_and_one_blob() {
    let (keyfob, _, path) = start().await;
    keyfob.get(&path).await.expect(200);
    for path in [path.as_str(), "/v1/credentials?environment=development&stable_key=acme"] {
        keyfob.get(path).await.expect(200);
        let line = keyfob.log.last();
        assert_eq!((&line["database_calls"], &line["blob_calls"]), (&json!(1), &json!(1)));
    }
}

#[tokio::test]
async fn the_last_use_is_noted_once_an_hour() {
    let (keyfob, connection, path) = start().await;
    let mut noted = Vec::new();
    for minutes in [0, 30, 29, 1, 59, 61] {
        keyfob.advance(Duration::from_mins(minutes));
        keyfob.get(&path).await.expect(200);
        let last = keyfob.get(&path_of(&connection)).await.json()["last_used_at"].as_str().unwrap()[11..16].to_owned();
        noted.push(last);
    }
    assert_eq!(noted, ["10:00", "10:00", "10:00", "11:00", "11:00", "13:00"]);
    let after = keyfob.get(&path_of(&connection)).await.json();
    assert_eq!((&after["version"], &after["modified_at"]), (&json!(1), &connection["modified_at"]));
}
