//! Tests of drafts and of stored connections: silent ones, and messages that people see.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::counterpart::{Received, Reply, answer};
use crate::support::database::Fault::{After, Before, Nothing};
use crate::support::{Keyfob, bearer, path_of, shown};

const SLACK_URL: &str = "https://hooks.slack.com/services/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";

/// Slack's webhooks as documented: a payload that is none is refused and nothing is posted.
fn slack(request: &Received) -> Reply {
    if serde_json::from_slice::<Value>(&request.body).is_ok() {
        answer(200, &[], "ok")
    } else {
        answer(400, &[], "invalid_payload")
    }
}

fn webhook() -> Value {
    json!({
        "environment": "development", "provider": "slack", "connection_type": "incoming_webhook", "name": "Alerts",
        "secrets": { "webhook_url": SLACK_URL },
    })
}

/// What is posted to test a connection that is not saved.
fn draft(connection: &Value) -> Value {
    let mut draft = connection.clone();
    draft.as_object_mut().unwrap().remove("name");
    draft
}

/// The bodies that people saw.
fn messages(keyfob: &Keyfob) -> Vec<Value> {
    keyfob.counterpart.received().iter().filter_map(|request| serde_json::from_slice(&request.body).ok()).collect()
}

#[tokio::test]
async fn a_draft_is_tested_and_stored_nowhere() {
    let keyfob = Keyfob::working().await;
    let before = keyfob.database.counts();
    let tested = keyfob.post("/v1/tests", &draft(&bearer("Acme"))).await.expect(200);
    assert_eq!(
        tested.json(),
        json!({
            "id": null, "revision": null, "verdict": "valid", "reason": null, "action": "none", "message": null,
            "source": "test", "at": "2026-11-20T10:00:00.000Z", "duration_ms": 0, "facts": {},
        })
    );
    assert_eq!(tested.header("cache-control"), "no-store");
    assert_eq!(keyfob.database.counts(), before);
    assert!(keyfob.blobs.stored.lock().unwrap().is_empty());
    assert!(!keyfob.database.dump().contains("planted-secret-1"));
}

#[tokio::test]
async fn a_draft_that_fails_is_a_result() {
    let status = Arc::new(AtomicU16::new(0));
    let keyfob = Keyfob::answering(&status).await;
    for (code, verdict, reason, action) in [
        (401, "invalid", "rejected", "edit"),
        (403, "limited", "insufficient_scope", "edit"),
        (429, "unknown", "rate_limited", "retry"),
        (500, "unknown", "unreachable", "retry"),
    ] {
        status.store(code, Ordering::SeqCst);
        let tested = keyfob.post("/v1/tests", &draft(&bearer("Acme"))).await.expect(200).json();
        let expected = json!({ "verdict": verdict, "reason": reason, "action": action });
        assert_eq!(shown(&tested, ["verdict", "reason", "action"]), expected, "{code}");
    }
}

#[tokio::test]
async fn a_draft_that_does_not_fit_is_refused_and_nothing_is_called() {
    let keyfob = Keyfob::working().await;
    for (pointer, value, code) in [
        ("/provider", json!("nope"), "unknown"),
        ("/settings/base_url", json!("https://127.0.0.1"), "destination"),
        ("/secrets/token", json!("••••"), "placeholder"),
    ] {
        let mut body = draft(&bearer("Acme"));
        *body.pointer_mut(pointer).unwrap() = value;
        let answer = keyfob.post("/v1/tests", &body).await;
        assert_eq!(answer.problem(), (422, "invalid_body".to_owned()));
        assert_eq!(answer.errors(), [(pointer.to_owned(), code.to_owned())]);
    }
    let mut named = draft(&bearer("Acme"));
    named["name"] = json!("Acme");
    assert_eq!(keyfob.post("/v1/tests", &named).await.errors(), [("/name".to_owned(), "unknown_field".to_owned())]);
    assert!(keyfob.counterpart.received().is_empty());
}

#[tokio::test]
async fn a_stored_connection_is_tested_at_any_time_and_the_history_keeps_it() {
    let status = Arc::new(AtomicU16::new(200));
    let keyfob = Keyfob::answering(&status).await;
    let path = path_of(&keyfob.create(&bearer("Acme")).await);
    let tests = format!("{path}/tests");
    status.store(401, Ordering::SeqCst);
    keyfob.advance(Duration::from_secs(9));
    let tested = keyfob.post(&tests, &json!({})).await.expect(201).json();
    let rejected = json!({
        "id": tested["id"], "revision": 1, "verdict": "invalid", "reason": "rejected", "action": "edit",
        "message": "The provider does not accept the credential: check it or enter a new one.",
        "source": "test", "at": "2026-11-20T10:00:09.000Z", "duration_ms": 0, "facts": {},
    });
    assert_eq!(tested, rejected);
    assert!(tested["id"].as_str().unwrap().starts_with("tst_"));
    let page = keyfob.get(&tests).await.expect(200).json();
    let saved = json!({
        "id": page["data"][1]["id"], "revision": 1, "verdict": "valid", "reason": null, "action": "none",
        "message": null, "source": "save", "at": "2026-11-20T10:00:00.000Z", "duration_ms": 0, "facts": {},
    });
    assert_eq!(page, json!({ "data": [rejected, saved], "next_cursor": null }));
    let first = keyfob.get(&format!("{tests}?limit=1")).await.json();
    assert_eq!(first["data"], json!([rejected]));
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = keyfob.get(&format!("{tests}?limit=1&cursor={cursor}")).await.json();
    assert_eq!(second, json!({ "data": [saved], "next_cursor": null }));
}

