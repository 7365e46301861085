//! What customers do with connections of their own, and what they cannot.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Answer, Keyfob, bearer, path_of, shown};

const ALL: &str = "/v1/embedded/connections";

async fn session(keyfob: &Keyfob, limits: &Value) -> String {
    let mut body = json!({ "environment": "development" });
    body.as_object_mut().unwrap().extend(limits.as_object().unwrap().clone());
    let session = keyfob.post("/v1/embedded/sessions", &body).await.expect(201).json();
    session["token"].as_str().unwrap().to_owned()
}

async fn customer(keyfob: &Keyfob, customer: &str) -> String {
    session(keyfob, &json!({ "customer": customer })).await
}

async fn connect(keyfob: &Keyfob, token: &str, body: &Value) -> Answer {
    keyfob.request("POST", ALL, token, &[], body).await
}

async fn change(keyfob: &Keyfob, token: &str, id: &Value, version: u64, body: &Value) -> Answer {
    let path = format!("{ALL}/{}", id.as_str().unwrap());
    keyfob.request("PATCH", &path, token, &[("if-match", &format!("\"{version}\""))], body).await
}

async fn look(keyfob: &Keyfob, token: &str, id: &Value) -> Answer {
    keyfob.request("GET", &format!("{ALL}/{}", id.as_str().unwrap()), token, &[], &Value::Null).await
}

/// A template that is exposed.
fn template(name: &str) -> Value {
    json!({
        "environment": "development", "kind": "template", "provider": "http", "connection_type": "bearer", "name": name,
        "settings": { "base_url": "https://api.acme.dev", "test_path": "/me" }, "embedded": true,
    })
}

fn under(template: &Value) -> Value {
    json!({ "template": template["id"], "secrets": { "token": "planted-own" } })
}

fn alone() -> Value {
    json!({
        "provider": "http", "connection_type": "bearer", "name": "Own", "settings": { "base_url": "https://own.acme.dev" },
        "secrets": { "token": "planted-own" },
    })
}

#[tokio::test]
async fn a_template_that_is_not_offered_looks_like_one_that_is_not_there() {
    let keyfob = Keyfob::working().await;
    let token = customer(&keyfob, "c1").await;
    let mut hidden = template("Hidden");
    hidden["embedded"] = json!(false);
    let mut disabled = template("Disabled");
    disabled["enabled"] = json!(false);
    let mut supplied = template("Supplied");
    supplied["supplied_by"] = json!("organization");
    let mut elsewhere = template("Elsewhere");
    elsewhere["environment"] = json!("staging");
    let mut answers = BTreeSet::new();
    for body in [hidden, disabled, supplied, elsewhere] {
        let template = keyfob.create(&body).await;
        let answer = connect(&keyfob, &token, &under(&template)).await;
        assert_eq!(answer.errors(), [("/template".to_owned(), "invalid".to_owned())], "{body}");
        answers.insert(answer.text);
    }
    let random = json!({ "id": "con_01kag3p3g0zzzzzzzzzzzzzzzz" });
    answers.insert(connect(&keyfob, &token, &under(&random)).await.text);
    assert_eq!(answers.len(), 1);
}

#[tokio::test]
async fn what_only_the_organization_says_is_an_unknown_field() {
    let keyfob = Keyfob::working().await;
    let token = customer(&keyfob, "c1").await;
    for field in ["environment", "customer", "kind", "enabled", "embedded", "tags", "stable_key", "customer_fields"] {
        let mut body = alone();
        body[field] = json!("x");
        let answer = connect(&keyfob, &token, &body).await;
        assert_eq!(answer.errors(), [(format!("/{field}"), "unknown_field".to_owned())]);
    }
    let made = connect(&keyfob, &token, &alone()).await.expect(201).json();
    for field in ["enabled", "embedded", "tags", "stable_key", "force"] {
        assert_eq!(
            change(&keyfob, &token, &made["id"], 1, &json!({ (field): true })).await.problem().0,
            422,
            "{field}"
        );
    }
}

