//! Jira Cloud, as its documentation describes it:
//! - <https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-myself/#api-rest-api-3-myself-get>
//! - <https://developer.atlassian.com/cloud/jira/platform/basic-auth-for-rest-apis/>: `X-Seraph-LoginReason` and CAPTCHAs
//! - <https://developer.atlassian.com/cloud/jira/platform/rate-limiting/>
//!
//! Read 2026-11-20.

use serde_json::json;

use super::*;
use crate::counterpart::Received;
use crate::stub::{self, Effect};

/// `robot@acme.example:ATATT-good-token-0123456789`
const GOOD: &str = "Basic cm9ib3RAYWNtZS5leGFtcGxlOkFUQVRULWdvb2QtdG9rZW4tMDEyMzQ1Njc4OQ==";

fn service(request: &Received) -> Effect {
    if stub::call(request) != "GET https://acme.atlassian.net/rest/api/3/myself" {
        return Effect::Unlisted;
    }
    if request.header("authorization") != Some(GOOD) {
        let reason = ("X-Seraph-LoginReason", "AUTHENTICATED_FAILED");
        return stub::json_with(
            401,
            &[reason],
            &json!({ "message": "Client must be authenticated to access this resource." }),
        );
    }
    stub::json(
        200,
        &json!({
            "accountId": "5b10a2844c20165700ede21g", "accountType": "atlassian", "active": true,
            "displayName": "Mia Krystof", "emailAddress": "mia@example.com", "timeZone": "Australia/Sydney",
        }),
    )
}

fn values(token: &str) -> Values {
    (json!({ "site": "acme", "email": "robot@acme.example" }), json!({ "api_token": token }))
}

pub(super) fn described() -> Vec<Described> {
    vec![Described {
        provider: "jira",
        connection_type: "api_token",
        service,
        good: values("ATATT-good-token-0123456789"),
        told: json!({
            "facts": { "account_id": "5b10a2844c20165700ede21g", "name": "Mia Krystof", "email": "mia@example.com" },
            "granted_scopes": [], "expires_at": null,
        }),
        wrong: values("ATATT-wrong-token-0123456789"),
        limited: None,
        answers: vec![
            says(200, r#"{"accountId":"5b10a2844c20165700ede21g"}"#, VALID),
            says(200, "<html>Log in</html>", ODD),
            says(401, "Client must be authenticated to access this resource.", REJECTED),
            says(403, r#"{"message":"The app is not allowed"}"#, LIMITED),
            Documented {
                status: 403,
                headers: &[("X-Seraph-LoginReason", "AUTHENTICATION_DENIED")],
                body: "",
                meaning: PAUSE,
            },
            says(404, "<html>Site temporarily unavailable</html>", ODD),
            says(429, "", PAUSE),
        ],
        door: vec![
            ("site", "acme", Ok("acme")),
            ("site", " https://Acme.atlassian.net/jira/projects?x=1 ", Ok("acme")),
            ("site", "acme.atlassian.net", Ok("acme")),
            ("site", "https://jira.acme.dev", Err("pattern")),
            ("site", "acme.atlassian.net.evil.example", Err("pattern")),
            ("email", "robot", Err("pattern")),
            ("api_token", "hunter2", Err("pattern")),
        ],
    }]
}

claims!();