#[tokio::test]
async fn unsaved_edits_are_tested_over_what_is_stored_and_stored_nowhere() {
    let keyfob = Keyfob::with(|request| {
        let works = request.header("authorization") == Some("Bearer planted-secret-2");
        answer(if works { 200 } else { 401 }, &[], "{}")
    })
    .await;
    let connection = keyfob.create(&bearer("Acme")).await;
    let (path, before) = (path_of(&connection), keyfob.database.counts());
    for (edits, verdict, target) in [
        (json!({ "secrets": { "token": "planted-secret-2" } }), "valid", "/me"),
        (json!({ "settings": { "test_path": "/user" } }), "invalid", "/user"),
        (json!({ "settings": { "test_path": "/x" }, "secrets": { "token": "planted-secret-2" } }), "valid", "/x"),
        (json!({ "settings": {} }), "invalid", "/me"),
    ] {
        let tested = keyfob.post(&format!("{path}/tests"), &edits).await.expect(200).json();
        assert_eq!(shown(&tested, ["id", "verdict"]), json!({ "id": null, "verdict": verdict }), "{edits}");
        assert_eq!(keyfob.counterpart.received().last().unwrap().target, target);
    }
    let cleared = keyfob.post(&format!("{path}/tests"), &json!({ "secrets": { "token": null } })).await;
    assert_eq!(cleared.errors(), [("/secrets/token".to_owned(), "missing".to_owned())]);
    assert_eq!(keyfob.database.counts(), before);
    assert_eq!(keyfob.get(&path).await.json(), connection);
}

#[tokio::test]
async fn facts_are_learned_and_the_token_beside_them_is_not() {
    let token = "Planted-token_0123456789-0123456789-0123456789-0123456789-0123456789";
    let url = format!("https://discord.com/api/webhooks/223704706495545344/{token}");
    let body = json!({ "name": "Alerts", "channel_id": "199737254929760256", "token": token, "url": url }).to_string();
    let keyfob = Keyfob::with(move |_| answer(200, &[], body.clone())).await;
    let new = json!({
        "environment": "development", "provider": "discord", "connection_type": "webhook", "name": "Alerts",
        "secrets": { "webhook_url": url },
    });
    let connection = keyfob.create(&new).await;
    let facts = json!({ "name": "Alerts", "channel_id": "199737254929760256" });
    assert_eq!(connection["facts"], facts);
    let tested = keyfob.post(&format!("{}/tests", path_of(&connection)), &json!({})).await.expect(201);
    assert_eq!(tested.json()["facts"], facts);
    assert!(!tested.text.contains(token) && !keyfob.database.dump().contains(token));
}

#[tokio::test]
async fn no_test_posts_a_message() {
    let keyfob = Keyfob::with(slack).await;
    let connection = keyfob.create(&webhook()).await;
    assert_eq!(connection["status"], "active");
    keyfob.post("/v1/tests", &draft(&webhook())).await.expect(200);
    keyfob.post(&format!("{}/tests", path_of(&connection)), &json!({ "mode": "silent" })).await.expect(201);
    assert_eq!(keyfob.counterpart.received().len(), 3);
    assert_eq!(messages(&keyfob), Vec::<Value>::new());
}

#[tokio::test]
async fn a_message_is_labelled_audited_and_kept_as_a_test() {
    let keyfob = Keyfob::with(slack).await;
    let connection = keyfob.create(&webhook()).await;
    let tests = format!("{}/tests", path_of(&connection));
    let sent = keyfob.post(&tests, &json!({ "mode": "send_message" })).await.expect(201).json();
    assert_eq!(shown(&sent, ["verdict", "source"]), json!({ "verdict": "valid", "source": "message" }));
    let text = "Test message from Keyfob: this connection delivers. Nothing needs to be done.";
    assert_eq!(messages(&keyfob), [json!({ "text": text })]);
    let audited = "select json_array(action, resource_id, environment, json(actor), json(detail)) from audit_events \
                   order by seq desc limit 1";
    let audited: Value = serde_json::from_str(&keyfob.database.value::<String>(audited)).unwrap();
    let root = json!({ "id": "key_root", "name": "Root key", "claimed": null });
    let detail = json!({ "connection_type": "incoming_webhook" });
    assert_eq!(audited, json!(["connection.message_sent", connection["id"], "development", root, detail]));
    let health = keyfob.get(&path_of(&connection)).await.json()["health"].clone();
    assert_eq!(shown(&health, ["verdict", "source"]), json!({ "verdict": "valid", "source": "message" }));
}

