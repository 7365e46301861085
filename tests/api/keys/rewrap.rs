//! `POST /v1/keys/rewrap` and the job that goes on with it: what they wrap anew, what they leave, and what they say.

use keyfob::ports::Database;
use keyfob::store::keys::{Replacement, list_waiting, mark_unopenable, replace};
use serde_json::{Value, json};

use super::{create, crowd, keys, rewrap, ring, with_ring};
use crate::support::database::Fault::{After, Before, Nothing};
use crate::support::{Keyfob, path_of};

const ENTRIES: &str = "select json_group_array(json_array(owner_id, number, key_id, wrapped_key, unopenable_at)) \
                       from (select * from vault_entries order by owner_id, number)";

fn entries(keyfob: &Keyfob) -> String {
    keyfob.database.value(ENTRIES)
}

fn under(keyfob: &Keyfob, key: u32) -> i64 {
    keyfob.database.value(&format!("select count(*) from vault_entries where key_id = {key}"))
}

#[tokio::test]
async fn without_a_ring_nothing_is_rewrapped_and_it_is_told_what_is_wrong() {
    let keyfob = Keyfob::start().await;
    create(&keyfob, "Acme").await;
    let before = entries(&keyfob);
    for (given, problem) in [
        ("", "the master keys are not valid JSON, line 1, column 0"),
        (r#"{"primary":1,"keys":{}}"#, "there is no master key"),
        (r#"{"primary":1,"keys":{"1":"c2hvcnQ="}}"#, "master key 1 has 5 bytes instead of 32"),
    ] {
        let broken = with_ring(&keyfob, given);
        let refused = broken.post("/v1/keys/rewrap", &Value::Null).await;
        assert_eq!(refused.problem(), (503, "key_unavailable".to_owned()));
        let told = keys(&broken).await;
        assert_eq!(told["problem"], problem);
        assert_eq!((&told["data"][0]["state"], &told["rewrap"]["unavailable"]), (&json!("missing"), &json!(1)));
        assert_eq!(told["rewrap"]["done"], false);
        broken.tick().await;
        assert_eq!(broken.log.of_job("rewrap")["failure"], "KeyUnavailable");
    }
    assert_eq!(entries(&keyfob), before);
}

#[tokio::test]
async fn a_wrong_primary_key_rewraps_nothing() {
    let keyfob = Keyfob::start().await;
    create(&keyfob, "Acme").await;
    let two = with_ring(&keyfob, &ring(2, &[1, 2]));
    create(&two, "Other").await;
    let before = entries(&keyfob);
    // Key 2 with the bytes of key 3.
    let wrong = with_ring(&keyfob, &ring(3, &[1, 3]).replace("\"3\":", "\"2\":").replace(":3}", ":2}"));
    let refused = wrong.post("/v1/keys/rewrap", &Value::Null).await;
    assert_eq!(refused.problem(), (503, "key_unavailable".to_owned()));
    assert_eq!(keys(&wrong).await["data"][1]["state"], "wrong");
    assert_eq!(entries(&keyfob), before);
}

#[tokio::test]
async fn a_wrong_older_key_marks_nothing_and_its_entries_wait_for_the_right_one() {
    let keyfob = Keyfob::start().await;
    let path = path_of(&create(&keyfob, "Acme").await);
    let before = entries(&keyfob);
    // Key 1 with the bytes of key 3.
    let wrong = with_ring(&keyfob, &ring(2, &[2, 3]).replace("\"3\":", "\"1\":"));
    let told = rewrap(&wrong).await;
    assert_eq!((&told["data"][0]["state"], &told["rewrap"]["unavailable"]), (&json!("wrong"), &json!(1)));
    assert_eq!(entries(&keyfob), before);
    let right = with_ring(&keyfob, &ring(2, &[1, 2]));
    assert_eq!(rewrap(&right).await["rewrap"]["done"], true);
    crowd::expect_token(&right, &path, "planted-secret-1").await;
}

#[tokio::test]
async fn without_the_older_key_the_others_go_on_and_its_entries_are_told_by_their_number() {
    let keyfob = Keyfob::start().await;
    create(&keyfob, "Lost").await;
    let two = with_ring(&keyfob, &ring(2, &[1, 2]));
    let kept = path_of(&create(&two, "Kept").await);
    let three = with_ring(&keyfob, &ring(3, &[2, 3]));
    for _ in 0..3 {
        let told = rewrap(&three).await;
        assert_eq!(told["data"][0]["state"], "missing");
        let expected =
            json!({ "to": 3, "rewrapped": 1, "waiting": 0, "unavailable": 1, "unopenable": 0, "done": false });
        assert_eq!(told["rewrap"], expected);
    }
    crowd::expect_token(&three, &kept, "planted-secret-1").await;
    // The first of the three did something, and it alone is audited.
    let audited = "select count(*) from audit_events where action = 'master_key.rewrapped'";
    assert_eq!(keyfob.database.value::<i64>(audited), 1);
}

#[tokio::test]
async fn an_entry_that_does_not_open_is_tried_once_raises_an_alarm_and_stands_in_nobodys_way() {
    let keyfob = Keyfob::start().await;
    crowd::add(&keyfob, 600).await;
    // The first in every order in which entries are taken up: more of them than one batch takes.
    let damage = "update vault_entries set wrapped_key = 'damaged' where owner_id < 'con_' || printf('%026d', 520)";
    keyfob.database.execute(damage).unwrap();
    keyfob.database.execute("update vault_entries set destinations = '{' where owner_id like '%0520'").unwrap();
    let two = with_ring(&keyfob, &ring(2, &[1, 2]));
    let first = rewrap(&two).await;
    let line = two.log.last();
    let failure = line["failure"].as_str().unwrap();
    assert!(failure.starts_with("ALARM: vault: 500 entries do not open"), "{failure}");
    assert!(failure.contains("con_00000000000000000000000000/values/1"), "{failure}");
    assert_eq!(first["rewrap"]["unopenable"], 500);
    let second = rewrap(&two).await;
    let expected =
        json!({ "to": 2, "rewrapped": 79, "waiting": 0, "unavailable": 0, "unopenable": 521, "done": false });
    assert_eq!(second["rewrap"], expected);
    assert_eq!(second["unopenable"].as_array().unwrap().len(), 100);
    let named = json!({
        "owner_id": "con_00000000000000000000000000", "purpose": "values", "number": 1, "key_id": 1,
        "found_at": "2026-11-20T10:00:00.000Z",
    });
    assert_eq!(second["unopenable"][0], named);
    let before = entries(&keyfob);
    two.tick().await;
    rewrap(&two).await;
    assert_eq!(entries(&keyfob), before);
    assert!(two.log.of_job("rewrap")["failure"].is_null() && two.log.last()["failure"].is_null());
    crowd::expect_token(&with_ring(&keyfob, &ring(2, &[2])), &crowd::path(521), &crowd::token(521)).await;
}

#[tokio::test]
async fn an_entry_that_was_deleted_or_wrapped_anew_meanwhile_is_skipped() {
    let keyfob = Keyfob::start().await;
    for name in ["Deleted", "Changed", "Kept"] {
        create(&keyfob, name).await;
    }
    let waiting = list_waiting(1, 500).run(&*keyfob.database).await.unwrap();
    keyfob
        .database
        .execute(
            "update vault_entries set wrapped_key = 'newer' where owner_id = (select max(owner_id) from vault_entries)",
        )
        .unwrap();
    keyfob
        .database
        .execute("delete from vault_entries where owner_id = (select min(owner_id) from vault_entries)")
        .unwrap();
    let late: Vec<Replacement> = waiting
        .iter()
        .map(|row| Replacement {
            vault_ref: row.vault_ref.clone(),
            before: row.wrapped_key.clone(),
            wrapped_key: "late".to_owned(),
        })
        .collect();
    let late = vec![replace(2, &late), mark_unopenable(&waiting, crate::support::NOW)];
    keyfob.database.batch(late).await.unwrap();
    let left = "select json_group_array(json_array(wrapped_key, key_id, unopenable_at)) from (select * from vault_entries order by owner_id)";
    let left: Value = serde_json::from_str(&keyfob.database.value::<String>(left)).unwrap();
    assert_eq!(left, json!([["late", 2, null], ["newer", 1, null]]));
}

#[tokio::test]
async fn a_rewrap_is_audited_with_what_it_did_and_touches_no_blob() {
    let keyfob = Keyfob::start().await;
    create(&keyfob, "Acme").await;
    let two = with_ring(&keyfob, &ring(2, &[1, 2]));
    rewrap(&two).await;
    assert_eq!((&two.log.last()["blob_calls"], &two.log.last()["caller"]), (&json!(0), &json!("key_root")));
    let row =
        "select json_array(action, resource_id, environment, json(detail)) from audit_events order by seq desc limit 1";
    let row: Value = serde_json::from_str(&keyfob.database.value::<String>(row)).unwrap();
    let detail = json!({ "from": 1, "to": 2, "taken": 1, "unopenable": 0, "named": [] });
    assert_eq!(row, json!(["master_key.rewrapped", "master_key_2", null, detail]));
}

#[tokio::test]
async fn a_batch_that_fails_is_done_by_the_next_one() {
    let keyfob = Keyfob::start().await;
    create(&keyfob, "Acme").await;
    let two = with_ring(&keyfob, &ring(2, &[1, 2]));
    for faults in [&[Nothing, Before][..], &[Nothing, Nothing, Before, Before]] {
        keyfob.database.fail_next(faults);
        let failed = two.post("/v1/keys/rewrap", &Value::Null).await;
        assert_eq!(failed.problem(), (503, "storage_unavailable".to_owned()), "{faults:?}");
        assert_eq!(under(&keyfob, 1), 1);
    }
    // The answer of the commit is lost, and the commit was done.
    keyfob.database.fail_next(&[Nothing, Nothing, After]);
    assert_eq!(rewrap(&two).await["rewrap"]["done"], true);
}

#[tokio::test]
async fn the_job_does_a_bounded_part_each_minute_until_nothing_waits() {
    let keyfob = Keyfob::start().await;
    crowd::add(&keyfob, 2_600).await;
    let two = with_ring(&keyfob, &ring(2, &[1, 2]));
    for (left, taken) in [(600, 2_000), (0, 600), (0, 0)] {
        two.tick().await;
        assert_eq!(under(&keyfob, 1), left);
        assert_eq!(two.log.of_job("rewrap"), json!({ "scheduled": "rewrap", "entries": taken }));
    }
    let by: String = keyfob.database.value("select actor from audit_events order by seq desc limit 1");
    assert_eq!(by, r#"{"id":"system","name":"Keyfob","claimed":null}"#);
    let alone = with_ring(&keyfob, &ring(2, &[2]));
    for number in (0..2_600).step_by(100) {
        crowd::expect_token(&alone, &crowd::path(number), &crowd::token(number)).await;
    }
}
