//! Changing: what is not sent stays.

use super::*;

#[tokio::test]
async fn what_a_test_finds_while_somebody_changes_another_thing_stays() {
    for (change, expires_at, rotate_by) in [
        (json!({ "name": "New" }), json!("2027-01-01T00:00:00.000Z"), json!("2027-02-01T00:00:00.000Z")),
        (json!({ "rotate_by": null }), json!("2027-01-01T00:00:00.000Z"), Value::Null),
        (json!({ "expires_at": null }), Value::Null, json!("2027-02-01T00:00:00.000Z")),
        // The secret is kept, and with it what a test found of it.
        (
            json!({ "settings": { "test_path": "/other" } }),
            json!("2027-01-01T00:00:00.000Z"),
            json!("2027-02-01T00:00:00.000Z"),
        ),
        (
            json!({ "settings": { "test_path": "/other" }, "rotate_by": null }),
            json!("2027-01-01T00:00:00.000Z"),
            Value::Null,
        ),
        (
            json!({ "settings": { "test_path": "/other" }, "expires_at": "2026-12-01T00:00:00Z" }),
            json!("2026-12-01T00:00:00.000Z"),
            json!("2027-02-01T00:00:00.000Z"),
        ),
        // What was found is about another secret.
        (json!({ "secrets": { "token": "planted-secret-2" } }), Value::Null, json!("2027-02-01T00:00:00.000Z")),
    ] {
        let keyfob = Keyfob::working().await;
        let mut body = bearer("Acme");
        body["rotate_by"] = json!("2027-02-01T00:00:00Z");
        body["expires_at"] = json!("2026-12-01T00:00:00Z");
        let path = path_of(&keyfob.create(&body).await);
        // Between what the change read and its commit, whose first statement is the audit row.
        let meanwhile = "create trigger meanwhile after insert on audit_events begin \
                         update connections set expires_at = 1798761600000; end";
        keyfob.database.execute(meanwhile).unwrap();
        keyfob.patch(&format!("{path}?test=false"), 1, &change).await.expect(200);
        let now = keyfob.get(&path).await.json();
        assert_eq!((&now["expires_at"], &now["rotate_by"]), (&expires_at, &rotate_by), "{change}");
    }
}

