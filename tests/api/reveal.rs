//! Revealing secrets: to whom, why, audited first.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::database::Fault::{After, Before, Nothing};
use crate::support::{Answer, Keyfob, ROOT, bearer, path_of};

async fn start(variables: &[(&str, &str)]) -> (Keyfob, String) {
    let keyfob = Keyfob::working().await.restarted(variables);
    let path = path_of(&keyfob.create(&bearer("Acme")).await);
    (keyfob, path)
}

async fn reveal(keyfob: &Keyfob, path: &str, key: &str, body: &Value) -> Answer {
    keyfob.request("POST", &format!("{path}/reveal"), key, &[], body).await
}

fn token() -> Value {
    json!({ "fields": ["token"], "reason": "It moves to another vault." })
}

fn audited(keyfob: &Keyfob) -> i64 {
    keyfob.database.value("select count(*) from audit_events where action = 'connection.secrets_revealed'")
}

#[tokio::test]
async fn without_the_scope_nothing_is_revealed() {
    let (keyfob, path) = start(&[]).await;
    let all_but_one = [
        "connections:read",
        "connections:write",
        "connections:delete",
        "connections:test",
        "credentials:use",
        "audit:read",
    ];
    let key = keyfob.key(&all_but_one, &["development", "staging", "production"]).await;
    let refused = reveal(&keyfob, &path, &key, &token()).await;
    assert_eq!(refused.problem(), (403, "missing_scope".to_owned()));
    let elsewhere = keyfob.key(&["credentials:reveal"], &["production"]).await;
    assert_eq!(reveal(&keyfob, &path, &elsewhere, &token()).await.problem(), (404, "not_found".to_owned()));
    assert_eq!(audited(&keyfob), 0);
}

#[tokio::test]
async fn chosen_secrets_are_revealed_with_a_reason_and_audited() {
    let (keyfob, path) = start(&[]).await;
    let key = keyfob.key(&["credentials:reveal"], &["development"]).await;
    let revealed = reveal(&keyfob, &path, &key, &token()).await.expect(200);
    assert_eq!(revealed.json(), json!({ "revision": 1, "secrets": { "token": "planted-secret-1" } }));
    assert_eq!(revealed.header("cache-control"), "no-store");
    let row = "select json_array(environment, resource_id, actor ->> 'name', request_id, json(detail)) from audit_events \
               order by seq desc limit 1";
    let row: Value = serde_json::from_str(&keyfob.database.value::<String>(row)).unwrap();
    let detail = json!({ "fields": ["token"], "revision": 1, "reason": "It moves to another vault." });
    let request = revealed.header("keyfob-request-id");
    assert_eq!(row, json!(["development", path.rsplit('/').next(), "Some key", request, detail]));
}

#[tokio::test]
async fn a_reveal_that_cannot_be_audited_reveals_nothing() {
    let (keyfob, path) = start(&[]).await;
    let broken = "create trigger broken before insert on audit_events begin select raise(abort, 'full'); end";
    keyfob.database.execute(broken).unwrap();
    let refused = reveal(&keyfob, &path, ROOT, &token()).await;
    assert_eq!(refused.problem(), (503, "storage_unavailable".to_owned()));
    assert!(!refused.text.contains("planted"));
}

#[tokio::test]
async fn a_reveal_whose_audit_row_is_there_is_answered_even_if_the_database_was_silent() {
    let (keyfob, path) = start(&[]).await;
    keyfob.database.fail_next(&[Nothing, Nothing, After]);
    reveal(&keyfob, &path, ROOT, &token()).await.expect(200);
    assert_eq!(audited(&keyfob), 1);
}

#[tokio::test]
async fn whatever_the_database_does_a_reveal_answers_only_when_its_audit_row_is_there() {
    let (mut answered, mut silent) = (0, 0);
    for call in 0..4 {
        for faults in [&[Before][..], &[Before, Before], &[After], &[After, Before]] {
            let (keyfob, path) = start(&[]).await;
            keyfob.database.fail_next(&[vec![Nothing; call], faults.to_vec()].concat());
            let answer = reveal(&keyfob, &path, ROOT, &token()).await;
            if answer.text.contains("planted") {
                assert_eq!((answer.status.as_u16(), audited(&keyfob)), (200, 1), "{call} {faults:?}");
                answered += 1;
            } else {
                assert_eq!(answer.problem(), (503, "storage_unavailable".to_owned()), "{call} {faults:?}");
                silent += 1;
            }
        }
    }
    // The caller, the limit and the audit row are a call each; an answer that was lost is looked for once.
    assert_eq!((answered, silent), (5, 11));
}

