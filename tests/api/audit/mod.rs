//! The audit log: who may read it, what it tells, and that nothing is lost from it.

mod chain;
mod complete;
mod resolves;
mod tampering;

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Keyfob, ROOT, bearer, path_of};

const LOG: &str = "/v1/audit-events";

/// Two connections in two environments, an API key, and a rename a minute later.
async fn lived() -> (Keyfob, Value, Value) {
    let keyfob = Keyfob::working().await;
    let acme = keyfob.create(&bearer("Acme")).await;
    let mut staging = bearer("Staging");
    staging["environment"] = json!("staging");
    let staging = keyfob.create(&staging).await;
    keyfob.key(&["connections:write"], &["development"]).await;
    keyfob.advance(Duration::from_mins(1));
    keyfob.patch(&path_of(&acme), 1, &json!({ "name": "New" })).await.expect(200);
    (keyfob, acme, staging)
}

/// The numbers of what a query shows, all pages, with as many rows a page.
async fn seqs(keyfob: &Keyfob, key: &str, query: &str, limit: u8) -> Vec<i64> {
    let (mut seqs, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("{LOG}?limit={limit}{query}{cursor}");
        let page = keyfob.request("GET", &path, key, &[], &Value::Null).await.expect(200).json();
        seqs.extend(page["data"].as_array().unwrap().iter().map(|entry| entry["seq"].as_i64().unwrap()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return seqs,
        }
    }
}

#[tokio::test]
async fn a_key_sees_its_environments_and_what_concerns_all_only_when_it_has_all() {
    let (keyfob, ..) = lived().await;
    let everywhere = ["development", "staging", "production"];
    for (environments, expected) in [
        (&["development"][..], vec![4, 1]),
        (&["staging", "production"], vec![2]),
        (&["production"], vec![]),
        (&everywhere, vec![8, 7, 6, 5, 4, 3, 2, 1]),
    ] {
        let key = keyfob.key(&["audit:read"], environments).await;
        assert_eq!(seqs(&keyfob, &key, "", 1).await, expected, "{environments:?}");
    }
    let key = keyfob.key(&["audit:read"], &["staging"]).await;
    let refused = keyfob.request("GET", &format!("{LOG}?environment=development"), &key, &[], &Value::Null).await;
    assert_eq!(refused.problem(), (403, "environment_not_allowed".to_owned()));
    assert_eq!(seqs(&keyfob, &key, "&environment=staging", 1).await, [2]);
}

#[tokio::test]
async fn a_wrong_query_is_refused() {
    let keyfob = Keyfob::start().await;
    for (query, code) in [
        ("?action=connection.stolen", "invalid_query"),
        ("?environment=test", "invalid_query"),
        ("?from=yesterday", "invalid_query"),
        ("?limit=0", "invalid_query"),
        ("?limit=101", "invalid_query"),
        ("?actor=key_root", "invalid_query"),
        ("?cursor=%22", "invalid_cursor"),
        ("?cursor=WzFd", "invalid_cursor"),
    ] {
        assert_eq!(keyfob.get(&format!("{LOG}{query}")).await.problem(), (400, code.to_owned()), "{query}");
    }
    let huge = "?cursor=WzkyMjMzNzIwMzY4NTQ3NzU4MDcsOTIyMzM3MjAzNjg1NDc3NTgwN10";
    keyfob.get(&format!("{LOG}{huge}")).await.expect(200);
    keyfob.get(&format!("{LOG}/verification{huge}")).await.problem();
}

#[tokio::test]
async fn an_entry_tells_who_did_what_when_and_never_a_value() {
    let (keyfob, acme, _) = lived().await;
    let page = keyfob.get(&format!("{LOG}?limit=1")).await.expect(200);
    let entry = page.json()["data"][0].clone();
    let root = json!({ "id": "key_root", "name": "Root key", "claimed": null });
    let expected = json!({
        "seq": 4, "id": entry["id"], "at": "2026-11-20T10:01:00.000Z", "environment": "development",
        "action": "connection.updated", "resource_id": acme["id"], "actor": root, "request_id": entry["request_id"],
        "detail": { "version": 2, "revision": null, "fields": ["name"] },
    });
    assert_eq!(entry, expected);
    assert!(entry["id"].as_str().unwrap().starts_with("opn_"));
    let all = keyfob.get(LOG).await.expect(200);
    assert_eq!(all.json()["next_cursor"], Value::Null);
    assert!(!all.text.contains("planted") && !all.text.contains("api.acme.dev"));
}

#[tokio::test]
async fn each_filter_narrows_alone_and_with_others() {
    let (keyfob, acme, staging) = lived().await;
    let (acme, staging) = (acme["id"].as_str().unwrap(), staging["id"].as_str().unwrap());
    let key = keyfob.key(&["connections:write"], &["development"]).await;
    let renamed = json!({ "name": "Newer" });
    let headers = [("if-match", "\"2\"")];
    keyfob.request("PATCH", &format!("/v1/connections/{acme}"), &key, &headers, &renamed).await.expect(200);
    let other = keyfob.get(&format!("{LOG}?limit=1")).await.json()["data"][0]["actor"]["id"].clone();
    let other = other.as_str().unwrap();
    for (query, expected) in [
        (String::new(), vec![6, 5, 4, 3, 2, 1]),
        ("&environment=staging".to_owned(), vec![2]),
        ("&action=connection.updated".to_owned(), vec![6, 4]),
        (format!("&actor_id={other}"), vec![6]),
        ("&actor_id=key_root".to_owned(), vec![5, 4, 3, 2, 1]),
        (format!("&resource_id={acme}"), vec![6, 4, 1]),
        ("&from=2026-11-20T10:01:00Z".to_owned(), vec![6, 5, 4]),
        ("&to=2026-11-20T10:01:00Z".to_owned(), vec![3, 2, 1]),
        ("&from=2026-11-20T10:00:00Z&to=2026-11-20T10:00:00.001Z".to_owned(), vec![3, 2, 1]),
        ("&from=2026-11-20T10:01:00Z&to=2026-11-20T10:01:00Z".to_owned(), vec![]),
        (format!("&resource_id={acme}&actor_id=key_root"), vec![4, 1]),
        (format!("&resource_id={acme}&action=connection.updated&actor_id={other}"), vec![6]),
        (format!("&resource_id={staging}&environment=development"), vec![]),
        ("&environment=development&action=connection.created&to=2026-11-20T10:01:00Z".to_owned(), vec![1]),
        ("&resource_id=con_absent".to_owned(), vec![]),
    ] {
        for limit in [1, 2, 100] {
            assert_eq!(seqs(&keyfob, ROOT, &query, limit).await, expected, "{query} {limit}");
        }
    }
}

#[tokio::test]
async fn combined_filters_stop_after_their_candidates_with_a_cursor() {
    let keyfob = Keyfob::start().await;
    let rows = "with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < 6000) \
                insert into audit_events (operation_id, at, environment, action, resource_id, actor, request_id, detail, tag) \
                select 'opn_' || printf('%026d', n), n, 'development', iif(n = 500, 'connection.deleted', 'connection.created'), \
                'con_1', '{\"id\":\"key_1\",\"name\":\"K\",\"claimed\":null}', 'req_1', '{}', '' from numbers";
    keyfob.database.execute(rows).unwrap();
    let query = format!("{LOG}?resource_id=con_1&action=connection.deleted");
    let first = keyfob.get(&query).await.expect(200).json();
    assert_eq!(first["data"], json!([]));
    let next = format!("{query}&cursor={}", first["next_cursor"].as_str().unwrap());
    let second = keyfob.get(&next).await.expect(200).json();
    assert_eq!((&second["data"][0]["seq"], &second["next_cursor"]), (&json!(500), &Value::Null));
    assert_eq!(seqs(&keyfob, ROOT, "&action=connection.deleted", 100).await, [500]);
}
