//! Revisions, events between them, and restoring.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Answer, Keyfob, ROOT, bearer, path_of, shown};

async fn restore(keyfob: &Keyfob, path: &str, number: u64, version: u64, body: &Value) -> Answer {
    let headers = [("if-match", &*format!("\"{version}\""))];
    keyfob.request("POST", &format!("{path}/revisions/{number}/restore"), ROOT, &headers, body).await
}

/// A connection that was created, renamed, edited and rotated, a minute after another.
async fn lived() -> (Keyfob, String) {
    let keyfob = Keyfob::working().await;
    let path = path_of(&keyfob.create(&bearer("Acme")).await);
    for (version, change) in [
        (1, json!({ "name": "Acme 2", "tags": ["eu"], "enabled": false, "note": "not kept: no values" })),
        (2, json!({ "settings": { "test_path": "/user" }, "note": "moved" })),
        (3, json!({ "secrets": { "token": "planted-secret-2" }, "embedded": true })),
    ] {
        keyfob.advance(Duration::from_mins(1));
        keyfob.patch(&path, version, &change).await.expect(200);
    }
    keyfob.advance(Duration::from_mins(1));
    (keyfob, path)
}

fn root() -> Value {
    json!({ "id": "key_root", "name": "Root key", "claimed": null })
}

fn settings(test_path: &str) -> Value {
    json!({
        "base_url": "https://api.acme.dev", "test_path": test_path, "test_method": "GET", "test_expect": "200-299",
    })
}

fn revision(number: u64, minute: u64, change: &str) -> Value {
    json!({
        "number": number, "settings": settings("/user"), "settings_before": settings("/user"),
        "secret_fields": ["token"], "secret_changes": { "token": change }, "restored_from": null, "note": null,
        "author": root(), "created_at": format!("2026-11-20T10:0{minute}:00.000Z"), "verdict": "valid",
        "reason": null,
    })
}

#[tokio::test]
async fn revisions_tell_the_settings_and_secrets_only_as_changed_or_unchanged() {
    let (keyfob, path) = lived().await;
    let mut first = revision(1, 0, "added");
    (first["settings"], first["settings_before"]) = (settings("/me"), json!(null));
    let mut second = revision(2, 2, "unchanged");
    (second["settings_before"], second["note"]) = (settings("/me"), json!("moved"));
    let third = revision(3, 3, "changed");
    let page = keyfob.get(&format!("{path}/revisions")).await.expect(200);
    assert_eq!(page.json(), json!({ "data": [third, second, first], "next_cursor": null }));
    assert!(!page.text.contains("planted"));
    assert_eq!(keyfob.get(&format!("{path}/revisions/2")).await.expect(200).json(), second);
    let newest = keyfob.get(&format!("{path}/revisions?limit=2")).await.json();
    assert_eq!(newest["data"], json!([third, second]));
    let cursor = newest["next_cursor"].as_str().unwrap();
    let rest = keyfob.get(&format!("{path}/revisions?cursor={cursor}")).await.json();
    assert_eq!(rest, json!({ "data": [first], "next_cursor": null }));
}

#[tokio::test]
async fn events_tell_what_people_changed_between_the_revisions() {
    let (keyfob, path) = lived().await;
    restore(&keyfob, &path, 1, 4, &json!({})).await.expect(200);
    let event = |version: u64, event_type: &str, revision: Value, changes: Value| {
        let at = format!("2026-11-20T10:0{}:00.000Z", version - 1);
        json!({
            "version": version, "type": event_type, "revision": revision, "changes": changes, "actor": root(), "at": at,
        })
    };
    let change = |before: Value, after: Value| json!({ "before": before, "after": after });
    let relabeled = json!({
        "name": change(json!("Acme"), json!("Acme 2")),
        "tags": change(json!([]), json!(["eu"])),
        "enabled": change(json!(true), json!(false)),
    });
    let expected = [
        event(5, "restored", json!(4), json!({})),
        event(4, "updated", json!(3), json!({ "embedded": change(json!(false), json!(true)) })),
        event(3, "updated", json!(2), json!({})),
        event(2, "updated", json!(null), relabeled),
        event(1, "created", json!(1), json!({})),
    ];
    let page = keyfob.get(&format!("{path}/events")).await.expect(200);
    assert_eq!(page.json(), json!({ "data": expected, "next_cursor": null }));
    assert!(!page.text.contains("planted"));
    let newest = keyfob.get(&format!("{path}/events?limit=3")).await.json();
    let cursor = newest["next_cursor"].as_str().unwrap();
    let rest = keyfob.get(&format!("{path}/events?limit=3&cursor={cursor}")).await.json();
    assert_eq!(rest, json!({ "data": expected[3..], "next_cursor": null }));
}

#[tokio::test]
async fn a_restored_revision_is_a_new_one_with_the_old_values() {
    let (keyfob, path) = lived().await;
    let restored = restore(&keyfob, &path, 1, 4, &json!({ "note": "back" })).await.expect(200);
    let connection = restored.json();
    assert_eq!(restored.header("etag"), "\"5\"");
    assert_eq!(
        shown(&connection, ["version", "revision", "settings", "name", "tags", "embedded", "enabled"]),
        json!({
            "version": 5, "revision": 4, "settings": settings("/me"), "name": "Acme 2", "tags": ["eu"],
            "embedded": true, "enabled": false,
        })
    );
    assert_eq!(connection["health"]["checked_at"], "2026-11-20T10:04:00.000Z");
    assert_eq!(keyfob.get(&path).await.json(), connection);
    let mut fourth = revision(4, 4, "changed");
    (fourth["settings"], fourth["restored_from"], fourth["note"]) = (settings("/me"), json!(1), json!("back"));
    assert_eq!(keyfob.get(&format!("{path}/revisions/4")).await.json(), fourth);
    // It is sealed anew: the old entry may go, the new one opens.
    keyfob.database.execute("delete from vault_entries where number = 1").unwrap();
    keyfob.patch(&path, 5, &json!({ "enabled": true })).await.expect(200);
    let credentials = keyfob.get(&format!("{path}/credentials")).await.expect(200).json();
    assert_eq!(
        shown(&credentials, ["revision", "secrets"]),
        json!({ "revision": 4, "secrets": { "token": "planted-secret-1" } })
    );
}

