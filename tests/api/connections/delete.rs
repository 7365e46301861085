//! Deleting.

use super::*;

#[tokio::test]
async fn a_deleted_connection_is_gone_everywhere_and_its_secret_unreadable() {
    let keyfob = Keyfob::working().await;
    let connection = keyfob.create(&bearer("Acme")).await;
    let path = path_of(&connection);
    let other = path_of(&keyfob.create(&bearer("Other")).await);
    let calls = keyfob.counterpart.received().len();
    let answer = keyfob.delete(&path, 1).await.expect(204);
    assert_eq!(answer.text, "");
    for (method, suffix, body) in [
        ("GET", "", Value::Null),
        ("GET", "/tests", Value::Null),
        ("GET", "/revisions", Value::Null),
        ("GET", "/revisions/1", Value::Null),
        ("GET", "/events", Value::Null),
        ("GET", "/credentials", Value::Null),
        ("POST", "/tests", json!({})),
        ("POST", "/reveal", json!({ "fields": ["token"], "reason": "why" })),
        ("POST", "/reports", json!({ "revision": 1 })),
        ("POST", "/revisions/1/restore", json!({})),
        ("PATCH", "", json!({ "name": "New" })),
        ("DELETE", "", Value::Null),
    ] {
        let headers = [("if-match", "\"2\"")];
        let answer = keyfob.request(method, &format!("{path}{suffix}"), ROOT, &headers, &body).await;
        assert_eq!(answer.problem(), (404, "not_found".to_owned()), "{method} {suffix}");
    }
    let by_key = keyfob.get("/v1/credentials?environment=development&stable_key=acme").await;
    assert_eq!(by_key.problem(), (404, "stable_key_not_found".to_owned()));
    for search in ["", "&search=acme", "&search=ac"] {
        let listed = keyfob.get(&format!("{LIST}{search}")).await.json();
        assert!(!listed.to_string().contains(connection["id"].as_str().unwrap()), "{search}");
    }
    assert_eq!(keyfob.counterpart.received().len(), calls, "nothing is done at the provider");
    assert_eq!(keyfob.database.value::<i64>("select count(*) from vault_entries"), 1);
    assert_eq!(keyfob.database.value::<i64>("select count(*) from garbage"), 1);
    keyfob.get(&other).await.expect(200);
}
