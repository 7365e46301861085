//! What the cron trigger deletes, and when.

use std::time::Duration;

use serde_json::json;

use crate::support::database::Fault::Before;
use crate::support::{Keyfob, bearer, path_of};

const DAY: Duration = Duration::from_hours(24);
const MOMENT: Duration = Duration::from_millis(1);

fn blobs(keyfob: &Keyfob) -> usize {
    keyfob.blobs.stored.lock().unwrap().len()
}

#[tokio::test]
async fn the_blobs_of_a_deleted_connection_go_after_31_days_and_no_others() {
    let keyfob = Keyfob::working().await;
    let path = path_of(&keyfob.create(&bearer("Acme")).await);
    keyfob.patch(&path, 1, &json!({ "secrets": { "token": "planted-secret-2" } })).await.expect(200);
    let kept = path_of(&keyfob.create(&bearer("Kept")).await);
    keyfob.delete(&path, 2).await.expect(204);
    keyfob.tick().await;
    keyfob.advance(DAY * 30);
    keyfob.tick().await;
    assert_eq!((blobs(&keyfob), keyfob.database.counts()["garbage"]), (3, 2));
    keyfob.advance(DAY);
    keyfob.tick().await;
    assert_eq!((blobs(&keyfob), keyfob.database.counts()["garbage"]), (1, 0));
    assert_eq!(keyfob.log.of_job("sweep"), json!({ "scheduled": "sweep", "blobs_deleted": 2 }));
    keyfob.get(&format!("{kept}/credentials")).await.expect(200);
}

#[tokio::test]
async fn an_older_revision_is_no_garbage() {
    let keyfob = Keyfob::working().await;
    let path = path_of(&keyfob.create(&bearer("Acme")).await);
    keyfob.patch(&path, 1, &json!({ "secrets": { "token": "planted-secret-2" } })).await.expect(200);
    keyfob.advance(DAY * 400);
    keyfob.tick().await;
    let old = json!({ "fields": ["token"], "reason": "why", "revision": 1 });
    keyfob.post(&format!("{path}/reveal"), &old).await.expect(200);
}

#[tokio::test]
async fn each_tick_does_a_bounded_part() {
    let keyfob = Keyfob::working().await;
    let rows = "with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < 150) \
                insert into garbage select substr('AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 4) || printf('%05d', n) || 'A', 0 from numbers";
    keyfob.database.execute(rows).unwrap();
    for left in [50, 0, 0] {
        keyfob.tick().await;
        assert_eq!(keyfob.database.counts()["garbage"], left, "{}", keyfob.log.of_job("sweep"));
    }
}

#[tokio::test]
async fn what_has_served_its_time_is_swept() {
    let keyfob = Keyfob::working().await;
    let headers = [("idempotency-key", "k1")];
    let mut body = bearer("Acme");
    // What is disabled is not tested again.
    body["enabled"] = false.into();
    keyfob.request("POST", "/v1/connections", crate::support::ROOT, &headers, &body).await.expect(201);
    let session = json!({ "environment": "development", "customer": "c1" });
    keyfob.post("/v1/embedded/sessions", &session).await.expect(201);
    let counters = || keyfob.database.value::<i64>("select count(*) from rate_counters");
    let left = async || {
        keyfob.tick().await;
        let rows = keyfob.database.counts();
        [rows["idempotency"], rows["embedded_sessions"], counters().min(1), rows["tests"]]
    };
    assert_eq!(left().await, [1, 1, 1, 1]);
    keyfob.advance(DAY);
    assert_eq!(left().await, [1, 1, 1, 1]);
    keyfob.advance(MOMENT);
    assert_eq!(left().await, [0, 1, 1, 1]);
    keyfob.advance(DAY + Duration::from_mins(30));
    assert_eq!(left().await, [0, 0, 0, 1]);
    keyfob.advance(DAY * 88);
    assert_eq!(left().await, [0, 0, 0, 0]);
    let rows = keyfob.database.counts();
    assert_eq!([rows["connections"], rows["revisions"], rows["events"]], [1, 1, 1]);
}

#[tokio::test]
async fn a_tick_that_fails_says_so_and_the_next_one_goes_on() {
    let keyfob = Keyfob::working().await;
    let path = path_of(&keyfob.create(&bearer("Acme")).await);
    keyfob.delete(&path, 1).await.expect(204);
    keyfob.advance(DAY * 31);
    keyfob.database.fail_next(&[Before]);
    keyfob.tick().await;
    let failure = "database: the connection was lost";
    assert_eq!(keyfob.log.of_job("sweep"), json!({ "scheduled": "sweep", "failure": failure }));
    keyfob.tick().await;
    assert_eq!(blobs(&keyfob), 0);
}
