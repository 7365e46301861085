//! Scheduled tests: when they come, and when they do not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use keyfob::store::retests;
use serde_json::{Value, json};

use crate::support::{Keyfob, ROOT, bearer, path_of, shown};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
/// No connection waits longer than this beyond its day.
const SPREAD: Duration = Duration::from_mins(144);

/// The line of the last tick.
fn line(keyfob: &Keyfob) -> Value {
    keyfob.log.of_job("retest")
}

fn sent(keyfob: &Keyfob) -> usize {
    keyfob.counterpart.received().iter().filter(|request| request.header("authorization").is_some()).count()
}

/// A connection that answers at a host of its own.
fn at_host(number: usize) -> Value {
    let mut body = bearer(&format!("Acme {number}"));
    body["settings"]["base_url"] = format!("https://api{number}.acme.dev").into();
    body
}

async fn create_untested(keyfob: &Keyfob, body: &Value) -> String {
    path_of(&keyfob.post("/v1/connections?test=false", body).await.expect(201).json())
}

#[tokio::test]
async fn what_must_not_be_tested_never_is() {
    let keyfob = Keyfob::working().await;
    let path = |name: &str| bearer(name);
    let disabled = create_untested(&keyfob, &path("Disabled")).await;
    keyfob.patch(&disabled, 1, &json!({ "enabled": false })).await.expect(200);
    let deleted = create_untested(&keyfob, &path("Deleted")).await;
    keyfob.delete(&deleted, 1).await.expect(204);
    let mut expired = path("Expired");
    expired["expires_at"] = "2026-11-21T10:00:00Z".into();
    create_untested(&keyfob, &expired).await;
    create_untested(&keyfob, &path("Template")).await;
    keyfob.database.execute("update connections set kind = 'template' where name = 'Template'").unwrap();
    let mut without = path("Without a test");
    without["settings"] = json!({ "base_url": "https://api.acme.dev" });
    let without = create_untested(&keyfob, &without).await;
    for _ in 0..30 {
        keyfob.advance(DAY);
        keyfob.tick().await;
    }
    assert_eq!(keyfob.counterpart.received().len(), 0);
    assert_eq!(keyfob.database.counts()["tests"], 0);
    let health = keyfob.get(&without).await.expect(200).json();
    assert_eq!(health["health"]["reason"], "never_tested");
    assert_eq!(health["last_attempt"], Value::Null);
}

#[tokio::test]
async fn a_connection_is_tested_again_after_a_day_and_not_before() {
    let keyfob = Keyfob::working().await;
    let path = path_of(&keyfob.create(&bearer("Acme")).await);
    keyfob.advance(DAY);
    keyfob.tick().await;
    assert_eq!((sent(&keyfob), line(&keyfob)["tested"].clone()), (1, json!(0)));
    keyfob.advance(SPREAD);
    keyfob.tick().await;
    assert_eq!(sent(&keyfob), 2);
    assert_eq!(shown(&line(&keyfob), ["tested", "put_off"]), json!({ "tested": 1, "put_off": 0 }));
    let now = keyfob.get(&path).await.expect(200).json();
    let at = "2026-11-21T12:24:00.000Z";
    assert_eq!(
        shown(&now["health"], ["verdict", "source", "checked_at"]),
        json!({ "verdict": "valid", "source": "schedule", "checked_at": at })
    );
    assert_eq!(now["version"], 1);
    let tests = keyfob.get(&format!("{path}/tests")).await.expect(200).json();
    assert_eq!(tests["data"][0]["source"], "schedule");
    keyfob.tick().await;
    assert_eq!(sent(&keyfob), 2);
}

#[tokio::test]
async fn one_that_somebody_tested_waits_a_day_from_then() {
    let keyfob = Keyfob::working().await;
    let path = path_of(&keyfob.create(&bearer("Acme")).await);
    keyfob.advance(DAY);
    keyfob.post(&format!("{path}/tests"), &json!({})).await.expect(201);
    keyfob.advance(HOUR * 23);
    keyfob.tick().await;
    assert_eq!(line(&keyfob)["tested"], 0);
}

#[tokio::test]
async fn an_invalid_one_is_tested_less_and_less_until_it_works_again() {
    let status = Arc::new(AtomicU16::new(401));
    let keyfob = Keyfob::answering(&status).await;
    let path = path_of(&keyfob.create(&bearer("Acme")).await);
    let mut gaps = Vec::new();
    let mut hours = 0_u64;
    while gaps.len() < 7 {
        keyfob.advance(HOUR);
        keyfob.tick().await;
        hours += 1;
        if line(&keyfob)["tested"] == 1 {
            gaps.push(hours / 24);
            hours = 0;
            if gaps.len() == 5 {
                status.store(200, Ordering::SeqCst);
            }
        }
    }
    assert_eq!(gaps, [1, 2, 4, 7, 7, 7, 1]);
    assert_eq!(keyfob.get(&path).await.expect(200).json()["status"], "active");
}

