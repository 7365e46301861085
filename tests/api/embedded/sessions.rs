//! Sessions: minted by servers, short, limited, ended at once.

use std::time::Duration;

use serde_json::{Value, json};

use super::{customer, read, session};
use crate::support::{Keyfob, ROOT};

const PATH: &str = "/v1/embedded/connections";

#[tokio::test]
async fn a_session_outside_its_limits_is_refused_and_none_is_made() {
    let keyfob = Keyfob::start().await;
    for (field, value, pointer) in [
        ("expires_in", json!(59), "/expires_in"),
        ("expires_in", json!(1801), "/expires_in"),
        ("expires_in", json!(-1), "/expires_in"),
        ("environment", json!("test"), "/environment"),
        ("customer", json!(""), "/customer"),
        ("customer", json!("x".repeat(201)), "/customer"),
        ("customer", json!("c\u{0}1"), "/customer"),
        ("providers", json!(["slack", "unknown", "discord"]), "/providers/1"),
        ("connection_types", json!(["webhook", "unknown", "bearer"]), "/connection_types/1"),
        ("scopes", json!(["connections:write"]), "/scopes"),
    ] {
        let mut body = json!({ "environment": "development", "customer": "c1" });
        body[field] = value;
        let answer = keyfob.post("/v1/embedded/sessions", &body).await;
        assert_eq!(answer.problem(), (422, "invalid_body".to_owned()), "{body}");
        assert_eq!(answer.errors()[0].0, pointer, "{body}");
    }
    assert_eq!(keyfob.database.value::<i64>("select count(*) from embedded_sessions"), 0);
}

#[tokio::test]
async fn a_session_lives_as_long_as_it_says_and_half_an_hour_at_most() {
    let keyfob = Keyfob::start().await;
    let body = json!({ "environment": "development", "customer": "c1" });
    let created = keyfob.post("/v1/embedded/sessions", &body).await.expect(201);
    let shown = created.json();
    assert_eq!(created.header("cache-control"), "no-store");
    assert_eq!(shown["expires_at"], "2026-11-20T10:30:00.000Z");
    let fields: Vec<&String> = shown.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["expires_at", "id", "token"]);
    let short = session(&keyfob, &json!({ "environment": "development", "expires_in": 60 })).await;
    let long = shown["token"].as_str().unwrap();
    keyfob.advance(Duration::from_millis(59_999));
    read(&keyfob, PATH, &short, &[]).await.expect(200);
    keyfob.advance(Duration::from_millis(1));
    read(&keyfob, PATH, &short, &[]).await.expect(401);
    keyfob.advance(Duration::from_mins(29) - Duration::from_millis(1));
    read(&keyfob, PATH, long, &[]).await.expect(200);
    keyfob.advance(Duration::from_millis(1));
    read(&keyfob, PATH, long, &[]).await.expect(401);
}

#[tokio::test]
async fn ending_a_customers_sessions_ends_all_of_them_and_no_other() {
    let keyfob = Keyfob::start().await;
    let ended = [customer(&keyfob, "c1").await, customer(&keyfob, "c1").await];
    let others = [
        customer(&keyfob, "c2").await,
        session(&keyfob, &json!({ "environment": "development" })).await,
        session(&keyfob, &json!({ "environment": "staging", "customer": "c1" })).await,
    ];
    let path = "/v1/embedded/sessions?environment=development&customer=c1";
    for _ in 0..2 {
        keyfob.request("DELETE", path, ROOT, &[], &Value::Null).await.expect(204);
    }
    for token in &ended {
        read(&keyfob, PATH, token, &[]).await.expect(401);
        read(&keyfob, "/v1/embedded/providers", token, &[]).await.expect(401);
    }
    for token in &others {
        read(&keyfob, PATH, token, &[]).await.expect(200);
    }
    keyfob.advance(Duration::from_millis(1));
    read(&keyfob, PATH, &customer(&keyfob, "c1").await, &[]).await.expect(200);
}

