//! Endpoints are registered, listed and deleted.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{PATH, World};
use crate::support::{ROOT, shown};

const ALL: [&str; 3] = ["connection.status_changed", "connection.expiring", "connection.rotation_due"];

#[tokio::test]
async fn an_address_that_may_never_be_called_is_refused() {
    let world = World::new().await;
    for (url, code) in [
        ("", "invalid"),
        ("hooks.dev", "invalid"),
        ("https://", "invalid"),
        ("https://hooks.dev/#x", "invalid"),
        ("https://hooks.dev/a b", "invalid"),
        (&format!("https://hooks.dev/{}", "x".repeat(2_000)), "invalid"),
        ("http://hooks.dev/", "destination"),
        ("ftp://hooks.dev/", "destination"),
        ("https://user:word@hooks.dev/", "destination"),
        ("https://127.0.0.1/", "destination"),
        ("https://2130706433/", "destination"),
        ("https://[::1]/", "destination"),
        ("https://8.8.8.8/", "destination"),
        ("https://localhost/", "destination"),
        ("https://metadata.google.internal/", "destination"),
    ] {
        let body = json!({ "environment": "development", "url": url, "event_types": ALL });
        let answer = world.keyfob.post(PATH, &body).await;
        assert_eq!(answer.problem(), (422, "invalid_body".to_owned()), "{url}");
        assert_eq!(answer.errors(), [("/url".to_owned(), code.to_owned())], "{url}");
    }
    let counts = world.keyfob.database.counts();
    assert_eq!([counts["webhooks"], counts["vault_entries"], counts["audit_events"]], [0, 0, 0]);
}

#[tokio::test]
async fn event_types_that_are_none_are_refused() {
    let world = World::new().await;
    for event_types in [json!([]), json!(["connection.created"]), json!("*"), Value::Null] {
        let body = json!({ "environment": "development", "url": "https://hooks.dev/", "event_types": event_types });
        assert_eq!(world.keyfob.post(PATH, &body).await.problem().0, 422, "{event_types}");
    }
}

#[tokio::test]
async fn there_are_twenty_webhooks_in_an_environment_at_most() {
    let world = World::new().await;
    let mut last = Value::Null;
    for number in 0..20 {
        last = world.register(&format!("{number}.hooks.dev"), &ALL).await;
    }
    let mut body = json!({ "environment": "development", "url": "https://more.hooks.dev/", "event_types": ALL });
    assert_eq!(world.keyfob.post(PATH, &body).await.errors(), [("/environment".to_owned(), "invalid".to_owned())]);
    // A crowd, each of which read that there is room for one.
    world.keyfob.delete(&format!("{PATH}/{}", last["id"].as_str().unwrap()), 1).await.expect(204);
    let crowd = join_all((0..8).map(|_| world.keyfob.post(PATH, &body))).await;
    let refused: Vec<_> = crowd.iter().filter(|answer| answer.status != 201).collect();
    assert_eq!(refused.len(), 7);
    for answer in refused {
        assert_eq!(answer.errors(), [("/environment".to_owned(), "invalid".to_owned())]);
        assert!(answer.text.contains("There are 20 webhooks"), "{}", answer.text);
    }
    body["environment"] = "staging".into();
    world.keyfob.post(PATH, &body).await.expect(201);
    let listed = world.keyfob.get(&format!("{PATH}?environment=development")).await.expect(200).json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 20);
}