#[tokio::test]
async fn a_message_that_cannot_be_audited_is_not_sent() {
    let keyfob = Keyfob::with(slack).await;
    let tests = format!("{}/tests", path_of(&keyfob.create(&webhook()).await));
    let broken = "create trigger broken before insert on audit_events begin select raise(abort, 'full'); end";
    keyfob.database.execute(broken).unwrap();
    let answer = keyfob.post(&tests, &json!({ "mode": "send_message" })).await;
    assert_eq!(answer.problem(), (503, "storage_unavailable".to_owned()));
    assert_eq!(messages(&keyfob), Vec::<Value>::new());
}

#[tokio::test]
async fn whatever_the_database_does_a_message_is_sent_only_when_its_audit_row_is_there() {
    let mut sent = 0;
    for call in 0..6 {
        for faults in [&[Before][..], &[Before, Before], &[After], &[After, Before]] {
            let keyfob = Keyfob::with(slack).await;
            let tests = format!("{}/tests", path_of(&keyfob.create(&webhook()).await));
            keyfob.database.fail_next(&[vec![Nothing; call], faults.to_vec()].concat());
            keyfob.post(&tests, &json!({ "mode": "send_message" })).await;
            let audited = "select count(*) from audit_events where action = 'connection.message_sent'";
            let audited: i64 = keyfob.database.value(audited);
            let messages = messages(&keyfob).len();
            assert!(i64::try_from(messages).unwrap() <= audited, "{call} {faults:?}: {messages} messages");
            sent += messages;
        }
    }
    assert!(0 < sent && sent < 24, "{sent}");
}

#[tokio::test]
async fn messages_are_limited() {
    let keyfob =
        Keyfob::configured(slack, &[("RATE_LIMITS", r#"{"messages_per_hour":2,"tests_per_minute":100}"#)]).await;
    let tests = format!("{}/tests", path_of(&keyfob.create(&webhook()).await));
    let message = json!({ "mode": "send_message" });
    for _ in 0..2 {
        keyfob.post(&tests, &message).await.expect(201);
    }
    let refused = keyfob.post(&tests, &message).await;
    assert_eq!(refused.problem(), (429, "rate_limited".to_owned()));
    assert_eq!(refused.header("retry-after"), "3601");
    keyfob.post(&tests, &json!({})).await.expect(201);
    keyfob.advance(Duration::from_hours(1));
    keyfob.post(&tests, &message).await.expect(201);
    assert_eq!(messages(&keyfob).len(), 3);
}

#[tokio::test]
async fn a_type_without_a_message_sends_none() {
    let keyfob = Keyfob::working().await;
    let connection = keyfob.create(&bearer("Acme")).await;
    let calls = keyfob.counterpart.received().len();
    let message = json!({ "mode": "send_message" });
    let mut unsaved = draft(&bearer("Acme"));
    unsaved["mode"] = json!("send_message");
    for answer in [
        keyfob.post(&format!("{}/tests", path_of(&connection)), &message).await,
        keyfob.post("/v1/tests", &unsaved).await,
    ] {
        assert_eq!(answer.problem(), (422, "no_message".to_owned()));
    }
    assert_eq!(keyfob.counterpart.received().len(), calls);
}

#[tokio::test]
async fn tests_of_one_connection_are_limited() {
    let keyfob = Keyfob::working().await;
    let path = path_of(&keyfob.create(&bearer("Acme")).await);
    let tests = format!("{path}/tests");
    // Saving tested it once.
    for _ in 0..5 {
        keyfob.post(&tests, &json!({})).await.expect(201);
    }
    let calls = keyfob.counterpart.received().len();
    let refused = keyfob.post(&tests, &json!({})).await;
    assert_eq!(refused.problem(), (429, "rate_limited".to_owned()));
    assert_eq!(refused.header("retry-after"), "61");
    let saving = keyfob.patch(&path, 1, &json!({ "settings": { "test_path": "/user" } })).await;
    assert_eq!(saving.problem().0, 429);
    assert_eq!(keyfob.counterpart.received().len(), calls);
    keyfob.patch(&format!("{path}?test=false"), 1, &json!({ "settings": { "test_path": "/user" } })).await.expect(200);
    keyfob.advance(Duration::from_mins(1));
    keyfob.post(&tests, &json!({})).await.expect(201);
}

#[tokio::test]
async fn tests_that_go_to_one_host_are_limited_whoever_asks() {
    let limits = ("RATE_LIMITS", r#"{"tests_per_minute_per_host":2}"#);
    let keyfob = Keyfob::configured(|_| answer(200, &[], "{}"), &[limits]).await;
    keyfob.create(&bearer("One")).await;
    keyfob.create(&bearer("Two")).await;
    let before = keyfob.database.counts();
    let refused = keyfob.post("/v1/connections", &bearer("Three")).await;
    assert_eq!(refused.problem(), (429, "rate_limited".to_owned()));
    assert_eq!(keyfob.database.counts(), before);
    let mut other = bearer("Three");
    other["settings"]["base_url"] = json!("https://api.other.dev");
    keyfob.create(&other).await;
}