#[tokio::test]
async fn the_catalogue_of_a_session_holds_what_it_may_use_and_nothing_else() {
    let keyfob = Keyfob::start().await;
    for (limits, expected) in [
        (json!({ "providers": ["discord"] }), json!([["discord", ["webhook", "bot_token"]]])),
        (json!({ "connection_types": ["basic"] }), json!([["http", ["basic"]]])),
        (json!({ "providers": ["slack"], "connection_types": ["basic"] }), json!([])),
        (json!({ "providers": [] }), json!([])),
    ] {
        let mut body = json!({ "environment": "development", "customer": "c1" });
        body.as_object_mut().unwrap().extend(limits.as_object().unwrap().clone());
        let token = session(&keyfob, &body).await;
        let page = read(&keyfob, "/v1/embedded/providers", &token, &[]).await.expect(200).json();
        assert_eq!(keys(&page), expected, "{limits}");
    }
    let token = customer(&keyfob, "c1").await;
    let all = read(&keyfob, "/v1/embedded/providers", &token, &[]).await.expect(200).json();
    assert_eq!(all, keyfob.get("/v1/providers").await.expect(200).json());
    for listed in all["data"].as_array().unwrap() {
        let key = listed["key"].as_str().unwrap();
        let whole = read(&keyfob, &format!("/v1/embedded/providers/{key}"), &token, &[]).await.expect(200).json();
        assert_eq!(keyfob.get(&format!("/v1/providers/{key}")).await.expect(200).json(), whole);
    }
}

#[tokio::test]
async fn a_provider_is_shown_to_a_session_with_the_types_that_it_may_use() {
    let keyfob = Keyfob::start().await;
    let of_types =
        |types: &[&str]| json!({ "environment": "development", "customer": "c1", "connection_types": types });
    let basic = session(&keyfob, &of_types(&["basic"])).await;
    read(&keyfob, "/v1/embedded/providers/slack", &basic, &[]).await.expect(404);
    read(&keyfob, "/v1/embedded/providers/nothing", &basic, &[]).await.expect(404);
    let slack = json!({ "environment": "development", "customer": "c1", "providers": ["slack"] });
    let slack = session(&keyfob, &slack).await;
    read(&keyfob, "/v1/embedded/providers/http", &slack, &[]).await.expect(404);
    let answer = read(&keyfob, "/v1/embedded/providers/http", &basic, &[]).await.expect(200);
    let mut whole = keyfob.get("/v1/providers/http").await.expect(200).json();
    whole["connection_types"].as_array_mut().unwrap().retain(|of| of["key"] == "basic");
    assert_eq!(answer.json(), whole);
    let known = [("if-none-match", answer.header("etag"))];
    read(&keyfob, "/v1/embedded/providers/http", &basic, &known).await.expect(304);
}

/// The keys of the providers of a page, each with its types.
fn keys(page: &Value) -> Value {
    let key = |of: &Value| of["key"].clone();
    let types = |of: &Value| of["connection_types"].as_array().unwrap().iter().map(key).collect::<Value>();
    page["data"].as_array().unwrap().iter().map(|of| json!([key(of), types(of)])).collect()
}

#[tokio::test]
async fn a_page_learns_what_its_session_is_for_and_limited_to() {
    let keyfob = Keyfob::start().await;
    let mint = "/v1/embedded/sessions";
    let template = "con_01kag3p3g00000000000000001";
    let limited = json!({
        "environment": "staging", "customer": "c1", "providers": ["slack", "http"], "connection_types": ["bearer"],
        "templates": [template], "expires_in": 60,
    });
    let limited = keyfob.post(mint, &limited).await.expect(201).json();
    let builder = keyfob.post(mint, &json!({ "environment": "development" })).await.expect(201).json();
    for (minted, expected) in [
        (
            &limited,
            json!({
                "id": limited["id"], "environment": "staging", "customer": "c1", "providers": ["http", "slack"],
                "connection_types": ["bearer"], "templates": [template], "connection": null, "expires_at": "2026-11-20T10:01:00.000Z",
            }),
        ),
        (
            &builder,
            json!({
                "id": builder["id"], "environment": "development", "customer": null, "providers": null,
                "connection_types": null, "templates": null, "connection": null, "expires_at": "2026-11-20T10:30:00.000Z",
            }),
        ),
    ] {
        let token = minted["token"].as_str().unwrap();
        let answer = keyfob.request("GET", "/v1/embedded/session", token, &[], &Value::Null).await.expect(200);
        assert_eq!(answer.json(), expected);
        assert!(!answer.text.contains(token));
    }
}
