//! Secrets go where they were meant to go, whoever changes what lies above or below them.

use serde_json::{Value, json};

use super::{credentials_of, shared_password, shown_now, template, under};
use crate::support::{Keyfob, path_of, shown};

#[tokio::test]
async fn a_destination_that_customers_enter_beside_a_secret_of_the_organization_is_refused() {
    let keyfob = Keyfob::working().await;
    let mut body = shared_password("T");
    body["customer_fields"] = json!(["username", "base_url"]);
    let answer = keyfob.post("/v1/connections", &body).await;
    assert_eq!(answer.errors(), [("/customer_fields".to_owned(), "unsafe_split".to_owned())]);
    // Whether the secret has a value now or later makes no difference.
    body["secrets"] = json!({});
    assert_eq!(keyfob.post("/v1/connections", &body).await.problem().0, 422);
    // With every secret the customer's own, the address may be, too.
    body["customer_fields"] = json!(["username", "base_url", "password"]);
    body["settings"] = json!({});
    keyfob.create(&body).await;
}

#[tokio::test]
async fn a_customer_cannot_send_the_secret_of_the_organization_elsewhere() {
    let keyfob = Keyfob::working().await;
    let template = keyfob.create(&shared_password("T")).await;
    let mut body = under(&template, "c1");
    body["secrets"] = json!({});
    for (group, field) in [("settings", "base_url"), ("settings", "test_path"), ("secrets", "password")] {
        let mut evil = body.clone();
        evil["settings"] = json!({ "username": "u" });
        evil[group][field] = json!("https://api.evil.dev");
        let answer = keyfob.post("/v1/connections", &evil).await;
        assert_eq!(answer.errors(), [(format!("/{group}/{field}"), "global".to_owned())]);
    }
    body["settings"] = json!({ "username": "u" });
    let customer = keyfob.create(&body).await;
    let evil = json!({ "settings": { "base_url": "https://api.evil.dev" } });
    assert_eq!(keyfob.patch(&path_of(&customer), 1, &evil).await.problem().0, 422);
    let tests = format!("{}/tests", path_of(&customer));
    assert_eq!(keyfob.post(&tests, &evil).await.problem().0, 422);
    let hosts: Vec<_> = keyfob.counterpart.received().iter().map(|r| r.header("host").unwrap().to_owned()).collect();
    assert!(hosts.iter().all(|host| !host.contains("evil")), "{hosts:?}");
}

#[tokio::test]
async fn a_changed_global_destination_names_the_customers_and_forced_takes_them_out_of_use() {
    let keyfob = Keyfob::working().await;
    let template = keyfob.create(&template("T")).await;
    let first = keyfob.create(&under(&template, "c1")).await;
    keyfob.create(&under(&template, "c2")).await;
    let path = path_of(&template);
    // Another path below the same host is another destination, too.
    for base_url in ["https://api.other.dev", "https://api.acme.dev/team-b"] {
        let before = keyfob.database.dump();
        let change = json!({ "settings": { "base_url": base_url } });
        let answer = keyfob.patch(&path, 1, &change).await;
        assert_eq!(answer.problem(), (409, "customers_affected".to_owned()));
        assert!(answer.json()["detail"].as_str().unwrap().contains("(2)"));
        assert_eq!(keyfob.database.dump(), before);
    }
    let change = json!({ "settings": { "base_url": "https://api.acme.dev/team-b" } });
    let sent = keyfob.counterpart.received().len();
    keyfob.patch(&format!("{path}?force=true"), 1, &change).await.expect(200);
    let now = shown_now(&keyfob, &first).await;
    assert_eq!((&now["status"], &now["must_reenter"]), (&json!("not_active"), &json!(true)));
    let expected = json!({ "verdict": "unknown", "reason": "destination_changed", "action": "edit", "stale": false });
    assert_eq!(shown(&now["health"], ["verdict", "reason", "action", "stale"]), expected);

    // Nothing sends the secret: not resolving, testing, reporting, changing a tag, restoring, nor the schedule.
    let answer = credentials_of(&keyfob, &first, "").await;
    assert_eq!(answer.problem(), (409, "destination_changed".to_owned()));
    let tests = format!("{}/tests", path_of(&first));
    assert_eq!(keyfob.post(&tests, &json!({})).await.problem().0, 422);
    let report = json!({ "revision": 1 });
    let reports = format!("{}/reports", path_of(&first));
    assert_eq!(keyfob.post(&reports, &report).await.problem().0, 422);
    keyfob.patch(&path_of(&first), 1, &json!({ "tags": ["a"] })).await.expect(200);
    let restore = format!("{}/revisions/1/restore", path_of(&first));
    let restored = keyfob.request("POST", &restore, crate::support::ROOT, &[("if-match", "\"2\"")], &json!({})).await;
    assert_eq!(restored.problem(), (409, "revision_incompatible".to_owned()));
    for _ in 0..30 {
        keyfob.advance(std::time::Duration::from_hours(24));
        keyfob.tick().await;
    }
    assert_eq!(keyfob.counterpart.received().len(), sent);
    assert_eq!(shown_now(&keyfob, &first).await["health"]["reason"], "destination_changed");

    // Entered again, it is in use again; what was entered before never is.
    let entered =
        keyfob.patch(&path_of(&first), 2, &json!({ "secrets": { "token": "planted-again" } })).await.expect(200);
    assert_eq!(
        shown(&entered.json(), ["status", "must_reenter"]),
        json!({ "status": "active", "must_reenter": false })
    );
    let resolved = credentials_of(&keyfob, &first, "").await.expect(200).json();
    assert_eq!(resolved["request"]["base_url"], "https://api.acme.dev/team-b");
    let restored = keyfob.request("POST", &restore, crate::support::ROOT, &[("if-match", "\"3\"")], &json!({})).await;
    assert_eq!(restored.problem(), (409, "revision_incompatible".to_owned()));
}

