//! Test credentials: for the builder's test runs, for nobody else.

use serde_json::{Value, json};

use super::{credentials_of, set_test, shown_now, template, under};
use crate::support::{Keyfob, ROOT, bearer, path_of, shown};

fn token(secret: &str) -> Value {
    json!({ "secrets": { "token": secret } })
}

#[tokio::test]
async fn values_that_do_not_fit_and_stale_versions_are_refused() {
    let keyfob = Keyfob::working().await;
    let template = keyfob.create(&template("T")).await;
    let customer = keyfob.create(&under(&template, "c1")).await;
    for (body, pointer, code) in [
        (json!({}), "/secrets/token", "missing"),
        (json!({ "secrets": { "token": "x", "nothing": "y" } }), "/secrets/nothing", "unknown_field"),
        (
            json!({ "settings": { "base_url": "https://a.dev" }, "secrets": { "token": "x" } }),
            "/settings/base_url",
            "global",
        ),
    ] {
        let before = keyfob.database.dump();
        let answer = set_test(&keyfob, &template, 1, &body).await;
        assert_eq!(answer.errors(), [(pointer.to_owned(), code.to_owned())], "{body}");
        assert_eq!(keyfob.database.dump(), before);
    }
    assert_eq!(set_test(&keyfob, &template, 2, &token("x")).await.problem().0, 412);
    assert_eq!(set_test(&keyfob, &customer, 1, &token("x")).await.problem().0, 422);
    let path = format!("{}/test-credentials", path_of(&template));
    assert_eq!(keyfob.request("PATCH", &path, ROOT, &[], &token("x")).await.problem().0, 428);
}

#[tokio::test]
async fn a_template_is_what_its_test_credentials_are_worth() {
    let keyfob = Keyfob::working().await;
    let template = keyfob.create(&template("T")).await;
    let tests = format!("{}/tests", path_of(&template));
    assert_eq!(keyfob.post(&tests, &json!({})).await.problem(), (409, "test_credentials_missing".to_owned()));
    // Before they are saved they can be tried.
    let tried = keyfob.post(&tests, &token("planted-tried")).await.expect(200).json();
    assert_eq!(shown(&tried, ["id", "verdict"]), json!({ "id": null, "verdict": "valid" }));

    let saved = set_test(&keyfob, &template, 1, &token("planted-1")).await.expect(200).json();
    let expected = json!({
        "version": 2, "revision": 1, "status": "active", "test_credentials": { "settings": {}, "secret_fields": ["token"] },
    });
    assert_eq!(shown(&saved, ["version", "revision", "status", "test_credentials"]), expected);
    assert_eq!(shown_now(&keyfob, &template).await, saved);
    keyfob.post(&tests, &json!({})).await.expect(201);
    let resolved = credentials_of(&keyfob, &template, "purpose=test").await.expect(200).json();
    assert_eq!(resolved["secrets"], json!({ "token": "planted-1" }));
    // Changed, they are used at once; the blobs before are garbage.
    set_test(&keyfob, &template, 2, &token("planted-2")).await.expect(200);
    let resolved = credentials_of(&keyfob, &template, "purpose=test").await.expect(200).json();
    assert_eq!(resolved["secrets"], json!({ "token": "planted-2" }));
    assert_eq!(keyfob.database.counts()["vault_entries"], 1);
    assert_eq!(keyfob.database.counts()["garbage"], 1);
    let events = keyfob.get(&format!("{}/events", path_of(&template))).await.expect(200);
    assert!(events.text.contains("test_credentials") && !events.text.contains("planted"), "{}", events.text);

    let path = format!("{}/test-credentials", path_of(&template));
    let deleted = keyfob.delete(&path, 3).await.expect(200).json();
    assert_eq!(
        shown(&deleted, ["status", "test_credentials"]),
        json!({ "status": "not_active", "test_credentials": null })
    );
    assert_eq!(credentials_of(&keyfob, &template, "purpose=test").await.problem().1, "test_credentials_missing");
    assert_eq!(keyfob.database.counts()["vault_entries"], 0);
    keyfob.delete(&path, 4).await.expect(200);
}

#[tokio::test]
async fn they_are_never_used_for_a_customer() {
    let keyfob = Keyfob::working().await;
    let template = keyfob.create(&template("T")).await;
    set_test(&keyfob, &template, 1, &token("planted-test")).await.expect(200);
    for query in ["customer=c1", "customer=c1&require=active"] {
        let answer = credentials_of(&keyfob, &template, query).await;
        assert_eq!(answer.problem().1, "customer_not_connected", "{query}");
    }
    let customer = keyfob.create(&under(&template, "c1")).await;
    let resolved = credentials_of(&keyfob, &customer, "").await.expect(200);
    assert!(!resolved.text.contains("planted-test"));
    let tests = format!("{}/tests", path_of(&customer));
    assert_eq!(keyfob.post(&tests, &json!({ "purpose": "test" })).await.errors()[0].0, "/purpose");
}

#[tokio::test]
async fn a_connection_of_the_organization_without_them_uses_its_own_values() {
    let keyfob = Keyfob::working().await;
    let organization = keyfob.create(&bearer("O")).await;
    let resolved = credentials_of(&keyfob, &organization, "purpose=test").await.expect(200).json();
    assert_eq!(resolved["secrets"]["token"], "planted-secret-1");
    let health = shown_now(&keyfob, &organization).await["health"].clone();
    set_test(&keyfob, &organization, 1, &token("planted-test")).await.expect(200);
    let resolved = credentials_of(&keyfob, &organization, "purpose=test").await.expect(200).json();
    assert_eq!(resolved["secrets"]["token"], "planted-test");
    let run = credentials_of(&keyfob, &organization, "").await.expect(200).json();
    assert_eq!(run["secrets"]["token"], "planted-secret-1");
    // What they are worth is told, and is no verdict about the values of workflows.
    let tests = format!("{}/tests", path_of(&organization));
    let tested = keyfob.post(&tests, &json!({ "purpose": "test" })).await.expect(200).json();
    assert_eq!(tested["id"], Value::Null);
    assert_eq!(shown_now(&keyfob, &organization).await["health"], health);
}

#[tokio::test]
async fn what_is_entered_for_another_destination_goes() {
    let keyfob = Keyfob::working().await;
    let template = keyfob.create(&template("T")).await;
    set_test(&keyfob, &template, 1, &token("planted-test")).await.expect(200);
    let change = json!({ "settings": { "base_url": "https://api.acme.dev/elsewhere" } });
    let changed = keyfob.patch(&path_of(&template), 2, &change).await.expect(200).json();
    assert_eq!(
        shown(&changed, ["status", "test_credentials"]),
        json!({ "status": "not_active", "test_credentials": null })
    );
    assert_eq!(credentials_of(&keyfob, &template, "purpose=test").await.problem().1, "test_credentials_missing");
    assert_eq!(keyfob.database.counts()["vault_entries"], 0);
}

#[tokio::test]
async fn a_changed_global_value_is_tested_with_them_before_it_is_saved() {
    let keyfob = Keyfob::working().await;
    let template = keyfob.create(&template("T")).await;
    set_test(&keyfob, &template, 1, &token("planted-test")).await.expect(200);
    let sent = keyfob.counterpart.received().len();
    let change = json!({ "settings": { "test_path": "/you" } });
    let changed = keyfob.patch(&path_of(&template), 2, &change).await.expect(200).json();
    assert_eq!((&changed["status"], &changed["health"]["source"]), (&json!("active"), &json!("save")));
    assert_eq!(keyfob.counterpart.received()[sent].target, "/you");
}