#[tokio::test]
async fn the_secret_is_shown_once() {
    let world = World::new().await;
    let once = [("idempotency-key", "once")];
    let body = json!({ "environment": "development", "url": "https://hooks.dev/in?token=x", "event_types": [ALL[0]] });
    let first = world.keyfob.request("POST", PATH, ROOT, &once, &body).await.expect(201);
    let created = first.json();
    let secret = created["secret"].as_str().unwrap();
    let expected = json!({
        "id": created["id"], "environment": "development", "url": "https://hooks.dev/in?token=x",
        "event_types": ["connection.status_changed"], "created_at": "2026-11-20T10:00:00.000Z",
        "created_by": { "id": "key_root", "name": "Root key", "claimed": null }, "disabled_at": null,
        "secret": secret,
    });
    assert_eq!(created, expected);
    assert_eq!(first.header("location"), format!("{PATH}/{}", created["id"].as_str().unwrap()));
    let again = world.keyfob.request("POST", PATH, ROOT, &once, &body).await;
    assert_eq!(again.problem(), (409, "already_created".to_owned()));
    let listed = world.keyfob.get(&format!("{PATH}?environment=development")).await.expect(200);
    let data = listed.json()["data"].clone();
    assert_eq!((data.as_array().unwrap().len(), &data[0]["secret"]), (1, &Value::Null));
    let places = [again.text, listed.text, world.keyfob.database.dump(), world.keyfob.log.all().join("\n")];
    assert!(places.iter().all(|place| !place.contains(&secret["whsec_".len()..])));
    assert!(!world.keyfob.database.value::<String>("select group_concat(detail) from audit_events").contains("token"));
}

#[tokio::test]
async fn without_the_right_master_key_no_webhook_is_registered() {
    let world = World::new().await;
    world.register("hooks.dev", &ALL).await;
    let body = json!({ "environment": "development", "url": "https://hooks.dev/", "event_types": ALL });
    let wrong = r#"{"primary":1,"keys":{"1":"CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg="}}"#;
    for keys in ["", wrong] {
        let answer = world.keyfob.restarted(&[("MASTER_KEYS", keys)]).post(PATH, &body).await;
        assert_eq!(answer.problem(), (503, "key_unavailable".to_owned()));
    }
    assert_eq!(world.keyfob.blobs.stored.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_deleted_webhook_has_no_readable_secret_and_is_told_nothing() {
    let world = World::new().await;
    let webhook = world.register("hooks.dev", &ALL).await;
    let path = world.connection().await;
    world.switch(&path, 1, false).await;
    assert_eq!(world.deliveries(&webhook).await[0]["state"], "pending");
    let webhook = format!("{PATH}/{}", webhook["id"].as_str().unwrap());
    world.keyfob.request("DELETE", &webhook, ROOT, &[], &Value::Null).await.expect(204);
    let entries = "select count(*) from vault_entries where purpose = 'webhook'";
    assert_eq!(world.keyfob.database.value::<i64>(entries), 0);
    let counts = world.keyfob.database.counts();
    assert_eq!([counts["webhooks"], counts["webhook_deliveries"], counts["garbage"]], [0, 0, 1]);
    world.keyfob.tick().await;
    assert!(world.received("hooks.dev").is_empty());
    for method in ["DELETE", "GET"] {
        let path = if method == "GET" { format!("{webhook}/deliveries") } else { webhook.clone() };
        world.keyfob.request(method, &path, ROOT, &[], &Value::Null).await.expect(404);
    }
}

#[tokio::test]
async fn the_log_is_paged_newest_first() {
    let world = World::new().await;
    let webhook = world.register("hooks.dev", &ALL).await;
    let path = world.connection().await;
    for version in 1..4 {
        world.switch(&path, version, version % 2 == 0).await;
    }
    let log = format!("{PATH}/{}/deliveries?limit=2", webhook["id"].as_str().unwrap());
    let first = world.keyfob.get(&log).await.expect(200).json();
    let next = format!("{log}&cursor={}", first["next_cursor"].as_str().unwrap());
    let second = world.keyfob.get(&next).await.expect(200).json();
    assert_eq!((first["data"].as_array().unwrap().len(), second["data"].as_array().unwrap().len()), (2, 1));
    assert_eq!(second["next_cursor"], Value::Null);
    let fields = ["event_type", "state", "attempts", "outcome"];
    let pending =
        json!({ "event_type": "connection.status_changed", "state": "pending", "attempts": 0, "outcome": null });
    assert_eq!(shown(&second["data"][0], fields), pending);
}
