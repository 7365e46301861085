//! Exports: definitions of one environment, whole, in parts that can be imported as they are.

use serde_json::{Value, json};

use super::{FORMAT, actions, apply};
use crate::support::{Keyfob, bearer, path_of};

const EXPORT: &str = "/v1/export?environment=development";

#[tokio::test]
async fn an_export_without_an_environment_or_with_a_cursor_of_something_else_is_refused() {
    let keyfob = Keyfob::start().await;
    for (query, code) in [
        ("", "invalid_query"),
        ("?environment=test", "invalid_query"),
        ("?environment=development&secrets=true", "invalid_query"),
        ("?environment=development&cursor=x", "invalid_cursor"),
        ("?environment=development&cursor=WyJhIl0", "invalid_cursor"),
    ] {
        assert_eq!(keyfob.get(&format!("/v1/export{query}")).await.problem(), (400, code.to_owned()), "{query}");
    }
}

#[tokio::test]
async fn an_export_holds_definitions_and_no_secret_and_nothing_of_elsewhere_deleted_or_of_a_customer() {
    let keyfob = Keyfob::working().await;
    let mut body = bearer("Zeta");
    (body["tags"], body["embedded"]) = (json!(["b", "a"]), json!(true));
    keyfob.create(&body).await;
    keyfob.create(&bearer("Alpha")).await;
    let deleted = keyfob.create(&bearer("Deleted")).await;
    keyfob.delete(&path_of(&deleted), 1).await.expect(204);
    let mut elsewhere = bearer("Elsewhere");
    elsewhere["environment"] = json!("staging");
    keyfob.create(&elsewhere).await;
    let customers = "update connections set kind = 'customer', customer = 'c1' where name = 'Customer'";
    keyfob.create(&bearer("Customer")).await;
    keyfob.database.execute(customers).unwrap();

    let answer = keyfob.get(EXPORT).await.expect(200);
    let definition = |key: &str, name: &str, tags: Value, embedded: bool| {
        json!({
            "stable_key": key, "kind": "organization", "provider": "http", "connection_type": "bearer", "name": name,
            "description": "", "tags": tags,
            "settings": { "base_url": "https://api.acme.dev", "test_method": "GET", "test_path": "/me", "test_expect": "200-299" },
            "secret_fields": ["token"], "enabled": true, "embedded": embedded,
        })
    };
    let settings = answer.json()["connections"][0]["settings"].clone();
    let mut expected = json!({
        "format": FORMAT, "environment": "development", "next_cursor": null,
        "connections": [definition("alpha", "Alpha", json!([]), false), definition("zeta", "Zeta", json!(["a", "b"]), true)],
    });
    // Whatever defaults the provider file fills in.
    for index in [0, 1] {
        expected["connections"][index]["settings"] = settings.clone();
    }
    assert_eq!(answer.json(), expected);
    assert!(!answer.text.contains("planted-secret") && !answer.text.contains("key_root"), "{}", answer.text);
}

#[tokio::test]
async fn many_definitions_come_in_documents_that_can_be_imported_as_they_are() {
    let keyfob = Keyfob::start().await;
    keyfob.create(&bearer("Sample")).await;
    let rows = "with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < 1200) \
        insert into connections (id, environment, provider, connection_type, kind, name, name_key, description, \
        stable_key, tags, settings, secret_fields, enabled, embedded, version, revision, verdict, reason, created_at, \
        created_by, modified_at, modified_by, search_text, search_scope) \
        select substr(id, 1, 20) || printf('%010d', n), environment, provider, connection_type, kind, \
        printf('bulk %05d', n), printf('bulk %05d', n), '', printf('bulk-%05d', n), tags, settings, '[]', 1, 0, 1, 1, \
        verdict, reason, created_at + n, created_by, modified_at + n, modified_by, printf('bulk %05d', n), search_scope \
        from numbers cross join connections where name = 'Sample'";
    keyfob.database.execute(rows).unwrap();
    let (mut cursor, mut sizes) = (String::new(), Vec::new());
    loop {
        let document = keyfob.get(&format!("{EXPORT}{cursor}")).await.expect(200).json();
        sizes.push(document["connections"].as_array().unwrap().len());
        assert_eq!(apply(&keyfob, &document).await["counts"]["create"], *sizes.last().unwrap());
        let Some(next) = document["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(sizes, [500, 500, 201]);
    let count = "select count(*) from connections where environment = 'production'";
    assert_eq!(keyfob.database.value::<i64>(count), 1_201);
}

#[tokio::test]
async fn large_definitions_come_in_smaller_documents() {
    let keyfob = Keyfob::start().await;
    let long = format!("/{}", "x".repeat(1_000));
    for number in 0..40 {
        let mut body = bearer(&format!("Large {number:02}"));
        body["settings"]["test_path"] = json!(long);
        body["description"] = json!("é".repeat(2_000));
        keyfob.post("/v1/connections?test=false", &body).await.expect(201);
    }
    let padding =
        format!("update connections set settings = json_set(settings, '$.padding', '{}')", "y".repeat(20_000));
    keyfob.database.execute(&padding).unwrap();
    let first = keyfob.get(EXPORT).await.expect(200);
    assert!(first.text.len() < 1 << 20, "{}", first.text.len());
    assert!(first.json()["next_cursor"].is_string());
    assert!(first.json()["connections"].as_array().unwrap().len() > 10);
}

#[tokio::test]
async fn what_was_exported_changes_nothing_where_it_is_from() {
    let keyfob = Keyfob::working().await;
    keyfob.create(&bearer("Acme")).await;
    let document = keyfob.get(EXPORT).await.expect(200).json();
    let before = keyfob.database.dump();
    let answer = keyfob.post("/v1/import?environment=development&dry_run=false", &document).await.expect(200).json();
    assert_eq!(actions(&answer), json!([["acme", "unchanged", [], []]]));
    assert_eq!(keyfob.database.dump(), before);
}
