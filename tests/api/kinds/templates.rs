//! Templates: what they hold, what stands under them, and what changing them does.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{shared_password, shown_now, template, under};
use crate::support::{Keyfob, bearer, path_of, shown};

async fn refused(keyfob: &Keyfob, body: &Value, errors: &[(&str, &str)]) {
    let before = keyfob.database.dump();
    let answer = keyfob.post("/v1/connections", body).await;
    assert_eq!(answer.problem(), (422, "invalid_body".to_owned()), "{body}");
    let errors: Vec<_> = errors.iter().map(|(pointer, code)| ((*pointer).to_owned(), (*code).to_owned())).collect();
    assert_eq!(answer.errors(), errors, "{body}");
    assert_eq!(keyfob.database.dump(), before);
}

fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

#[tokio::test]
async fn what_the_kind_has_not_is_refused() {
    let keyfob = Keyfob::working().await;
    let template = keyfob.create(&template("T")).await;
    let organization = bearer("O");
    for (field, value) in [
        ("template", template["id"].clone()),
        ("customer", json!("c1")),
        ("supplied_by", json!("customer")),
        ("customer_fields", json!(["token"])),
    ] {
        let pointer = format!("/{field}");
        refused(&keyfob, &with(organization.clone(), field, value), &[(&pointer, "not_of_this_kind")]).await;
    }
    let customer = with(organization.clone(), "kind", json!("customer"));
    refused(&keyfob, &customer, &[("/customer", "missing")]).await;
    let exposed = with(with(customer, "customer", json!("c1")), "embedded", json!(true));
    refused(&keyfob, &exposed, &[("/embedded", "invalid")]).await;
    for field in ["provider", "connection_type"] {
        let mut without = organization.clone();
        without.as_object_mut().unwrap().remove(field);
        let pointer = format!("/{field}");
        refused(&keyfob, &without, &[(&pointer, "missing")]).await;
    }
    let mut nameless = organization;
    nameless.as_object_mut().unwrap().remove("name");
    refused(&keyfob, &nameless, &[("/name", "missing")]).await;
}

#[tokio::test]
async fn a_template_holds_global_values_and_nothing_of_a_customer() {
    let keyfob = Keyfob::working().await;
    let body = template("T");
    let secret = with(body.clone(), "secrets", json!({ "token": "planted" }));
    refused(&keyfob, &secret, &[("/secrets/token", "customer_specific")]).await;
    let mut missing = body.clone();
    missing["settings"].as_object_mut().unwrap().remove("base_url");
    refused(&keyfob, &missing, &[("/settings/base_url", "missing")]).await;
    let unknown = with(body.clone(), "customer_fields", json!(["token", "nothing"]));
    refused(&keyfob, &unknown, &[("/customer_fields", "unknown_field")]).await;

    let made = keyfob.create(&body).await;
    let fields = ["kind", "supplied_by", "customer_fields", "customer_count", "secret_fields", "status", "stable_key"];
    let expected = json!({
        "kind": "template", "supplied_by": "customer", "customer_fields": ["token"], "customer_count": 0,
        "secret_fields": [], "status": "not_active", "stable_key": "t",
    });
    assert_eq!(shown(&made, fields), expected);
    assert_eq!(keyfob.counterpart.received().len(), 0, "a template has nothing to test yet");
}

