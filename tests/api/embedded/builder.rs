//! The organization's own designer: test credentials, and steps that come to use another connection. And drafts, tested by
//! whom they are entered.

use serde_json::{Value, json};

use super::{customer, session, strict};
use crate::support::{Answer, Keyfob, ROOT, bearer, path_of};

const ALL: &str = "/v1/embedded/connections";
const DRAFTS: &str = "/v1/embedded/tests";

fn template(name: &str) -> Value {
    json!({
        "environment": "development", "kind": "template", "provider": "http", "connection_type": "bearer", "name": name,
        "settings": { "base_url": "https://api.acme.dev", "test_path": "/me" }, "embedded": true,
    })
}

async fn builder(keyfob: &Keyfob) -> String {
    session(keyfob, &json!({ "environment": "development" })).await
}

async fn ask(keyfob: &Keyfob, method: &str, path: &str, token: &str, version: u64, body: &Value) -> Answer {
    keyfob.request(method, path, token, &[("if-match", &format!("\"{version}\""))], body).await
}

fn test_of(connection: &Value) -> String {
    format!("{ALL}/{}/test-credentials", connection["id"].as_str().unwrap())
}

async fn use_by(keyfob: &Keyfob, connection: &Value, step: &str) {
    let path = format!("{}/usages/w/{step}", path_of(connection));
    keyfob.request("PUT", &path, ROOT, &[], &Value::Null).await.expect(201);
}

async fn resolved(keyfob: &Keyfob, step: &str) -> Value {
    let path = format!("/v1/credentials?environment=development&workflow=w&step={step}");
    keyfob.get(&path).await.expect(200).json()["connection_id"].clone()
}

#[tokio::test]
async fn a_session_of_a_customer_and_a_builder_outside_its_limits_change_nothing() {
    let keyfob = Keyfob::with(strict).await;
    let (template, other) = (keyfob.create(&template("T")).await, keyfob.create(&bearer("Other")).await);
    let mut own = bearer("Own");
    (own["kind"], own["customer"]) = (json!("customer"), json!("c1"));
    let own = keyfob.create(&own).await;
    let mut elsewhere = bearer("Elsewhere");
    elsewhere["environment"] = json!("staging");
    let elsewhere = keyfob.create(&elsewhere).await;
    let of_customer = customer(&keyfob, "c1").await;
    let builder = builder(&keyfob).await;
    let narrow = session(&keyfob, &json!({ "environment": "development", "providers": ["slack"] })).await;
    let secret = json!({ "secrets": { "token": "planted-test" } });
    let replacement = json!({ "replacement": other["id"] });
    let before = keyfob.database.dump();
    for (token, connection, status, code) in [
        (&of_customer, &template, 403, "builder_required"),
        (&of_customer, &own, 403, "builder_required"),
        (&of_customer, &other, 404, "not_found"),
        (&builder, &own, 404, "not_found"),
        (&builder, &elsewhere, 404, "not_found"),
        (&narrow, &template, 404, "not_found"),
    ] {
        let replace = format!("{ALL}/{}/replace", connection["id"].as_str().unwrap());
        for (method, path, body) in [
            ("PATCH", test_of(connection), &secret),
            ("DELETE", test_of(connection), &Value::Null),
            ("POST", replace, &replacement),
        ] {
            let answer = ask(&keyfob, method, &path, token, 1, body).await;
            assert_eq!(answer.problem(), (status, code.to_owned()), "{method} {path}");
        }
    }
    let replace = format!("{ALL}/{}/replace", template["id"].as_str().unwrap());
    for replacement in [&own["id"], &elsewhere["id"], &template["id"]] {
        let answer = ask(&keyfob, "POST", &replace, &builder, 1, &json!({ "replacement": replacement })).await;
        assert_eq!(answer.errors(), [("/replacement".to_owned(), "invalid".to_owned())]);
    }
    let stale = ask(&keyfob, "PATCH", &test_of(&template), &builder, 9, &secret).await;
    assert_eq!(stale.problem(), (412, "version_mismatch".to_owned()));
    let unsent = keyfob.request("PATCH", &test_of(&template), &builder, &[], &secret).await;
    assert_eq!(unsent.problem(), (428, "if_match_required".to_owned()));
    assert_eq!(keyfob.database.dump(), before);
}

#[tokio::test]
async fn a_builder_sets_test_credentials_that_test_runs_use_at_once_and_nobody_else() {
    let keyfob = Keyfob::with(strict).await;
    let template = keyfob.create(&template("T")).await;
    let builder = builder(&keyfob).await;
    let test_run = "/v1/credentials?environment=development&stable_key=t&purpose=test";
    assert_eq!(keyfob.get(test_run).await.problem(), (409, "test_credentials_missing".to_owned()));
    let secret = json!({ "secrets": { "token": "planted-test" } });
    let set = ask(&keyfob, "PATCH", &test_of(&template), &builder, 1, &secret).await.expect(200);
    assert_eq!((set.json()["status"].as_str(), set.header("etag")), (Some("active"), "\"2\""));
    assert!(!set.text.contains("planted"), "{}", set.text);
    assert_eq!(keyfob.get(test_run).await.expect(200).json()["secrets"]["token"], "planted-test");
    let events = keyfob.get(&format!("{}/events", path_of(&template))).await.expect(200).json();
    assert_eq!(events["data"][0]["actor"]["name"], "Builder");
    ask(&keyfob, "DELETE", &test_of(&template), &builder, 2, &Value::Null).await.expect(200);
    assert_eq!(keyfob.get(test_run).await.problem(), (409, "test_credentials_missing".to_owned()));
    let organizations = keyfob.create(&bearer("Acme")).await;
    ask(&keyfob, "PATCH", &test_of(&organizations), &builder, 1, &secret).await.expect(200);
    let test_run = "/v1/credentials?environment=development&stable_key=acme&purpose=test";
    assert_eq!(keyfob.get(test_run).await.expect(200).json()["secrets"]["token"], "planted-test");
}