#[tokio::test]
async fn an_outage_shows_in_the_last_attempt_and_changes_no_verdict() {
    let status = Arc::new(AtomicU16::new(200));
    let keyfob = Keyfob::answering(&status).await;
    let path = path_of(&keyfob.create(&bearer("Acme")).await);
    status.store(503, Ordering::SeqCst);
    keyfob.advance(DAY + SPREAD);
    keyfob.tick().await;
    let now = keyfob.get(&path).await.expect(200).json();
    assert_eq!((&now["status"], &now["health"]["verdict"]), (&json!("active"), &json!("valid")));
    let attempt = json!({ "verdict": "unknown", "source": "schedule" });
    assert_eq!(shown(&now["last_attempt"], ["verdict", "source"]), attempt);
}

#[tokio::test]
async fn without_the_right_master_key_nothing_is_taken_and_no_health_is_touched() {
    let keyfob = Keyfob::working().await;
    let path = path_of(&keyfob.create(&bearer("Acme")).await);
    let before = keyfob.get(&path).await.expect(200).text;
    keyfob.advance(DAY + SPREAD);
    let wrong = r#"{"primary":1,"keys":{"1":"CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg="}}"#;
    for keys in ["", wrong] {
        let without = keyfob.restarted(&[("MASTER_KEYS", keys)]);
        without.tick().await;
        assert_eq!(line(&without), json!({ "scheduled": "retest", "failure": "KeyUnavailable" }));
    }
    assert_eq!((keyfob.get(&path).await.expect(200).text, sent(&keyfob)), (before, 1));
    keyfob.tick().await;
    assert_eq!(sent(&keyfob), 2);
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_is_an_alarm_and_no_verdict() {
    let keyfob = Keyfob::working().await;
    let path = path_of(&keyfob.create(&bearer("Acme")).await);
    let fine = path_of(
        &keyfob
            .create(&json!({
                "environment": "development", "provider": "http", "connection_type": "none", "name": "Open",
                "settings": { "base_url": "https://open.acme.dev", "test_path": "/" },
            }))
            .await,
    );
    keyfob.blobs.lagging.store(true, Ordering::SeqCst);
    keyfob.advance(DAY + SPREAD);
    keyfob.tick().await;
    assert_eq!(shown(&line(&keyfob), ["tested", "put_off"]), json!({ "tested": 1, "put_off": 1 }));
    let alarms = keyfob.log.all().iter().filter(|line| line.contains("ALARM")).count();
    assert_eq!(alarms, 1);
    assert_eq!(keyfob.get(&path).await.expect(200).json()["health"]["source"], "save");
    assert_eq!(keyfob.get(&fine).await.expect(200).json()["last_attempt"]["source"], "schedule");
}

#[tokio::test]
async fn two_ticks_at_once_test_no_connection_twice() {
    let keyfob = Keyfob::working().await;
    for number in 0..40 {
        create_untested(&keyfob, &at_host(number)).await;
    }
    keyfob.advance(DAY + SPREAD);
    tokio::join!(keyfob.tick(), keyfob.tick(), keyfob.tick());
    assert_eq!((sent(&keyfob), keyfob.database.counts()["tests"]), (40, 40));
}

#[tokio::test]
async fn what_a_tick_took_and_did_not_do_is_done_a_quarter_of_an_hour_later() {
    let keyfob = Keyfob::working().await;
    create_untested(&keyfob, &bearer("Acme")).await;
    keyfob.advance(DAY + SPREAD);
    let now = keyfob.clock_now();
    let taken = retests::claim(now, now + Duration::from_mins(15), 60).run(&*keyfob.database).await.unwrap();
    assert_eq!(taken.len(), 1);
    keyfob.advance(Duration::from_mins(15) - Duration::from_millis(1));
    keyfob.tick().await;
    assert_eq!(sent(&keyfob), 0);
    keyfob.advance(Duration::from_millis(1));
    keyfob.tick().await;
    assert_eq!(sent(&keyfob), 1);
}

#[tokio::test]
async fn a_tick_tests_sixty_those_that_wait_longest_first() {
    let keyfob = Keyfob::working().await;
    for number in 0..70 {
        create_untested(&keyfob, &at_host(number)).await;
    }
    keyfob.advance(DAY * 2);
    keyfob.tick().await;
    assert_eq!(
        shown(&line(&keyfob), ["tested", "put_off", "behind_seconds"]),
        json!({ "tested": 60, "put_off": 0, "behind_seconds": 86_351 })
    );
    let last: String = keyfob
        .database
        .value("select max(name) from connections where last_attempt is null and rowid <= 60 or rowid = 61");
    assert_eq!(last, "Acme 60");
    keyfob.tick().await;
    assert_eq!((line(&keyfob)["tested"].clone(), sent(&keyfob)), (json!(10), 70));
}

#[tokio::test]
async fn scheduled_tests_leave_half_of_a_host_to_people() {
    let keyfob = Keyfob::working().await;
    let mut path = String::new();
    for number in 0..50 {
        path = create_untested(&keyfob, &bearer(&format!("Acme {number}"))).await;
    }
    keyfob.advance(DAY + SPREAD);
    keyfob.tick().await;
    assert_eq!(shown(&line(&keyfob), ["tested", "put_off"]), json!({ "tested": 30, "put_off": 20 }));
    for _ in 0..6 {
        keyfob.request("POST", &format!("{path}/tests"), ROOT, &[], &json!({})).await.expect(201);
    }
    keyfob.advance(Duration::from_mins(10));
    keyfob.tick().await;
    assert_eq!(line(&keyfob)["tested"], 19);
}
