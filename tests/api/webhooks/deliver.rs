//! What the outbox holds is delivered: signed, at least once, tried again, and never to the harm of others.

use std::time::Duration;

use serde_json::{Value, json};

use super::{DAY, HOUR, MINUTE, World, body, verifies};
use crate::support::database::Fault::{After, Nothing};
use crate::support::{bearer, shown};

const STATUS: [&str; 1] = ["connection.status_changed"];

#[tokio::test]
async fn nobody_is_told_what_was_not_asked_for_or_did_not_happen() {
    let world = World::new().await;
    world.register("dates.hooks.dev", &["connection.expiring", "connection.rotation_due"]).await;
    let elsewhere = json!({ "environment": "staging", "url": "https://staging.hooks.dev/", "event_types": STATUS });
    world.keyfob.post("/v1/webhooks", &elsewhere).await.expect(201);
    world.register("hooks.dev", &STATUS).await;
    let path = world.connection().await;
    world.keyfob.patch(&path, 1, &json!({ "name": "New" })).await.expect(200);
    world.keyfob.patch(&path, 1, &json!({ "enabled": false })).await.expect(412);
    world.keyfob.post(&format!("{path}/tests"), &json!({})).await.expect(201);
    world.keyfob.tick().await;
    assert!(world.received("hooks.dev").is_empty());
    world.switch(&path, 2, false).await;
    world.keyfob.tick().await;
    assert_eq!(world.received("hooks.dev").len(), 1);
    assert!(world.received("dates.hooks.dev").is_empty() && world.received("staging.hooks.dev").is_empty());
}

#[tokio::test]
async fn a_message_is_signed_and_says_what_happened_and_no_more() {
    let world = World::new().await;
    let webhook = world.register("hooks.dev", &STATUS).await;
    let path = world.connection().await;
    world.keyfob.advance(MINUTE);
    world.switch(&path, 1, false).await;
    world.keyfob.advance(MINUTE);
    world.keyfob.tick().await;
    let [request] = world.received("hooks.dev").try_into().unwrap();
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/in?a=1"));
    assert!(verifies(&request, webhook["secret"].as_str().unwrap()));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("webhook-timestamp"), Some("1795168920"));
    let expected = json!({
        "type": "connection.status_changed", "timestamp": "2026-11-20T10:01:00.000Z",
        "data": {
            "connection_id": path.rsplit('/').next().unwrap(), "environment": "development", "provider": "http",
            "connection_type": "bearer", "kind": "organization", "revision": 1, "status": "not_active",
            "previous_status": "active", "enabled": false, "verdict": "valid", "reason": null,
        },
    });
    assert_eq!(body(&request), expected);
    let [delivery] = world.deliveries(&webhook).await.as_array().unwrap().clone().try_into().unwrap();
    let expected = json!({
        "id": request.header("webhook-id"), "event_type": "connection.status_changed",
        "connection_id": expected["data"]["connection_id"], "at": "2026-11-20T10:01:00.000Z", "state": "delivered",
        "attempts": 1, "outcome": "2xx", "attempted_at": "2026-11-20T10:02:00.000Z", "next_attempt_at": null,
    });
    assert_eq!(delivery, expected);
    assert!(!world.keyfob.database.dump().contains("kept nowhere"));
    world.keyfob.tick().await;
    assert_eq!(world.received("hooks.dev").len(), 1);
}

#[tokio::test]
async fn a_test_that_turns_a_connection_is_told_with_its_reason() {
    let world = World::new().await;
    world.register("hooks.dev", &STATUS).await;
    let created = world.keyfob.post("/v1/connections?test=false", &bearer("Acme")).await.expect(201).json();
    let path = crate::support::path_of(&created);
    world.keyfob.advance(HOUR);
    world.keyfob.post(&format!("{path}/tests"), &json!({})).await.expect(201);
    world.keyfob.tick().await;
    let told = body(&world.received("hooks.dev")[0]);
    assert_eq!(told["timestamp"], "2026-11-20T11:00:00.000Z");
    let fields = ["status", "previous_status", "verdict", "reason"];
    let expected = json!({ "status": "active", "previous_status": "not_active", "verdict": "valid", "reason": null });
    assert_eq!(shown(&told["data"], fields), expected);
}

