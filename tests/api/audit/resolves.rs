//! Resolves in the audit log: one entry for each caller and hour, and no write for each resolve.

use std::time::Duration;

use serde_json::{Value, json};

use super::LOG;
use crate::support::database::Fault::{After, Before, Nothing};
use crate::support::{Keyfob, ROOT, bearer, path_of};

const HOUR: Duration = Duration::from_hours(1);

async fn start() -> (Keyfob, Value, String) {
    let keyfob = Keyfob::working().await;
    let connection = keyfob.create(&bearer("Acme")).await;
    let path = format!("{}/credentials", path_of(&connection));
    (keyfob, connection, path)
}

fn written(keyfob: &Keyfob) -> i64 {
    keyfob.database.value("select coalesce(sum(count), 0) from resolves")
}

/// The entries about resolves, the newest first.
async fn told(keyfob: &Keyfob) -> Vec<Value> {
    let page = keyfob.get(&format!("{LOG}?action=connection.credentials_resolved")).await.expect(200).json();
    page["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn who_resolved_what_is_told_once_the_hour_is_over() {
    let (keyfob, connection, path) = start().await;
    let key = keyfob.key(&["credentials:use"], &["development"]).await;
    for _ in 0..3 {
        keyfob.get(&path).await.expect(200);
        keyfob.advance(Duration::from_mins(1));
    }
    let engine = [("keyfob-actor", "run 7")];
    keyfob.request("GET", &path, &key, &engine, &Value::Null).await.expect(200);
    keyfob.advance(Duration::from_mins(67));
    keyfob.tick().await;
    assert_eq!(told(&keyfob).await, Vec::<Value>::new());
    keyfob.advance(Duration::from_millis(1));
    keyfob.tick().await;
    let told = told(&keyfob).await;
    let of = |who: &str| told.iter().find(|entry| entry["actor"]["name"] == who).unwrap();
    let (of_root, of_key) = (of("Root key"), of("Some key"));
    assert_eq!(told.len(), 2);
    let detail = json!({
        "hour": "2026-11-20T10:00:00.000Z", "count": 3,
        "first_at": "2026-11-20T10:00:00.000Z", "last_at": "2026-11-20T10:02:00.000Z",
    });
    assert_eq!((&of_root["detail"], &of_root["resource_id"]), (&detail, &connection["id"]));
    assert_eq!((&of_root["environment"], &of_root["at"]), (&json!("development"), &json!("2026-11-20T11:10:00.001Z")));
    assert_eq!(of_key["detail"]["count"], 1);
    assert_eq!(of_key["actor"]["claimed"], Value::Null);
    assert_eq!(keyfob.database.counts()["resolves"], 0);
    keyfob.tick().await;
    assert_eq!(super::seqs(&keyfob, ROOT, "&action=connection.credentials_resolved", 100).await.len(), 2);
}

#[tokio::test]
async fn only_the_first_use_of_an_hour_is_written_at_once() {
    let (keyfob, _, path) = start().await;
    let mut counts = Vec::new();
    for seconds in [0, 1, 58, 1, 1, 59] {
        keyfob.advance(Duration::from_secs(seconds));
        keyfob.get(&path).await.expect(200);
        counts.push(written(&keyfob));
    }
    assert_eq!(counts, [1, 1, 1, 4, 4, 6]);
}

#[tokio::test]
async fn a_resolve_that_is_refused_is_not_counted() {
    let (keyfob, connection, path) = start().await;
    keyfob.patch(&path_of(&connection), 1, &json!({ "enabled": false })).await.expect(200);
    assert_eq!(keyfob.get(&path).await.status, 409);
    assert_eq!(written(&keyfob), 0);
}

#[tokio::test]
async fn isolates_count_apart_and_are_summed() {
    let (one, _, path) = start().await;
    let two = one.restarted(&[]);
    for keyfob in [&one, &two, &two] {
        keyfob.get(&path).await.expect(200);
    }
    one.advance(Duration::from_mins(1));
    two.get(&path).await.expect(200);
    one.advance(HOUR * 2);
    one.tick().await;
    assert_eq!(told(&one).await[0]["detail"]["count"], 4);
}

#[tokio::test]
async fn a_count_that_could_not_be_written_is_written_with_the_next_and_never_twice() {
    let (keyfob, _, path) = start().await;
    keyfob.database.fail_next(&[Nothing, Before]);
    keyfob.get(&path).await.expect(200);
    assert_eq!(written(&keyfob), 0);
    keyfob.advance(Duration::from_mins(1));
    keyfob.database.fail_next(&[Nothing, After]);
    keyfob.get(&path).await.expect(200);
    assert_eq!(written(&keyfob), 2);
    keyfob.advance(Duration::from_mins(1));
    keyfob.get(&path).await.expect(200);
    assert_eq!(written(&keyfob), 3);
}

#[tokio::test]
async fn an_hour_is_told_once_even_where_its_isolate_comes_late() {
    let (keyfob, _, path) = start().await;
    keyfob.get(&path).await.expect(200);
    keyfob.advance(Duration::from_secs(1));
    keyfob.get(&path).await.expect(200);
    keyfob.advance(HOUR + Duration::from_mins(30));
    keyfob.tick().await;
    keyfob.get(&path).await.expect(200);
    keyfob.advance(HOUR * 2);
    keyfob.tick().await;
    let told = told(&keyfob).await;
    let counts: Vec<&Value> = told.iter().map(|entry| &entry["detail"]["count"]).collect();
    assert_eq!(counts, [1, 1]);
    assert_ne!(told[0]["detail"]["hour"], told[1]["detail"]["hour"]);
}

#[tokio::test]
async fn whatever_the_database_does_in_a_tick_an_hour_is_told_once() {
    for call in 0..24 {
        for faults in [&[Before][..], &[Before, Before], &[After], &[After, Before]] {
            let (keyfob, _, path) = start().await;
            keyfob.get(&path).await.expect(200);
            keyfob.advance(HOUR * 2);
            keyfob.database.fail_next(&[vec![Nothing; call], faults.to_vec()].concat());
            for _ in 0..3 {
                keyfob.tick().await;
            }
            let rows = keyfob.database.counts()["resolves"];
            assert_eq!((told(&keyfob).await.len(), rows), (1, 0), "{call} {faults:?}");
        }
    }
}

/// Counts of so many connections in hours of a day that is over, as isolates wrote them.
fn counted(keyfob: &Keyfob, connections: u32, hours: u32) {
    let rows = format!(
        "with recursive c(c) as (select 1 union all select c + 1 from c where c < {connections}), \
         h(h) as (select 0 union all select h + 1 from h where h < {hours} - 1) \
         insert into resolves select 1795132800000 + h * 3600000, 'con_' || printf('%026d', c), 'key_root', 'i', \
         'development', '{{\"id\":\"key_root\",\"name\":\"Root key\",\"claimed\":null}}', 2, \
         1795132800000 + h * 3600000, 1795132800000 + h * 3600000 + 60000 from c, h"
    );
    keyfob.database.execute(&rows).unwrap();
}

const TOLD: &str = "select json_group_array(json(detail)) from (select detail from audit_events \
                    where action = 'connection.credentials_resolved' order by seq)";

fn details(keyfob: &Keyfob) -> Vec<Value> {
    serde_json::from_str(&keyfob.database.value::<String>(TOLD)).unwrap()
}

#[tokio::test]
async fn ticks_at_once_tell_an_hour_once() {
    for connections in [1, 3, 700] {
        let keyfob = Keyfob::working().await;
        counted(&keyfob, connections, 1);
        tokio::join!(keyfob.tick(), keyfob.tick(), keyfob.tick());
        keyfob.tick().await;
        assert_eq!(details(&keyfob).len(), usize::try_from(connections).unwrap());
        assert_eq!(keyfob.database.counts()["resolves"], 0);
        assert!(keyfob.log.all().iter().all(|line| !line.contains("failure")), "{:?}", keyfob.log.all());
    }
}

#[tokio::test]
async fn a_tick_tells_thousands_and_how_old_the_oldest_was() {
    let keyfob = Keyfob::working().await;
    keyfob.tick().await;
    let line = |written: u32, behind: u32| json!({ "scheduled": "summarise_resolves", "rows_written": written, "behind_seconds": behind });
    assert_eq!(keyfob.log.of_job("summarise_resolves"), line(0, 0));
    counted(&keyfob, 2_400, 1);
    // The hour began at midnight; ten minutes after its end it was due.
    keyfob.advance(Duration::from_mins(1));
    keyfob.tick().await;
    assert_eq!(keyfob.log.of_job("summarise_resolves"), line(2_400, 8 * 3600 + 51 * 60));
    assert_eq!(details(&keyfob).len(), 2_400);
}

#[tokio::test]
async fn far_behind_a_day_is_told_in_one_entry_and_nothing_is_lost() {
    let keyfob = Keyfob::working().await;
    counted(&keyfob, 2, 8);
    // Not used in the oldest hour, and used on the day before.
    keyfob.database.execute("delete from resolves where hour = 1795132800000 and connection_id like '%2'").unwrap();
    keyfob
        .database
        .execute(
            "insert into resolves select hour - 86400000, connection_id, caller_id, isolate, environment, \
        actor, 5, first_at - 86400000, last_at - 86400000 from resolves where hour = 1795132800000 + 7 * 3600000",
        )
        .unwrap();
    keyfob.tick().await;
    let told = details(&keyfob);
    let counts: Vec<&Value> = told.iter().map(|detail| &detail["count"]).collect();
    assert_eq!(counts, [5, 5, 16, 14]);
    assert_eq!(
        told[2],
        json!({
            "hour": "2026-11-20T00:00:00.000Z", "until": "2026-11-20T08:00:00.000Z", "count": 16,
            "first_at": "2026-11-20T00:00:00.000Z", "last_at": "2026-11-20T07:01:00.000Z",
        })
    );
    assert_eq!(keyfob.database.counts()["resolves"], 0);
    // What is not behind is told by the hour.
    assert_eq!(keyfob.log.of_job("summarise_resolves")["rows_written"], 4);
}
