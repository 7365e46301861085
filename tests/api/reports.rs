//! Reports of a workflow engine: a report starts a test, and only the test decides.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Keyfob, bearer, path_of, shown};

/// A connection that works, and a provider that answers as told.
async fn start() -> (Keyfob, Arc<AtomicU16>, String) {
    let status = Arc::new(AtomicU16::new(200));
    let keyfob = Keyfob::answering(&status).await;
    let path = path_of(&keyfob.create(&bearer("Acme")).await);
    keyfob.advance(Duration::from_mins(1));
    (keyfob, status, path)
}

async fn report(keyfob: &Keyfob, path: &str, revision: u64) -> Value {
    keyfob.post(&format!("{path}/reports"), &json!({ "revision": revision })).await.expect(200).json()
}

#[tokio::test]
async fn a_report_decides_nothing_the_test_does() {
    for (answer, verdict, reason, at, source) in [
        (200, "valid", json!(null), "2026-11-20T10:01:00.000Z", "report"),
        (401, "invalid", json!("rejected"), "2026-11-20T10:01:00.000Z", "report"),
        (403, "limited", json!("insufficient_scope"), "2026-11-20T10:01:00.000Z", "report"),
        (500, "valid", json!(null), "2026-11-20T10:00:00.000Z", "save"),
    ] {
        let (keyfob, status, path) = start().await;
        status.store(answer, Ordering::SeqCst);
        let reported = report(&keyfob, &path, 1).await;
        let connection = keyfob.get(&path).await.json();
        assert_eq!(reported, json!({ "outcome": "tested", "health": connection["health"] }), "{answer}");
        let expected = json!({ "verdict": verdict, "reason": reason, "checked_at": at, "source": source });
        assert_eq!(shown(&reported["health"], ["verdict", "reason", "checked_at", "source"]), expected, "{answer}");
        assert_eq!(connection["last_attempt"]["source"], "report");
        let tests = keyfob.get(&format!("{path}/tests")).await.json();
        assert_eq!(tests["data"][0]["source"], "report");
    }
}

#[tokio::test]
async fn a_report_of_an_older_revision_is_ignored() {
    let (keyfob, status, path) = start().await;
    keyfob.patch(&path, 1, &json!({ "secrets": { "token": "planted-secret-2" } })).await.expect(200);
    status.store(401, Ordering::SeqCst);
    let calls = keyfob.counterpart.received().len();
    let reported = report(&keyfob, &path, 1).await;
    assert_eq!((&reported["outcome"], &reported["health"]["verdict"]), (&json!("superseded"), &json!("valid")));
    assert_eq!(keyfob.counterpart.received().len(), calls);
}

#[tokio::test]
async fn a_report_of_what_does_not_exist_is_refused() {
    let (keyfob, _, path) = start().await;
    for (body, pointer, code) in [
        (json!({ "revision": 0 }), "/revision", "invalid"),
        (json!({ "revision": 2 }), "/revision", "invalid"),
        (json!({ "revision": -1 }), "/revision", "invalid"),
        (json!({}), "/revision", "missing"),
        (json!({ "revision": 1, "token_generation": 1 }), "/token_generation", "invalid"),
        (json!({ "revision": 1, "reason": "401" }), "/reason", "unknown_field"),
    ] {
        let answer = keyfob.post(&format!("{path}/reports"), &body).await;
        assert_eq!(answer.problem(), (422, "invalid_body".to_owned()), "{body}");
        assert_eq!(answer.errors(), [(pointer.to_owned(), code.to_owned())], "{body}");
    }
}

#[tokio::test]
async fn reports_need_the_scope_of_those_who_use_credentials() {
    let (keyfob, _, path) = start().await;
    let reports = format!("{path}/reports");
    let body = json!({ "revision": 1, "token_generation": null });
    let tester = keyfob.key(&["connections:test"], &["development"]).await;
    let refused = keyfob.request("POST", &reports, &tester, &[], &body).await;
    assert_eq!(refused.problem(), (403, "missing_scope".to_owned()));
    let engine = keyfob.key(&["credentials:use"], &["development"]).await;
    keyfob.request("POST", &reports, &engine, &[], &body).await.expect(200);
}

#[tokio::test]
async fn one_report_a_minute_starts_a_test() {
    let (keyfob, status, path) = start().await;
    assert_eq!(report(&keyfob, &path, 1).await["outcome"], "tested");
    status.store(401, Ordering::SeqCst);
    let calls = keyfob.counterpart.received().len();
    let limited = report(&keyfob, &path, 1).await;
    assert_eq!((&limited["outcome"], &limited["health"]["verdict"]), (&json!("rate_limited"), &json!("valid")));
    assert_eq!(keyfob.counterpart.received().len(), calls);
    keyfob.advance(Duration::from_mins(1));
    let tested = report(&keyfob, &path, 1).await;
    assert_eq!((&tested["outcome"], &tested["health"]["verdict"]), (&json!("tested"), &json!("invalid")));
}

#[tokio::test]
async fn where_no_test_exists_repeated_reports_are_believed() {
    let keyfob = Keyfob::working().await;
    let mut body = bearer("Acme");
    body["settings"].as_object_mut().unwrap().remove("test_path");
    let path = path_of(&keyfob.create(&body).await);
    for reason in ["no_test", "no_test", "reported", "reported"] {
        keyfob.advance(Duration::from_mins(1));
        let reported = report(&keyfob, &path, 1).await;
        assert_eq!(reported["outcome"], "counted");
        assert_eq!(
            shown(&reported["health"], ["verdict", "reason"]),
            json!({ "verdict": "unknown", "reason": reason })
        );
    }
    let reported = keyfob.get(&path).await.json();
    assert_eq!(shown(&reported["health"], ["source", "action"]), json!({ "source": "report", "action": "edit" }));
    // A new revision begins anew, and so does its count.
    let edited =
        keyfob.patch(&path, 1, &json!({ "secrets": { "token": "planted-secret-2" } })).await.expect(200).json();
    assert_eq!(edited["health"]["reason"], "no_test");
    keyfob.advance(Duration::from_mins(1));
    assert_eq!(report(&keyfob, &path, 2).await["health"]["reason"], "no_test");
}

#[tokio::test]
async fn reports_of_many_days_are_no_repetition() {
    let keyfob = Keyfob::working().await;
    let mut body = bearer("Acme");
    body["settings"].as_object_mut().unwrap().remove("test_path");
    let path = path_of(&keyfob.create(&body).await);
    for _ in 0..5 {
        keyfob.advance(Duration::from_hours(24));
        assert_eq!(report(&keyfob, &path, 1).await["health"]["reason"], "no_test");
    }
}