#[tokio::test]
async fn a_failing_endpoint_is_tried_seven_times_under_one_id_and_then_given_up() {
    let world = World::new().await;
    let webhook = world.register("hooks.dev", &STATUS).await;
    world.answers("hooks.dev", 500, &[]);
    let path = world.connection().await;
    world.switch(&path, 1, false).await;
    let mut attempts = Vec::new();
    let mut minute = 0_u64;
    while minute < 3 * 24 * 60 {
        world.keyfob.tick().await;
        if world.received("hooks.dev").len() > attempts.len() {
            attempts.push(minute);
        }
        let step = if minute < 60 { 1 } else { 10 };
        world.keyfob.advance(MINUTE * u32::try_from(step).unwrap());
        minute += step;
    }
    let gaps: Vec<u64> = attempts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (gap, pause) in gaps.iter().zip([1, 5, 30, 120, 480, 1440]) {
        assert!((pause..=pause * 6 / 5 + 10).contains(gap), "{gaps:?}");
    }
    let requests = world.received("hooks.dev");
    assert_eq!(requests.len(), 7);
    assert!(requests.iter().all(|request| verifies(request, webhook["secret"].as_str().unwrap())));
    assert!(requests.iter().all(|request| request.header("webhook-id") == requests[0].header("webhook-id")));
    assert!(requests.iter().all(|request| request.body == requests[0].body));
    let fields = ["state", "attempts", "outcome", "next_attempt_at"];
    let log = world.deliveries(&webhook).await;
    let failed = json!({ "state": "failed", "attempts": 7, "outcome": "5xx", "next_attempt_at": null });
    assert_eq!(shown(&log[0], fields), failed);
}

#[tokio::test]
async fn an_endpoint_that_recovers_gets_what_it_missed() {
    let world = World::new().await;
    let webhook = world.register("hooks.dev", &STATUS).await;
    world.answers("hooks.dev", 302, &[("Location", "https://elsewhere.hooks.dev/")]);
    let path = world.connection().await;
    world.switch(&path, 1, false).await;
    world.keyfob.tick().await;
    let log = world.deliveries(&webhook).await;
    assert_eq!((log[0]["outcome"].as_str(), log[0]["state"].as_str()), (Some("3xx"), Some("pending")));
    assert!(world.received("elsewhere.hooks.dev").is_empty());
    world.answers("hooks.dev", 200, &[]);
    world.keyfob.advance(MINUTE * 2);
    world.keyfob.tick().await;
    let log = world.deliveries(&webhook).await;
    assert_eq!((log[0]["attempts"].as_u64(), log[0]["state"].as_str()), (Some(2), Some("delivered")));
}

#[tokio::test]
async fn an_endpoint_that_asks_for_a_pause_gets_it() {
    for status in [429, 503] {
        let world = World::new().await;
        let webhook = world.register("hooks.dev", &STATUS).await;
        world.answers("hooks.dev", status, &[("Retry-After", "7200")]);
        let path = world.connection().await;
        world.switch(&path, 1, false).await;
        world.switch(&path, 2, true).await;
        world.keyfob.tick().await;
        assert_eq!(world.received("hooks.dev").len(), 1, "the second message waits");
        let log = world.deliveries(&webhook).await;
        assert_eq!(log[1]["next_attempt_at"], "2026-11-20T12:00:00.000Z");
        assert_eq!(log[0]["attempts"], 0);
        // So does what is written meanwhile.
        world.switch(&path, 3, false).await;
        for _ in 0..10 {
            world.keyfob.advance(MINUTE * 10);
            world.keyfob.tick().await;
        }
        assert_eq!(world.received("hooks.dev").len(), 1, "nothing is sent within the pause");
        world.answers("hooks.dev", 200, &[]);
        world.keyfob.advance(MINUTE * 20);
        world.keyfob.tick().await;
        let log = world.deliveries(&webhook).await;
        let attempts: Vec<&Value> = log.as_array().unwrap().iter().map(|delivery| &delivery["attempts"]).collect();
        assert_eq!(attempts, [1, 1, 2]);
        assert!(log.as_array().unwrap().iter().all(|delivery| delivery["state"] == "delivered"));
    }
}

