//! Twilio, as its documentation describes it:
//! - <https://www.twilio.com/docs/iam/api/account#fetch-an-account-resource>
//! - <https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource#read-multiple-incomingphonenumber-resources>
//! - <https://www.twilio.com/docs/iam/api-keys/keys-in-console>: a Standard key does not reach `/Accounts`
//! - <https://www.twilio.com/docs/api/errors/20003>, `/20008`, `/20403`, `/20404`, `/70051`
//!
//! Read 2026-11-20.

use serde_json::json;

use super::*;
use crate::counterpart::Received;
use crate::stub::{self, Effect};

const ACCOUNT: &str = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
/// `SK1…1:GoodKeySecret0123456789abcdefghi`
const GOOD_KEY: &str =
    "Basic U0sxMTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTpHb29kS2V5U2VjcmV0MDEyMzQ1Njc4OWFiY2RlZmdoaQ==";
/// `SK2…2:LimitedKeySecret0123456789abcdef`
const LIMITED_KEY: &str =
    "Basic U0syMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjpMaW1pdGVkS2V5U2VjcmV0MDEyMzQ1Njc4OWFiY2RlZg==";
/// `ACa…a:0123456789abcdef0123456789abcdef`
const GOOD_TOKEN: &str =
    "Basic QUNhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYTowMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg==";
/// `ACa…a:7e577e577e577e577e577e577e577e57`
const TEST_TOKEN: &str =
    "Basic QUNhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYTo3ZTU3N2U1NzdlNTc3ZTU3N2U1NzdlNTc3ZTU3N2U1Nw==";

fn problem(status: u16, code: u32) -> Effect {
    let info = format!("https://www.twilio.com/docs/errors/{code}");
    stub::json(status, &json!({ "code": code, "message": "…", "more_info": info, "status": status }))
}

fn numbers(request: &Received) -> Effect {
    let listed =
        format!("GET https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/IncomingPhoneNumbers.json?PageSize=1");
    if stub::call(request) != listed {
        return Effect::Unlisted;
    }
    match request.header("authorization") {
        Some(GOOD_KEY) => stub::json(200, &json!({ "incoming_phone_numbers": [], "page": 0, "page_size": 1 })),
        Some(LIMITED_KEY) => problem(403, 70051),
        _ => problem(401, 20003),
    }
}

fn account(request: &Received) -> Effect {
    if stub::call(request) != format!("GET https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}.json") {
        return Effect::Unlisted;
    }
    match request.header("authorization") {
        Some(GOOD_TOKEN) => {
            let known = json!({ "sid": ACCOUNT, "friendly_name": "Acme", "status": "active", "type": "Full" });
            stub::json(200, &known)
        }
        Some(TEST_TOKEN) => problem(403, 20008),
        _ => problem(401, 20003),
    }
}

fn key(digit: &str, secret: &str) -> Values {
    (json!({ "account_sid": ACCOUNT, "key_sid": format!("SK{}", digit.repeat(32)) }), json!({ "key_secret": secret }))
}

fn token(token: &str) -> Values {
    (json!({ "account_sid": ACCOUNT }), json!({ "auth_token": token }))
}

pub(super) fn described() -> Vec<Described> {
    vec![
        Described {
            provider: "twilio",
            connection_type: "api_key",
            service: numbers,
            good: key("1", "GoodKeySecret0123456789abcdefghi"),
            told: json!({ "facts": {}, "granted_scopes": [], "expires_at": null }),
            wrong: key("1", "WrongKeySecret0123456789abcdefgh"),
            limited: Some(key("2", "LimitedKeySecret0123456789abcdef")),
            answers: vec![
                says(200, r#"{"incoming_phone_numbers":[]}"#, VALID),
                says(200, "{}", ODD),
                says(401, r#"{"code":20003,"message":"Authenticate","status":401}"#, REJECTED),
                says(401, r#"{"code":70051,"message":"Authorization Failed","status":401}"#, LIMITED),
                says(403, r#"{"code":20403,"message":"403 Forbidden","status":403}"#, REJECTED),
                says(404, r#"{"code":20404,"message":"The requested resource was not found","status":404}"#, GONE),
                says(429, r#"{"code":20429,"message":"Too Many Requests","status":429}"#, PAUSE),
            ],
            door: vec![
                ("account_sid", " ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", Ok(ACCOUNT)),
                ("key_sid", ACCOUNT, Err("refused")),
                ("key_sid", "SKXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX", Err("pattern")),
                ("key_secret", "GoodKeySecret", Err("pattern")),
                ("key_secret", "your_key_secret", Err("placeholder")),
            ],
        },
        Described {
            provider: "twilio",
            connection_type: "auth_token",
            service: account,
            good: token("0123456789abcdef0123456789abcdef"),
            told: json!({
                "facts": { "account": "Acme", "account_type": "Full" }, "granted_scopes": [], "expires_at": null,
            }),
            wrong: token("ffffffffffffffffffffffffffffffff"),
            limited: Some(token("7e577e577e577e577e577e577e577e57")),
            answers: vec![
                says(200, r#"{"sid":"AC","status":"active"}"#, VALID),
                says(200, r#"{"sid":"AC","status":"suspended"}"#, REJECTED),
                says(200, "{}", ODD),
                says(401, r#"{"code":20003,"message":"Authenticate","status":401}"#, REJECTED),
                says(403, r#"{"code":20403,"message":"403 Forbidden","status":403}"#, REJECTED),
                says(
                    403,
                    r#"{"code":20008,"message":"Resource not accessible with Test Account Credentials"}"#,
                    LIMITED,
                ),
                says(429, r#"{"code":20429,"message":"Too Many Requests","status":429}"#, PAUSE),
            ],
            door: vec![
                ("account_sid", "SK11111111111111111111111111111111", Err("refused")),
                ("auth_token", " 0123456789abcdef0123456789abcdef ", Ok("0123456789abcdef0123456789abcdef")),
                ("auth_token", "GoodKeySecret0123456789abcdefghi", Err("pattern")),
            ],
        },
    ]
}

claims!();
