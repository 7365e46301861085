//! Checkpoints: what is sealed, under which key, and when sealing stops.

use keyfob::ports::Param;
use serde_json::{Value, json};

use super::LOG;
use crate::support::database::Fault::{After, Before, Nothing};
use crate::support::{Keyfob, bearer, path_of};

const KEY_1: &str = r#"{"primary":1,"keys":{"1":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="}}"#;
const KEY_2: &str = r#"{"primary":2,"keys":{"2":"CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg="}}"#;
const BOTH: &str = r#"{"primary":2,"keys":{"1":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=","2":"CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg="}}"#;
const STOLEN: &str = r#"{"primary":1,"keys":{"1":"CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk="}}"#;

/// What a whole verification finds broken, and its last answer.
pub(super) async fn verify(keyfob: &Keyfob) -> (Vec<Value>, Value) {
    let (mut broken, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = keyfob.get(&format!("{LOG}/verification{cursor}")).await.expect(200).json();
        broken.extend([&answer["broken"]].into_iter().filter(|broken| !broken.is_null()).cloned());
        match answer["next_cursor"].as_str() {
            Some(next) => cursor = format!("?cursor={next}"),
            None => return (broken, answer),
        }
    }
}

/// Makes the logs writable, as nobody but an intruder would.
pub(super) fn break_in(keyfob: &Keyfob) {
    for trigger in [
        "events_are_not_updated",
        "events_are_not_deleted",
        "audit_events_are_not_updated",
        "audit_events_are_not_deleted",
        "audit_checkpoints_are_not_updated",
        "audit_checkpoints_are_not_deleted",
    ] {
        keyfob.database.execute(&format!("drop trigger {trigger}")).unwrap();
    }
}

/// A connection, renamed so many times.
async fn renamed(keyfob: &Keyfob, times: u64) -> String {
    let path = path_of(&keyfob.create(&bearer("Acme")).await);
    for version in 1..=times {
        keyfob.patch(&path, version, &json!({ "name": format!("Acme {version}") })).await.expect(200);
    }
    path
}

fn lines(keyfob: &Keyfob, job: &str) -> Vec<Value> {
    let lines = keyfob.log.all();
    let lines = lines.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["scheduled"] == job).collect()
}

#[tokio::test]
async fn checkpoints_are_append_only() {
    let keyfob = Keyfob::working().await;
    renamed(&keyfob, 0).await;
    keyfob.tick().await;
    for sql in ["update audit_checkpoints set tag = ''", "delete from audit_checkpoints"] {
        let refused = keyfob.database.execute(sql).unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{sql}: {refused}");
    }
}

#[tokio::test]
async fn each_tick_seals_what_was_logged_since_and_says_the_hash_of_its_head() {
    let keyfob = Keyfob::working().await;
    keyfob.tick().await;
    assert_eq!(lines(&keyfob, "seal_audit_events"), [json!({ "scheduled": "seal_audit_events", "behind_seconds": 0 })]);
    renamed(&keyfob, 2).await;
    keyfob.key(&["transfer"], &["development"]).await;
    keyfob.tick().await;
    renamed(&keyfob, 0).await;
    let (broken, answer) = verify(&keyfob).await;
    assert_eq!(broken, Vec::<Value>::new());
    let logs = &answer["logs"];
    let head = logs[0]["head"].as_str().unwrap();
    assert_eq!(
        logs[0],
        json!({ "log": "audit_events", "sealed_up_to": 4, "unsealed": 1, "checkpoints": 1, "head": head })
    );
    let events = &logs[1];
    assert_eq!(
        *events,
        json!({ "log": "events", "sealed_up_to": 3, "unsealed": 1, "checkpoints": 1, "head": events["head"] })
    );
    let line = json!({ "scheduled": "seal_audit_events", "checkpoint": 1, "sealed_up_to": 4, "head": head, "behind_seconds": 0 });
    assert_eq!(lines(&keyfob, "seal_audit_events")[1], line);
    assert_eq!((&answer["rows_verified"], &answer["next_cursor"]), (&json!(9), &Value::Null));
}