#[tokio::test]
async fn a_session_creates_within_its_limits_alone() {
    let keyfob = Keyfob::working().await;
    let (one, two) = (keyfob.create(&template("One")).await, keyfob.create(&template("Two")).await);
    let limits = json!({ "customer": "c1", "templates": [one["id"]] });
    let token = session(&keyfob, &limits).await;
    assert_eq!(connect(&keyfob, &token, &alone()).await.errors()[0].0, "/template");
    assert_eq!(connect(&keyfob, &token, &under(&two)).await.errors()[0].0, "/template");
    let own = connect(&keyfob, &token, &under(&one)).await.expect(201).json();
    let other = connect(&keyfob, &customer(&keyfob, "c1").await, &under(&two)).await.expect(201).json();
    assert_eq!(look(&keyfob, &token, &other["id"]).await.problem().0, 404);
    let listed = keyfob.request("GET", ALL, &token, &[], &Value::Null).await.expect(200).json();
    let ids: BTreeSet<String> = listed["data"].as_array().unwrap().iter().map(|one| one["id"].to_string()).collect();
    assert_eq!(ids, BTreeSet::from([one["id"].to_string(), own["id"].to_string()]));
    for (limits, pointer) in [
        (json!({ "customer": "c2", "providers": ["slack"] }), "/provider"),
        (json!({ "customer": "c2", "connection_types": ["basic"] }), "/connection_type"),
    ] {
        let token = session(&keyfob, &limits).await;
        assert_eq!(connect(&keyfob, &token, &alone()).await.errors()[0].0, pointer);
        assert_eq!(connect(&keyfob, &token, &under(&one)).await.errors()[0].0, "/template");
    }
}

#[tokio::test]
async fn a_customer_connects_edits_tests_and_disconnects() {
    let keyfob = Keyfob::working().await;
    let template = keyfob.create(&template("CRM")).await;
    let token = customer(&keyfob, "c1").await;
    let made = connect(&keyfob, &token, &under(&template)).await.expect(201);
    let mut expected = json!({
        "template": template["id"], "id": made.json()["id"], "provider": "http", "connection_type": "bearer", "kind": "customer", "name": "CRM",
        "stable_key": "crm", "status": "active", "own": true, "health": made.json()["health"], "settings": {},
        "granted_scopes": [], "missing_scopes": [], "version": 1,
    });
    assert_eq!(made.json(), expected);
    assert_eq!(made.header("etag"), "\"1\"");
    let id = &made.json()["id"];
    // Where one is read, and not its list, its form can be made.
    expected["customer_fields"] = json!(["token"]);
    assert_eq!(look(&keyfob, &token, id).await.expect(200).json(), expected);
    // The same id; what is not sent is kept.
    let renamed = change(&keyfob, &token, id, 1, &json!({ "name": "Ours" })).await.expect(200).json();
    assert_eq!(shown(&renamed, ["id", "name", "version"]), json!({ "id": id, "name": "Ours", "version": 2 }));
    let stale = change(&keyfob, &token, id, 1, &json!({ "name": "Theirs" })).await;
    assert_eq!(stale.problem(), (412, "version_mismatch".to_owned()));
    change(&keyfob, &token, id, 2, &json!({ "secrets": { "token": "planted-next" } })).await.expect(200);
    let tests = format!("{ALL}/{}/tests", id.as_str().unwrap());
    keyfob.request("POST", &tests, &token, &[], &json!({})).await.expect(201);
    let tried = keyfob.request("POST", &tests, &token, &[], &json!({ "secrets": { "token": "other" } })).await;
    assert_eq!(tried.expect(200).json()["id"], Value::Null);
    let of_engine = format!("/v1/connections/{}/credentials", id.as_str().unwrap());
    let resolved = keyfob.get(&of_engine).await.expect(200).json();
    assert_eq!(resolved["secrets"], json!({ "token": "planted-next" }));
    // History names the customer.
    let events = keyfob.get(&format!("/v1/connections/{}/events", id.as_str().unwrap())).await.expect(200).json();
    assert_eq!(events["data"][0]["actor"]["name"], "c1");

    let path = format!("{ALL}/{}", id.as_str().unwrap());
    assert_eq!(keyfob.request("DELETE", &path, &token, &[], &Value::Null).await.problem().0, 428);
    keyfob.request("DELETE", &path, &token, &[("if-match", "\"3\"")], &Value::Null).await.expect(204);
    assert_eq!(look(&keyfob, &token, id).await.problem().0, 404);
    assert_eq!(keyfob.database.counts()["vault_entries"], 0);
    connect(&keyfob, &token, &under(&template)).await.expect(201);
}

