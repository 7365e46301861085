//! `GET /v1/embedded/connections`: what a session sees, and nothing else.

use std::time::Duration;

use keyfob::domain::text::fold;
use serde_json::{Value, json};

use super::stored::Stored;
use super::{customer, names, read, session, strict};
use crate::support::{Keyfob, ROOT, bearer};

const PATH: &str = "/v1/embedded/connections";

#[tokio::test]
async fn what_is_exposed_shows_eight_fields_and_what_is_own_its_details_too() {
    let keyfob = Keyfob::with(strict).await;
    let mut exposed = bearer("Acme");
    exposed["embedded"] = true.into();
    exposed["tags"] = json!(["private-tag"]);
    exposed["description"] = "Private description".into();
    let exposed = keyfob.create(&exposed).await;
    Stored::of_customer(1, "c1", "Own").insert(&keyfob);
    let page = read(&keyfob, PATH, &customer(&keyfob, "c1").await, &[]).await.expect(200);
    let organization = json!({
        "id": exposed["id"], "provider": "http", "connection_type": "bearer", "kind": "organization", "name": "Acme",
        "stable_key": "acme", "status": "active", "own": false,
    });
    let own = json!({
        "id": "con_01kag3p3g00000000000000001", "provider": "http", "connection_type": "bearer", "kind": "customer",
        "name": "Own", "stable_key": "con_01kag3p3g00000000000000001", "status": "active", "own": true,
        "template": null,
        "health": {
            "verdict": "valid", "reason": null, "action": "none", "message": null, "checked_at": null, "source": null,
            "stale": false,
        },
        "settings": { "base_url": "https://private.dev" }, "granted_scopes": [], "missing_scopes": [], "version": 3,
    });
    assert_eq!(page.json(), json!({ "data": [organization, own], "next_cursor": null }));
}

#[tokio::test]
async fn nothing_of_the_organizations_but_what_is_toggled_and_enabled_is_seen() {
    let keyfob = Keyfob::start().await;
    Stored { kind: "template", ..Stored::exposed(1, "Template") }.insert(&keyfob);
    Stored::exposed(2, "Exposed").insert(&keyfob);
    Stored { embedded: false, ..Stored::exposed(3, "Not toggled") }.insert(&keyfob);
    Stored { enabled: false, ..Stored::exposed(4, "Disabled") }.insert(&keyfob);
    Stored { deleted: true, ..Stored::exposed(5, "Deleted") }.insert(&keyfob);
    Stored { environment: "staging", ..Stored::exposed(6, "Elsewhere") }.insert(&keyfob);
    assert_eq!(names(&keyfob, &customer(&keyfob, "c1").await).await, ["Exposed", "Template"]);
    // The organization's own designer sees all that is its.
    let builder = session(&keyfob, &json!({ "environment": "development" })).await;
    assert_eq!(names(&keyfob, &builder).await, ["Disabled", "Exposed", "Not toggled", "Template"]);
}

#[tokio::test]
async fn a_customer_sees_own_connections_in_any_state_and_none_of_anybody_else() {
    let keyfob = Keyfob::start().await;
    Stored { enabled: false, ..Stored::of_customer(1, "c1", "Own, disabled") }.insert(&keyfob);
    Stored { embedded: true, ..Stored::of_customer(2, "c2", "Other, toggled") }.insert(&keyfob);
    Stored { deleted: true, ..Stored::of_customer(3, "c1", "Own, deleted") }.insert(&keyfob);
    Stored { environment: "production", ..Stored::of_customer(4, "c1", "Own, elsewhere") }.insert(&keyfob);
    assert_eq!(names(&keyfob, &customer(&keyfob, "c1").await).await, ["Own, disabled"]);
    assert_eq!(names(&keyfob, &customer(&keyfob, "c2").await).await, ["Other, toggled"]);
    assert!(names(&keyfob, &customer(&keyfob, "C1").await).await.is_empty());
    assert!(names(&keyfob, &session(&keyfob, &json!({ "environment": "development" })).await).await.is_empty());
}

