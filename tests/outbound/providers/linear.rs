//! Linear, as its documentation describes it:
//! - <https://linear.app/developers/graphql>: a personal key stands in `Authorization` as it is; errors come with 200, too
//! - <https://linear.app/developers/rate-limiting>: 400 with the code `RATELIMITED`
//! - the types of errors in Linear's own SDK, `packages/sdk/src/error.ts` (2026-11-27)
//!
//! Read 2026-11-20.

use serde_json::{Value, json};

use super::*;
use crate::counterpart::Received;
use crate::stub::{self, Effect};

fn service(request: &Received) -> Effect {
    if stub::call(request) != "POST https://api.linear.app/graphql" {
        return Effect::Unlisted;
    }
    // Everything but a query may change something.
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    if !body["query"].as_str().is_some_and(|query| query.starts_with("query {")) {
        return Effect::Unlisted;
    }
    assert_eq!(request.header("content-type"), Some("application/json"));
    let error = |code: &str| json!({ "errors": [{ "message": "…", "extensions": { "code": code } }] });
    match request.header("authorization") {
        Some("lin_api_goodPLANTED0123456789") => {
            let viewer = json!({ "id": "b5ea1a5c-0000-4000-8000-000000000000", "name": "Robot" });
            let organization = json!({ "name": "Acme", "urlKey": "acme" });
            stub::json(200, &json!({ "data": { "viewer": viewer, "organization": organization } }))
        }
        Some("lin_api_limitedPLANTED0123456789") => stub::json(200, &error("FORBIDDEN")),
        _ => stub::json(401, &error("AUTHENTICATION_ERROR")),
    }
}

fn key(key: &str) -> Values {
    (json!({}), json!({ "api_key": key }))
}

pub(super) fn described() -> Vec<Described> {
    vec![Described {
        provider: "linear",
        connection_type: "api_key",
        service,
        good: key("lin_api_goodPLANTED0123456789"),
        told: json!({
            "facts": {
                "user_id": "b5ea1a5c-0000-4000-8000-000000000000", "user": "Robot", "workspace": "Acme",
                "workspace_key": "acme",
            },
            "granted_scopes": [], "expires_at": null,
        }),
        wrong: key("lin_api_wrongPLANTED0123456789"),
        limited: Some(key("lin_api_limitedPLANTED0123456789")),
        answers: vec![
            says(200, r#"{"data":{"viewer":{"id":"1"}}}"#, VALID),
            says(200, r#"{"data":null}"#, ODD),
            says(200, r#"{"errors":[{"extensions":{"code":"AUTHENTICATION_ERROR"}}]}"#, REJECTED),
            says(400, r#"{"errors":[{"extensions":{"code":"AUTHENTICATION_ERROR"}}]}"#, REJECTED),
            says(401, "", REJECTED),
            says(401, r#"{"errors":[{"extensions":{"type":"authentication error"}}]}"#, REJECTED),
            says(200, r#"{"errors":[{"extensions":{"type":"forbidden"}}]}"#, LIMITED),
            says(400, r#"{"errors":[{"extensions":{"type":"ratelimited"}}]}"#, PAUSE),
            says(400, r#"{"errors":[{"extensions":{"code":"RATELIMITED"}}]}"#, PAUSE),
            says(400, r#"{"errors":[{"extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}"#, ODD),
            says(200, r#"{"errors":[{"extensions":{"code":"FORBIDDEN"}}]}"#, LIMITED),
            says(429, r#"{"errors":[{"extensions":{"code":"RATELIMITED"}}]}"#, PAUSE),
        ],
        door: vec![
            ("api_key", " lin_api_0123456789ABCDEFabcdef ", Ok("lin_api_0123456789ABCDEFabcdef")),
            ("api_key", "lin_oauth_0123456789ABCDEFabcdef", Err("refused")),
            ("api_key", "lin_wh_0123456789ABCDEFabcdef", Err("refused")),
            ("api_key", "lin_api_xxxxxxxxxxxxxxxxxxxxxxxx", Err("placeholder")),
        ],
    }]
}

claims!();
