//! Which credentials a workflow gets: by id, stable key or step, for a customer or a test run.

use serde_json::{Value, json};

use super::{alone, credentials, credentials_of, set_test, shared_password, template, under};
use crate::support::{Keyfob, ROOT, bearer, path_of, shown};

async fn use_in_step(keyfob: &Keyfob, connection: &Value, step: &str) {
    let path = format!("{}/usages/w/{step}", path_of(connection));
    keyfob.request("PUT", &path, ROOT, &[], &Value::Null).await.expect(201);
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let keyfob = Keyfob::working().await;
    let template = keyfob.create(&template("T")).await;
    use_in_step(&keyfob, &template, "s").await;
    for (query, code) in [
        ("stable_key=nothing", "stable_key_not_found"),
        ("stable_key=nothing&customer=c1", "stable_key_not_found"),
        ("workflow=w&step=nothing", "step_not_found"),
        ("stable_key=t&customer=c1", "customer_not_connected"),
        ("workflow=w&step=s&customer=c1", "customer_not_connected"),
    ] {
        assert_eq!(credentials(&keyfob, query).await.problem(), (404, code.to_owned()), "{query}");
    }
    for (query, code) in [
        ("stable_key=t", "customer_required"),
        ("workflow=w&step=s", "customer_required"),
        ("stable_key=t&purpose=test", "test_credentials_missing"),
        ("workflow=w&step=s&purpose=test", "test_credentials_missing"),
    ] {
        assert_eq!(credentials(&keyfob, query).await.problem(), (409, code.to_owned()), "{query}");
    }
    assert_eq!(credentials_of(&keyfob, &template, "customer=c1").await.problem().1, "customer_not_connected");
    assert_eq!(credentials(&keyfob, "stable_key=t&customer=c1&purpose=test").await.problem().1, "invalid_query");
}

#[tokio::test]
async fn a_stable_key_means_the_customers_own_then_theirs_under_the_template_then_the_organizations() {
    let keyfob = Keyfob::working().await;
    let mut organization = bearer("Shared");
    organization["stable_key"] = json!("shared");
    let organization = keyfob.create(&organization).await;
    let mut definition = template("T");
    definition["stable_key"] = json!("crm");
    let definition = keyfob.create(&definition).await;
    let mut own = under(&definition, "c1");
    own["stable_key"] = json!("renamed");
    let own = keyfob.create(&own).await;
    let found = |query: String| {
        let keyfob = &keyfob;
        async move { credentials(keyfob, &query).await.expect(200).json()["connection_id"].clone() }
    };
    assert_eq!(found("stable_key=shared&customer=c1".into()).await, organization["id"]);
    assert_eq!(found("stable_key=crm&customer=c1".into()).await, own["id"]);
    assert_eq!(found("stable_key=renamed&customer=c1".into()).await, own["id"]);
    let mut first = alone("c1", "Own");
    first["stable_key"] = json!("crm");
    let first = keyfob.create(&first).await;
    assert_eq!(found("stable_key=crm&customer=c1".into()).await, first["id"]);
    // Never the organization's in the place of a customer's.
    assert_eq!(credentials(&keyfob, "stable_key=crm&customer=c2").await.problem().1, "customer_not_connected");
}