#[tokio::test]
async fn what_is_toggled_off_disabled_or_deleted_is_gone_from_the_next_answer() {
    let keyfob = Keyfob::start().await;
    let token = customer(&keyfob, "c1").await;
    let mut version = 1;
    let created = keyfob.create(&bearer("Acme")).await;
    let path = format!("/v1/connections/{}", created["id"].as_str().unwrap());
    assert!(names(&keyfob, &token).await.is_empty());
    for (change, is_seen) in [
        (json!({ "embedded": true }), true),
        (json!({ "embedded": false }), false),
        (json!({ "embedded": true }), true),
        (json!({ "enabled": false }), false),
        (json!({ "enabled": true }), true),
    ] {
        keyfob.patch(&path, version, &change).await.expect(200);
        version += 1;
        assert_eq!(names(&keyfob, &token).await.len(), usize::from(is_seen), "{change}");
    }
    keyfob.delete(&path, version).await.expect(204);
    assert!(names(&keyfob, &token).await.is_empty());
}

#[tokio::test]
async fn an_answer_that_the_page_has_already_is_304_until_something_changes() {
    let keyfob = Keyfob::start().await;
    Stored::exposed(1, "Exposed").insert(&keyfob);
    let token = customer(&keyfob, "c1").await;
    let first = read(&keyfob, PATH, &token, &[]).await.expect(200);
    let etag = first.header("etag").to_owned();
    assert_eq!(first.header("cache-control"), "private, no-cache");
    for known in [etag.clone(), format!("\"other\", {etag}"), format!("W/{etag}")] {
        let second = read(&keyfob, PATH, &token, &[("if-none-match", &known)]).await.expect(304);
        assert_eq!((second.text.as_str(), second.header("etag")), ("", etag.as_str()), "{known}");
        assert_eq!(second.header("cache-control"), "private, no-cache");
    }
    Stored::of_customer(2, "c1", "Own").insert(&keyfob);
    let third = read(&keyfob, PATH, &token, &[("if-none-match", &etag)]).await.expect(200);
    assert_ne!(third.header("etag"), etag);
    keyfob.advance(Duration::from_hours(1));
    read(&keyfob, PATH, &token, &[("if-none-match", third.header("etag"))]).await.expect(401);
}

#[tokio::test]
async fn one_round_trip_proves_the_session_and_reads_the_list() {
    let keyfob = Keyfob::start().await;
    let token = customer(&keyfob, "c1").await;
    read(&keyfob, PATH, &token, &[("origin", "https://app.example.com")]).await.expect(200);
    let line = keyfob.log.last();
    assert_eq!((&line["database_calls"], &line["blob_calls"]), (&json!(1), &json!(0)));
}

#[tokio::test]
async fn what_is_wrong_with_the_query_is_told() {
    let keyfob = Keyfob::start().await;
    let token = customer(&keyfob, "c1").await;
    for (query, code) in [
        ("limit=0", "invalid_query"),
        ("limit=101", "invalid_query"),
        ("environment=production", "invalid_query"),
        ("customer=c2", "invalid_query"),
        ("cursor=nonsense", "invalid_cursor"),
        ("cursor=WzEsMV0", "invalid_cursor"),
    ] {
        let answer = read(&keyfob, &format!("{PATH}?{query}"), &token, &[]).await;
        assert_eq!(answer.problem(), (400, code.to_owned()), "{query}");
    }
}

/// Rows of every combination that matters, with names that sort in no simple way.
fn rows() -> Vec<Stored> {
    let names =
        ["Zürich", "zurich", "ZÜRICH", "acme", "Acme", "Émile", "emile 2", "💳", "支払い", "10", "9", "a b", "a-b"];
    let types = [("http", "bearer"), ("http", "basic"), ("slack", "incoming_webhook"), ("discord", "webhook")];
    let mut rows = Vec::new();
    for (number, name) in names.iter().cycle().take(130).enumerate() {
        let (provider, connection_type) = types[number % 7 % types.len()];
        let (customer, kind) =
            [("", "organization"), ("c1", "customer"), ("", "template"), ("c2", "customer")][number % 4];
        rows.push(Stored {
            customer,
            kind,
            provider,
            connection_type,
            environment: if number % 11 == 0 { "staging" } else { "development" },
            enabled: number % 5 != 0,
            embedded: number % 3 != 0,
            deleted: number % 17 == 0,
            ..Stored::exposed(number, name)
        });
    }
    rows
}