#[tokio::test]
async fn what_stands_under_a_template_is_one_a_customer_of_its_type_and_environment() {
    let keyfob = Keyfob::working().await;
    let template = keyfob.create(&template("T")).await;
    let body = under(&template, "c1");
    let elsewhere = with(body.clone(), "environment", json!("staging"));
    refused(&keyfob, &elsewhere, &[("/template", "invalid")]).await;
    let none = with(body.clone(), "template", json!("con_01kag3p3g0zzzzzzzzzzzzzzzz"));
    refused(&keyfob, &none, &[("/template", "invalid")]).await;
    let organization = keyfob.create(&bearer("O")).await;
    refused(&keyfob, &with(body.clone(), "template", organization["id"].clone()), &[("/template", "invalid")]).await;
    refused(&keyfob, &with(body.clone(), "provider", json!("slack")), &[("/provider", "invalid")]).await;
    refused(&keyfob, &with(body.clone(), "connection_type", json!("basic")), &[("/connection_type", "invalid")]).await;
    let global = with(body.clone(), "settings", json!({ "base_url": "https://api.evil.dev" }));
    refused(&keyfob, &global, &[("/settings/base_url", "global")]).await;

    let made = keyfob.create(&body).await;
    let fields =
        ["kind", "customer", "template", "supplied_by", "name", "stable_key", "settings", "secret_fields", "status"];
    let expected = json!({
        "kind": "customer", "customer": "c1", "template": template["id"], "supplied_by": "customer", "name": "T",
        "stable_key": "t", "settings": {}, "secret_fields": ["token"], "status": "active",
    });
    assert_eq!(shown(&made, fields), expected);
    let again = keyfob.post("/v1/connections", &body).await;
    assert_eq!(again.problem(), (409, "customer_connected".to_owned()));
    keyfob.create(&under(&template, "c2")).await;
    assert_eq!(shown_now(&keyfob, &template).await["customer_count"], 2);
    let organizations = keyfob.get("/v1/connections?environment=development").await.expect(200).json();
    assert_eq!(organizations["data"].as_array().unwrap().len(), 2, "customers' connections are listed on demand");
    let path = format!("/v1/connections?environment=development&template={}", template["id"].as_str().unwrap());
    assert_eq!(keyfob.get(&path).await.expect(200).json()["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_template_with_customers_is_not_deleted_and_says_how_many_they_are() {
    let keyfob = Keyfob::working().await;
    let template = keyfob.create(&template("T")).await;
    let customer = keyfob.create(&under(&template, "c1")).await;
    let path = path_of(&template);
    for path in [path.clone(), format!("{path}?force=true")] {
        let answer = keyfob.delete(&path, 1).await;
        assert_eq!(answer.problem(), (409, "template_in_use".to_owned()));
        assert!(answer.json()["detail"].as_str().unwrap().contains("(1)"), "{}", answer.text);
    }
    keyfob.delete(&path_of(&customer), 1).await.expect(204);
    keyfob.delete(&path, 1).await.expect(204);
}

#[tokio::test]
async fn a_template_to_which_a_customer_connects_meanwhile_is_not_deleted() {
    let keyfob = Keyfob::working().await;
    let template = keyfob.create(&template("T")).await;
    let connects = "update connections set customer_count = 1 where id = new.resource_id";
    let trigger = format!("create trigger meanwhile after insert on audit_events begin {connects}; end");
    keyfob.database.execute(&trigger).unwrap();
    let before = keyfob.database.dump();
    assert_eq!(keyfob.delete(&path_of(&template), 1).await.problem().0, 409);
    let many = json!({ "environment": "development", "ids": [template["id"]], "action": "delete", "dry_run": false });
    let answer = keyfob.post("/v1/connections/bulk", &many).await;
    assert_eq!(answer.problem(), (409, "connections_changed".to_owned()));
    assert_eq!(keyfob.database.dump(), before);
}

#[tokio::test]
async fn kind_customer_and_split_never_change() {
    let keyfob = Keyfob::working().await;
    let template = keyfob.create(&template("T")).await;
    for field in ["kind", "template", "customer", "supplied_by", "customer_fields", "provider", "connection_type"] {
        let answer = keyfob.patch(&path_of(&template), 1, &json!({ (field): "customer" })).await;
        assert_eq!(answer.problem().0, 422, "{field}");
    }
}

#[tokio::test]
async fn a_changed_global_value_makes_verdicts_stale_until_they_are_tested_again() {
    let keyfob = Keyfob::working().await;
    let template = keyfob.create(&template("T")).await;
    let customer = keyfob.create(&under(&template, "c1")).await;
    let sent = keyfob.counterpart.received().len();
    let changed = keyfob.patch(&path_of(&template), 1, &json!({ "settings": { "test_path": "/you" } })).await;
    assert_eq!(changed.expect(200).json()["revision"], 2);
    let now = shown_now(&keyfob, &customer).await;
    let health = ["verdict", "reason", "stale"];
    let stale = json!({ "verdict": "valid", "reason": "template_changed", "stale": true });
    assert_eq!((&now["status"], shown(&now["health"], health)), (&json!("active"), stale));
    assert_eq!(now["revision"], 1, "it is no edit of the customer's");
    keyfob.tick().await;
    let mut tested = keyfob.counterpart.received().len();
    for _ in 0..11 {
        keyfob.advance(Duration::from_mins(1));
        keyfob.tick().await;
        tested = keyfob.counterpart.received().len();
    }
    assert_eq!(tested, sent + 2, "tested once, and once without the credential");
    assert_eq!(keyfob.counterpart.received()[sent].target, "/you");
    let fresh = json!({ "verdict": "valid", "reason": null, "stale": false });
    assert_eq!(shown(&shown_now(&keyfob, &customer).await["health"], health), fresh);
}

#[tokio::test]
async fn a_test_of_older_global_values_decides_nothing() {
    use keyfob::domain::connection::{Basis, Found};
    use keyfob::domain::health::{Attempt, Source, Verdict};
    use keyfob::domain::reason::Reason;
    use keyfob::store::connections::store_attempt;
    let keyfob = Keyfob::working().await;
    let template = keyfob.create(&template("T")).await;
    let customer = keyfob.create(&under(&template, "c1")).await;
    keyfob.patch(&path_of(&template), 1, &json!({ "settings": { "test_path": "/you" } })).await.expect(200);
    let before = shown_now(&keyfob, &customer).await;
    let id = customer["id"].as_str().unwrap().parse().unwrap();
    let attempt = Attempt {
        verdict: Verdict::Invalid,
        reason: Some(Reason::Rejected),
        at: keyfob.clock_now(),
        source: Source::Test,
    };
    for template_revision in [Some(1), None, Some(3)] {
        let basis = Basis { revision: 1, template_revision, test_version: None };
        keyfob.database.run(vec![store_attempt(&id, basis, &attempt, &Found::default(), None)]).unwrap();
        assert_eq!(shown_now(&keyfob, &customer).await, before);
    }
    let basis = Basis { revision: 1, template_revision: Some(2), test_version: None };
    keyfob.database.run(vec![store_attempt(&id, basis, &attempt, &Found::default(), None)]).unwrap();
    assert_eq!(shown_now(&keyfob, &customer).await["health"]["verdict"], "invalid");
}

#[tokio::test]
async fn the_tests_of_many_customers_are_spread_out() {
    let keyfob = Keyfob::working().await;
    let template = keyfob.create(&template("T")).await;
    for customer in 0..20 {
        keyfob.create(&under(&template, &format!("c{customer}"))).await;
    }
    keyfob.patch(&path_of(&template), 1, &json!({ "settings": { "test_path": "/you" } })).await.expect(200);
    let minutes: i64 = keyfob.database.value("select count(distinct test_due_at / 60000) from connections where stale");
    assert!(minutes > 5, "{minutes}");
}

#[tokio::test]
async fn a_customers_values_are_tested_under_their_template_before_they_are_saved() {
    let keyfob = Keyfob::working().await;
    let template = keyfob.create(&shared_password("T")).await;
    let organization = keyfob.create(&bearer("Organization")).await;
    let mut elsewhere = shared_password("Elsewhere");
    elsewhere["environment"] = "staging".into();
    let elsewhere = keyfob.create(&elsewhere).await;
    let draft = json!({ "environment": "development", "template": template["id"], "settings": { "username": "c1" } });
    let before = (keyfob.database.counts(), keyfob.counterpart.received().len());
    for (field, value, pointer) in [
        ("template", elsewhere["id"].clone(), "/template"),
        ("template", organization["id"].clone(), "/template"),
        ("provider", json!("slack"), "/provider"),
        ("connection_type", json!("bearer"), "/connection_type"),
        ("customer", json!("c1"), "/customer"),
        ("secrets", json!({ "password": "planted-own" }), "/secrets/password"),
        ("settings", json!({}), "/settings/username"),
        ("settings", json!({ "username": "c1", "base_url": "https://other.acme.dev" }), "/settings/base_url"),
    ] {
        let answer = keyfob.post("/v1/tests", &with(draft.clone(), field, value)).await;
        assert_eq!((answer.problem().0, answer.errors()[0].0.as_str()), (422, pointer), "{field}");
    }
    assert_eq!((keyfob.database.counts(), keyfob.counterpart.received().len()), before);
    let tested = keyfob.post("/v1/tests", &draft).await.expect(200).json();
    assert_eq!((&tested["id"], &tested["verdict"]), (&Value::Null, &json!("valid")));
    assert_eq!(keyfob.database.counts(), before.0);
    // The password of the organization went along, where the template sends it.
    let received = keyfob.counterpart.received();
    let credentials: Vec<_> =
        received[before.1..].iter().filter_map(|request| request.header("authorization")).collect();
    assert_eq!(credentials, [format!("Basic {}", STANDARD.encode("c1:planted-global-1"))]);
}