#[tokio::test]
async fn what_a_test_finds_of_the_same_secret_while_a_revision_is_restored_stays() {
    let keyfob = Keyfob::working().await;
    let path = path_of(&keyfob.create(&bearer("Acme")).await);
    let change = |version, change: Value| {
        let (keyfob, path) = (&keyfob, format!("{path}?test=false"));
        async move { keyfob.patch(&path, version, &change).await.expect(200) }
    };
    change(1, json!({ "settings": { "test_path": "/other" } })).await;
    // Between what the restore read and its commit, whose first statement is the audit row.
    let meanwhile = "create trigger meanwhile after insert on audit_events begin \
                     update connections set expires_at = 1798761600000; end";
    keyfob.database.execute(meanwhile).unwrap();
    restore(&keyfob, &path, 1, 2, &json!({})).await.expect(200);
    assert_eq!(keyfob.get(&path).await.json()["expires_at"], "2027-01-01T00:00:00.000Z");
    change(3, json!({ "secrets": { "token": "planted-secret-2" } })).await;
    restore(&keyfob, &path, 1, 4, &json!({})).await.expect(200);
    // What was found is about another secret.
    assert_eq!(keyfob.get(&path).await.json()["expires_at"], Value::Null);
}

#[tokio::test]
async fn a_revision_that_does_not_exist_is_not_restored() {
    let (keyfob, path) = lived().await;
    for number in [0, 4, u64::MAX] {
        assert_eq!(restore(&keyfob, &path, number, 4, &json!({})).await.problem(), (404, "not_found".to_owned()));
    }
}

#[tokio::test]
async fn a_revision_that_does_not_fit_today_is_not_restored() {
    let (keyfob, path) = lived().await;
    let (before, shown, calls) =
        (keyfob.database.counts(), keyfob.get(&path).await.json(), keyfob.counterpart.received().len());
    for (settings, pointer, code) in [
        (json!({ "base_url": "https://elsewhere.dev" }), "/secrets/token", "reenter"),
        (json!({ "base_url": "https://api.acme.dev", "region": "eu" }), "/settings/region", "unknown_field"),
        (json!({ "test_path": "/me" }), "/settings/base_url", "missing"),
    ] {
        let old = format!("update revisions set settings = '{settings}' where number = 1");
        keyfob.database.execute(&old).unwrap();
        let answer = restore(&keyfob, &path, 1, 4, &json!({})).await;
        assert_eq!(answer.problem(), (409, "revision_incompatible".to_owned()), "{settings}");
        assert_eq!(answer.errors(), [(pointer.to_owned(), code.to_owned())]);
    }
    assert_eq!(keyfob.database.counts(), before);
    assert_eq!((keyfob.get(&path).await.json(), keyfob.counterpart.received().len()), (shown, calls));
}

#[tokio::test]
async fn of_many_who_restore_at_once_one_wins() {
    let (keyfob, path) = lived().await;
    let nothing = json!({});
    let path_of_restore = format!("{path}/revisions/1/restore?test=false");
    let headers = [("if-match", "\"4\"")];
    let all = (0..8).map(|_| keyfob.request("POST", &path_of_restore, ROOT, &headers, &nothing));
    let answers = futures_util::future::join_all(all).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 412).count(), 7);
    assert_eq!(keyfob.database.value::<i64>("select count(*) from garbage"), 7);
}

#[tokio::test]
async fn events_and_the_audit_log_are_append_only() {
    let (keyfob, _) = lived().await;
    for table in ["events", "audit_events"] {
        for sql in [format!("update {table} set actor = '{{}}'"), format!("delete from {table}")] {
            let refused = keyfob.database.execute(&sql).unwrap_err().to_string();
            assert!(refused.contains("append-only"), "{sql}: {refused}");
        }
        let gaps = format!("select max(seq) - count(*) from {table}");
        assert_eq!(keyfob.database.value::<i64>(&gaps), 0);
    }
}

#[tokio::test]
async fn every_change_is_audited_with_who_what_and_which_request_and_without_a_value() {
    let (keyfob, path) = lived().await;
    let renamed = keyfob.patch(&path, 4, &json!({ "name": "Acme 3" })).await.expect(200);
    let newest = "select json_object('action', action, 'resource', resource_id, 'at', at, 'request', request_id, \
                  'detail', json(detail), 'signed', length(tag) > 40) from audit_events order by seq desc limit 1";
    let newest: Value = serde_json::from_str(&keyfob.database.value::<String>(newest)).unwrap();
    let expected = json!({
        "action": "connection.updated", "resource": renamed.json()["id"], "at": 1_795_168_800_000_i64 + 240_000,
        "request": renamed.header("keyfob-request-id"),
        "detail": { "version": 5, "revision": null, "fields": ["name"] }, "signed": 1,
    });
    assert_eq!(newest, expected);
    keyfob.delete(&path, 5).await.expect(204);
    let actions = "select group_concat(action, ' ') from (select action from audit_events order by seq)";
    let (created, updated) = ("connection.created", "connection.updated ".repeat(4));
    assert_eq!(keyfob.database.value::<String>(actions), format!("{created} {updated}connection.deleted"));
}
