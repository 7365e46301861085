//! `HubSpot`, as its documentation describes it:
//! - <https://developers.hubspot.com/docs/api-reference/latest/account/account-information/guide>
//! - <https://developers.hubspot.com/docs/api-reference/error-handling>
//!
//! Read 2026-11-20, the errors 2026-11-27.

use serde_json::json;

use super::*;
use crate::counterpart::Received;
use crate::stub::{self, Effect};

fn service(request: &Received) -> Effect {
    if stub::call(request) != "GET https://api.hubapi.com/account-info/2026-03/details" {
        return Effect::Unlisted;
    }
    let problem =
        |category: &str| json!({ "status": "error", "message": "…", "correlationId": "x", "category": category });
    match request.header("authorization") {
        Some("Bearer pat-na1-0a0d0000-0000-4000-8000-000000000001") => stub::json(
            200,
            &json!({
                "portalId": 123_456, "accountType": "STANDARD", "timeZone": "US/Eastern", "companyCurrency": "USD",
                "additionalCurrencies": [], "utcOffset": "-05:00", "uiDomain": "app.hubspot.com", "dataHostingLocation": "na1",
            }),
        ),
        Some("Bearer pat-na1-0a0d0000-0000-4000-8000-000000000002") => stub::json(403, &problem("MISSING_SCOPES")),
        _ => stub::json(401, &problem("INVALID_AUTHENTICATION")),
    }
}

fn token(token: &str) -> Values {
    (json!({}), json!({ "access_token": token }))
}

pub(super) fn described() -> Vec<Described> {
    vec![Described {
        provider: "hubspot",
        connection_type: "access_token",
        service,
        good: token("pat-na1-0a0d0000-0000-4000-8000-000000000001"),
        told: json!({
            "facts": { "portal_id": "123456", "account_type": "STANDARD", "data_location": "na1" },
            "granted_scopes": [], "expires_at": null,
        }),
        wrong: token("pat-na1-0a0d0000-0000-4000-8000-000000000009"),
        limited: Some(token("pat-na1-0a0d0000-0000-4000-8000-000000000002")),
        answers: vec![
            says(200, r#"{"portalId":1}"#, VALID),
            says(200, "{}", ODD),
            says(401, r#"{"status":"error","category":"INVALID_AUTHENTICATION"}"#, REJECTED),
            says(401, r#"{"status":"error","category":"EXPIRED_AUTHENTICATION"}"#, EXPIRED),
            says(403, r#"{"status":"error","category":"MISSING_SCOPES"}"#, LIMITED),
            says(429, r#"{"status":"error","errorType":"RATE_LIMIT"}"#, PAUSE),
            says(502, "", DOWN),
        ],
        door: vec![
            (
                "access_token",
                " pat-eu1-0a0d0000-0000-4000-8000-00000000000a ",
                Ok("pat-eu1-0a0d0000-0000-4000-8000-00000000000a"),
            ),
            ("access_token", "0a0d0000-0000-4000-8000-00000000000a", Err("refused")),
            ("access_token", "pat-na1-********-1234", Err("placeholder")),
        ],
    }]
}

claims!();