#[tokio::test]
async fn a_verification_goes_on_where_it_stopped() {
    let keyfob = Keyfob::start().await;
    let path = renamed(&keyfob, 0).await;
    let patches = 3_100;
    for version in 1..=patches {
        let body = json!({ "enabled": version % 2 == 0 });
        keyfob.patch(&path, version, &body).await.expect(200);
        if version == 1_500 {
            keyfob.tick().await;
        }
    }
    keyfob.tick().await;
    keyfob.patch(&path, patches + 1, &json!({ "name": "New" })).await.expect(200);
    let first = keyfob.get(&format!("{LOG}/verification")).await.expect(200).json();
    assert_eq!((&first["broken"], &first["rows_verified"]), (&Value::Null, &json!(2_000 - 99)));
    let (broken, last) = verify(&keyfob).await;
    assert_eq!(broken, Vec::<Value>::new());
    assert_eq!((&last["logs"][1]["sealed_up_to"], &last["logs"][1]["unsealed"]), (&json!(3_101), &json!(1)));
    break_in(&keyfob);
    keyfob.database.execute("update events set version = 9999 where seq = 3050").unwrap();
    let (broken, _) = verify(&keyfob).await;
    assert_eq!(broken, [json!({ "log": "events", "seq": 3050, "fault": "row_changed" })]);
}

#[tokio::test]
async fn what_is_wrong_is_named_by_what_was_done() {
    let swap = "update audit_events set seq = -1 where seq = 2; update audit_events set seq = 2 where seq = 3; \
                update audit_events set seq = 3 where seq = -1";
    let copy = |seq: i64| {
        format!(
            "insert into audit_events (seq, operation_id, at, action, resource_id, actor, request_id, detail, tag) \
             select {seq}, 'opn_2', at, action, resource_id, actor, request_id, detail, tag from audit_events where seq = 1"
        )
    };
    for (sql, seq, fault) in [
        ("update audit_events set at = at + 1 where seq = 3", 3, "row_changed"),
        ("delete from audit_events where seq = 3", 3, "row_missing"),
        ("delete from audit_events where seq > 2", 3, "row_missing"),
        ("delete from audit_events where seq = 6", 6, "row_missing"),
        (swap, 2, "row_reordered"),
        (&copy(0), 0, "row_inserted"),
        (&copy(7), 7, "row_changed"),
        (
            "update audit_checkpoints set sealed_at = 0 where log = 'audit_events' and number = 2",
            4,
            "checkpoint_changed",
        ),
        ("delete from audit_checkpoints where log = 'audit_events' and number = 1", 1, "checkpoint_missing"),
    ] {
        let keyfob = Keyfob::working().await;
        for _ in 0..2 {
            renamed(&keyfob, 2).await;
            keyfob.tick().await;
        }
        break_in(&keyfob);
        keyfob.database.execute(sql).unwrap();
        assert_eq!(verify(&keyfob).await.0, [json!({ "log": "audit_events", "seq": seq, "fault": fault })], "{sql}");
    }
}

#[tokio::test]
async fn nothing_is_sealed_behind_a_break_and_the_log_raises_an_alarm() {
    let keyfob = Keyfob::working().await;
    renamed(&keyfob, 1).await;
    keyfob.tick().await;
    renamed(&keyfob, 3).await;
    break_in(&keyfob);
    keyfob.database.execute("update audit_events set detail = '{}' where seq = 4").unwrap();
    for _ in 0..2 {
        keyfob.tick().await;
        let line = lines(&keyfob, "seal_audit_events").pop().unwrap();
        assert_eq!(line["failure"], "ALARM: audit_events is not what was written at seq 4: \"row_changed\"");
        assert_eq!(
            keyfob.database.value::<i64>("select max(last_seq) from audit_checkpoints where log = 'audit_events'"),
            3
        );
        assert_eq!(keyfob.database.value::<i64>("select max(last_seq) from audit_checkpoints where log = 'events'"), 6);
    }
    assert_eq!(verify(&keyfob).await.0, [json!({ "log": "audit_events", "seq": 4, "fault": "row_changed" })]);
}

