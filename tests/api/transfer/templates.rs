//! Templates move as definitions: what customers have of their own, and who enters it.

use serde_json::{Value, json};

use super::{actions, apply, document, import, listed, with};
use crate::support::{Keyfob, bearer, path_of, shown};

/// A template in development whose customers have the token.
async fn template(keyfob: &Keyfob) -> Value {
    let mut body = bearer("CRM");
    (body["kind"], body["secrets"], body["supplied_by"]) = ("template".into(), json!({}), json!("organization"));
    keyfob.create(&body).await
}

/// The connection of a customer under a template.
async fn connect(keyfob: &Keyfob, environment: &str, template: &Value) -> Value {
    let body = json!({
        "environment": environment, "kind": "customer", "template": template["id"], "customer": "c1",
        "secrets": { "token": "planted-customer" },
    });
    keyfob.create(&body).await
}

async fn exported(keyfob: &Keyfob) -> Value {
    keyfob.get("/v1/export?environment=development").await.expect(200).json()
}

#[tokio::test]
async fn a_template_is_exported_without_test_credentials_and_customers_and_imported_as_a_template() {
    let keyfob = Keyfob::working().await;
    let template = template(&keyfob).await;
    connect(&keyfob, "development", &template).await;
    let test = format!("{}/test-credentials", path_of(&template));
    keyfob.patch(&test, 1, &json!({ "secrets": { "token": "planted-test" } })).await.expect(200);
    let document = exported(&keyfob).await;
    assert_eq!(document["connections"].as_array().unwrap().len(), 1);
    assert_eq!(
        shown(&document["connections"][0], ["kind", "supplied_by", "customer_fields", "secret_fields"]),
        json!({
            "kind": "template", "supplied_by": "organization", "customer_fields": ["token"], "secret_fields": [],
        })
    );
    assert!(!document.to_string().contains("planted"));

    assert_eq!(actions(&apply(&keyfob, &document).await), json!([["crm", "create", [], []]]));
    let there = &listed(&keyfob, "production").await[0];
    assert_eq!(
        shown(there, ["kind", "supplied_by", "settings", "name", "stable_key"]),
        shown(&template, ["kind", "supplied_by", "settings", "name", "stable_key"])
    );
    let before = keyfob.database.dump();
    assert_eq!(actions(&apply(&keyfob, &document).await), json!([["crm", "unchanged", [], []]]));
    assert_eq!(keyfob.database.dump(), before);
    // A customer connects there, and both resolve by the one key.
    connect(&keyfob, "production", there).await;
    let resolve = "/v1/credentials?environment=production&stable_key=crm&customer=c1";
    assert_eq!(keyfob.get(resolve).await.expect(200).json()["secrets"]["token"], "planted-customer");
}

#[tokio::test]
async fn what_a_template_is_never_changes_by_an_import() {
    let keyfob = Keyfob::working().await;
    template(&keyfob).await;
    let document = exported(&keyfob).await;
    apply(&keyfob, &document).await;
    let definition = &document["connections"][0];
    for (field, value) in [
        ("kind", json!("organization")),
        ("supplied_by", json!("customer")),
        ("customer_fields", json!([])),
        ("customer_fields", json!(["token", "test_path"])),
    ] {
        let mut other = with(definition.clone(), field, value);
        if field == "kind" {
            other
                .as_object_mut()
                .unwrap()
                .retain(|name, _| !["supplied_by", "customer_fields"].contains(&name.as_str()));
        }
        let other = super::document(&[other]);
        let answer = import(&keyfob, "dry_run=true", &other).await.expect(200).json();
        assert_eq!(answer["connections"][0]["conflict"]["code"], "identity", "{other}");
    }
    for (field, value, pointer) in [
        ("customer_fields", json!(["hush"]), "/connections/0/customer_fields"),
        // The address would be the customer's, and no secret is global: that may be. With a global secret it may not.
        ("kind", json!("customer"), "/connections/0/supplied_by"),
        ("secrets", json!({ "token": "planted" }), "/connections/0/secrets/token"),
    ] {
        let other = super::document(&[with(with(definition.clone(), "stable_key", json!("x")), field, value)]);
        let answer = import(&keyfob, "dry_run=true", &other).await.expect(422);
        assert_eq!(answer.errors()[0].0, pointer, "{other}");
    }
    let mut split = with(with(definition.clone(), "stable_key", json!("x")), "customer_fields", json!(["base_url"]));
    split["settings"].as_object_mut().unwrap().remove("base_url");
    let answer = import(&keyfob, "dry_run=true", &super::document(&[split])).await.expect(422);
    assert_eq!(answer.errors()[0], ("/connections/0/customer_fields".to_owned(), "unsafe_split".to_owned()));
}

#[tokio::test]
async fn a_changed_template_makes_what_is_known_of_its_customers_stale() {
    let keyfob = Keyfob::working().await;
    template(&keyfob).await;
    apply(&keyfob, &exported(&keyfob).await).await;
    let there = listed(&keyfob, "production").await[0].clone();
    let customers = path_of(&connect(&keyfob, "production", &there).await);
    assert_eq!(keyfob.get(&customers).await.json()["status"], "active");
    let definition = exported(&keyfob).await["connections"][0].clone();
    let changed = |path: &str, host: &str| {
        with(definition.clone(), "settings", json!({ "base_url": format!("https://{host}"), "test_path": path }))
    };
    let elsewhere = document(&[changed("/me", "api.other.dev")]);
    let answer = import(&keyfob, "dry_run=false", &elsewhere).await;
    assert_eq!(answer.errors(), [("/connections/0/settings".to_owned(), "reenter".to_owned())]);
    let answer = apply(&keyfob, &document(&[changed("/you", "api.acme.dev")])).await;
    assert_eq!(actions(&answer), json!([["crm", "change", ["settings"], []]]));
    let after = keyfob.get(&customers).await.expect(200).json();
    assert_eq!(
        shown(&after["health"], ["verdict", "reason", "stale"]),
        json!({ "verdict": "valid", "reason": "template_changed", "stale": true })
    );
}

#[tokio::test]
async fn a_template_is_copied_and_a_customers_connection_is_not() {
    let keyfob = Keyfob::working().await;
    let template = template(&keyfob).await;
    let customers = connect(&keyfob, "development", &template).await;
    let body = json!({ "environment": "staging" });
    let copy = keyfob.post(&format!("{}/copy", path_of(&template)), &body).await.expect(201).json();
    let same = ["kind", "supplied_by", "customer_fields", "settings", "stable_key"];
    assert_eq!(shown(&copy, same), shown(&template, same));
    let answer = keyfob.post(&format!("{}/copy", path_of(&customers)), &body).await;
    assert_eq!(answer.problem(), (422, "invalid_body".to_owned()));
    assert_eq!(answer.errors(), [(String::new(), "not_of_this_kind".to_owned())]);
}
