//! What helps when secrets do not open any more, and what a new secret does to what was known of the old one.

use serde_json::{Value, json};

use crate::support::{Keyfob, ROOT, bearer};

/// A connection whose blob is lost.
async fn lost() -> (Keyfob, String) {
    let keyfob = Keyfob::start().await;
    let connection = keyfob.post("/v1/connections?test=false", &bearer("Acme")).await.expect(201).json();
    keyfob.blobs.stored.lock().unwrap().clear();
    keyfob.advance(std::time::Duration::from_hours(1));
    let path = format!("/v1/connections/{}", connection["id"].as_str().unwrap());
    (keyfob, path)
}

#[tokio::test]
async fn secrets_that_do_not_open_are_replaced_by_sending_all_of_them() {
    let (keyfob, path) = lost().await;
    let kept = json!({ "settings": { "test_path": "/user" } });
    assert_eq!(keyfob.patch(&format!("{path}?test=false"), 1, &kept).await.problem(), (500, "internal".to_owned()));
    let sent = json!({ "secrets": { "token": "planted-secret-2" } });
    keyfob.patch(&format!("{path}?test=false"), 1, &sent).await.expect(200);
    let credentials = keyfob.get(&format!("{path}/credentials")).await.expect(200).json();
    assert_eq!(credentials["secrets"]["token"], "planted-secret-2");
    let revision = keyfob.get(&format!("{path}/revisions/2")).await.expect(200).json();
    assert_eq!(revision["secret_changes"], json!({ "token": "changed" }));
}

#[tokio::test]
async fn an_older_revision_is_restored_though_the_current_one_does_not_open() {
    let keyfob = Keyfob::start().await;
    let connection = keyfob.post("/v1/connections?test=false", &bearer("Acme")).await.expect(201).json();
    let path = format!("/v1/connections/{}", connection["id"].as_str().unwrap());
    let before: Vec<String> = keyfob.blobs.stored.lock().unwrap().keys().cloned().collect();
    let sent = json!({ "secrets": { "token": "planted-secret-2" } });
    keyfob.patch(&format!("{path}?test=false"), 1, &sent).await.expect(200);
    keyfob.blobs.stored.lock().unwrap().retain(|name, _| before.contains(name));
    let restore = format!("{path}/revisions/1/restore?test=false");
    keyfob.request("POST", &restore, ROOT, &[("if-match", "\"2\"")], &json!({})).await.expect(200);
    let credentials = keyfob.get(&format!("{path}/credentials")).await.expect(200).json();
    assert_eq!(credentials["secrets"]["token"], "planted-secret-1");
}

#[tokio::test]
async fn a_row_of_the_vault_that_is_gone_is_an_alarm_and_not_no_secret() {
    let keyfob = Keyfob::start().await;
    let connection = keyfob.post("/v1/connections?test=false", &bearer("Acme")).await.expect(201).json();
    keyfob.database.execute("delete from vault_entries").unwrap();
    let path = format!("/v1/connections/{}/credentials", connection["id"].as_str().unwrap());
    assert_eq!(keyfob.get(&path).await.problem(), (500, "internal".to_owned()));
    assert!(keyfob.log.last()["failure"].as_str().unwrap().starts_with("ALARM"));
}

#[tokio::test]
async fn a_new_secret_does_not_inherit_the_end_of_the_old_one() {
    let keyfob = Keyfob::start().await;
    let mut body = bearer("Acme");
    body["expires_at"] = json!("2026-11-21T10:00:00Z");
    let connection = keyfob.post("/v1/connections?test=false", &body).await.expect(201).json();
    let path = format!("/v1/connections/{}", connection["id"].as_str().unwrap());
    let renamed = keyfob.patch(&path, 1, &json!({ "name": "Other" })).await.expect(200).json();
    assert_eq!(renamed["expires_at"], "2026-11-21T10:00:00.000Z");
    let sent = json!({ "secrets": { "token": "planted-secret-2" } });
    let rotated = keyfob.patch(&format!("{path}?test=false"), 2, &sent).await.expect(200).json();
    assert_eq!(rotated["expires_at"], Value::Null);
}

#[tokio::test]
async fn nothing_is_committed_under_a_mistyped_master_key() {
    let keyfob = Keyfob::start().await;
    let connection = keyfob.post("/v1/connections?test=false", &bearer("Acme")).await.expect(201).json();
    let path = format!("/v1/connections/{}", connection["id"].as_str().unwrap());
    let mistyped = r#"{"primary":1,"keys":{"1":"CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg="}}"#;
    let keyfob = keyfob.restarted(&[("MASTER_KEYS", mistyped)]);
    let before = keyfob.database.dump();
    let key = json!({ "name": "Key", "scopes": ["audit:read"], "environments": ["staging"] });
    for answer in [
        keyfob.patch(&path, 1, &json!({ "name": "Other" })).await,
        keyfob.delete(&path, 1).await,
        keyfob.post("/v1/api-keys", &key).await,
    ] {
        assert_eq!(answer.problem(), (503, "key_unavailable".to_owned()));
    }
    assert_eq!(keyfob.database.dump(), before);
}
