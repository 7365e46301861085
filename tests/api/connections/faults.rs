//! A database that fails before or after it did what it should.

use super::*;
use crate::support::database::Fault::{self, After, Before, Nothing};

async fn create(keyfob: &Keyfob, faults: &[Fault]) -> Answer {
    keyfob.database.fail_next(faults);
    let headers = [("idempotency-key", "k1")];
    keyfob.request("POST", "/v1/connections?test=false", ROOT, &headers, &bearer("Acme")).await
}

#[tokio::test]
async fn a_create_that_fails_before_its_commit_leaves_nothing_but_garbage() {
    for faults in [&[Before][..], &[Nothing, Before], &[Nothing, Before, Before]] {
        let keyfob = Keyfob::working().await;
        let before = keyfob.database.counts();
        let failed = create(&keyfob, faults).await;
        assert_eq!(failed.problem(), (503, "storage_unavailable".to_owned()), "{faults:?}");
        assert_eq!(failed.header("retry-after"), "1");
        let mut after = keyfob.database.counts();
        after.insert("garbage".to_owned(), 0);
        assert_eq!(after, before, "{faults:?}");
        expect_no_stray_blob(&keyfob);
        assert_eq!(keyfob.log.last()["failure"], "database: the connection was lost");
        create(&keyfob, &[]).await.expect(201);
    }
}

#[tokio::test]
async fn a_create_whose_answer_was_lost_is_answered_all_the_same() {
    let keyfob = Keyfob::working().await;
    let connection = create(&keyfob, &[Nothing, After]).await.expect(201).json();
    assert_eq!(keyfob.get(LIST).await.json()["data"], json!([connection]));
    assert_eq!(create(&keyfob, &[]).await.expect(201).json(), connection);
    assert_eq!(keyfob.database.value::<i64>("select count(*) from garbage"), 0);
}

#[tokio::test]
async fn a_create_of_which_nothing_is_known_is_found_by_the_repeated_request() {
    let keyfob = Keyfob::working().await;
    assert_eq!(create(&keyfob, &[Nothing, After, Before]).await.problem().0, 503);
    let connection = create(&keyfob, &[]).await.expect(201).json();
    assert_eq!(keyfob.get(LIST).await.json()["data"], json!([connection]));
    assert_eq!(keyfob.database.value::<i64>("select count(*) from garbage"), 0);
    keyfob.get(&format!("{}/credentials", path_of(&connection))).await.expect(200);
}

/// Method, what follows the path, body, and the status of success.
fn changes() -> [(&'static str, &'static str, Value, u16); 4] {
    [
        ("PATCH", "", json!({ "name": "New" }), 200),
        ("PATCH", "?test=false", json!({ "secrets": { "token": "planted-secret-2" } }), 200),
        ("POST", "/revisions/1/restore?test=false", json!({}), 200),
        ("DELETE", "", Value::Null, 204),
    ]
}

#[tokio::test]
async fn a_change_that_fails_before_its_commit_leaves_the_connection_as_it_was() {
    for (method, suffix, body, status) in changes() {
        let keyfob = Keyfob::working().await;
        let connection = keyfob.create(&bearer("Acme")).await;
        let (path, headers) = (path_of(&connection), [("if-match", "\"1\"")]);
        let before = keyfob.database.counts();
        for faults in [&[Before][..], &[Nothing, Before], &[Nothing, Before, Before]] {
            keyfob.database.fail_next(faults);
            let failed = keyfob.request(method, &format!("{path}{suffix}"), ROOT, &headers, &body).await;
            assert_eq!(failed.problem(), (503, "storage_unavailable".to_owned()), "{method} {faults:?}");
            let mut after = keyfob.database.counts();
            after.insert("garbage".to_owned(), 0);
            assert_eq!(after, before, "{method} {faults:?}");
            assert_eq!(keyfob.get(&path).await.json(), connection, "{method} {faults:?}");
            expect_no_stray_blob(&keyfob);
        }
        keyfob.request(method, &format!("{path}{suffix}"), ROOT, &headers, &body).await.expect(status);
    }
}

#[tokio::test]
async fn a_change_whose_answer_was_lost_is_answered_all_the_same() {
    for (method, suffix, body, status) in changes() {
        let keyfob = Keyfob::working().await;
        let connection = keyfob.create(&bearer("Acme")).await;
        let (path, headers) = (path_of(&connection), [("if-match", "\"1\"")]);
        keyfob.database.fail_next(&[Nothing, After]);
        let answer = keyfob.request(method, &format!("{path}{suffix}"), ROOT, &headers, &body).await.expect(status);
        assert_eq!(keyfob.database.counts()["events"], 2);
        if status == 200 {
            assert_eq!(keyfob.get(&path).await.json(), answer.json(), "{method} {suffix}");
        } else {
            keyfob.get(&path).await.expect(404);
        }
        expect_no_stray_blob(&keyfob);
    }
}

#[tokio::test]
async fn a_batch_that_is_done_late_takes_its_blob_back() {
    let keyfob = Keyfob::working().await;
    keyfob.create(&bearer("Acme")).await;
    let entry = "insert into vault_entries (owner_id, purpose, number, environment, vault_ref, wrapped_key, key_id, destinations, created_at) select owner_id, purpose, 9, environment, 'late', wrapped_key, key_id, destinations, created_at from vault_entries";
    keyfob.database.execute("insert into garbage values ('late', 0)").unwrap();
    keyfob.database.execute(entry).unwrap();
    assert_eq!(keyfob.database.value::<i64>("select count(*) from garbage"), 0);
}