#[tokio::test]
async fn the_same_request_twice_connects_once() {
    let keyfob = Keyfob::working().await;
    let token = customer(&keyfob, "c1").await;
    let headers = [("idempotency-key", "once")];
    let first = keyfob.request("POST", ALL, &token, &headers, &alone()).await.expect(201);
    let second = keyfob.request("POST", ALL, &token, &headers, &alone()).await.expect(201);
    assert_eq!(first.text, second.text);
    assert_eq!(keyfob.database.counts()["connections"], 1);
}

#[tokio::test]
async fn what_is_the_organizations_is_seen_in_part_and_never_changed() {
    let keyfob = Keyfob::working().await;
    let mut exposed = bearer("Exposed");
    exposed["embedded"] = json!(true);
    let exposed = keyfob.create(&exposed).await;
    let hidden = keyfob.create(&bearer("Hidden")).await;
    let token = customer(&keyfob, "c1").await;
    let seen = look(&keyfob, &token, &exposed["id"]).await.expect(200);
    let fields: Vec<String> = seen.json().as_object().unwrap().keys().cloned().collect();
    assert_eq!(fields, ["connection_type", "id", "kind", "name", "own", "provider", "stable_key", "status"]);
    assert_eq!(seen.header("etag"), "");
    let refused = change(&keyfob, &token, &exposed["id"], 1, &json!({ "name": "Mine" })).await;
    assert_eq!(refused.problem(), (403, "not_own".to_owned()));
    assert_eq!(look(&keyfob, &token, &hidden["id"]).await.problem().0, 404);
    assert_eq!(change(&keyfob, &token, &hidden["id"], 1, &json!({ "name": "Mine" })).await.problem().0, 404);
    keyfob.patch(&path_of(&exposed), 1, &json!({ "embedded": false })).await.expect(200);
    assert_eq!(look(&keyfob, &token, &exposed["id"]).await.problem().0, 404);
}

#[tokio::test]
async fn what_the_organization_enters_for_a_customer_they_can_neither_enter_nor_see() {
    let keyfob = Keyfob::working().await;
    let mut body = template("Supplied");
    (body["supplied_by"], body["customer_fields"]) = (json!("organization"), json!(["token", "test_path"]));
    body["settings"] = json!({ "base_url": "https://api.acme.dev" });
    let template = keyfob.create(&body).await;
    let entered = json!({
        "environment": "development", "kind": "customer", "customer": "c1", "template": template["id"],
        "settings": { "test_path": "/of-c1" }, "secrets": { "token": "planted-for-c1" },
    });
    let entered = keyfob.create(&entered).await;
    let token = customer(&keyfob, "c1").await;
    let seen = look(&keyfob, &token, &entered["id"]).await.expect(200);
    assert_eq!(seen.json()["own"], true);
    assert!(!seen.text.contains("of-c1") && !seen.text.contains("health"), "{}", seen.text);
    let listed = keyfob.request("GET", ALL, &token, &[], &Value::Null).await.expect(200);
    assert!(!listed.text.contains("of-c1"), "{}", listed.text);
    let refused = change(&keyfob, &token, &entered["id"], 1, &json!({ "secrets": { "token": "mine" } })).await;
    assert_eq!(refused.problem(), (403, "not_own".to_owned()));
    let path = format!("{ALL}/{}", entered["id"].as_str().unwrap());
    let refused = keyfob.request("DELETE", &path, &token, &[("if-match", "\"1\"")], &Value::Null).await;
    assert_eq!(refused.problem().1, "not_own");
}

#[tokio::test]
async fn a_builder_session_lists_all_of_a_provider_and_creates_one_of_the_organization() {
    let keyfob = Keyfob::working().await;
    let template = keyfob.create(&template("T")).await;
    let hidden = keyfob.create(&bearer("Hidden")).await;
    connect(&keyfob, &customer(&keyfob, "c1").await, &under(&template)).await.expect(201);
    let builder = session(&keyfob, &json!({})).await;
    let made = connect(&keyfob, &builder, &alone()).await.expect(201).json();
    assert_eq!(shown(&made, ["kind", "own"]), json!({ "kind": "organization", "own": false }));
    let listed = keyfob.request("GET", &format!("{ALL}?provider=http"), &builder, &[], &Value::Null).await;
    let listed = listed.expect(200).json();
    let ids: BTreeSet<String> = listed["data"].as_array().unwrap().iter().map(|one| one["id"].to_string()).collect();
    let all = [&template["id"], &hidden["id"], &made["id"]].map(ToString::to_string);
    assert_eq!(ids, BTreeSet::from(all), "none of a customer's");
    assert_eq!(connect(&keyfob, &builder, &under(&template)).await.errors()[0].0, "/template");
    look(&keyfob, &builder, &hidden["id"]).await.expect(200);
}

