//! Three facts, never mixed: the switch, the verdict, and the usage. Four verdicts, and what may change them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use keyfob::domain::connection::{Basis, Found};
use keyfob::domain::health::{Attempt, Source};
use keyfob::domain::time::Timestamp;
use keyfob::domain::verdict::Verdict;
use keyfob::store::connections::store_attempt;
use serde_json::{Value, json};

use crate::support::counterpart::{Reply, answer};
use crate::support::{Keyfob, bearer, path_of, shown};

/// A connection whose provider answers as told.
struct Tested {
    keyfob: Keyfob,
    status: Arc<AtomicU16>,
    path: String,
}

impl Tested {
    async fn start(status: u16) -> Self {
        let status = Arc::new(AtomicU16::new(status));
        let keyfob = Keyfob::answering(&status).await;
        let path = path_of(&keyfob.create(&bearer("Acme")).await);
        Self { keyfob, status, path }
    }

    /// Tests a minute later, the provider answering with a status, and gives the connection.
    async fn test(&self, status: u16) -> Value {
        self.status.store(status, Ordering::SeqCst);
        self.keyfob.advance(Duration::from_mins(1));
        self.keyfob.post(&format!("{}/tests", self.path), &json!({})).await.expect(201);
        self.keyfob.get(&self.path).await.json()
    }
}

fn facts(connection: &Value) -> Value {
    let found = |part: &str, time: &str| {
        let part = &connection[part];
        json!([part["verdict"], part["reason"], part[time]])
    };
    json!([connection["status"], found("health", "checked_at"), found("last_attempt", "at")])
}

#[tokio::test]
async fn an_unknown_attempt_never_changes_a_definitive_verdict() {
    for (first, status, verdict, reason) in [
        (200, "active", "valid", json!(null)),
        (403, "active", "limited", json!("insufficient_scope")),
        (401, "not_active", "invalid", json!("rejected")),
    ] {
        let tested = Tested::start(first).await;
        for (minute, (later, because)) in
            [(500, "unreachable"), (429, "rate_limited"), (302, "unexpected_answer"), (503, "unreachable")]
                .into_iter()
                .enumerate()
        {
            let at = format!("2026-11-20T10:0{}:00.000Z", minute + 1);
            let definitive = json!([verdict, reason, "2026-11-20T10:00:00.000Z"]);
            let expected = json!([status, definitive, ["unknown", because, at]]);
            assert_eq!(facts(&tested.test(later).await), expected, "{first} then {later}");
        }
    }
}

#[tokio::test]
async fn each_definitive_verdict_takes_the_place_of_any_other() {
    let tested = Tested::start(500).await;
    let begin = tested.keyfob.get(&tested.path).await.json();
    let unknown = json!(["unknown", "unreachable", "2026-11-20T10:00:00.000Z"]);
    assert_eq!(facts(&begin), json!(["not_active", unknown, unknown]));
    for (minute, (later, status, verdict, reason)) in [
        (200, "active", "valid", json!(null)),
        (401, "not_active", "invalid", json!("rejected")),
        (403, "active", "limited", json!("insufficient_scope")),
        (401, "not_active", "invalid", json!("rejected")),
        (200, "active", "valid", json!(null)),
        (403, "active", "limited", json!("insufficient_scope")),
        (200, "active", "valid", json!(null)),
    ]
    .into_iter()
    .enumerate()
    {
        let found = json!([verdict, reason, format!("2026-11-20T10:0{}:00.000Z", minute + 1)]);
        assert_eq!(facts(&tested.test(later).await), json!([status, found, found]), "{later}");
    }
}

#[tokio::test]
async fn while_there_is_no_verdict_the_newest_reason_shows() {
    let tested = Tested::start(500).await;
    let after = tested.test(429).await;
    assert_eq!(after["health"]["reason"], "rate_limited");
    assert_eq!(shown(&after["health"], ["source", "action"]), json!({ "source": "test", "action": "retry" }));
}

