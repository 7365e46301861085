//! `PagerDuty`, as its documentation describes it:
//! - <https://developer.pagerduty.com/docs/authentication>: `Token token=…`, 401 whatever is wrong with it
//! - <https://developer.pagerduty.com/api-reference/>: `GET /abilities`
//! - <https://developer.pagerduty.com/docs/rest-api-rate-limits>
//!
//! Read 2026-11-20.

use serde_json::json;

use super::*;
use crate::counterpart::Received;
use crate::stub::{self, Effect};

fn service(request: &Received) -> Effect {
    let listed = ["GET https://api.pagerduty.com/abilities", "GET https://api.eu.pagerduty.com/abilities"];
    if !listed.contains(&stub::call(request).as_str()) {
        return Effect::Unlisted;
    }
    assert_eq!(request.header("accept"), Some("application/vnd.pagerduty+json;version=2"));
    match request.header("authorization") {
        Some("Token token=y_NbAkKc66ryYTWUXYEu") => stub::json(200, &json!({ "abilities": ["sso", "teams"] })),
        Some("Token token=u+limitedPLANTED0123") => {
            stub::json(403, &json!({ "error": { "code": 2010, "message": "Access Denied" } }))
        }
        _ => stub::json(401, &json!({ "error": { "code": 2006, "message": "You are not authorized" } })),
    }
}

fn key(key: &str) -> Values {
    (json!({}), json!({ "api_key": key }))
}

pub(super) fn described() -> Vec<Described> {
    vec![Described {
        provider: "pagerduty",
        connection_type: "api_key",
        service,
        good: key("y_NbAkKc66ryYTWUXYEu"),
        told: json!({ "facts": {}, "granted_scopes": [], "expires_at": null }),
        wrong: key("wrongPLANTED01234567"),
        limited: Some(key("u+limitedPLANTED0123")),
        answers: vec![
            says(200, r#"{"abilities":[]}"#, VALID),
            says(200, "{}", ODD),
            says(401, "", REJECTED),
            says(403, r#"{"error":{"message":"Access Denied"}}"#, LIMITED),
            says(429, r#"{"error":{"message":"Rate Limit Exceeded","code":2020}}"#, PAUSE),
        ],
        door: vec![
            ("api_key", " y_NbAkKc66ryYTWUXYEu ", Ok("y_NbAkKc66ryYTWUXYEu")),
            ("api_key", "0123456789abcdef0123456789abcdef", Err("refused")),
            ("api_key", "Token token=y_NbAkKc66ryYTWUXYEu", Err("refused")),
            ("host", "api.eu.pagerduty.com", Ok("api.eu.pagerduty.com")),
        ],
    }]
}

claims!();
