//! Client credentials: the app stands for itself.

use serde_json::json;

use super::*;
use crate::support::shown;

fn connection() -> Value {
    json!({
        "environment": "development", "provider": "oauth2", "connection_type": "client_credentials", "name": "Robot",
        "settings": {
            "base_url": "https://api.acme.dev", "token_url": "https://login.acme.dev/token", "client_id": "client-1",
            "test_path": "/me",
        },
        "secrets": { "client_secret": CLIENT_SECRET },
    })
}

#[tokio::test]
async fn a_client_that_is_not_accepted_is_told_before_it_is_saved() {
    let keyfob = Keyfob::with(Server::default().rule()).await;
    let mut draft = connection();
    draft.as_object_mut().unwrap().remove("name");
    draft["secrets"]["client_secret"] = json!("planted-other");
    let tested = keyfob.post("/v1/tests", &draft).await.expect(200).json();
    assert_eq!(shown(&tested, ["verdict", "reason"]), json!({ "verdict": "invalid", "reason": "rejected" }));
    draft["secrets"]["client_secret"] = json!(CLIENT_SECRET);
    let tested = keyfob.post("/v1/tests", &draft).await.expect(200).json();
    assert_eq!(tested["verdict"], "valid");
}

#[tokio::test]
async fn tokens_are_obtained_when_they_are_asked_for_and_kept_while_they_live() {
    let server = Server::default();
    let keyfob = Keyfob::with(server.rule()).await;
    let connection = keyfob.create(&connection()).await;
    assert_eq!(connection["status"], "active");
    assert_eq!(token(&keyfob, &connection).await, "planted-access-2");
    assert_eq!(token(&keyfob, &connection).await, "planted-access-2");
    assert_eq!(server.calls(), 2, "one for the test, one to keep");
    keyfob.advance(HOUR);
    let tokens = futures_util::future::join_all((0..50).map(|_| token(&keyfob, &connection))).await;
    assert!(tokens.iter().all(|token| token == "planted-access-3"));
    let resolved = resolve(&keyfob, &connection).await.expect(200).json();
    assert_eq!(resolved["secrets"], json!({ "access_token": "planted-access-3" }));
}

#[tokio::test]
async fn a_client_is_not_authorized_by_a_person() {
    let keyfob = Keyfob::with(Server::default().rule()).await;
    let connection = keyfob.create(&connection()).await;
    let answer =
        keyfob.post(&format!("https://keyfob.example{}/authorizations", path_of(&connection)), &json!({})).await;
    assert_eq!(answer.problem(), (409, "no_authorization".to_owned()));
}

#[tokio::test]
async fn a_secret_that_an_import_corrects_is_used_at_once() {
    let keyfob = Keyfob::with(Server::default().rule()).await;
    let connection = keyfob.create(&connection()).await;
    assert_eq!(token(&keyfob, &connection).await, "planted-access-2");
    let wrong = json!({ "secrets": { "client_secret": "planted-other" } });
    keyfob.patch(&format!("{}?test=false", path_of(&connection)), 1, &wrong).await.expect(200);
    keyfob.advance(HOUR);
    for _ in 0..2 {
        assert_eq!(resolve(&keyfob, &connection).await.problem(), (409, "client_refused".to_owned()));
    }
    let definition = json!({
        "stable_key": connection["stable_key"], "provider": "oauth2", "connection_type": "client_credentials",
        "name": "Robot", "settings": connection["settings"], "secrets": { "client_secret": CLIENT_SECRET },
    });
    let document = json!({ "format": "keyfob/definitions/1", "connections": [definition] });
    keyfob.post("/v1/import?environment=development&dry_run=false", &document).await.expect(200);
    assert_eq!(token(&keyfob, &connection).await, "planted-access-3");
}

#[tokio::test]
async fn a_secret_that_is_corrected_on_a_template_is_used_for_its_customers_at_once() {
    let keyfob = Keyfob::with(Server::default().rule()).await;
    let mut template = connection();
    (template["kind"], template["customer_fields"]) = (json!("template"), json!([]));
    let template = keyfob.create(&template).await;
    let own = json!({ "environment": "development", "kind": "customer", "customer": "c1", "template": template["id"] });
    let own = keyfob.create(&own).await;
    assert_eq!(token(&keyfob, &own).await, "planted-access-2");
    let wrong = json!({ "secrets": { "client_secret": "planted-other" } });
    keyfob.patch(&format!("{}?test=false", path_of(&template)), 1, &wrong).await.expect(200);
    keyfob.advance(HOUR);
    for _ in 0..2 {
        assert_eq!(resolve(&keyfob, &own).await.problem(), (409, "client_refused".to_owned()));
    }
    let right = json!({ "secrets": { "client_secret": CLIENT_SECRET } });
    keyfob.patch(&format!("{}?test=false", path_of(&template)), 2, &right).await.expect(200);
    assert_eq!(token(&keyfob, &own).await, "planted-access-3");
}