#[tokio::test]
async fn nothing_is_chained_on_to_a_checkpoint_that_is_not_what_was_written() {
    let keyfob = Keyfob::working().await;
    renamed(&keyfob, 1).await;
    keyfob.tick().await;
    renamed(&keyfob, 1).await;
    break_in(&keyfob);
    keyfob.database.execute("update audit_checkpoints set sealed_at = sealed_at + 1").unwrap();
    keyfob.tick().await;
    let line = lines(&keyfob, "seal_events").pop().unwrap();
    assert_eq!(line["failure"], "ALARM: events is not what was written at seq 1: \"checkpoint_changed\"");
    assert_eq!(keyfob.database.counts()["audit_checkpoints"], 2);
}

#[tokio::test]
async fn whatever_the_database_does_in_a_tick_both_logs_are_sealed_once() {
    for call in 0..24 {
        for fault in [Before, After] {
            let keyfob = Keyfob::working().await;
            renamed(&keyfob, 1).await;
            keyfob.database.fail_next(&[vec![Nothing; call], vec![fault]].concat());
            for _ in 0..3 {
                keyfob.tick().await;
            }
            assert_eq!(verify(&keyfob).await.0, Vec::<Value>::new(), "{call} {fault:?}");
            assert_eq!(keyfob.database.counts()["audit_checkpoints"], 2, "{call} {fault:?}");
        }
    }
}

#[tokio::test]
async fn a_mistyped_master_key_seals_nothing() {
    let keyfob = Keyfob::working().await;
    renamed(&keyfob, 1).await;
    let stolen = keyfob.restarted(&[("MASTER_KEYS", STOLEN)]);
    stolen.tick().await;
    assert_eq!(stolen.database.counts()["audit_checkpoints"], 0);
    keyfob.restarted(&[("MASTER_KEYS", "")]).tick().await;
    assert_eq!(stolen.database.counts()["audit_checkpoints"], 0);
}

#[tokio::test]
async fn a_row_outlives_its_master_key_and_is_still_what_was_written() {
    let keyfob = Keyfob::working().await;
    renamed(&keyfob, 3).await;
    keyfob.tick().await;
    let rotating = keyfob.restarted(&[("MASTER_KEYS", BOTH)]);
    rotating.tick().await;
    let retired = keyfob.restarted(&[("MASTER_KEYS", KEY_2)]);
    renamed(&retired, 1).await;
    retired.tick().await;
    assert_eq!(verify(&retired).await.0, Vec::<Value>::new());
    break_in(&keyfob);
    keyfob.database.execute("update events set actor = '{}' where seq = 2").unwrap();
    assert_eq!(verify(&retired).await.0, [json!({ "log": "events", "seq": 2, "fault": "row_changed" })]);
}

#[tokio::test]
async fn without_the_key_of_the_newest_checkpoint_nothing_vouches_for_its_rows() {
    let keyfob = Keyfob::working().await;
    renamed(&keyfob, 3).await;
    keyfob.tick().await;
    let retired = keyfob.restarted(&[("MASTER_KEYS", KEY_2)]);
    let unknown = |log: &str| json!({ "log": log, "seq": 1, "fault": "unknown_key" });
    assert_eq!(verify(&retired).await.0, [unknown("audit_events"), unknown("events")]);
    retired.tick().await;
    let line = lines(&retired, "seal_events").pop().unwrap();
    assert_eq!(line["failure"], "ALARM: events is not what was written at seq 1: \"unknown_key\"");
}

#[tokio::test]
async fn rows_and_checkpoints_made_under_another_key_of_the_same_number_are_found() {
    let keyfob = Keyfob::working().await;
    renamed(&keyfob, 3).await;
    keyfob.tick().await;
    // Somebody who knows everything but the key writes both logs and their chains anew.
    let intruder =
        Keyfob::configured(|_| crate::support::counterpart::answer(200, &[], "{}"), &[("MASTER_KEYS", STOLEN)]).await;
    renamed(&intruder, 4).await;
    intruder.tick().await;
    assert_eq!(verify(&intruder).await.0, Vec::<Value>::new());
    let found = |log: &str| json!({ "log": log, "seq": 1, "fault": "row_changed" });
    let victim = intruder.restarted(&[("MASTER_KEYS", KEY_1)]);
    assert_eq!(verify(&victim).await.0, [found("audit_events"), found("events")]);
}