#[tokio::test]
async fn a_builder_creates_a_connection_and_switches_one_step_to_it_and_then_all() {
    let keyfob = Keyfob::with(strict).await;
    let old = keyfob.create(&bearer("Old")).await;
    for step in ["1", "2", "3"] {
        use_by(&keyfob, &old, step).await;
    }
    let builder = builder(&keyfob).await;
    let new = json!({
        "provider": "http", "connection_type": "bearer", "name": "New", "settings": { "base_url": "https://new.acme.dev" },
        "secrets": { "token": "planted-new" },
    });
    let new = keyfob.request("POST", ALL, &builder, &[], &new).await.expect(201).json();
    let replace = format!("{ALL}/{}/replace", old["id"].as_str().unwrap());
    let one = json!({ "replacement": new["id"], "usages": [{ "workflow": "w", "step": "2" }] });
    let moved = keyfob.request("POST", &replace, &builder, &[], &one).await.expect(200).json();
    assert_eq!(moved, json!({ "moved": 1, "usages": [{ "workflow": "w", "step": "2" }] }));
    assert_eq!([resolved(&keyfob, "1").await, resolved(&keyfob, "2").await], [old["id"].clone(), new["id"].clone()]);
    let again = keyfob.request("POST", &replace, &builder, &[], &one).await;
    assert_eq!(again.problem(), (409, "usages_changed".to_owned()));
    let all = json!({ "replacement": new["id"] });
    assert_eq!(keyfob.request("POST", &replace, &builder, &[], &all).await.expect(200).json()["moved"], 2);
    for step in ["1", "2", "3"] {
        assert_eq!(resolved(&keyfob, step).await, new["id"]);
    }
    let log = keyfob.get("/v1/audit-events?action=usage.replaced").await.expect(200).json();
    assert_eq!(log["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_draft_is_tested_within_the_limits_of_its_session_and_leaves_nothing() {
    let keyfob = Keyfob::with(strict).await;
    let mut hidden = template("Hidden");
    hidden["embedded"] = json!(false);
    let template = keyfob.create(&template("T")).await;
    let hidden = keyfob.create(&hidden).await;
    let of_customer = customer(&keyfob, "c1").await;
    let of_types = json!({ "environment": "development", "customer": "c1", "connection_types": ["basic"] });
    let narrow = session(&keyfob, &of_types).await;
    let of_templates = json!({ "environment": "development", "customer": "c1", "templates": [template["id"]] });
    let of_templates = session(&keyfob, &of_templates).await;
    let builder = builder(&keyfob).await;
    let alone = json!({
        "provider": "http", "connection_type": "bearer", "settings": { "base_url": "https://own.acme.dev", "test_path": "/" },
        "secrets": { "token": "planted-draft" },
    });
    let under = json!({ "template": template["id"], "secrets": { "token": "planted-draft" } });
    let with = |body: &Value, field: &str, value: Value| {
        let mut body = body.clone();
        body[field] = value;
        body
    };
    let before = keyfob.database.counts();
    for (token, body, pointer) in [
        (&narrow, alone.clone(), "/connection_type"),
        (&of_templates, alone.clone(), "/template"),
        (&of_customer, with(&under, "template", hidden["id"].clone()), "/template"),
        (&builder, under.clone(), "/template"),
        (&of_customer, with(&under, "provider", json!("http")), "/provider"),
        (&of_customer, with(&under, "settings", json!({ "base_url": "https://evil.example" })), "/settings/base_url"),
        (&of_customer, with(&under, "secrets", json!({})), "/secrets/token"),
        (&of_customer, with(&alone, "connection_type", json!("nothing")), "/connection_type"),
        (&of_customer, with(&alone, "mode", json!("send_message")), "/mode"),
        (&of_customer, json!({}), "/provider"),
    ] {
        let answer = keyfob.request("POST", DRAFTS, token, &[], &body).await;
        assert_eq!(answer.problem(), (422, "invalid_body".to_owned()), "{body}");
        assert_eq!(answer.errors()[0].0, pointer, "{body}");
        assert!(!answer.text.contains("planted"), "{}", answer.text);
    }
    assert_eq!(keyfob.counterpart.received().len(), 0);
    for (token, body) in [(&of_customer, &alone), (&of_customer, &under), (&of_templates, &under), (&builder, &alone)] {
        let found = keyfob.request("POST", DRAFTS, token, &[], body).await.expect(200).json();
        assert_eq!((&found["verdict"], &found["id"]), (&json!("valid"), &Value::Null), "{body}");
    }
    assert_eq!(keyfob.request("POST", DRAFTS, ROOT, &[], &alone).await.problem(), (403, "session_required".to_owned()));
    assert_eq!(keyfob.database.counts(), before);
}
