//! Stripe, as its documentation describes it:
//! - <https://docs.stripe.com/api/balance/balance_retrieve>
//! - <https://docs.stripe.com/api/errors> and <https://docs.stripe.com/error-codes>
//! - <https://docs.stripe.com/keys/restricted-api-keys>: 403 where a permission is missing
//!
//! Read 2026-11-20.

use serde_json::json;

use super::*;
use crate::counterpart::Received;
use crate::stub::{self, Effect};

fn service(request: &Received) -> Effect {
    if stub::call(request) != "GET https://api.stripe.com/v1/balance" {
        return Effect::Unlisted;
    }
    let problem = |message: &str| json!({ "error": { "message": message, "type": "invalid_request_error" } });
    match request.header("authorization") {
        Some("Bearer rk_test_goodPLANTEDkey0123456789") => {
            let available = json!([{ "amount": 666_670, "currency": "usd", "source_types": { "card": 666_670 } }]);
            stub::json(200, &json!({ "object": "balance", "available": available, "livemode": false, "pending": [] }))
        }
        Some("Bearer rk_test_limitedPLANTEDkey0123456789") => stub::json(
            403,
            &problem(
                "The provided key 'rk_test_*********6789' does not have the required permissions for this endpoint.",
            ),
        ),
        _ => stub::json(401, &problem("Invalid API Key provided: rk_test_*********6789")),
    }
}

fn key(key: &str) -> Values {
    (json!({}), json!({ "api_key": key }))
}

pub(super) fn described() -> Vec<Described> {
    vec![Described {
        provider: "stripe",
        connection_type: "api_key",
        service,
        good: key("rk_test_goodPLANTEDkey0123456789"),
        told: json!({ "facts": { "live_mode": "false" }, "granted_scopes": [], "expires_at": null }),
        wrong: key("rk_test_wrongPLANTEDkey0123456789"),
        limited: Some(key("rk_test_limitedPLANTEDkey0123456789")),
        answers: vec![
            says(200, r#"{"object":"balance","livemode":true}"#, VALID),
            says(200, "{}", ODD),
            says(401, r#"{"error":{"message":"Invalid API Key provided","type":"invalid_request_error"}}"#, REJECTED),
            says(401, r#"{"error":{"code":"api_key_expired","type":"invalid_request_error"}}"#, EXPIRED),
            says(403, r#"{"error":{"type":"invalid_request_error"}}"#, LIMITED),
            says(429, r#"{"error":{"code":"rate_limit"}}"#, PAUSE),
        ],
        door: vec![
            ("api_key", " sk_test_4eC39HqLyjWDarjtT1zdp7dc ", Ok("sk_test_4eC39HqLyjWDarjtT1zdp7dc")),
            ("api_key", "pk_test_4eC39HqLyjWDarjtT1zdp7dc", Err("refused")),
            ("api_key", "whsec_4eC39HqLyjWDarjtT1zdp7dc", Err("refused")),
            ("api_key", "sk_test_XXXXXXXXXXXXXXXXXXXXXXXX", Err("placeholder")),
            ("api_key", "4eC39HqLyjWDarjtT1zdp7dc", Err("pattern")),
        ],
    }]
}

claims!();