#[tokio::test]
async fn a_key_is_needed_until_a_newer_one_vouches_for_what_it_tagged() {
    use keyfob::store::checkpoints::keys_in_use;
    let in_use = async |keyfob: &Keyfob| keys_in_use().run(&*keyfob.database).await.unwrap();
    let keyfob = Keyfob::working().await;
    assert_eq!(in_use(&keyfob).await, Some([].into()));
    renamed(&keyfob, 1).await;
    assert_eq!(in_use(&keyfob).await, Some([1].into()));
    keyfob.tick().await;
    let rotating = keyfob.restarted(&[("MASTER_KEYS", BOTH)]);
    assert_eq!(in_use(&keyfob).await, Some([1].into()));
    rotating.key(&["transfer"], &["development"]).await;
    assert_eq!(in_use(&keyfob).await, Some([1, 2].into()));
    rotating.tick().await;
    assert_eq!(in_use(&keyfob).await, Some([2].into()));
    assert_eq!(keyfob.database.counts()["audit_checkpoints"], 4);
    rotating.tick().await;
    assert_eq!(keyfob.database.counts()["audit_checkpoints"], 4);
    let retired = keyfob.restarted(&[("MASTER_KEYS", KEY_2)]);
    assert_eq!(verify(&retired).await.0, Vec::<Value>::new());
}

#[tokio::test]
async fn while_many_rows_wait_to_be_sealed_any_key_may_be_needed() {
    use keyfob::store::checkpoints::keys_in_use;
    let keyfob = Keyfob::start().await;
    let rows = "with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < 1001) \
                insert into events (connection_id, version, event_type, changes, actor, at, tag) \
                select 'con_1', n, 'updated', '{}', '{}', 1, '7.x' from numbers";
    keyfob.database.execute(rows).unwrap();
    assert_eq!(keys_in_use().run(&*keyfob.database).await.unwrap(), None);
}

#[tokio::test]
async fn a_log_is_read_in_small_parts_and_sealed_whole() {
    let keyfob = Keyfob::working().await;
    let rows = "with recursive c(c) as (select 1 union all select c + 1 from c where c < 2500) \
        insert into resolves select 1795132800000, 'con_' || printf('%026d', c), 'key_root', 'i', 'development', \
        '{\"id\":\"key_root\",\"name\":\"Root key\",\"claimed\":null}', 1, 1795132800000, 1795132800000 from c";
    keyfob.database.execute(rows).unwrap();
    keyfob.database.record();
    keyfob.tick().await;
    let (broken, answer) = verify(&keyfob).await;
    assert_eq!(broken, Vec::<Value>::new());
    assert_eq!((&answer["logs"][0]["sealed_up_to"], &answer["logs"][0]["unsealed"]), (&json!(2_500), &json!(0)));
    let batches = keyfob.database.recorded();
    let reads: Vec<_> =
        batches.iter().flat_map(|batch| &batch.statements).filter(|it| it.sql.contains("hex(r.tag)")).collect();
    assert!(reads.len() > 20, "{}", reads.len());
    for read in reads {
        let Some(Param::Integer(limit)) = read.params.last() else { panic!("{}", read.sql) };
        assert!(*limit <= 200, "{limit} rows of 64 KB each: {}", read.sql);
    }
}

#[tokio::test]
async fn a_log_that_is_not_sealed_yet_says_for_how_long() {
    let keyfob = Keyfob::working().await;
    renamed(&keyfob, 1).await;
    keyfob.advance(std::time::Duration::from_mins(7));
    renamed(&keyfob, 1).await;
    keyfob.tick().await;
    for job in ["seal_audit_events", "seal_events"] {
        assert_eq!(keyfob.log.of_job(job)["behind_seconds"], 420, "{job}");
    }
    keyfob.tick().await;
    assert_eq!(keyfob.log.of_job("seal_events"), json!({ "scheduled": "seal_events", "behind_seconds": 0 }));
}