#[tokio::test]
async fn the_values_of_template_and_customer_are_merged_where_they_are_read() {
    let keyfob = Keyfob::working().await;
    let template = keyfob.create(&shared_password("T")).await;
    let mut body = under(&template, "c1");
    (body["settings"], body["secrets"]) = (json!({ "username": "ann" }), json!({}));
    let customer = keyfob.create(&body).await;
    let resolved = credentials(&keyfob, "stable_key=t&customer=c1").await.expect(200).json();
    let fields = ["connection_id", "revision", "template", "template_revision", "settings", "secrets"];
    let expected = json!({
        "connection_id": customer["id"], "revision": 1, "template": template["id"], "template_revision": 1,
        "settings": { "base_url": "https://api.acme.dev", "test_path": "/me", "test_method": "GET", "test_expect": "200-299", "username": "ann" },
        "secrets": { "password": "planted-global-1" },
    });
    assert_eq!(shown(&resolved, fields), expected);
    let change = json!({ "secrets": { "password": "planted-global-2" }, "settings": { "test_path": "/you" } });
    keyfob.patch(&path_of(&template), 1, &change).await.expect(200);
    let resolved = credentials(&keyfob, "stable_key=t&customer=c1").await.expect(200).json();
    assert_eq!(resolved["secrets"]["password"], "planted-global-2");
    assert_eq!(shown(&resolved, ["revision", "template_revision"]), json!({ "revision": 1, "template_revision": 2 }));
    // A report about the older global values is about nothing any more.
    let path = format!("{}/reports", path_of(&customer));
    let report = json!({ "revision": 1, "template_revision": 1 });
    assert_eq!(keyfob.post(&path, &report).await.expect(200).json()["outcome"], "superseded");
    let report = json!({ "revision": 1, "template_revision": 3 });
    assert_eq!(keyfob.post(&path, &report).await.errors()[0].0, "/template_revision");
}

#[tokio::test]
async fn a_disabled_template_stops_all_of_its_customers() {
    let keyfob = Keyfob::working().await;
    let template = keyfob.create(&template("T")).await;
    let customer = keyfob.create(&under(&template, "c1")).await;
    keyfob.patch(&path_of(&template), 1, &json!({ "enabled": false })).await.expect(200);
    assert_eq!(credentials_of(&keyfob, &customer, "").await.problem(), (409, "connection_disabled".to_owned()));
    keyfob.patch(&path_of(&template), 2, &json!({ "enabled": true })).await.expect(200);
    credentials_of(&keyfob, &customer, "").await.expect(200);
    // What expires for all expires for each.
    let end = json!({ "expires_at": "2026-11-20T11:00:00Z" });
    keyfob.patch(&path_of(&template), 3, &end).await.expect(200);
    let resolved = credentials_of(&keyfob, &customer, "").await.expect(200).json();
    assert_eq!(resolved["expires_at"], "2026-11-20T11:00:00.000Z");
    keyfob.advance(std::time::Duration::from_hours(1));
    assert_eq!(credentials_of(&keyfob, &customer, "").await.problem().1, "connection_expired");
}

#[tokio::test]
async fn another_customers_connection_is_not_there() {
    let keyfob = Keyfob::working().await;
    let own = keyfob.create(&alone("c1", "Own")).await;
    assert_eq!(credentials_of(&keyfob, &own, "customer=c2").await.problem(), (404, "not_found".to_owned()));
    credentials_of(&keyfob, &own, "customer=c1").await.expect(200);
    assert_eq!(credentials(&keyfob, "stable_key=own&customer=c2").await.problem().1, "stable_key_not_found");
    assert_eq!(credentials_of(&keyfob, &own, "purpose=test").await.problem().1, "customer_connection");
}

#[tokio::test]
async fn a_step_that_uses_a_template_gets_the_customers_or_the_test_credentials() {
    let keyfob = Keyfob::working().await;
    let template = keyfob.create(&template("T")).await;
    use_in_step(&keyfob, &template, "s").await;
    let customer = keyfob.create(&under(&template, "c1")).await;
    let of_customer = credentials(&keyfob, "workflow=w&step=s&customer=c1").await.expect(200).json();
    assert_eq!(of_customer["connection_id"], customer["id"]);
    set_test(&keyfob, &template, 1, &json!({ "secrets": { "token": "planted-test" } })).await.expect(200);
    let of_test = credentials(&keyfob, "workflow=w&step=s&purpose=test").await.expect(200).json();
    assert_eq!((&of_test["connection_id"], &of_test["secrets"]["token"]), (&template["id"], &json!("planted-test")));
    let used = keyfob.get(&path_of(&template)).await.expect(200).json();
    assert_eq!(used["last_used_at"], "2026-11-20T10:00:00.000Z", "what its customers use is in use");
}