#[tokio::test]
async fn fifty_customers_see_nothing_of_each_other() {
    let keyfob = Keyfob::working().await;
    let template = keyfob.create(&template("T")).await;
    let mut all = Vec::new();
    for number in 0..50 {
        let name = format!("customer-{number}");
        let token = customer(&keyfob, &name).await;
        let mut body = under(&template);
        body["name"] = json!(format!("Name of {number}."));
        let made = connect(&keyfob, &token, &body).await.expect(201).json();
        all.push((token, made));
    }
    let before = keyfob.database.dump();
    let mut answers = BTreeSet::new();
    for (number, (token, own)) in all.iter().enumerate() {
        let listed = keyfob.request("GET", ALL, token, &[], &Value::Null).await.expect(200);
        assert_eq!(listed.text.matches("Name of").count(), 1, "{}", listed.text);
        assert!(listed.text.contains(own["id"].as_str().unwrap()));
        for (other, (_, theirs)) in
            all.iter().enumerate().filter(|(other, _)| *other != number && *other % 7 == number % 7)
        {
            let id = theirs["id"].as_str().unwrap();
            for (method, suffix, body) in [
                ("GET", "", Value::Null),
                ("PATCH", "", json!({ "name": "x" })),
                ("DELETE", "", Value::Null),
                ("POST", "/tests", json!({})),
            ] {
                let path = format!("{ALL}/{id}{suffix}");
                let answer = keyfob.request(method, &path, token, &[("if-match", "\"1\"")], &body).await;
                assert_eq!(answer.status.as_u16(), 404, "{number} {other} {method}");
                answers.insert(answer.text);
            }
        }
    }
    assert_eq!(answers.len(), 1);
    assert_eq!(keyfob.database.dump(), before);
}

#[tokio::test]
async fn which_fields_the_customer_enters_is_told_of_what_they_connect_to_and_of_what_is_theirs() {
    let keyfob = Keyfob::working().await;
    let token = customer(&keyfob, "c1").await;
    let offered = keyfob.create(&template("Offered")).await;
    let mut supplied = template("Supplied");
    supplied["supplied_by"] = json!("organization");
    let supplied = keyfob.create(&supplied).await;
    let fields = json!(["token"]);
    assert_eq!(look(&keyfob, &token, &offered["id"]).await.expect(200).json()["customer_fields"], fields);
    assert!(look(&keyfob, &token, &supplied["id"]).await.expect(200).json().get("customer_fields").is_none());
    let own = connect(&keyfob, &token, &under(&offered)).await.expect(201).json();
    assert_eq!((&own["template"], own.get("customer_fields")), (&offered["id"], None));
    let read = look(&keyfob, &token, &own["id"]).await.expect(200).json();
    assert_eq!((&read["template"], &read["customer_fields"]), (&offered["id"], &fields));
    let alone = connect(&keyfob, &token, &alone()).await.expect(201).json();
    assert_eq!((&alone["template"], alone.get("customer_fields")), (&Value::Null, None));
    let listed = keyfob.request("GET", ALL, &token, &[], &Value::Null).await.expect(200).json();
    let told = |id: &Value| {
        let listed = listed["data"].as_array().unwrap().iter().find(|listed| listed["id"] == *id).unwrap();
        (listed.get("template").cloned(), listed.get("customer_fields").cloned())
    };
    assert_eq!(told(&offered["id"]), (None, Some(fields)));
    assert_eq!(told(&supplied["id"]), (None, None));
    // The designer enters test credentials for them.
    let builder = session(&keyfob, &json!({})).await;
    assert_eq!(look(&keyfob, &builder, &supplied["id"]).await.expect(200).json()["customer_fields"], json!(["token"]));
    assert_eq!(told(&own["id"]), (Some(offered["id"].clone()), None));
}
