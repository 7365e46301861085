//! `SendGrid`, as its documentation describes it:
//! - <https://www.twilio.com/docs/sendgrid/api-reference/api-key-permissions/retrieve-a-list-of-scopes-for-which-this-user-has-access>
//! - <https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/responses>
//!
//! Read 2026-11-20.

use serde_json::json;

use super::*;
use crate::counterpart::Received;
use crate::stub::{self, Effect};

const GOOD: &str = "SG.plantedPLANTED01234567.plantedPLANTED0123456789-plantedPLANTED_012";

fn service(request: &Received) -> Effect {
    if !["GET https://api.sendgrid.com/v3/scopes", "GET https://api.eu.sendgrid.com/v3/scopes"]
        .contains(&stub::call(request).as_str())
    {
        return Effect::Unlisted;
    }
    match request.header("authorization") {
        Some("Bearer SG.plantedPLANTED01234567.plantedPLANTED0123456789-plantedPLANTED_012") => {
            stub::json(200, &json!({ "scopes": ["mail.send", "alerts.read"] }))
        }
        Some("Bearer SG.limitedLIMITED01234567.plantedPLANTED0123456789-plantedPLANTED_012") => {
            stub::json(403, &json!({ "errors": [{ "field": null, "message": "access forbidden" }] }))
        }
        _ => {
            let message = "The provided authorization grant is invalid, expired, or revoked";
            stub::json(401, &json!({ "errors": [{ "field": null, "message": message }] }))
        }
    }
}

fn key(key: &str) -> Values {
    (json!({}), json!({ "api_key": key }))
}

pub(super) fn described() -> Vec<Described> {
    vec![Described {
        provider: "sendgrid",
        connection_type: "api_key",
        service,
        good: key(GOOD),
        told: json!({ "facts": {}, "granted_scopes": ["mail.send", "alerts.read"], "expires_at": null }),
        wrong: key("SG.wrongWRONGwr01234567.plantedPLANTED0123456789-plantedPLANTED_012"),
        limited: Some(key("SG.limitedLIMITED01234567.plantedPLANTED0123456789-plantedPLANTED_012")),
        answers: vec![
            says(200, r#"{"scopes":[]}"#, VALID),
            says(200, r#"{"errors":[]}"#, ODD),
            says(401, r#"{"errors":[{"field":null,"message":"authorization required"}]}"#, REJECTED),
            says(403, r#"{"errors":[{"field":null,"message":"access forbidden"}]}"#, LIMITED),
            says(429, r#"{"errors":[{"field":null,"message":"too many requests"}]}"#, PAUSE),
        ],
        door: vec![
            ("api_key", " SG.plantedPLANTED01234567.plantedPLANTED0123456789-plantedPLANTED_012\r\n", Ok(GOOD)),
            ("api_key", "plantedPLANTED01234567", Err("refused")),
            ("api_key", "SG.xxxxxxxxxxxxxxxxxxxxxx.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", Err("placeholder")),
            ("host", "api.eu.sendgrid.com", Ok("api.eu.sendgrid.com")),
            ("host", "api.sendgrid.com.evil.example", Err("enum")),
        ],
    }]
}

claims!();
