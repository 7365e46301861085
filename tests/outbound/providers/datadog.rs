//! Datadog, as its documentation describes it:
//! - <https://docs.datadoghq.com/api/latest/authentication/validate-api-key/>: "If invalid, a 403 is returned."
//! - <https://docs.datadoghq.com/api/latest/key-management/validate-api-and-application-keys/>: 401 or 403 otherwise
//! - <https://docs.datadoghq.com/getting_started/site/>
//!
//! Read 2026-11-20.

use serde_json::json;

use super::*;
use crate::counterpart::Received;
use crate::stub::{self, Effect};

const API_KEY: &str = "0123456789abcdef0123456789abcdef";
const APPLICATION_KEY: &str = "0123456789abcdef0123456789abcdef01234567";

fn validate(request: &Received) -> Effect {
    match stub::call(request).as_str() {
        "GET https://api.datadoghq.com/api/v1/validate" | "GET https://api.us5.datadoghq.com/api/v1/validate" => {
            match request.header("dd-api-key") {
                Some(API_KEY) => stub::json(200, &json!({ "valid": true })),
                _ => stub::json(403, &json!({ "errors": ["Forbidden"] })),
            }
        }
        _ => Effect::Unlisted,
    }
}

fn validate_keys(request: &Received) -> Effect {
    if stub::call(request) != "GET https://api.datadoghq.com/api/v2/validate_keys" {
        return Effect::Unlisted;
    }
    match (request.header("dd-api-key"), request.header("dd-application-key")) {
        (Some(API_KEY), Some(APPLICATION_KEY)) => stub::json(200, &json!({ "status": "ok" })),
        (Some(API_KEY), _) => stub::json(403, &json!({ "errors": ["Forbidden"] })),
        _ => stub::json(401, &json!({ "errors": ["Unauthorized"] })),
    }
}

pub(super) fn described() -> Vec<Described> {
    let nothing = json!({ "facts": {}, "granted_scopes": [], "expires_at": null });
    vec![
        Described {
            provider: "datadog",
            connection_type: "api_key",
            service: validate,
            good: (json!({}), json!({ "api_key": API_KEY })),
            told: nothing.clone(),
            wrong: (json!({}), json!({ "api_key": "ffffffffffffffffffffffffffffffff" })),
            limited: None,
            answers: vec![
                says(200, r#"{"valid":true}"#, VALID),
                says(200, r#"{"valid":false}"#, REJECTED),
                says(200, "{}", ODD),
                says(403, r#"{"errors":["Forbidden"]}"#, REJECTED),
                says(429, r#"{"errors":["Too many requests"]}"#, PAUSE),
            ],
            door: vec![
                ("api_key", " 0123456789abcdef0123456789abcdef", Ok(API_KEY)),
                ("api_key", APPLICATION_KEY, Err("refused")),
                ("site", "us5.datadoghq.com", Ok("us5.datadoghq.com")),
                ("site", "datadoghq.com.evil.example", Err("enum")),
            ],
        },
        Described {
            provider: "datadog",
            connection_type: "application_key",
            service: validate_keys,
            good: (json!({}), json!({ "api_key": API_KEY, "application_key": APPLICATION_KEY })),
            told: nothing,
            wrong: (json!({}), json!({ "api_key": API_KEY, "application_key": "f".repeat(40) })),
            limited: None,
            answers: vec![
                says(200, r#"{"status":"ok"}"#, VALID),
                says(200, "{}", ODD),
                says(401, r#"{"errors":["Unauthorized"]}"#, REJECTED),
                says(403, r#"{"errors":["Forbidden"]}"#, REJECTED),
                says(429, r#"{"errors":["Too many requests"]}"#, PAUSE),
            ],
            door: vec![
                ("api_key", "0a0d0000-0000-4000-8000-00000000000a", Err("refused")),
                ("application_key", API_KEY, Err("refused")),
                ("application_key", "********", Err("placeholder")),
            ],
        },
    ]
}

claims!();
