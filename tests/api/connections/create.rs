//! Creating.

use super::*;

#[tokio::test]
async fn a_new_connection_is_tested_and_shown_whole_without_its_secret() {
    let keyfob = Keyfob::working().await;
    let answer = keyfob.post("/v1/connections", &bearer("Acme – API")).await.expect(201);
    let connection = answer.json();
    assert_eq!(connection, created(&connection["id"], "Acme – API", "acme-api"));
    assert_eq!(answer.header("etag"), "\"1\"");
    assert_eq!(answer.header("location"), path_of(&connection));
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("content-type"), "application/json");
    assert!(answer.header("keyfob-request-id").starts_with("req_"));
    let found = keyfob.get(&path_of(&connection)).await.expect(200);
    assert_eq!((found.json(), found.header("etag")), (connection.clone(), "\"1\""));
    assert_eq!(keyfob.get(LIST).await.json(), json!({ "data": [connection], "next_cursor": null }));
}

#[tokio::test]
async fn everything_that_a_person_may_say_is_kept() {
    let keyfob = Keyfob::working().await;
    let mut body = bearer(" Acme ");
    let said = json!({
        "description": "For alerts.\nAsk first.", "stable_key": "acme_main", "tags": ["b", "a", "b"],
        "enabled": false, "embedded": true, "expires_at": "2027-01-01T01:00:00+01:00",
        "rotate_by": "2026-12-01T00:00:00Z", "note": "first",
    });
    body.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
    let connection = keyfob.create(&body).await;
    let mut expected = created(&connection["id"], "Acme", "acme_main");
    let kept = json!({
        "description": "For alerts.\nAsk first.", "tags": ["a", "b"], "enabled": false, "embedded": true,
        "expires_at": "2027-01-01T00:00:00.000Z", "rotate_by": "2026-12-01T00:00:00.000Z",
        "attention": ["rotation_due"], "status": "not_active",
    });
    expected.as_object_mut().unwrap().extend(kept.as_object().unwrap().clone());
    assert_eq!(connection, expected);
    assert_eq!(keyfob.get(&path_of(&connection)).await.json(), connection);
}

#[tokio::test]
async fn a_credential_that_fails_is_saved_with_the_reason() {
    let keyfob = Keyfob::with(|_| crate::support::counterpart::answer(401, &[], "")).await;
    let connection = keyfob.create(&bearer("Acme")).await;
    assert_eq!(connection["status"], "not_active");
    assert_eq!(
        shown(&connection["health"], ["verdict", "reason", "action"]),
        json!({ "verdict": "invalid", "reason": "rejected", "action": "edit" })
    );
    let credentials = keyfob.get(&format!("{}/credentials", path_of(&connection))).await.expect(200).json();
    assert_eq!(credentials["secrets"], json!({ "token": "planted-secret-1" }));
}

#[tokio::test]
async fn without_a_test_it_is_unknown_and_nothing_is_called() {
    let keyfob = Keyfob::working().await;
    let connection = keyfob.post("/v1/connections?test=false", &bearer("Acme")).await.expect(201).json();
    assert_eq!(
        shown(&connection, ["status", "health", "last_attempt"]),
        json!({
            "status": "not_active",
            "health": {
                "verdict": "unknown", "reason": "never_tested", "action": "retry",
                "message": "These values have not been tested yet.", "checked_at": null, "source": null,
                "stale": false,
            },
            "last_attempt": null,
        })
    );
    assert_eq!(keyfob.counterpart.received().len(), 0);
}

#[tokio::test]
async fn a_connection_without_secrets_has_no_blob() {
    let keyfob = Keyfob::working().await;
    let body = json!({
        "environment": "development", "provider": "http", "connection_type": "none", "name": "Open",
        "settings": { "base_url": "https://api.acme.dev" },
    });
    let connection = keyfob.create(&body).await;
    assert_eq!(connection["secret_fields"], json!([]));
    assert_eq!(connection["health"]["reason"], "no_test");
    assert!(keyfob.blobs.stored.lock().unwrap().is_empty());
    assert_eq!(keyfob.log.last()["blob_calls"], 0);
}

#[tokio::test]
async fn a_create_without_a_test_takes_one_blob_and_two_database_calls() {
    let keyfob = Keyfob::working().await;
    keyfob.post("/v1/connections?test=false", &bearer("Acme")).await.expect(201);
    let line = keyfob.log.last();
    assert_eq!((&line["database_calls"], &line["blob_calls"]), (&json!(2), &json!(1)));
}

#[tokio::test]
async fn many_connections_of_one_type_stand_side_by_side() {
    let keyfob = Keyfob::working().await;
    let mut keys = BTreeSet::new();
    for _ in 0..3 {
        let connection = keyfob.create(&bearer("Acme")).await;
        keys.insert(connection["stable_key"].as_str().unwrap().to_owned());
    }
    assert_eq!(keys.len(), 3);
    assert!(keys.iter().all(|key| key == "acme" || key.starts_with("acme-")), "{keys:?}");
}

#[tokio::test]
async fn a_chosen_stable_key_is_unique_in_its_environment_and_free_after_a_deletion() {
    let keyfob = Keyfob::working().await;
    let mut body = bearer("Acme");
    body["stable_key"] = json!("main");
    let first = keyfob.create(&body).await;
    let taken = keyfob.post("/v1/connections", &body).await;
    assert_eq!(taken.problem(), (409, "stable_key_taken".to_owned()));
    let other = keyfob.create(&bearer("Other")).await;
    let taken = keyfob.patch(&path_of(&other), 1, &json!({ "stable_key": "main" })).await;
    assert_eq!(taken.problem(), (409, "stable_key_taken".to_owned()));
    assert_eq!(keyfob.get(&path_of(&other)).await.json(), other);
    let mut elsewhere = body.clone();
    elsewhere["environment"] = json!("staging");
    keyfob.create(&elsewhere).await;
    keyfob.delete(&path_of(&first), 1).await.expect(204);
    keyfob.create(&body).await;
}

#[tokio::test]
async fn clients_that_create_the_same_name_at_once_all_succeed() {
    let keyfob = Keyfob::working().await;
    let body = bearer("Acme");
    let answers = join_all((0..8).map(|_| keyfob.post("/v1/connections?test=false", &body))).await;
    let keys: BTreeSet<String> = answers
        .into_iter()
        .map(|answer| answer.expect(201).json()["stable_key"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(keys.len(), 8, "{keys:?}");
    assert_eq!(keyfob.blobs.stored.lock().unwrap().len(), 8);
}