#[tokio::test]
async fn a_new_or_restored_revision_inherits_nothing() {
    let tested = Tested::start(200).await;
    let never = json!(["not_active", ["unknown", "never_tested", null], [null, null, null]]);
    let Tested { keyfob, path, .. } = &tested;
    let edit = json!({ "secrets": { "token": "planted-secret-2" } });
    let edited = keyfob.patch(&format!("{path}?test=false"), 1, &edit).await.expect(200).json();
    assert_eq!(facts(&edited), never);
    assert_eq!(facts(&tested.test(200).await)[0], "active");
    let headers = [("if-match", "\"2\"")];
    let restore = format!("{path}/revisions/1/restore?test=false");
    let restored = keyfob.request("POST", &restore, crate::support::ROOT, &headers, &json!({})).await.expect(200);
    assert_eq!(facts(&restored.json()), never);
    assert_eq!(facts(&keyfob.get(path).await.json()), never);
}

#[tokio::test]
async fn an_attempt_at_an_older_revision_is_ignored() {
    // The provider answers the first test of the old credential only after the new one was saved.
    let keyfob = Keyfob::with(|request| {
        let credential = request.header("authorization").unwrap_or_default();
        let late = |status: &str| Reply::Late {
            pause: Duration::from_millis(300),
            bytes: format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").into_bytes(),
        };
        match credential {
            "Bearer planted-secret-1" => late("401"),
            "" => answer(401, &[], ""),
            _ => answer(200, &[], ""),
        }
    })
    .await;
    let connection = keyfob.post("/v1/connections?test=false", &bearer("Acme")).await.expect(201).json();
    let path = path_of(&connection);
    let (tests, body) = (format!("{path}/tests"), json!({}));
    let old = async { keyfob.post(&tests, &body).await.expect(201).json() };
    let new = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        keyfob.patch(&path, 1, &json!({ "secrets": { "token": "planted-secret-2" } })).await.expect(200).json()
    };
    let (old, new) = tokio::join!(old, new);
    assert_eq!(shown(&old, ["revision", "verdict"]), json!({ "revision": 1, "verdict": "invalid" }));
    let now = keyfob.get(&path).await.json();
    assert_eq!(now, new);
    assert_eq!(shown(&now, ["revision", "status"]), json!({ "revision": 2, "status": "active" }));
    let revisions = keyfob.get(&format!("{path}/revisions")).await.json();
    let verdicts: Vec<&Value> = revisions["data"].as_array().unwrap().iter().map(|one| &one["verdict"]).collect();
    assert_eq!(verdicts, ["valid", "invalid"], "the history keeps what was found of each");
}

#[tokio::test]
async fn an_attempt_that_ended_earlier_is_ignored() {
    let tested = Tested::start(200).await;
    let later = "update connections set checked_at = 1795168800000 + 3600000, \
                 last_attempt = json_set(last_attempt, '$.at', 1795168800000 + 3600000)";
    tested.keyfob.database.execute(later).unwrap();
    assert_eq!(tested.test(401).await["status"], "active");
}

#[tokio::test]
async fn a_definitive_verdict_counts_though_a_later_attempt_found_nothing() {
    let tested = Tested::start(200).await;
    let later = "update connections set last_attempt = json_object('verdict', 'unknown', 'reason', 'timeout', \
                 'at', 1795168800000 + 3600000, 'source', 'test')";
    tested.keyfob.database.execute(later).unwrap();
    let now = tested.test(401).await;
    assert_eq!((&now["health"]["verdict"], &now["last_attempt"]["reason"]), (&json!("invalid"), &json!("timeout")));
}

#[tokio::test]
async fn a_disabled_connection_is_not_active_and_keeps_its_verdict() {
    let tested = Tested::start(200).await;
    let Tested { keyfob, path, .. } = &tested;
    let off = keyfob.patch(path, 1, &json!({ "enabled": false })).await.expect(200).json();
    assert_eq!(facts(&off)[0], "not_active");
    assert_eq!(off["health"]["verdict"], "valid");
    let still = tested.test(403).await;
    assert_eq!((&still["status"], &still["health"]["verdict"]), (&json!("not_active"), &json!("limited")));
    let on = keyfob.patch(path, 2, &json!({ "enabled": true })).await.expect(200).json();
    assert_eq!((&on["status"], &on["health"]["verdict"]), (&json!("active"), &json!("limited")));
}

#[tokio::test]
async fn usage_never_changes_the_status() {
    let tested = Tested::start(401).await;
    tested.keyfob.database.execute("update connections set usage_count = 7, last_used_at = 1795168800000").unwrap();
    let used = tested.keyfob.get(&tested.path).await.json();
    assert_eq!(shown(&used, ["status", "usage_count"]), json!({ "status": "not_active", "usage_count": 7 }));
}

