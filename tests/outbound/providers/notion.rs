//! Notion, as its documentation describes it:
//! - <https://developers.notion.com/reference/get-self>
//! - <https://developers.notion.com/reference/status-codes>
//! - <https://developers.notion.com/reference/versioning>: without the header `Notion-Version` 400 `missing_version`
//!
//! Read 2026-11-20.

use serde_json::json;

use super::*;
use crate::counterpart::Received;
use crate::stub::{self, Effect};

fn service(request: &Received) -> Effect {
    let problem =
        |status: u16, code: &str| json!({ "object": "error", "status": status, "code": code, "message": "…" });
    if stub::call(request) != "GET https://api.notion.com/v1/users/me" {
        return Effect::Unlisted;
    }
    if request.header("notion-version").is_none() {
        return stub::json(400, &problem(400, "missing_version"));
    }
    match request.header("authorization") {
        Some("Bearer ntn_goodPLANTED0123456789abcdefABCDEF") => {
            let bot = json!({ "owner": { "type": "workspace", "workspace": true }, "workspace_name": "Acme" });
            let id = "16d84278-ab0e-484c-9bdd-b35da3bd8905";
            stub::json(200, &json!({ "object": "user", "id": id, "name": "pied piper", "type": "bot", "bot": bot }))
        }
        Some("Bearer ntn_limitedPLANTED0123456789abcdefABC") => stub::json(403, &problem(403, "restricted_resource")),
        _ => stub::json(401, &problem(401, "unauthorized")),
    }
}

fn token(token: &str) -> Values {
    (json!({}), json!({ "token": token }))
}

pub(super) fn described() -> Vec<Described> {
    vec![Described {
        provider: "notion",
        connection_type: "token",
        service,
        good: token("ntn_goodPLANTED0123456789abcdefABCDEF"),
        told: json!({
            "facts": { "bot_id": "16d84278-ab0e-484c-9bdd-b35da3bd8905", "name": "pied piper", "workspace": "Acme" },
            "granted_scopes": [], "expires_at": null,
        }),
        wrong: token("ntn_wrongPLANTED0123456789abcdefABCDEF"),
        limited: Some(token("ntn_limitedPLANTED0123456789abcdefABC")),
        answers: vec![
            says(200, r#"{"object":"user"}"#, VALID),
            says(200, r#"{"object":"error"}"#, ODD),
            says(400, r#"{"object":"error","code":"missing_version"}"#, ODD),
            says(401, r#"{"object":"error","code":"unauthorized"}"#, REJECTED),
            says(403, r#"{"object":"error","code":"restricted_resource"}"#, LIMITED),
            says(409, r#"{"object":"error","code":"conflict_error"}"#, ODD),
            says(429, r#"{"object":"error","code":"rate_limited"}"#, PAUSE),
            says(503, r#"{"object":"error","code":"service_unavailable"}"#, DOWN),
        ],
        door: vec![
            (
                "token",
                " secret_0123456789abcdefABCDEF0123456789abcdefABCDE\n",
                Ok("secret_0123456789abcdefABCDEF0123456789abcdefABCDE"),
            ),
            ("token", "16d84278-ab0e-484c-9bdd-b35da3bd8905", Err("pattern")),
            ("token", "ntn_••••••••", Err("placeholder")),
        ],
    }]
}

claims!();
