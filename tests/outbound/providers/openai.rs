//! `OpenAI`, as its documentation describes it:
//! - <https://platform.openai.com/docs/api-reference/models/list>
//! - <https://platform.openai.com/docs/guides/error-codes>
//! - <https://platform.openai.com/docs/api-reference/debugging-requests>: the header `openai-organization`
//! - <https://community.openai.com/t/restricted-api-key-misses-model-request-scope/1384493>: 401 with the code `missing_scope`
//!
//! Read 2026-11-20, the thread 2026-11-27.

use serde_json::json;

use super::*;
use crate::counterpart::Received;
use crate::stub::{self, Effect};

fn service(request: &Received) -> Effect {
    if stub::call(request) != "GET https://api.openai.com/v1/models" {
        return Effect::Unlisted;
    }
    match request.header("authorization") {
        Some("Bearer sk-proj-goodPLANTED0123456789") => {
            let model =
                json!({ "id": "gpt-4o-mini", "object": "model", "created": 1_721_172_741, "owned_by": "system" });
            let headers = [("openai-organization", "acme-inc"), ("openai-processing-ms", "12")];
            stub::json_with(200, &headers, &json!({ "object": "list", "data": [model] }))
        }
        Some("Bearer sk-proj-limitedPLANTED0123456789") => {
            let message = "You have insufficient permissions for this operation. Missing scopes: api.model.read.";
            stub::json(
                401,
                &json!({ "error": { "message": message, "type": "invalid_request_error", "code": "missing_scope" } }),
            )
        }
        _ => {
            stub::json(401, &json!({ "error": { "message": "Incorrect API key provided", "code": "invalid_api_key" } }))
        }
    }
}

fn key(key: &str) -> Values {
    (json!({}), json!({ "api_key": key }))
}

pub(super) fn described() -> Vec<Described> {
    vec![Described {
        provider: "openai",
        connection_type: "api_key",
        service,
        good: key("sk-proj-goodPLANTED0123456789"),
        told: json!({ "facts": { "organization": "acme-inc" }, "granted_scopes": [], "expires_at": null }),
        wrong: key("sk-proj-wrongPLANTED0123456789"),
        limited: Some(key("sk-proj-limitedPLANTED0123456789")),
        answers: vec![
            says(200, r#"{"object":"list","data":[]}"#, VALID),
            says(200, "{}", ODD),
            says(401, r#"{"error":{"code":"invalid_api_key"}}"#, REJECTED),
            says(401, r#"{"error":{"code":"missing_scope"}}"#, LIMITED),
            says(403, r#"{"error":{"message":"Missing scopes: api.model.read"}}"#, LIMITED),
            says(
                401,
                r#"{"error":{"message":"Missing scopes: api.model.read.","type":"invalid_request_error","code":null}}"#,
                LIMITED,
            ),
            says(401, r#"{"error":{"code":"ip_not_authorized"}}"#, ODD),
            says(403, r#"{"error":{"code":"unsupported_country_region_territory"}}"#, ODD),
            says(429, r#"{"error":{"code":"insufficient_quota"}}"#, PAUSE),
            says(503, r#"{"error":{"message":"The engine is currently overloaded"}}"#, DOWN),
        ],
        door: vec![
            ("api_key", " sk-proj-0123456789abcdefABCDEF ", Ok("sk-proj-0123456789abcdefABCDEF")),
            ("api_key", "sk-ant-api03-0123456789abcdef", Err("refused")),
            ("api_key", "sk-admin-0123456789abcdefghij", Err("refused")),
            ("api_key", "your-api-key", Err("placeholder")),
            ("api_key", "org-0123456789abcdefghijkl", Err("pattern")),
        ],
    }]
}

claims!();