#[tokio::test]
async fn what_is_not_sent_stays() {
    let keyfob = Keyfob::working().await;
    let before = keyfob.create(&bearer("Acme")).await;
    let path = path_of(&before);
    keyfob.advance(Duration::from_mins(1));
    let mut version = 1;
    for (change, after) in [
        (json!({ "name": "Acme 2" }), json!({ "name": "Acme 2" })),
        (json!({ "description": "New" }), json!({ "description": "New" })),
        (json!({ "tags": ["b", "a"] }), json!({ "tags": ["a", "b"] })),
        (json!({ "tags": [] }), json!({ "tags": [] })),
        (json!({ "enabled": false }), json!({ "enabled": false, "status": "not_active" })),
        (json!({ "enabled": true }), json!({ "enabled": true, "status": "active" })),
        (json!({ "embedded": true }), json!({ "embedded": true })),
        (json!({ "stable_key": "other" }), json!({ "stable_key": "other" })),
        (json!({ "expires_at": "2027-01-01T00:00:00Z" }), json!({ "expires_at": "2027-01-01T00:00:00.000Z" })),
        (json!({ "expires_at": null }), json!({ "expires_at": null })),
        (json!({ "rotate_by": "2027-01-01T00:00:00Z" }), json!({ "rotate_by": "2027-01-01T00:00:00.000Z" })),
    ] {
        let mut expected = keyfob.get(&path).await.json();
        let answer = keyfob.patch(&path, version, &change).await.expect(200);
        version += 1;
        let merged = json!({ "version": version, "modified_at": "2026-11-20T10:01:00.000Z" });
        for part in [after, merged] {
            expected.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
        }
        assert_eq!(answer.json(), expected, "{change}");
        assert_eq!(answer.header("etag"), format!("\"{version}\""));
        assert_eq!(keyfob.get(&path).await.json(), expected, "{change}");
    }
    assert_eq!(keyfob.counterpart.received().len(), 2, "only the create was tested");
    assert_eq!(keyfob.blobs.stored.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_change_to_what_is_there_already_changes_nothing() {
    let keyfob = Keyfob::working().await;
    let before = keyfob.create(&bearer("Acme")).await;
    let rows = keyfob.database.counts();
    for same in [json!({}), json!({ "name": "Acme", "tags": [], "enabled": true, "expires_at": null, "note": "why" })] {
        let answer = keyfob.patch(&path_of(&before), 1, &same).await.expect(200);
        assert_eq!((answer.json(), answer.header("etag")), (before.clone(), "\"1\""));
    }
    assert_eq!(keyfob.database.counts(), rows);
}

#[tokio::test]
async fn a_new_setting_makes_a_revision_and_keeps_the_secret() {
    let keyfob = Keyfob::working().await;
    let before = keyfob.create(&bearer("Acme")).await;
    let path = path_of(&before);
    keyfob.advance(Duration::from_secs(1));
    let after = keyfob.patch(&path, 1, &json!({ "settings": { "test_path": "/user" } })).await.expect(200).json();
    assert_eq!(
        shown(&after, ["version", "revision", "settings", "secret_fields", "status"]),
        json!({
            "version": 2, "revision": 2, "secret_fields": ["token"], "status": "active",
            "settings": {
                "base_url": "https://api.acme.dev", "test_path": "/user", "test_method": "GET",
                "test_expect": "200-299",
            },
        })
    );
    assert_eq!(after["health"]["checked_at"], "2026-11-20T10:00:01.000Z");
    let tested = keyfob.counterpart.received();
    assert_eq!(tested[2].target, "/user");
    assert_eq!(tested[2].header("authorization"), Some("Bearer planted-secret-1"));
    assert_eq!(keyfob.blobs.stored.lock().unwrap().len(), 1, "nothing is sealed anew");
    let credentials = keyfob.get(&format!("{path}/credentials")).await.expect(200).json();
    assert_eq!(
        shown(&credentials, ["revision", "secrets"]),
        json!({ "revision": 2, "secrets": { "token": "planted-secret-1" } })
    );
}

#[tokio::test]
async fn null_clears_a_setting_and_its_default_comes_back() {
    let keyfob = Keyfob::working().await;
    let mut body = bearer("Acme");
    body["settings"]["test_method"] = json!("HEAD");
    let before = keyfob.create(&body).await;
    let change = json!({ "settings": { "test_path": null, "test_method": null } });
    let after = keyfob.patch(&path_of(&before), 1, &change).await.expect(200).json();
    let settings = json!({ "base_url": "https://api.acme.dev", "test_method": "GET", "test_expect": "200-299" });
    assert_eq!(after["settings"], settings);
    assert_eq!(after["health"]["reason"], "no_test");
}

#[tokio::test]
async fn a_new_secret_makes_a_revision_with_its_own_health() {
    let status = Arc::new(AtomicU16::new(401));
    let keyfob = Keyfob::answering(&status).await;
    let before = keyfob.create(&bearer("Acme")).await;
    assert_eq!(before["status"], "not_active");
    status.store(200, Ordering::SeqCst);
    let change = json!({ "secrets": { "token": "planted-secret-2" }, "name": "Acme 2" });
    let after = keyfob.patch(&path_of(&before), 1, &change).await.expect(200).json();
    assert_eq!(
        shown(&after, ["status", "version", "revision", "name"]),
        json!({ "status": "active", "version": 2, "revision": 2, "name": "Acme 2" })
    );
    let credentials = keyfob.get(&format!("{}/credentials", path_of(&before))).await.expect(200).json();
    assert_eq!(credentials["secrets"], json!({ "token": "planted-secret-2" }));
    assert_eq!(keyfob.get(&path_of(&before)).await.json()["health"], after["health"]);
}

#[tokio::test]
async fn a_new_revision_that_is_not_tested_inherits_no_verdict() {
    let keyfob = Keyfob::working().await;
    let before = keyfob.create(&bearer("Acme")).await;
    let path = format!("{}?test=false", path_of(&before));
    let after = keyfob.patch(&path, 1, &json!({ "secrets": { "token": "planted-secret-2" } })).await.expect(200).json();
    assert_eq!(
        shown(&after["health"], ["verdict", "reason", "checked_at"]),
        json!({ "verdict": "unknown", "reason": "never_tested", "checked_at": null })
    );
    assert_eq!((&after["status"], &after["last_attempt"]), (&json!("not_active"), &json!(null)));
}

#[tokio::test]
async fn saving_the_same_values_again_tests_and_makes_no_revision() {
    let status = Arc::new(AtomicU16::new(200));
    let keyfob = Keyfob::answering(&status).await;
    let before = keyfob.create(&bearer("Acme")).await;
    status.store(401, Ordering::SeqCst);
    keyfob.advance(Duration::from_secs(5));
    let same = json!({ "settings": { "test_path": "/me" }, "secrets": { "token": "planted-secret-1" } });
    let answer = keyfob.patch(&path_of(&before), 1, &same).await.expect(200);
    let after = answer.json();
    assert_eq!(answer.header("etag"), "\"1\"");
    assert_eq!(
        shown(&after, ["version", "revision", "status", "modified_at"]),
        json!({ "version": 1, "revision": 1, "status": "not_active", "modified_at": "2026-11-20T10:00:00.000Z" })
    );
    assert_eq!(
        shown(&after["health"], ["verdict", "reason", "source"]),
        json!({ "verdict": "invalid", "reason": "rejected", "source": "save" })
    );
    let revisions = keyfob.get(&format!("{}/revisions", path_of(&before))).await.json();
    assert_eq!(revisions["data"].as_array().unwrap().len(), 1);
    assert_eq!(revisions["data"][0]["verdict"], "invalid");
    let tests = keyfob.get(&format!("{}/tests", path_of(&before))).await.json();
    assert_eq!(tests["data"].as_array().unwrap().len(), 2);
    assert_eq!(keyfob.blobs.stored.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_new_name_beside_the_same_values_is_saved_and_tested() {
    let keyfob = Keyfob::working().await;
    let before = keyfob.create(&bearer("Acme")).await;
    keyfob.advance(Duration::from_secs(5));
    let change = json!({ "name": "New", "settings": {} });
    let after = keyfob.patch(&path_of(&before), 1, &change).await.expect(200).json();
    assert_eq!(shown(&after, ["name", "version", "revision"]), json!({ "name": "New", "version": 2, "revision": 1 }));
    assert_eq!(after["health"]["checked_at"], "2026-11-20T10:00:05.000Z");
    assert_eq!(keyfob.get(&path_of(&before)).await.json(), after);
}

#[tokio::test]
async fn secrets_are_entered_again_when_they_would_go_elsewhere() {
    let keyfob = Keyfob::working().await;
    let before = keyfob.create(&bearer("Acme")).await;
    let path = path_of(&before);
    let calls = keyfob.counterpart.received().len();
    for address in ["https://evil.acme.dev", "https://api.acme.dev/other", "https://api.acme.dev:8443"] {
        let change = json!({ "settings": { "base_url": address } });
        let edits = json!({ "settings": { "base_url": address } });
        let test = keyfob.post(&format!("{path}/tests"), &edits).await;
        for answer in [keyfob.patch(&path, 1, &change).await, test] {
            assert_eq!(answer.problem(), (422, "invalid_body".to_owned()), "{address}");
            assert_eq!(answer.errors(), [("/secrets/token".to_owned(), "reenter".to_owned())], "{address}");
        }
    }
    assert_eq!(keyfob.counterpart.received().len(), calls, "nothing was called");
    assert_eq!(keyfob.get(&path).await.json(), before);
    let again =
        json!({ "settings": { "base_url": "https://new.acme.dev" }, "secrets": { "token": "planted-secret-1" } });
    let after = keyfob.patch(&path, 1, &again).await.expect(200).json();
    assert_eq!((&after["revision"], &after["status"]), (&json!(2), &json!("active")));
    assert_eq!(keyfob.counterpart.received()[calls].header("host"), Some("new.acme.dev"));
    keyfob.get(&format!("{path}/credentials")).await.expect(200);
}

#[tokio::test]
async fn another_spelling_of_the_same_address_keeps_the_secrets() {
    let keyfob = Keyfob::working().await;
    let before = keyfob.create(&bearer("Acme")).await;
    let change = json!({ "settings": { "base_url": "HTTPS://API.acme.dev:443/" } });
    let after = keyfob.patch(&path_of(&before), 1, &change).await.expect(200).json();
    assert_eq!((&after["revision"], &after["settings"]), (&json!(1), &before["settings"]));
}

#[tokio::test]
async fn of_32_writers_with_one_etag_one_wins() {
    for change in [json!({ "name": "New" }), json!({ "secrets": { "token": "planted-secret-2" } })] {
        let keyfob = Keyfob::working().await;
        let path = path_of(&keyfob.create(&bearer("Acme")).await);
        let query = format!("{path}?test=false");
        let answers = join_all((0..32).map(|_| keyfob.patch(&query, 1, &change))).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
        assert_eq!((won.len(), lost.len()), (1, 31));
        assert!(lost.iter().all(|answer| answer.problem() == (412, "version_mismatch".to_owned())));
        assert_eq!(keyfob.get(&path).await.json(), won[0].json());
        let rows = keyfob.database.counts();
        assert_eq!((rows["events"], rows["audit_events"]), (2, 2));
        expect_no_stray_blob(&keyfob);
    }
}

#[tokio::test]
async fn the_claimed_actor_is_recorded_beside_the_key() {
    let keyfob = Keyfob::working().await;
    let path = path_of(&keyfob.create(&bearer("Acme")).await);
    let headers = [("if-match", "\"1\""), ("keyfob-actor", "ann@acme.dev")];
    let after = keyfob.request("PATCH", &path, ROOT, &headers, &json!({ "name": "New" })).await.expect(200).json();
    assert_eq!(after["modified_by"], json!({ "id": "key_root", "name": "Root key", "claimed": "ann@acme.dev" }));
    assert_eq!(after["created_by"]["claimed"], json!(null));
}
