//! The drill of a restore: an older copy of the database is put in the place of today's, as Time Travel does it, over the
//! blobs of today. What it names is there, whatever happened since, for 30 days.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use super::{create, crowd, crowd::expect_token, rewrap, ring, with_ring};
use crate::support::database::Sqlite;
use crate::support::{Keyfob, ROOT, path_of};

const DAY: Duration = Duration::from_hours(24);

/// A file that goes when the test ends.
struct Copy(PathBuf);

impl Copy {
    fn of(keyfob: &Keyfob, name: &str) -> Self {
        let file = std::env::temp_dir().join(format!("keyfob-{}-{name}.sqlite", std::process::id()));
        let _ = std::fs::remove_file(&file);
        keyfob.database.copy_to(&file);
        Self(file)
    }

    /// The copy behind a ring, over the blobs of today.
    fn restored(&self, keyfob: &Keyfob, ring: &str) -> Keyfob {
        keyfob.over(Sqlite::open(&self.0), &[("MASTER_KEYS", ring)])
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Connections of every kind of past, with the secret that each has now.
async fn populate(keyfob: &Keyfob) -> BTreeMap<String, String> {
    crowd::add(keyfob, 20).await;
    let mut heads: BTreeMap<_, _> = (0..20).map(|number| (crowd::path(number), crowd::token(number))).collect();
    for name in ["Created", "Changed", "Restored"] {
        heads.insert(path_of(&create(keyfob, name).await), "planted-secret-1".to_owned());
    }
    let changed: Vec<String> = heads.keys().rev().take(2).cloned().collect();
    for path in &changed {
        change(keyfob, path, 1, "planted-secret-2").await;
        heads.insert(path.clone(), "planted-secret-2".to_owned());
    }
    let restore = format!("{}/revisions/1/restore?test=false", changed[0]);
    keyfob.request("POST", &restore, ROOT, &[("if-match", "\"2\"")], &json!({})).await.expect(200);
    heads.insert(changed[0].clone(), "planted-secret-1".to_owned());
    heads
}

async fn change(keyfob: &Keyfob, path: &str, version: u64, token: &str) {
    let body = json!({ "secrets": { "token": token } });
    keyfob.patch(&format!("{path}?test=false"), version, &body).await.expect(200);
}

async fn versions(keyfob: &Keyfob, heads: &BTreeMap<String, String>) -> Vec<(String, u64)> {
    let mut versions = Vec::new();
    for path in heads.keys() {
        let version = keyfob.get(path).await.expect(200).json()["version"].as_u64().unwrap();
        versions.push((path.clone(), version));
    }
    versions
}

/// Changes, deletes, adds and rewraps everything: nothing is as the copy says.
async fn live_on(keyfob: &Keyfob, heads: &BTreeMap<String, String>) {
    for (at, (path, version)) in versions(keyfob, heads).await.into_iter().enumerate() {
        if at % 2 == 0 {
            change(keyfob, &path, version, "planted-secret-9").await;
        }
        if at % 3 == 0 {
            keyfob.delete(&path, version + u64::from(at % 2 == 0)).await.expect(204);
        }
    }
    create(keyfob, "Later").await;
    let told = rewrap(keyfob).await;
    assert_eq!(told["rewrap"]["done"], Value::from(true));
}

#[tokio::test]
async fn an_older_copy_of_the_database_opens_and_every_head_is_readable_for_30_days() {
    let keyfob = Keyfob::start().await;
    let heads = populate(&keyfob).await;
    let copy = Copy::of(&keyfob, "every-head");
    let two = with_ring(&keyfob, &ring(2, &[1, 2]));
    live_on(&two, &heads).await;
    for _ in 0..30 {
        keyfob.advance(DAY);
        two.tick().await;
    }
    // The retired key is kept, as the copy needs it.
    let restored = copy.restored(&keyfob, &ring(2, &[1, 2]));
    for (path, token) in &heads {
        expect_token(&restored, path, token).await;
    }
    // It is not read-only: the rotation is done once more, and everything goes on.
    assert_eq!(rewrap(&restored).await["rewrap"]["done"], Value::from(true));
    for (path, version) in versions(&restored, &heads).await {
        change(&restored, &path, version, "planted-secret-3").await;
        expect_token(&restored, &path, "planted-secret-3").await;
    }
}

#[tokio::test]
async fn without_the_retired_key_an_older_copy_serves_metadata_and_says_which_key_it_needs() {
    let keyfob = Keyfob::start().await;
    let heads = populate(&keyfob).await;
    let copy = Copy::of(&keyfob, "without-key");
    live_on(&with_ring(&keyfob, &ring(2, &[1, 2])), &heads).await;
    let restored = copy.restored(&keyfob, &ring(2, &[2]));
    for path in heads.keys() {
        restored.get(path).await.expect(200);
        let refused = restored.get(&format!("{path}/credentials")).await;
        assert_eq!(refused.problem(), (503, "key_unavailable".to_owned()));
    }
    let told = super::keys(&restored).await;
    assert_eq!((&told["data"][0]["id"], &told["data"][0]["state"]), (&json!(1), &json!("missing")));
}

#[tokio::test]
async fn after_31_days_the_blobs_that_only_an_older_copy_names_are_gone() {
    let keyfob = Keyfob::start().await;
    let path = path_of(&create(&keyfob, "Deleted").await);
    let copy = Copy::of(&keyfob, "too-late");
    keyfob.delete(&path, 1).await.expect(204);
    keyfob.advance(DAY * 31);
    keyfob.tick().await;
    let restored = copy.restored(&keyfob, &ring(1, &[1]));
    let gone = restored.get(&format!("{path}/credentials")).await;
    assert_eq!(gone.problem(), (500, "internal".to_owned()));
    assert!(restored.log.last()["failure"].as_str().unwrap().starts_with("ALARM"));
}
