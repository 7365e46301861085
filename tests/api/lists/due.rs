//! What expires or is to be rotated: listed in that order, and marked.

use std::time::Duration;

use serde_json::{Value, json};

use super::{FACETS, LIST};
use crate::support::{Keyfob, bearer, path_of};

async fn dated(keyfob: &Keyfob, name: &str, dates: Value) -> Value {
    let mut body = bearer(name);
    for (field, date) in dates.as_object().unwrap() {
        body[field] = date.clone();
    }
    keyfob.post("/v1/connections?test=false", &body).await.expect(201).json()
}

/// Connections of every kind, created out of order.
async fn populated() -> Keyfob {
    let keyfob = Keyfob::start().await;
    dated(&keyfob, "Far", json!({ "expires_at": "2027-06-01T00:00:00Z" })).await;
    dated(&keyfob, "Both", json!({ "expires_at": "2026-12-03T00:00:00Z", "rotate_by": "2026-11-01T00:00:00Z" })).await;
    dated(&keyfob, "Never", json!({})).await;
    dated(&keyfob, "Expired", json!({ "expires_at": "2026-11-20T09:59:59Z" })).await;
    dated(&keyfob, "Soon", json!({ "rotate_by": "2026-12-04T10:00:00Z" })).await;
    keyfob
}

async fn listed(keyfob: &Keyfob, query: &str) -> Vec<Value> {
    let page = keyfob.get(&format!("{LIST}{query}")).await.expect(200).json();
    page["data"].as_array().unwrap().iter().map(|one| json!([one["name"], one["attention"]])).collect()
}

#[tokio::test]
async fn what_is_due_is_listed_in_its_order_and_marked() {
    let keyfob = populated().await;
    let due = [
        json!(["Both", ["expiring", "rotation_overdue"]]),
        json!(["Expired", ["expired"]]),
        json!(["Soon", ["rotation_due"]]),
    ];
    assert_eq!(listed(&keyfob, "&due_before=2026-12-31T00:00:00Z").await, due);
    assert_eq!(listed(&keyfob, "&due_before=2026-12-31T00:00:00Z&sort=name&provider=http").await, due);
    let all = listed(&keyfob, "&sort=-due_at").await;
    assert_eq!(all.iter().map(|one| &one[0]).collect::<Vec<_>>(), ["Far", "Soon", "Expired", "Both"]);
    assert_eq!(all[0][1], json!([]));
    let facets = keyfob.get(&format!("{FACETS}&due_before=2026-12-31T00:00:00Z")).await.expect(200).json();
    assert_eq!(facets["providers"], json!([{ "value": "http", "count": 3, "exact": true }]));
}

#[tokio::test]
async fn the_horizon_is_configured() {
    let keyfob = populated().await.restarted(&[("EXPIRY_HORIZON_DAYS", "1")]);
    assert_eq!(listed(&keyfob, "&search=soon").await, [json!(["Soon", []])]);
    keyfob.advance(Duration::from_hours(13 * 24));
    assert_eq!(listed(&keyfob, "&search=soon").await, [json!(["Soon", ["rotation_due"]])]);
}

#[tokio::test]
async fn a_date_that_is_cleared_calls_for_nothing() {
    let keyfob = Keyfob::start().await;
    let path = path_of(&dated(&keyfob, "Acme", json!({ "rotate_by": "2026-11-21T00:00:00Z" })).await);
    let after = keyfob.patch(&path, 1, &json!({ "rotate_by": null })).await.expect(200).json();
    assert_eq!(after["attention"], json!([]));
    assert_eq!(listed(&keyfob, "&sort=due_at").await, Vec::<Value>::new());
}
