//! Coming dates are told once each.

use serde_json::{Value, json};

use super::{DAY, HOUR, World, body};
use crate::support::{Keyfob, bearer, path_of};

const DATES: [&str; 2] = ["connection.expiring", "connection.rotation_due"];

async fn with_dates(keyfob: &Keyfob, dates: &Value) -> String {
    let mut body = bearer("Acme");
    for (field, date) in dates.as_object().unwrap() {
        body[field] = date.clone();
    }
    path_of(&keyfob.create(&body).await)
}

fn told(world: &World) -> Vec<Value> {
    world.received("hooks.dev").iter().map(body).collect()
}

#[tokio::test]
async fn a_date_is_told_once_it_lies_within_the_horizon_and_only_once() {
    let world = World::new().await;
    world.register("hooks.dev", &DATES).await;
    let dates = json!({ "expires_at": "2026-12-05T10:00:00Z", "rotate_by": "2026-12-06T10:00:00Z" });
    let path = with_dates(&world.keyfob, &dates).await;
    let mut days = Vec::new();
    for _ in 0..20 {
        world.keyfob.tick().await;
        days.push(told(&world).len());
        world.keyfob.advance(DAY);
    }
    assert_eq!(days[..5], [0, 1, 2, 2, 2]);
    assert_eq!(days[19], 2);
    let expected = json!({
        "type": "connection.expiring", "timestamp": "2026-11-21T10:00:00.000Z",
        "data": {
            "connection_id": path.rsplit('/').next().unwrap(), "environment": "development", "provider": "http",
            "connection_type": "bearer", "kind": "organization", "revision": 1, "expires_at": "2026-12-05T10:00:00.000Z",
        },
    });
    assert_eq!(told(&world)[0], expected);
    assert_eq!(told(&world)[1]["data"]["rotate_by"], "2026-12-06T10:00:00.000Z");
}

#[tokio::test]
async fn another_date_is_told_anew() {
    let world = World::new().await;
    world.register("hooks.dev", &DATES).await;
    let path = with_dates(&world.keyfob, &json!({ "expires_at": "2026-11-30T10:00:00Z" })).await;
    world.keyfob.tick().await;
    world.keyfob.patch(&path, 1, &json!({ "expires_at": "2026-12-01T10:00:00Z" })).await.expect(200);
    world.keyfob.tick().await;
    world.keyfob.patch(&path, 2, &json!({ "name": "New" })).await.expect(200);
    world.keyfob.tick().await;
    assert_eq!(told(&world).len(), 2);
}

#[tokio::test]
async fn what_is_past_disabled_deleted_or_far_is_not_told() {
    let world = World::new().await;
    world.register("hooks.dev", &DATES).await;
    with_dates(&world.keyfob, &json!({ "expires_at": "2026-11-18T10:00:00Z" })).await;
    with_dates(&world.keyfob, &json!({ "rotate_by": "2027-11-18T10:00:00Z" })).await;
    with_dates(&world.keyfob, &json!({ "rotate_by": "2026-11-25T10:00:00Z", "enabled": false })).await;
    let deleted = with_dates(&world.keyfob, &json!({ "rotate_by": "2026-11-25T10:00:00Z" })).await;
    world.keyfob.delete(&deleted, 1).await.expect(204);
    world.keyfob.tick().await;
    assert_eq!(told(&world), Vec::<Value>::new());
}

#[tokio::test]
async fn an_endpoint_that_comes_later_is_told_what_is_still_to_come() {
    let world = World::new().await;
    with_dates(&world.keyfob, &json!({ "expires_at": "2026-11-30T10:00:00Z" })).await;
    world.keyfob.tick().await;
    world.register("hooks.dev", &DATES).await;
    world.keyfob.tick().await;
    assert_eq!(told(&world).len(), 1);
}

#[tokio::test]
async fn two_ticks_at_once_tell_a_date_once() {
    let world = World::new().await;
    world.register("hooks.dev", &DATES).await;
    for _ in 0..20 {
        with_dates(&world.keyfob, &json!({ "expires_at": "2026-11-30T10:00:00Z" })).await;
    }
    tokio::join!(world.keyfob.tick(), world.keyfob.tick());
    world.keyfob.advance(HOUR);
    world.keyfob.tick().await;
    assert_eq!(told(&world).len(), 20);
}