#[tokio::test]
async fn a_test_is_no_change_of_the_connection() {
    let tested = Tested::start(401).await;
    let after = tested.test(200).await;
    assert_eq!(
        shown(&after, ["version", "revision", "modified_at"]),
        json!({ "version": 1, "revision": 1, "modified_at": "2026-11-20T10:00:00.000Z" })
    );
    tested.keyfob.patch(&tested.path, 1, &json!({ "name": "New" })).await.expect(200);
}

#[tokio::test]
async fn the_status_of_the_list_and_of_the_facets_is_the_same_fact() {
    let tested = Tested::start(401).await;
    for (status, code) in [("not_active", 500), ("active", 200), ("active", 503), ("not_active", 401), ("active", 403)]
    {
        let after = tested.test(code).await;
        assert_eq!(after["status"], status);
        let list = format!("/v1/connections?environment=development&status={status}");
        assert_eq!(tested.keyfob.get(&list).await.json()["data"], json!([after]));
        let facets = tested.keyfob.get("/v1/connections/facets?environment=development").await.json();
        let count = |value: &str| json!({ "value": value, "count": u8::from(value == status), "exact": true });
        let statuses = facets["statuses"].as_array().unwrap();
        assert!(statuses.contains(&count("active")) && statuses.contains(&count("not_active")), "{facets}");
    }
}

#[tokio::test]
async fn an_address_that_answers_everybody_proves_nothing() {
    let keyfob = Keyfob::start().await;
    let connection = keyfob.create(&bearer("Acme")).await;
    assert_eq!(
        connection["health"],
        json!({
            "verdict": "unknown", "reason": "credential_not_checked", "action": "edit",
            "message": "The address answers the same without the credential: choose a test path that needs it.",
            "checked_at": "2026-11-20T10:00:00.000Z", "source": "save", "stale": false,
        })
    );
}

#[tokio::test]
async fn a_provider_that_resets_the_connection_is_unreachable() {
    let keyfob = Keyfob::with(|_| Reply::Reset).await;
    keyfob.clock.hurry(Duration::from_secs(1));
    let connection = keyfob.create(&bearer("Acme")).await;
    assert_eq!(
        shown(&connection["last_attempt"], ["verdict", "reason", "action"]),
        json!({ "verdict": "unknown", "reason": "unreachable", "action": "retry" })
    );
}

#[tokio::test]
async fn every_reason_has_one_action_and_one_sentence_in_the_openapi_document() {
    let document = <keyfob::api::openapi::Document as utoipa::OpenApi>::openapi().to_json().unwrap();
    for reason in keyfob::domain::reason::Reason::ALL {
        assert!(document.contains(&format!("\"{}\"", reason.as_str())), "{}", reason.as_str());
        assert!(!reason.sentence().is_empty());
    }
}

#[tokio::test]
async fn what_an_older_test_found_does_not_take_the_place_of_what_a_newer_one_did() {
    let tested = Tested::start(200).await;
    let id = tested.path.rsplit('/').next().unwrap().to_owned().try_into().unwrap();
    let store = |minute: u64, verdict, expires_at: &str, owner: &str| {
        let at = tested.keyfob.clock_now() + Duration::from_mins(minute);
        let attempt = Attempt { verdict, reason: None, at, source: Source::Test };
        let facts = serde_json::from_value(json!({ "owner": owner })).unwrap();
        let found = Found { facts, granted_scopes: vec![owner.to_owned()], missing_scopes: Vec::new() };
        let expires_at = Timestamp::parse(expires_at).unwrap();
        let basis = Basis { revision: 1, template_revision: None, test_version: None };
        tested.keyfob.database.run(vec![store_attempt(&id, basis, &attempt, &found, Some(expires_at))]).unwrap();
    };
    store(2, Verdict::Valid, "2027-02-01T00:00:00Z", "newer");
    store(1, Verdict::Valid, "2027-01-01T00:00:00Z", "older");
    let now = tested.keyfob.get(&tested.path).await.json();
    assert_eq!(now["expires_at"], "2027-02-01T00:00:00.000Z");
    assert_eq!(now["facts"], json!({ "owner": "newer" }));
    assert_eq!(now["granted_scopes"], json!(["newer"]));
}