/// What a session may see, in order, by the words of the specification.
fn expected(rows: &[Stored], of: &Value, asked: &[&str]) -> Vec<String> {
    let allowed = |list: &Value, key: &str| list.as_array().is_none_or(|list| list.iter().any(|one| one == key));
    let own = |row: &Stored| !row.customer.is_empty() && of["customer"] == row.customer;
    let is_builder = of["customer"].is_null();
    let exposed = |row: &Stored| row.customer.is_empty() && (is_builder || row.embedded && row.enabled);
    let mut seen: Vec<&Stored> = rows
        .iter()
        .filter(|row| !row.deleted && of["environment"] == row.environment && (own(row) || exposed(row)))
        .filter(|row| allowed(&of["providers"], row.provider) && allowed(&of["connection_types"], row.connection_type))
        .filter(|row| asked.is_empty() || asked.contains(&row.provider))
        .collect();
    seen.sort_by_key(|row| fold(&row.name));
    seen.into_iter().map(|row| row.id.clone()).collect()
}

#[tokio::test]
async fn every_page_of_every_session_is_what_a_model_says() {
    let keyfob = Keyfob::start().await;
    let rows = rows();
    for row in &rows {
        row.insert(&keyfob);
    }
    for of in [
        json!({ "environment": "development", "customer": "c1" }),
        json!({ "environment": "development", "customer": "c2" }),
        json!({ "environment": "development", "customer": "c3" }),
        json!({ "environment": "development" }),
        json!({ "environment": "staging", "customer": "c1" }),
        json!({ "environment": "production", "customer": "c1" }),
        json!({ "environment": "development", "customer": "c1", "providers": ["slack", "discord"] }),
        json!({ "environment": "development", "customer": "c1", "connection_types": ["basic", "webhook"] }),
        json!({ "environment": "development", "customer": "c1", "providers": ["http"], "connection_types": ["webhook"] }),
        json!({ "environment": "development", "customer": "c1", "providers": [] }),
    ] {
        let token = session(&keyfob, &of).await;
        for asked in [&[][..], &["slack"], &["http", "slack"], &["unknown"]] {
            for limit in [1, 2, 3, 7, 100] {
                let seen = walk(&keyfob, &token, asked, limit).await;
                assert_eq!(seen, expected(&rows, &of, asked), "{of} {asked:?} limit {limit}");
            }
        }
    }
}

/// The ids of all pages.
async fn walk(keyfob: &Keyfob, token: &str, asked: &[&str], limit: usize) -> Vec<String> {
    let providers = asked.iter().flat_map(|provider| ["&provider=", provider]).collect::<String>();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page =
            read(keyfob, &format!("{PATH}?limit={limit}{providers}{cursor}"), token, &[]).await.expect(200).json();
        let data = page["data"].as_array().unwrap();
        assert!(data.len() <= limit);
        seen.extend(data.iter().map(|one| one["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { return seen };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test]
async fn what_lies_beyond_five_thousand_candidates_is_on_a_later_page() {
    let keyfob = Keyfob::start().await;
    for (number, disabled) in [(1, true), (2, false)] {
        let letter = if disabled { "m" } else { "z" };
        Stored { enabled: !disabled, ..Stored::exposed(number, letter) }.insert(&keyfob);
    }
    let columns = "environment, provider, connection_type, kind, customer, name, name_key, description, tags, settings, \
                   secret_fields, enabled, embedded, version, revision, verdict, created_at, created_by, modified_at, \
                   modified_by, search_text, search_scope";
    let many = format!(
        "with recursive n(i) as (select 3 union all select i + 1 from n where i < 5200) \
         insert into connections (id, stable_key, {columns}) \
         select 'con_01kag3p3g0' || printf('%016d', i), 'k' || i, {columns} from n, connections where name = 'm'"
    );
    keyfob.database.execute(&many).unwrap();
    Stored::of_customer(9_001, "c1", "a").insert(&keyfob);
    Stored::of_customer(9_002, "c1", "z").insert(&keyfob);
    let token = customer(&keyfob, "c1").await;
    let first = read(&keyfob, PATH, &token, &[]).await.expect(200).json();
    assert_eq!(first["data"].as_array().unwrap().len(), 1, "short, with a cursor");
    let ids = [9_001, 2, 9_002].map(|number| format!("con_01kag3p3g0{number:016}"));
    assert_eq!(walk(&keyfob, &token, &[], 50).await, ids);
}

#[tokio::test]
async fn a_key_or_a_session_of_another_page_sees_none_of_it() {
    let keyfob = Keyfob::start().await;
    Stored::exposed(1, "Exposed").insert(&keyfob);
    assert_eq!(read(&keyfob, PATH, ROOT, &[]).await.problem(), (403, "session_required".to_owned()));
    let staging = session(&keyfob, &json!({ "environment": "staging", "customer": "c1" })).await;
    assert!(names(&keyfob, &staging).await.is_empty());
}
