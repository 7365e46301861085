//! Airtable, as its documentation describes it:
//! - <https://airtable.com/developers/web/api/get-user-id-scopes>: no scope is needed; `email` and `scopes` where allowed
//! - <https://airtable.com/developers/web/api/errors>
//! - <https://airtable.com/developers/web/api/rate-limits>
//!
//! Read 2026-11-20.

use serde_json::json;

use super::*;
use crate::counterpart::Received;
use crate::stub::{self, Effect};

const GOOD: &str = "patGOODplanted012.0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn service(request: &Received) -> Effect {
    if stub::call(request) != "GET https://api.airtable.com/v0/meta/whoami" {
        return Effect::Unlisted;
    }
    if request.header("authorization").and_then(|value| value.strip_prefix("Bearer ")) != Some(GOOD) {
        let error = json!({ "type": "AUTHENTICATION_REQUIRED", "message": "Authentication required" });
        return stub::json(401, &json!({ "error": error }));
    }
    let scopes = json!(["data.records:read", "user.email:read"]);
    stub::json(200, &json!({ "id": "usrL2PNC5o3H4lBEi", "email": "foo@bar.com", "scopes": scopes }))
}

fn token(token: &str) -> Values {
    (json!({}), json!({ "token": token }))
}

pub(super) fn described() -> Vec<Described> {
    vec![Described {
        provider: "airtable",
        connection_type: "token",
        service,
        good: token(GOOD),
        told: json!({
            "facts": { "user_id": "usrL2PNC5o3H4lBEi", "email": "foo@bar.com" },
            "granted_scopes": ["data.records:read", "user.email:read"], "expires_at": null,
        }),
        wrong: token(&GOOD.replace("GOOD", "EVIL")),
        limited: None,
        answers: vec![
            says(200, r#"{"id":"usrL2PNC5o3H4lBEi"}"#, VALID),
            says(200, "{}", ODD),
            says(401, r#"{"error":{"type":"AUTHENTICATION_REQUIRED"}}"#, REJECTED),
            says(403, r#"{"error":{"type":"INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND"}}"#, LIMITED),
            says(429, r#"{"errors":[{"error":"RATE_LIMIT_REACHED"}]}"#, PAUSE),
            says(502, "", DOWN),
        ],
        door: vec![
            ("token", " patGOODplanted012.0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef ", Ok(GOOD)),
            ("token", "patGOODplanted012", Err("refused")),
            ("token", "keyGOODplanted012", Err("refused")),
            ("token", "YOUR_TOKEN", Err("placeholder")),
        ],
    }]
}

claims!();