#[tokio::test]
async fn a_webhook_that_is_deleted_during_a_tick_is_no_alarm_and_one_without_its_secret_is() {
    for (gone, alarms) in [("delete from webhooks", 0), ("select 1", 1)] {
        let world = World::new().await;
        world.register("hooks.dev", &STATUS).await;
        let path = world.connection().await;
        world.switch(&path, 1, false).await;
        let meanwhile = format!(
            "create trigger meanwhile after update of next_attempt_at on webhook_deliveries begin \
             delete from vault_entries where purpose = 'webhook'; {gone}; end"
        );
        world.keyfob.database.execute(&meanwhile).unwrap();
        world.keyfob.tick().await;
        assert!(world.received("hooks.dev").is_empty());
        assert_eq!(world.keyfob.log.all().iter().filter(|line| line.contains("ALARM")).count(), alarms, "{gone}");
    }
}

#[tokio::test]
async fn what_some_leave_of_their_share_others_get() {
    let world = World::new().await;
    world.answers("b.hooks.dev", 500, &[]);
    world.register("a.hooks.dev", &STATUS).await;
    world.register("b.hooks.dev", &STATUS).await;
    world.register("c.hooks.dev", &["connection.expiring"]).await;
    let elsewhere = json!({ "environment": "staging", "url": "https://d.hooks.dev/", "event_types": STATUS });
    world.keyfob.post("/v1/webhooks", &elsewhere).await.expect(201);
    let path = world.connection().await;
    for version in 1..91 {
        world.switch(&path, version, version % 2 == 0).await;
    }
    world.keyfob.tick().await;
    // Of the hundred, 25 are what the one in trouble took.
    assert_eq!((world.received("a.hooks.dev").len(), world.received("b.hooks.dev").len()), (75, 1));
    let told = world.received("a.hooks.dev");
    assert!((0..75).all(|at| body(&told[at])["data"]["enabled"] == (at % 2 == 1)), "in their order");
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_told_nothing_more() {
    let world = World::new().await;
    let webhook = world.register("hooks.dev", &STATUS).await;
    world.answers("hooks.dev", 410, &[]);
    let path = world.connection().await;
    world.switch(&path, 1, false).await;
    world.switch(&path, 2, true).await;
    world.keyfob.tick().await;
    world.switch(&path, 3, false).await;
    world.keyfob.advance(DAY);
    world.keyfob.tick().await;
    assert_eq!(world.received("hooks.dev").len(), 1);
    let log = world.deliveries(&webhook).await;
    let states: Vec<&Value> = log.as_array().unwrap().iter().map(|delivery| &delivery["state"]).collect();
    assert_eq!(states, ["failed", "failed"]);
    let listed = world.keyfob.get("/v1/webhooks?environment=development").await.expect(200).json();
    assert_eq!(listed["data"][0]["disabled_at"], "2026-11-20T10:00:00.000Z");
    let audited = "select actor ->> 'id' from audit_events where action = 'webhook.disabled'";
    assert_eq!(world.keyfob.database.value::<String>(audited), "system");
}

#[tokio::test]
async fn an_endpoint_in_trouble_holds_up_nobody_else() {
    let world = World::new().await;
    world.answers("a.hooks.dev", 500, &[]);
    for host in ["a.hooks.dev", "b.hooks.dev"] {
        world.register(host, &STATUS).await;
    }
    let path = world.connection().await;
    for version in 1..21 {
        world.switch(&path, version, version % 2 == 0).await;
    }
    world.keyfob.tick().await;
    assert_eq!((world.received("a.hooks.dev").len(), world.received("b.hooks.dev").len()), (1, 20));
    let line = world.keyfob.log.of_job("deliver");
    assert_eq!(shown(&line, ["delivered", "failed", "left"]), json!({ "delivered": 20, "failed": 1, "left": 19 }));
}

#[tokio::test]
async fn a_message_that_is_refused_does_not_hold_up_those_behind_it() {
    let world = World::new().await;
    world.answers("hooks.dev", 400, &[]);
    world.register("hooks.dev", &STATUS).await;
    let path = world.connection().await;
    for version in 1..4 {
        world.switch(&path, version, version % 2 == 0).await;
    }
    world.keyfob.tick().await;
    assert_eq!(world.received("hooks.dev").len(), 3);
}

#[tokio::test]
async fn a_tick_delivers_a_hundred_at_most_in_their_order() {
    let world = World::new().await;
    world.register("hooks.dev", &STATUS).await;
    let path = world.connection().await;
    for version in 1..121 {
        world.switch(&path, version, version % 2 == 0).await;
    }
    world.keyfob.tick().await;
    let told = world.received("hooks.dev");
    assert_eq!(told.len(), 100);
    let enabled = |at: usize| body(&told[at])["data"]["enabled"].as_bool().unwrap();
    assert!((0..100).all(|at| enabled(at) == (at % 2 == 1)));
    world.keyfob.tick().await;
    assert_eq!(world.received("hooks.dev").len(), 120);
}

#[tokio::test]
async fn ticks_at_once_deliver_nothing_twice() {
    let world = World::new().await;
    world.register("hooks.dev", &STATUS).await;
    let path = world.connection().await;
    for version in 1..31 {
        world.switch(&path, version, version % 2 == 0).await;
    }
    let ids = || -> std::collections::BTreeSet<String> {
        world.received("hooks.dev").iter().map(|one| one.header("webhook-id").unwrap().to_owned()).collect()
    };
    tokio::join!(world.keyfob.tick(), world.keyfob.tick(), world.keyfob.tick());
    assert_eq!((world.received("hooks.dev").len(), ids().len()), (30, 30));
}

#[tokio::test]
async fn what_was_delivered_but_not_recorded_comes_again_under_the_same_id() {
    let world = World::new().await;
    let webhook = world.register("hooks.dev", &STATUS).await;
    let path = world.connection().await;
    world.switch(&path, 1, false).await;
    world.keyfob.database.execute("create trigger lost before update of attempts on webhook_deliveries begin select raise(abort, 'lost'); end").unwrap();
    world.keyfob.tick().await;
    world.keyfob.database.execute("drop trigger lost").unwrap();
    assert_eq!(world.deliveries(&webhook).await[0]["attempts"], 0);
    world.keyfob.advance(Duration::from_mins(14));
    world.keyfob.tick().await;
    assert_eq!(world.received("hooks.dev").len(), 1);
    world.keyfob.advance(MINUTE);
    world.keyfob.tick().await;
    let requests = world.received("hooks.dev");
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].header("webhook-id"), requests[1].header("webhook-id"));
    assert_eq!(world.deliveries(&webhook).await[0]["state"], "delivered");
}