#[tokio::test]
async fn a_secret_of_the_organization_is_entered_again_for_another_destination() {
    let keyfob = Keyfob::working().await;
    let template = keyfob.create(&shared_password("T")).await;
    let path = format!("{}?force=true", path_of(&template));
    let change = json!({ "settings": { "base_url": "https://api.other.dev" } });
    let answer = keyfob.patch(&path, 1, &change).await;
    assert_eq!(answer.errors(), [("/secrets/password".to_owned(), "reenter".to_owned())]);
    let change = json!({ "settings": { "base_url": "https://api.other.dev" }, "secrets": { "password": "planted-2" } });
    keyfob.patch(&path, 1, &change).await.expect(200);
}

#[tokio::test]
async fn a_customer_that_connects_while_the_destination_changes_fails_or_enters_for_the_new_one() {
    let keyfob = Keyfob::working().await;
    let template = keyfob.create(&template("T")).await;
    // What the template was when the customer's values were checked is not what it is in the commit.
    let id = template["id"].as_str().unwrap();
    let statement = keyfob::store::templates::expect_revision(&id.parse().unwrap(), 2);
    let refused = keyfob.database.run(vec![statement]).err().unwrap().to_string();
    assert!(refused.contains("connections.customer_count"), "{refused}");
    let still = keyfob::store::templates::expect_revision(&id.parse().unwrap(), 1);
    keyfob.database.run(vec![still]).unwrap();
    keyfob.delete(&path_of(&template), 1).await.expect(204);
    let gone = keyfob::store::templates::expect_revision(&id.parse().unwrap(), 1);
    assert!(keyfob.database.run(vec![gone]).is_err());
}

#[tokio::test]
async fn test_credentials_take_no_other_secret_along() {
    let keyfob = Keyfob::working().await;
    let body = json!({
        "environment": "development", "provider": "http", "connection_type": "bearer", "name": "O",
        "settings": { "base_url": "https://api.acme.dev" }, "secrets": { "token": "planted-production" },
    });
    let organization = keyfob.create(&body).await;
    let evil = json!({ "settings": { "base_url": "https://api.evil.dev" } });
    let answer = super::set_test(&keyfob, &organization, 1, &evil).await;
    assert_eq!(answer.errors(), [("/secrets/token".to_owned(), "reenter".to_owned())]);
    let own = json!({ "settings": { "base_url": "https://test.acme.dev" }, "secrets": { "token": "planted-test" } });
    super::set_test(&keyfob, &organization, 1, &own).await.expect(200);
    let resolved = credentials_of(&keyfob, &organization, "purpose=test").await.expect(200).json();
    assert_eq!(
        (&resolved["secrets"]["token"], &resolved["request"]["base_url"]),
        (&json!("planted-test"), &json!("https://test.acme.dev"))
    );
    let run: Value = credentials_of(&keyfob, &organization, "").await.expect(200).json();
    assert_eq!(run["secrets"]["token"], "planted-production");
}
