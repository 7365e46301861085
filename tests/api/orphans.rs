//! Blobs that no row names: found by a walk over the blob store, deleted 31 days after they were found, and no others.

use std::time::Duration;

use keyfob::vault::VaultRef;
use serde_json::{Value, json};

use crate::support::{Keyfob, bearer, path_of};

const DAY: Duration = Duration::from_hours(24);

/// Puts blobs where nothing names them.
fn orphans(keyfob: &Keyfob, count: u8) -> Vec<String> {
    let put = |number: u8| {
        let (key, blob) = (VaultRef::of(&[number]).to_string(), vec![number]);
        keyfob.blobs.stored.lock().unwrap().insert(key.clone(), blob);
        key
    };
    (0..count).map(put).collect()
}

fn stored(keyfob: &Keyfob) -> Vec<String> {
    keyfob.blobs.stored.lock().unwrap().keys().cloned().collect()
}

/// The log lines of the walk, without the name of the job.
fn lines(keyfob: &Keyfob) -> Vec<Value> {
    let lines = keyfob.log.all();
    let mut walks: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    walks.retain(|line: &Value| line["scheduled"] == "orphans");
    for line in &mut walks {
        line.as_object_mut().unwrap().remove("scheduled");
    }
    walks
}

#[tokio::test]
async fn a_blob_that_no_row_names_goes_31_days_after_it_was_found_and_no_other() {
    let keyfob = Keyfob::working().await;
    let path = path_of(&keyfob.create(&bearer("Acme")).await);
    keyfob.patch(&path, 1, &json!({ "secrets": { "token": "planted-secret-2" } })).await.expect(200);
    let named = stored(&keyfob);
    let orphans = orphans(&keyfob, 5);
    // A page has three keys.
    for _ in 0..3 {
        keyfob.tick().await;
    }
    keyfob.advance((DAY * 31).saturating_sub(Duration::from_millis(1)));
    keyfob.tick().await;
    assert_eq!(stored(&keyfob).len(), named.len() + orphans.len());
    keyfob.advance(Duration::from_millis(1));
    keyfob.tick().await;
    assert_eq!((stored(&keyfob), keyfob.database.counts()["garbage"]), (named, 0));
    let old = json!({ "fields": ["token"], "reason": "why", "revision": 1 });
    keyfob.post(&format!("{path}/reveal"), &old).await.expect(200);
}

#[tokio::test]
async fn a_tick_walks_over_one_page_and_a_walk_begins_each_day() {
    let keyfob = Keyfob::working().await;
    orphans(&keyfob, 4);
    for _ in 0..3 {
        keyfob.tick().await;
    }
    let (first, second) = (json!({ "blobs_listed": 3, "orphans": 3 }), json!({ "blobs_listed": 1, "orphans": 1 }));
    assert_eq!(lines(&keyfob), [first, second, json!({})]);
    keyfob.advance(DAY);
    keyfob.tick().await;
    assert_eq!(lines(&keyfob).last().unwrap(), &json!({ "blobs_listed": 3, "orphans": 0 }));
}

#[tokio::test]
async fn a_page_that_fails_is_asked_for_again() {
    use crate::support::database::Fault::{After, Before, Nothing};
    for faults in [&[Before][..], &[Nothing, Before], &[Nothing, After]] {
        let keyfob = Keyfob::working().await;
        orphans(&keyfob, 4);
        // The sweep comes before it, with two batches.
        keyfob.database.fail_next(&[&[Nothing, Nothing], faults].concat());
        for _ in 0..3 {
            keyfob.tick().await;
        }
        assert_eq!(lines(&keyfob)[0], json!({ "failure": "database: the connection was lost" }), "{faults:?}");
        assert_eq!(keyfob.database.counts()["garbage"], 4, "{faults:?}");
    }
}

#[tokio::test]
async fn a_cursor_that_leads_nowhere_is_given_up_after_30_days() {
    let keyfob = Keyfob::working().await;
    keyfob.tick().await;
    orphans(&keyfob, 1);
    keyfob.database.execute("update orphan_walk set cursor = '~'").unwrap();
    keyfob.advance(DAY * 30);
    keyfob.tick().await;
    assert_eq!(lines(&keyfob).last().unwrap(), &json!({ "blobs_listed": 1, "orphans": 1 }));
}

#[tokio::test]
async fn a_blob_whose_commit_comes_after_the_walk_is_taken_back() {
    let keyfob = Keyfob::working().await;
    let path = path_of(&keyfob.create(&bearer("Acme")).await);
    // As if the walk had come between the blob and its row.
    let row = "create table late as select * from vault_entries; delete from vault_entries";
    keyfob.database.execute(row).unwrap();
    keyfob.tick().await;
    assert_eq!(keyfob.database.counts()["garbage"], 1);
    keyfob.database.execute("insert into vault_entries select * from late").unwrap();
    assert_eq!(keyfob.database.counts()["garbage"], 0);
    keyfob.advance(DAY * 40);
    keyfob.tick().await;
    keyfob.get(&format!("{path}/credentials")).await.expect(200);
}

#[tokio::test]
async fn what_is_no_blob_of_ours_is_left_alone() {
    let keyfob = Keyfob::working().await;
    keyfob.blobs.stored.lock().unwrap().insert("settings of somebody else".to_owned(), vec![1]);
    keyfob.tick().await;
    keyfob.advance(DAY * 40);
    keyfob.tick().await;
    assert_eq!(stored(&keyfob), ["settings of somebody else"]);
    assert!(lines(&keyfob).iter().all(|line| line["failure"].is_null()));
}