#[tokio::test]
async fn a_change_whose_answer_was_lost_is_told_once() {
    let world = World::new().await;
    world.register("hooks.dev", &STATUS).await;
    let path = world.connection().await;
    world.keyfob.database.fail_next(&[Nothing, After]);
    world.switch(&path, 1, false).await;
    world.keyfob.tick().await;
    assert_eq!(world.received("hooks.dev").len(), 1);
}

#[tokio::test]
async fn a_secret_that_is_not_visible_yet_is_no_attempt() {
    let world = World::new().await;
    let webhook = world.register("hooks.dev", &STATUS).await;
    let path = world.connection().await;
    world.switch(&path, 1, false).await;
    world.keyfob.blobs.lagging.store(true, std::sync::atomic::Ordering::SeqCst);
    world.keyfob.tick().await;
    assert_eq!(world.deliveries(&webhook).await[0]["attempts"], 0);
    world.keyfob.blobs.lagging.store(false, std::sync::atomic::Ordering::SeqCst);
    world.keyfob.advance(MINUTE);
    world.keyfob.tick().await;
    assert_eq!(world.deliveries(&webhook).await[0]["state"], "delivered");
}

#[tokio::test]
async fn the_log_is_kept_for_thirty_days() {
    let world = World::new().await;
    let webhook = world.register("hooks.dev", &STATUS).await;
    let path = world.connection().await;
    world.switch(&path, 1, false).await;
    world.keyfob.tick().await;
    world.keyfob.advance(DAY * 30);
    world.keyfob.tick().await;
    assert_eq!(world.deliveries(&webhook).await.as_array().unwrap().len(), 1);
    world.keyfob.advance(Duration::from_millis(1));
    world.keyfob.tick().await;
    assert_eq!(world.deliveries(&webhook).await, json!([]));
}