#[tokio::test]
async fn a_wrong_request_reveals_nothing_and_is_not_audited() {
    let (keyfob, path) = start(&[]).await;
    for (body, pointer, code) in [
        (json!({ "fields": ["token"] }), "/reason", "missing"),
        (json!({ "fields": ["token"], "reason": "" }), "/reason", "invalid"),
        (json!({ "fields": ["token"], "reason": " \n" }), "/reason", "invalid"),
        (json!({ "reason": "why" }), "/fields", "missing"),
        (json!({ "fields": [], "reason": "why" }), "/fields", "not_set"),
        (json!({ "fields": ["base_url"], "reason": "why" }), "/fields/0", "not_set"),
        (json!({ "fields": ["nope", "token"], "reason": "why" }), "/fields/0", "not_set"),
        (json!({ "fields": ["token"], "reason": "why", "revision": "1" }), "/revision", "invalid"),
        (json!({ "fields": "token", "reason": "why" }), "/fields", "invalid"),
        (json!({ "fields": ["token"], "reason": "why", "all": true }), "/all", "unknown_field"),
    ] {
        let answer = reveal(&keyfob, &path, ROOT, &body).await;
        assert_eq!(answer.problem(), (422, "invalid_body".to_owned()), "{body}");
        assert_eq!(answer.errors(), [(pointer.to_owned(), code.to_owned())], "{body}");
        assert!(!answer.text.contains("planted"));
    }
    for revision in [0, 2, u64::MAX] {
        let body = json!({ "fields": ["token"], "reason": "why", "revision": revision });
        assert_eq!(reveal(&keyfob, &path, ROOT, &body).await.problem(), (404, "not_found".to_owned()), "{revision}");
    }
    assert_eq!(audited(&keyfob), 0);
}

#[tokio::test]
async fn the_secret_of_an_older_revision_is_revealed_too() {
    let (keyfob, path) = start(&[]).await;
    keyfob.patch(&path, 1, &json!({ "secrets": { "token": "planted-secret-2" } })).await.expect(200);
    keyfob.patch(&path, 2, &json!({ "settings": { "test_path": "/user" } })).await.expect(200);
    for (revision, secret) in [(1, "planted-secret-1"), (2, "planted-secret-2"), (3, "planted-secret-2")] {
        let body = json!({ "fields": ["token"], "reason": "why", "revision": revision });
        let revealed = reveal(&keyfob, &path, ROOT, &body).await.expect(200).json();
        assert_eq!(revealed, json!({ "revision": revision, "secrets": { "token": secret } }));
    }
    let current = reveal(&keyfob, &path, ROOT, &token()).await.expect(200).json();
    assert_eq!(current, json!({ "revision": 3, "secrets": { "token": "planted-secret-2" } }));
}

#[tokio::test]
async fn a_disabled_connection_can_still_be_revealed() {
    let (keyfob, path) = start(&[]).await;
    keyfob.patch(&path, 1, &json!({ "enabled": false, "expires_at": "2026-01-01T00:00:00Z" })).await.expect(200);
    reveal(&keyfob, &path, ROOT, &token()).await.expect(200);
}

#[tokio::test]
async fn reveals_are_limited_for_each_caller() {
    let (keyfob, path) = start(&[("RATE_LIMITS", r#"{"reveals_per_hour":2}"#)]).await;
    for _ in 0..2 {
        reveal(&keyfob, &path, ROOT, &token()).await.expect(200);
    }
    let refused = reveal(&keyfob, &path, ROOT, &token()).await;
    assert_eq!(refused.problem(), (429, "rate_limited".to_owned()));
    assert_eq!(refused.header("retry-after"), "3601");
    assert_eq!(audited(&keyfob), 2);
    let other = keyfob.key(&["credentials:reveal"], &["development"]).await;
    reveal(&keyfob, &path, &other, &token()).await.expect(200);
    keyfob.advance(Duration::from_hours(1));
    reveal(&keyfob, &path, ROOT, &token()).await.expect(200);
}
