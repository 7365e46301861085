//! Moving in from another system: definitions that bring their secrets.

use serde_json::{Value, json};

use super::{actions, apply, definition, document, import, listed, with};
use crate::support::database::Fault::{Before, Nothing};
use crate::support::{Keyfob, path_of};

fn moving(key: &str, token: &str) -> Value {
    with(definition(key), "secrets", json!({ "token": token }))
}

async fn token(keyfob: &Keyfob, key: &str) -> Value {
    let path = format!("/v1/credentials?environment=production&stable_key={key}");
    keyfob.get(&path).await.expect(200).json()["secrets"]["token"].clone()
}

#[tokio::test]
async fn secrets_that_do_not_fit_are_refused_and_stand_in_no_answer() {
    let keyfob = Keyfob::start().await;
    for (secrets, pointer, code) in [
        (json!({}), "/connections/0/secrets/token", "missing"),
        (json!({ "token": "" }), "/connections/0/secrets/token", "missing"),
        (
            json!({ "token": "planted-secret-9", "hush": "planted-secret-9" }),
            "/connections/0/secrets/hush",
            "unknown_field",
        ),
        (json!({ "token": "planted\nsecret-9" }), "/connections/0/secrets/token", "control_character"),
        (json!({ "token": 9 }), "/connections/0/secrets/token", "invalid"),
    ] {
        let wrong = with(definition("acme"), "secrets", secrets.clone());
        let answer = import(&keyfob, "dry_run=false", &document(&[wrong])).await.expect(422);
        assert_eq!(answer.errors()[0], (pointer.to_owned(), code.to_owned()), "{secrets}");
        assert!(!answer.text.contains("secret-9"), "{}", answer.text);
    }
    assert!(keyfob.blobs.stored.lock().unwrap().is_empty());
}

#[tokio::test]
async fn connections_arrive_with_their_secrets_and_the_second_time_nothing_is_done() {
    let keyfob = Keyfob::working().await;
    let all = document(&[moving("a", "planted-secret-1"), moving("b", "planted-secret-2")]);
    let plan = import(&keyfob, "dry_run=true", &all).await.expect(200);
    assert_eq!(actions(&plan.json()), json!([["a", "create", [], []], ["b", "create", [], []]]));
    assert!(!plan.text.contains("planted"));
    assert!(keyfob.blobs.stored.lock().unwrap().is_empty(), "a dry run stores nothing");

    apply(&keyfob, &all).await;
    assert_eq!([token(&keyfob, "a").await, token(&keyfob, "b").await], ["planted-secret-1", "planted-secret-2"]);
    let connections = listed(&keyfob, "production").await;
    assert_eq!(
        (&connections[0]["secret_fields"], &connections[0]["health"]["reason"]),
        (&json!(["token"]), &json!("never_tested"))
    );
    assert!(!keyfob.database.dump().contains("planted"));
    let test = keyfob.post(&format!("{}/tests", path_of(&connections[0])), &json!({})).await.expect(201).json();
    assert_eq!(test["verdict"], "valid");

    let blobs = keyfob.blobs.stored.lock().unwrap().len();
    let again = apply(&keyfob, &all).await;
    assert_eq!(actions(&again), json!([["a", "unchanged", [], []], ["b", "unchanged", [], []]]));
    assert_eq!(keyfob.blobs.stored.lock().unwrap().len(), blobs);
    // What a test found of the values stays.
    assert_eq!(listed(&keyfob, "production").await[0]["status"], "active");
}

#[tokio::test]
async fn another_secret_is_a_change_and_may_come_with_another_address() {
    let keyfob = Keyfob::working().await;
    apply(&keyfob, &document(&[moving("a", "planted-secret-1")])).await;
    let other = with(moving("a", "planted-secret-2"), "settings", json!({ "base_url": "https://other.acme.dev" }));
    let answer = apply(&keyfob, &document(&[other])).await;
    assert_eq!(actions(&answer), json!([["a", "change", ["settings", "secrets"], []]]));
    assert_eq!(token(&keyfob, "a").await, "planted-secret-2");
    let connection = &listed(&keyfob, "production").await[0];
    let revisions = keyfob.get(&format!("{}/revisions", path_of(connection))).await.expect(200).json();
    assert_eq!(revisions["data"][0]["secret_changes"], json!({ "token": "changed" }));
    let entries = "select json_group_array(json_array(number, destinations)) from vault_entries order by number";
    assert_eq!(
        keyfob.database.value::<String>(entries),
        r#"[[1,"[\"https://api.acme.dev\"]"],[2,"[\"https://other.acme.dev\"]"]]"#
    );
}

#[tokio::test]
async fn what_was_missing_is_there_when_an_import_brings_it() {
    let keyfob = Keyfob::working().await;
    apply(&keyfob, &document(&[definition("a")])).await;
    let answer = apply(&keyfob, &document(&[moving("a", "planted-secret-1")])).await;
    assert_eq!(actions(&answer), json!([["a", "change", ["secrets"], []]]));
    assert_eq!(token(&keyfob, "a").await, "planted-secret-1");
    assert_eq!(listed(&keyfob, "production").await[0]["health"]["reason"], "never_tested");
}

#[tokio::test]
async fn the_blobs_of_an_import_that_failed_are_swept_and_those_of_one_that_was_done_stay() {
    let keyfob = Keyfob::working().await;
    let all = document(&[moving("a", "planted-secret-1"), moving("b", "planted-secret-2")]);
    keyfob.database.fail_next(&[Nothing, Before, Before]);
    import(&keyfob, "dry_run=false", &all).await.expect(503);
    assert_eq!(keyfob.database.value::<i64>("select count(*) from garbage"), 2);
    keyfob.database.forget_faults();
    apply(&keyfob, &all).await;
    keyfob.advance(std::time::Duration::from_hours(24 * 32));
    keyfob.tick().await;
    assert_eq!(keyfob.blobs.stored.lock().unwrap().len(), 2);
    assert_eq!(token(&keyfob, "b").await, "planted-secret-2");
}

#[tokio::test]
async fn a_thousand_connections_move_in_from_one_file_within_the_limits_of_the_database() {
    let keyfob = Keyfob::start().await;
    let all: Vec<Value> =
        (0..1_000).map(|number| moving(&format!("n-{number:04}"), &format!("planted-secret-{number}"))).collect();
    let whole = document(&all);
    assert!(whole.to_string().len() < 1 << 20, "{}", whole.to_string().len());
    keyfob.database.record();
    for part in [1, 2] {
        let answer = import(&keyfob, &format!("dry_run=false&part={part}"), &whole).await.expect(200).json();
        assert_eq!((&answer["parts"], &answer["counts"]["create"]), (&json!(2), &json!(500)));
    }
    let batches = keyfob.database.recorded();
    assert!(batches.iter().all(|batch| batch.statements.len() <= 12));
    let longest = batches.iter().flat_map(|batch| &batch.statements).flat_map(|statement| &statement.params);
    let longest = longest.map(|param| format!("{param:?}").len()).max().unwrap();
    assert!(longest < 1_000_000, "{longest}");
    assert_eq!(keyfob.blobs.stored.lock().unwrap().len(), 1_000);
    assert_eq!(token(&keyfob, "n-0777").await, "planted-secret-777");
}
