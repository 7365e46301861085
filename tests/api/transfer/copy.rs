//! The definition of a connection, once more in another environment.

use serde_json::{Value, json};

use super::listed;
use crate::support::{Keyfob, ROOT, bearer, path_of, shown};

async fn original(keyfob: &Keyfob) -> Value {
    let mut body = bearer("Acme");
    body["tags"] = json!(["a"]);
    body["description"] = json!("What it is for");
    body["expires_at"] = json!("2027-01-01T00:00:00Z");
    keyfob.create(&body).await
}

#[tokio::test]
async fn a_copy_that_would_be_none_or_another_ones_counterpart_is_refused() {
    let keyfob = Keyfob::working().await;
    let path = format!("{}/copy", path_of(&original(&keyfob).await));
    for (body, status, code) in [
        (json!({}), 422, "invalid_body"),
        (json!({ "environment": "test" }), 422, "invalid_body"),
        (json!({ "environment": "staging", "secrets": {} }), 422, "invalid_body"),
        (json!({ "environment": "staging", "stable_key": "A" }), 422, "invalid_body"),
        // Its own key is its own.
        (json!({ "environment": "development" }), 409, "stable_key_taken"),
    ] {
        assert_eq!(keyfob.post(&path, &body).await.problem(), (status, code.to_owned()), "{body}");
    }
    keyfob.post(&path, &json!({ "environment": "staging" })).await.expect(201);
    let again = keyfob.post(&path, &json!({ "environment": "staging" })).await;
    assert_eq!(again.problem(), (409, "stable_key_taken".to_owned()));
    assert_eq!(listed(&keyfob, "staging").await.len(), 1);
}

#[tokio::test]
async fn who_may_write_here_alone_copies_nothing_there_and_the_other_way_round() {
    let keyfob = Keyfob::working().await;
    let path = format!("{}/copy", path_of(&original(&keyfob).await));
    let body = json!({ "environment": "staging" });
    let here = keyfob.key(&["connections:write"], &["development"]).await;
    let there = keyfob.key(&["connections:write"], &["staging"]).await;
    let answer = keyfob.request("POST", &path, &here, &[], &body).await;
    assert_eq!(answer.problem(), (403, "environment_not_allowed".to_owned()));
    let answer = keyfob.request("POST", &path, &there, &[], &body).await;
    assert_eq!(answer.problem(), (404, "not_found".to_owned()));
    assert_eq!(listed(&keyfob, "staging").await.len(), 0);
}

#[tokio::test]
async fn a_copy_has_the_definition_and_no_credential() {
    let keyfob = Keyfob::working().await;
    let original = original(&keyfob).await;
    let blobs = keyfob.blobs.stored.lock().unwrap().len();
    let answer =
        keyfob.post(&format!("{}/copy", path_of(&original)), &json!({ "environment": "staging" })).await.expect(201);
    let copy = answer.json();
    assert_eq!(answer.header("location"), path_of(&copy));
    assert_eq!(answer.header("etag"), "\"1\"");
    let same =
        ["provider", "connection_type", "kind", "name", "description", "stable_key", "tags", "settings", "enabled"];
    assert_eq!(shown(&copy, same), shown(&original, same));
    assert_ne!(copy["id"], original["id"]);
    assert_eq!(
        shown(&copy, ["environment", "secret_fields", "status", "expires_at", "usage_count", "version", "facts"]),
        json!({
            "environment": "staging", "secret_fields": [], "status": "not_active", "expires_at": null, "usage_count": 0,
            "version": 1, "facts": {},
        })
    );
    assert_eq!(
        shown(&copy["health"], ["verdict", "reason", "action"]),
        json!({
            "verdict": "unknown", "reason": "missing", "action": "edit",
        })
    );
    assert_eq!(keyfob.get(&path_of(&copy)).await.expect(200).json(), copy);
    assert_eq!(keyfob.blobs.stored.lock().unwrap().len(), blobs);
    let resolve = keyfob.get(&format!("{}/credentials", path_of(&copy))).await;
    assert_eq!(resolve.problem(), (409, "connection_incomplete".to_owned()));
    let events = keyfob.get(&format!("{}/events", path_of(&copy))).await.expect(200).json();
    assert_eq!(events["data"][0]["type"], "created");
}

#[tokio::test]
async fn a_copy_becomes_active_when_its_secrets_are_entered() {
    let keyfob = Keyfob::working().await;
    let path = format!("{}/copy", path_of(&original(&keyfob).await));
    let copy = keyfob.post(&path, &json!({ "environment": "production" })).await.expect(201).json();
    let secrets = json!({ "secrets": { "token": "planted-secret-2" } });
    let entered = keyfob.patch(&path_of(&copy), 1, &secrets).await.expect(200).json();
    assert_eq!((&entered["status"], &entered["revision"]), (&json!("active"), &json!(2)));
    let found = keyfob.get("/v1/credentials?environment=production&stable_key=acme").await.expect(200).json();
    assert_eq!(found["secrets"]["token"], "planted-secret-2");
}

#[tokio::test]
async fn a_copy_may_have_another_key_and_name_and_stand_beside_its_original() {
    let keyfob = Keyfob::working().await;
    let path = format!("{}/copy", path_of(&original(&keyfob).await));
    let body = json!({ "environment": "development", "stable_key": "acme-2", "name": "Acme, too" });
    let copy = keyfob.post(&path, &body).await.expect(201).json();
    assert_eq!(shown(&copy, ["stable_key", "name"]), json!({ "stable_key": "acme-2", "name": "Acme, too" }));
    assert_eq!(listed(&keyfob, "development").await.len(), 2);
}

#[tokio::test]
async fn the_same_copy_with_the_same_key_is_made_once() {
    let keyfob = Keyfob::working().await;
    let path = format!("{}/copy", path_of(&original(&keyfob).await));
    let (headers, body) = ([("idempotency-key", "k1")], json!({ "environment": "staging" }));
    let first = keyfob.request("POST", &path, ROOT, &headers, &body).await.expect(201);
    let second = keyfob.request("POST", &path, ROOT, &headers, &body).await.expect(201);
    assert_eq!((first.text.as_str(), first.header("location")), (second.text.as_str(), second.header("location")));
    assert_eq!(listed(&keyfob, "staging").await.len(), 1);
}

#[tokio::test]
async fn what_does_not_fit_the_provider_of_today_is_not_copied() {
    let keyfob = Keyfob::working().await;
    let path = format!("{}/copy", path_of(&original(&keyfob).await));
    keyfob.database.execute("update connections set settings = '{\"base_url\":\"nowhere\"}'").unwrap();
    let answer = keyfob.post(&path, &json!({ "environment": "staging" })).await;
    assert_eq!(answer.problem(), (409, "revision_incompatible".to_owned()));
    assert_eq!(answer.errors()[0].0, "/settings/base_url");
}
