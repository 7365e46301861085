//! The master keys: what rests under each, and the way from one to the next.

mod crowd;
mod rewrap;
mod rings;
mod time_travel;
mod traffic;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::{Keyfob, ROOT, bearer};

/// A ring of keys, each of 32 bytes of one value: key 1 is that of every Keyfob of the tests.
fn ring(primary: u32, keys: &[u32]) -> String {
    let key = |id: &u32| (id.to_string(), Value::from(STANDARD.encode([u8::try_from(*id).unwrap() + 6; 32])));
    json!({ "primary": primary, "keys": keys.iter().map(key).collect::<serde_json::Map<_, _>>() }).to_string()
}

/// The same storage behind another ring.
fn with_ring(keyfob: &Keyfob, ring: &str) -> Keyfob {
    keyfob.restarted(&[("MASTER_KEYS", ring)])
}

async fn create(keyfob: &Keyfob, name: &str) -> Value {
    keyfob.post("/v1/connections?test=false", &bearer(name)).await.expect(201).json()
}

async fn keys(keyfob: &Keyfob) -> Value {
    keyfob.get("/v1/keys").await.expect(200).json()
}

async fn rewrap(keyfob: &Keyfob) -> Value {
    keyfob.post("/v1/keys/rewrap", &Value::Null).await.expect(200).json()
}

#[tokio::test]
async fn the_keys_are_told_by_their_numbers_with_what_rests_under_them() {
    let keyfob = Keyfob::start().await;
    create(&keyfob, "Acme").await;
    create(&keyfob, "Other").await;
    let two = with_ring(&keyfob, &ring(2, &[1, 2]));
    create(&two, "New").await;
    let one = json!({
        "id": 1, "state": "secondary", "entries": 2, "unopenable": 0, "needed_by": ["entries", "logs"], "removable": false,
    });
    let other = json!({
        "id": 2, "state": "primary", "entries": 1, "unopenable": 0, "needed_by": ["entries", "logs"], "removable": false,
    });
    let progress = json!({ "to": 2, "rewrapped": 1, "waiting": 2, "unavailable": 0, "unopenable": 0, "done": false });
    let expected = json!({
        "data": [one, other], "next_cursor": null, "rewrap": progress, "unopenable": [], "problem": null,
    });
    assert_eq!(keys(&two).await, expected);
    let missing = with_ring(&keyfob, &ring(2, &[2]));
    let told = keys(&missing).await;
    assert_eq!((&told["data"][0]["state"], &told["rewrap"]["unavailable"]), (&json!("missing"), &json!(2)));
}

#[tokio::test]
async fn a_key_that_is_added_is_secondary_and_may_be_removed_again() {
    let keyfob = with_ring(&Keyfob::start().await, &ring(1, &[1, 2]));
    create(&keyfob, "Acme").await;
    let told = keys(&keyfob).await;
    let expected = json!({
        "id": 2, "state": "secondary", "entries": 0, "unopenable": 0, "needed_by": [], "removable": true,
    });
    assert_eq!(told["data"][1], expected);
    assert_eq!(told["rewrap"]["done"], true);
}

#[tokio::test]
async fn a_retired_key_is_removable_a_day_after_the_last_answer_that_it_tagged() {
    let keyfob = Keyfob::start().await;
    let headers = [("idempotency-key", "k1")];
    keyfob.request("POST", "/v1/connections?test=false", ROOT, &headers, &bearer("Acme")).await.expect(201);
    let two = with_ring(&keyfob, &ring(2, &[1, 2]));
    let told = rewrap(&two).await;
    assert_eq!(told["data"][0]["needed_by"], json!(["idempotent_answers", "logs"]));
    assert_eq!((&told["data"][0]["removable"], &told["rewrap"]["done"]), (&json!(false), &json!(true)));
    keyfob.advance(std::time::Duration::from_millis(24 * 3_600_000 + 1));
    two.tick().await;
    let told = keys(&two).await;
    assert_eq!((&told["data"][0]["needed_by"], &told["data"][0]["removable"]), (&json!([]), &json!(true)));
    // Once it has left the ring, and nothing needs it, nothing is said of it.
    let alone = with_ring(&keyfob, &ring(2, &[2]));
    assert_eq!(keys(&alone).await["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_counters_are_what_a_count_would_be() {
    let keyfob = Keyfob::start().await;
    let two = with_ring(&keyfob, &ring(2, &[1, 2]));
    let counted = || {
        let counted = "select json_group_array(json_array(key_id, n, u)) from (select key_id, count(*) as n, \
                       count(unopenable_at) as u from vault_entries group by key_id)";
        let kept = "select json_group_array(json_array(key_id, entries, unopenable)) from key_counts where entries > 0";
        assert_eq!(keyfob.database.value::<String>(kept), keyfob.database.value::<String>(counted));
    };
    for (at, name) in ["One", "Two", "Three", "Four", "Five"].iter().enumerate() {
        let by = if at % 2 == 0 { &keyfob } else { &two };
        let path = crate::support::path_of(&create(by, name).await);
        counted();
        let secret = json!({ "secrets": { "token": "planted-secret-2" } });
        two.patch(&format!("{path}?test=false"), 1, &secret).await.expect(200);
        counted();
        if at == 3 {
            keyfob
                .database
                .execute("update vault_entries set wrapped_key = 'damaged' where number = 1 and key_id = 1")
                .unwrap();
            rewrap(&two).await;
            counted();
        }
        two.delete(&path, 2).await.expect(204);
        counted();
    }
    rewrap(&two).await;
    counted();
}
