//! Rings that are deployed side by side: while a new one spreads, isolates with the ring before go on over the same storage.
//!
//! A rotation goes through four rings: {1} → {1, 2} with 1 primary → {1, 2} with 2 primary → {2}. Those next to each other
//! are deployed at the same time, those further apart never are.

use serde_json::{Value, json};

use super::{create, crowd::expect_token, keys, rewrap, ring, with_ring};
use crate::support::{Keyfob, ROOT, bearer, path_of};

/// The four rings in their order.
fn rings() -> [String; 4] {
    [ring(1, &[1]), ring(1, &[1, 2]), ring(2, &[1, 2]), ring(2, &[2])]
}

/// Everything that one ring writes, the other reads and goes on with.
async fn expect_writes_are_read(writer: &Keyfob, reader: &Keyfob, name: &str) {
    let headers = [("idempotency-key", name)];
    let created = writer.request("POST", "/v1/connections?test=false", ROOT, &headers, &bearer(name)).await.expect(201);
    let again = reader.request("POST", "/v1/connections?test=false", ROOT, &headers, &bearer(name)).await.expect(201);
    assert_eq!((again.json(), again.header("idempotency-replayed")), (created.json(), "true"));
    let path = path_of(&created.json());
    expect_token(reader, &path, "planted-secret-1").await;
    // A secret that is kept is opened by the ring that changes the settings; one that is sent is sealed by it.
    let kept = json!({ "settings": { "test_path": "/other" } });
    reader.patch(&format!("{path}?test=false"), 1, &kept).await.expect(200);
    expect_token(writer, &path, "planted-secret-1").await;
    let sent = json!({ "secrets": { "token": "planted-secret-2" } });
    writer.patch(&format!("{path}?test=false"), 2, &sent).await.expect(200);
    expect_token(reader, &path, "planted-secret-2").await;
    let restore = format!("{path}/revisions/1/restore?test=false");
    reader.request("POST", &restore, ROOT, &[("if-match", "\"3\"")], &json!({})).await.expect(200);
    expect_token(writer, &path, "planted-secret-1").await;
    let reveal = json!({ "fields": ["token"], "reason": "why", "revision": 3 });
    let revealed = reader.post(&format!("{path}/reveal"), &reveal).await.expect(200).json();
    assert_eq!(revealed["secrets"]["token"], "planted-secret-2");
}

#[tokio::test]
async fn rings_next_to_each_other_read_what_the_other_writes() {
    let keyfob = Keyfob::start().await;
    let old = path_of(&create(&keyfob, "Old").await);
    let rings = rings().map(|ring| with_ring(&keyfob, &ring));
    for (at, pair) in rings.windows(2).enumerate() {
        let [before, after] = pair else { unreachable!() };
        expect_writes_are_read(before, after, &format!("before-{at}")).await;
        expect_writes_are_read(after, before, &format!("after-{at}")).await;
        expect_token(before, &old, "planted-secret-1").await;
        expect_token(after, &old, "planted-secret-1").await;
        if at == 1 {
            // The third ring is everywhere: what rests under key 1 is wrapped anew before the fourth comes.
            assert_eq!(rewrap(after).await["rewrap"]["done"], true);
        }
    }
    assert_eq!(keys(&rings[3]).await["data"].as_array().unwrap().len(), 2, "answers are tagged under key 1 for a day");
}

#[tokio::test]
async fn a_ring_that_is_one_step_ahead_too_many_is_refused_and_nothing_is_lost() {
    let keyfob = Keyfob::start().await;
    let rings = rings().map(|ring| with_ring(&keyfob, &ring));
    let old = path_of(&create(&rings[0], "Old").await);
    let new = path_of(&create(&rings[2], "New").await);
    for (reader, path) in [(&rings[0], &new), (&rings[3], &old)] {
        let refused = reader.get(&format!("{path}/credentials")).await;
        assert_eq!(refused.problem(), (503, "key_unavailable".to_owned()));
        reader.get(path).await.expect(200);
        let kept = json!({ "settings": { "test_path": "/other" } });
        let refused = reader.patch(&format!("{path}?test=false"), 1, &kept).await;
        assert_eq!(refused.problem(), (503, "key_unavailable".to_owned()));
    }
    for path in [&old, &new] {
        expect_token(&rings[1], path, "planted-secret-1").await;
    }
}

#[tokio::test]
async fn a_missing_malformed_or_wrong_key_refuses_secrets_and_changes_and_serves_the_rest() {
    let keyfob = Keyfob::start().await;
    let path = path_of(&create(&keyfob, "Acme").await);
    let wrong = ring(2, &[2]).replace('2', "1");
    let given = ["", "nonsense", r#"{"primary":1}"#, r#"{"primary":1,"keys":{"1":"AAAA"}}"#, &wrong, &ring(9, &[2])];
    let before = keyfob.database.counts();
    for given in given {
        let broken = with_ring(&keyfob, given);
        let (change, secret) = (format!("{path}?test=false"), json!({ "secrets": { "token": "planted-secret-2" } }));
        let refused = [
            broken.get(&format!("{path}/credentials")).await,
            broken.post(&format!("{path}/reveal"), &json!({ "fields": ["token"], "reason": "why" })).await,
            broken.post("/v1/connections?test=false", &bearer("Other")).await,
            broken.patch(&change, 1, &secret).await,
            broken.patch(&path, 1, &json!({ "name": "New" })).await,
            broken.delete(&path, 1).await,
            broken.post("/v1/keys/rewrap", &Value::Null).await,
        ];
        for refused in refused {
            assert_eq!(refused.problem(), (503, "key_unavailable".to_owned()), "{given}");
            assert!(refused.json()["detail"].as_str().unwrap().contains("MASTER_KEYS"));
        }
        for read in ["", "/revisions", "/events", "/tests"] {
            broken.get(&format!("{path}{read}")).await.expect(200);
        }
        broken.get("/v1/connections?environment=development").await.expect(200);
        let told = keys(&broken).await;
        let is_told = told["problem"].is_string() || told["data"][0]["state"] == "wrong";
        assert!(is_told, "{given}: {told}");
    }
    assert_eq!(keyfob.database.counts(), before);
    expect_token(&keyfob, &path, "planted-secret-1").await;
}
