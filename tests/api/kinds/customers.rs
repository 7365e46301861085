//! Customers: their list, and what deleting one does.

use serde_json::{Value, json};

use super::{alone, credentials_of, template, under};
use crate::support::{Keyfob, ROOT, path_of};

async fn delete(keyfob: &Keyfob, customer: &str) -> crate::support::Answer {
    let path = format!("/v1/customers/{customer}?environment=development");
    keyfob.request("DELETE", &path, ROOT, &[], &Value::Null).await
}

#[tokio::test]
async fn the_list_says_how_many_connections_each_has_and_how_many_are_active() {
    let keyfob = Keyfob::working().await;
    assert_eq!(keyfob.get("/v1/customers").await.problem().0, 400);
    let template = keyfob.create(&template("T")).await;
    for customer in ["b", "a", "ü/1"] {
        let mut body = under(&template, customer);
        body["secrets"] = json!({ "token": "planted" });
        keyfob.create(&body).await;
    }
    let own = keyfob.create(&alone("a", "Own")).await;
    keyfob.patch(&path_of(&own), 1, &json!({ "enabled": false })).await.expect(200);
    let row = |customer: &str, count: u64, active: u64| json!({ "customer": customer, "environment": "development", "connection_count": count, "active_count": active });
    let list = keyfob.get("/v1/customers?environment=development&limit=2").await.expect(200).json();
    assert_eq!(list["data"], json!([row("a", 2, 1), row("b", 1, 1)]));
    let next = list["next_cursor"].as_str().unwrap();
    let path = format!("/v1/customers?environment=development&limit=2&cursor={next}");
    assert_eq!(keyfob.get(&path).await.expect(200).json(), json!({ "data": [row("ü/1", 1, 1)], "next_cursor": null }));
    let one = keyfob.get("/v1/customers/%C3%BC%2F1?environment=development").await.expect(200).json();
    assert_eq!(one, row("ü/1", 1, 1));
    assert_eq!(keyfob.get("/v1/customers/a?environment=staging").await.problem().0, 404);
    assert_eq!(keyfob.get("/v1/customers?environment=staging").await.expect(200).json()["data"], json!([]));
}

#[tokio::test]
async fn deleting_a_customer_makes_everything_of_theirs_unreadable_and_ends_their_sessions_at_once() {
    let keyfob = Keyfob::working().await;
    let template = keyfob.create(&template("T")).await;
    let (first, second) = (keyfob.create(&under(&template, "c1")).await, keyfob.create(&alone("c1", "Own")).await);
    let other = keyfob.create(&under(&template, "c2")).await;
    let session = json!({ "environment": "development", "customer": "c1" });
    let session = keyfob.post("/v1/embedded/sessions", &session).await.expect(201).json();
    let session = session["token"].as_str().or(session["secret"].as_str()).unwrap().to_owned();
    let list = "/v1/embedded/connections";
    keyfob.request("GET", list, &session, &[], &Value::Null).await.expect(200);

    delete(&keyfob, "c1").await.expect(204);
    for connection in [&first, &second] {
        assert_eq!(keyfob.get(&path_of(connection)).await.problem().0, 404);
        assert_eq!(credentials_of(&keyfob, connection, "").await.problem().0, 404);
    }
    keyfob.request("GET", list, &session, &[], &Value::Null).await.expect(401);
    credentials_of(&keyfob, &other, "").await.expect(200);
    assert_eq!(keyfob.database.counts()["vault_entries"], 1);
    let audited = keyfob.get("/v1/audit-events?limit=3").await.expect(200).json();
    let actions: Vec<_> = audited["data"].as_array().unwrap().iter().map(|entry| entry["action"].clone()).collect();
    assert_eq!(actions, ["connection.deleted", "connection.deleted", "customer.deleted"]);
    assert_eq!(keyfob.get("/v1/customers/c1?environment=development").await.problem().0, 404);
    assert_eq!(keyfob.get(&path_of(&template)).await.expect(200).json()["customer_count"], 1);
    // Who has nothing is deleted, too: their sessions end.
    delete(&keyfob, "c1").await.expect(204);
    // The customer may come back.
    keyfob.create(&under(&template, "c1")).await;
}

#[tokio::test]
async fn a_customer_has_200_connections_at_most() {
    let keyfob = Keyfob::working().await;
    keyfob.create(&alone("c1", "Own")).await;
    keyfob.database.execute("update customers set connections = 200").unwrap();
    let answer = keyfob.post("/v1/connections?test=false", &alone("c1", "One more")).await;
    assert_eq!(answer.problem(), (409, "too_many_connections".to_owned()));
    keyfob.create(&alone("c2", "Own")).await;
    // What the list of a customer was when it was read is not what it is in the commit.
    assert_eq!(delete(&keyfob, "c1").await.problem(), (409, "customer_changed".to_owned()));
}
