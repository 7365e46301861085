//! The creation dialogue as an answer.

use serde_json::{Value, json};

use super::template;
use crate::support::{Keyfob, bearer};

async fn plan(keyfob: &Keyfob, body: &Value) -> Value {
    keyfob.post("/v1/connections/plan", body).await.expect(200).json()
}

/// Each field as `key of-whom when`.
fn asked(plan: &Value) -> Vec<String> {
    let word = |value: &Value| value.as_str().unwrap_or("nobody").to_owned();
    let line =
        |field: &Value| format!("{} {} {}", word(&field["key"]), word(&field["asked_of"]), word(&field["asked"]));
    plan["fields"].as_array().unwrap().iter().map(line).collect()
}

#[tokio::test]
async fn what_could_not_be_created_is_not_planned_either() {
    let keyfob = Keyfob::working().await;
    let body = json!({ "environment": "development", "kind": "template", "provider": "http", "connection_type": "basic",
        "customer_fields": ["base_url"] });
    let answer = keyfob.post("/v1/connections/plan", &body).await;
    assert_eq!(answer.errors(), [("/customer_fields".to_owned(), "unsafe_split".to_owned())]);
    let body = json!({ "environment": "development", "provider": "nothing", "connection_type": "basic" });
    assert_eq!(keyfob.post("/v1/connections/plan", &body).await.errors()[0].0, "/provider");
}

#[tokio::test]
async fn from_kind_and_type_follows_which_field_is_asked_of_whom() {
    let keyfob = Keyfob::working().await;
    let before = keyfob.database.dump();
    let http = json!({ "environment": "development", "provider": "http", "connection_type": "bearer" });
    let of_organization = plan(&keyfob, &http).await;
    assert!(asked(&of_organization).iter().all(|line| line.ends_with("organization now")));
    assert_eq!(of_organization["test_credentials"], "optional");
    for (supplied_by, expected) in [
        (Value::Null, "token customer for_each_customer"),
        (json!("organization"), "token organization for_each_customer"),
    ] {
        let mut body = http.clone();
        body["kind"] = json!("template");
        body["supplied_by"] = supplied_by;
        let of_template = plan(&keyfob, &body).await;
        let lines = asked(&of_template);
        assert!(lines.contains(&expected.to_owned()) && lines[0] == "base_url organization now", "{lines:?}");
        assert_eq!(of_template["test_credentials"], "needed");
    }
    assert_eq!(keyfob.database.dump(), before);
    let template = keyfob.create(&template("T")).await;
    let body = json!({ "environment": "development", "kind": "customer", "template": template["id"] });
    let of_customer = plan(&keyfob, &body).await;
    let lines = asked(&of_customer);
    assert!(lines.contains(&"token customer now".to_owned()), "{lines:?}");
    assert!(lines.contains(&"base_url nobody never".to_owned()), "{lines:?}");
    assert_eq!(of_customer["test_credentials"], "none");
}

#[tokio::test]
async fn the_usual_split_of_every_type_can_be_created_as_it_is_planned() {
    let keyfob = Keyfob::working().await;
    let providers = keyfob.get("/v1/providers").await.expect(200).json();
    let mut planned = 0;
    for provider in providers["data"].as_array().unwrap() {
        for of in provider["connection_types"].as_array().unwrap() {
            let body = json!({ "environment": "development", "kind": "template", "provider": provider["key"],
                "connection_type": of["key"] });
            plan(&keyfob, &body).await;
            planned += 1;
        }
    }
    assert!(planned > 20);
    keyfob.create(&bearer("O")).await;
}
