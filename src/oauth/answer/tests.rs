//! Answers of token endpoints, as the standard and as providers have them.

use serde_json::json;

use super::*;
use crate::catalog::oauth::client;
use crate::catalog::provider::ConnectionType;
use crate::domain::values::Settings;

const NOW: Timestamp = Timestamp::from_millis(1_795_168_800_000);

fn with<T>(more: &Value, test: impl FnOnce(&Client<'_>) -> T) -> T {
    let mut oauth = json!({
        "grant": "authorization_code", "authorize_url": "https://a.example/authorize", "token_url": "https://a.example/token",
        "client_id": "id", "scopes": "read write",
    });
    oauth.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let request =
        json!({ "base_url": "https://api.example", "auth": { "scheme": "bearer", "token": "{access_token}" } });
    let value = json!({ "key": "k", "name": "n", "reach": { "request": request }, "oauth": oauth });
    let connection_type: ConnectionType = serde_json::from_value(value).unwrap();
    test(&client(&connection_type, &Settings::new(), &Secrets::default()).unwrap().unwrap())
}

fn answered(more: &Value, status: u16, body: &Value) -> Result<Tokens, Failed> {
    let answer =
        Answer::new(StatusCode::from_u16(status).unwrap(), http::HeaderMap::new(), body.to_string().into_bytes());
    with(more, |client| read(client, &answer, false, NOW))
}

fn failed(more: &Value, status: u16, body: &Value) -> Failed {
    answered(more, status, body).err().unwrap()
}

fn secret(tokens: &Tokens, name: &str) -> Option<String> {
    tokens.secrets.0.get(name).map(|secret| secret.expose_secret().to_owned())
}

#[test]
fn only_a_definitive_code_ends_a_grant() {
    let none = json!({});
    let cases = [
        (400, json!({ "error": "invalid_grant" }), Failed::Grant),
        (401, json!({ "error": "invalid_client" }), Failed::Client),
        (400, json!({ "error": "unauthorized_client" }), Failed::Client),
        (400, json!({ "error": "invalid_scope" }), Failed::Scope),
        (400, json!({ "error": "invalid_request" }), Failed::Unexpected),
        (400, json!({ "error": "temporarily_unavailable" }), Failed::Unreachable),
        (200, json!({ "error": "bad_refresh_token" }), Failed::Unexpected),
        (200, json!({}), Failed::Unexpected),
        (200, json!([]), Failed::Unexpected),
        (500, json!({ "error": "invalid_grant" }), Failed::Unreachable),
        (502, json!({ "access_token": "t" }), Failed::Unreachable),
        (522, json!({}), Failed::Unreachable),
        (429, json!({ "error": "invalid_grant" }), Failed::RateLimited),
        // A token in a refusal is none.
        (400, json!({ "access_token": "t" }), Failed::Unexpected),
    ];
    for (status, body, expected) in cases {
        assert_eq!(failed(&none, status, &body), expected, "{status} {body}");
    }
}

#[test]
fn a_provider_may_have_codes_and_places_of_its_own() {
    let more = json!({ "answer": { "error": "/status", "invalid_grant": ["BAD_REFRESH_TOKEN"] } });
    assert_eq!(failed(&more, 400, &json!({ "status": "BAD_REFRESH_TOKEN" })), Failed::Grant);
    let more = json!({ "answer": { "access_token": "/authed_user/access_token", "scope": "/authed_user/scope" } });
    let body = json!({ "ok": true, "access_token": "bot", "authed_user": { "access_token": "user", "scope": "a,b" } });
    let tokens = answered(&more, 200, &body).unwrap();
    assert_eq!(secret(&tokens, Tokens::ACCESS).as_deref(), Some("user"));
    assert_eq!(tokens.scopes, Some(vec!["a".to_owned(), "b".to_owned()]));
}

#[test]
fn what_is_kept_must_be_what_the_file_expects() {
    let keep = json!({ "instance_url": { "at": "/instance_url", "pattern": "https://[a-z]+[.]sf[.]example" } });
    let more = json!({ "answer": { "keep": keep } });
    let body = |url: &str| json!({ "access_token": "t", "instance_url": url });
    for url in
        ["https://evil.example", "https://a.sf.example.evil.example", "http://a.sf.example", "https://a.sf.example/x"]
    {
        assert_eq!(failed(&more, 200, &body(url)), Failed::Unexpected, "{url}");
    }
    let tokens = answered(&more, 200, &body("https://a.sf.example")).unwrap();
    assert_eq!(secret(&tokens, "instance_url").as_deref(), Some("https://a.sf.example"));
}

#[test]
fn a_refresh_token_that_is_not_told_again_is_kept() {
    let before = answered(&json!({}), 200, &json!({ "access_token": "1", "refresh_token": "r" })).unwrap();
    let after = answered(&json!({}), 200, &json!({ "access_token": "2" })).unwrap().over(before.secrets);
    assert_eq!(secret(&after, Tokens::ACCESS).as_deref(), Some("2"));
    assert_eq!(secret(&after, Tokens::REFRESH).as_deref(), Some("r"));
    let rotated = answered(&json!({}), 200, &json!({ "access_token": "3", "refresh_token": "s" })).unwrap();
    assert_eq!(secret(&rotated.over(after.secrets), Tokens::REFRESH).as_deref(), Some("s"));
}

#[test]
fn a_lifetime_is_what_the_answer_says_then_what_the_token_says_then_what_the_file_says() {
    let jwt = |claims: &Value| format!("h.{}.s", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let lifetime = |more: &Value, body: &Value| answered(more, 200, body).unwrap().lifetime.map(|it| it.as_secs());
    let seconds = NOW.millis() / 1000;
    // The clock of the issuer is an hour off, either way.
    for off in [-3600, 0, 3600] {
        let token = jwt(&json!({ "iat": seconds + off, "exp": seconds + off + 900 }));
        assert_eq!(lifetime(&json!({}), &json!({ "access_token": token })), Some(900));
    }
    let token = jwt(&json!({ "exp": seconds + 60 }));
    assert_eq!(lifetime(&json!({}), &json!({ "access_token": token })), Some(60));
    assert_eq!(lifetime(&json!({}), &json!({ "access_token": token, "expires_in": 5 })), Some(5));
    assert_eq!(lifetime(&json!({}), &json!({ "access_token": "t", "expires_in": "7" })), Some(7));
    assert_eq!(lifetime(&json!({}), &json!({ "access_token": "t", "expires_in": 3600.0 })), Some(3600));
    assert_eq!(lifetime(&json!({ "lifetime": 7200 }), &json!({ "access_token": "t" })), Some(7200));
    assert_eq!(lifetime(&json!({}), &json!({ "access_token": "t" })), None);
    for token in ["a.b.c", "a.e30.c", "..", "a.bm9uZQ.c"] {
        assert_eq!(lifetime(&json!({}), &json!({ "access_token": token })), None, "{token}");
    }
    assert_eq!(lifetime(&json!({}), &json!({ "access_token": "t", "expires_in": u64::MAX })), Some(LONGEST.as_secs()));
}

#[test]
fn missing_scopes_are_those_that_were_asked_for() {
    let granted = ["read".to_owned(), "admin".to_owned()];
    assert_eq!(with(&json!({}), |client| missing_scopes(client, &granted)), ["write"]);
    let more = json!({ "answer": { "unlisted_scopes": ["write"] } });
    assert!(with(&more, |client| missing_scopes(client, &granted)).is_empty());
}

#[test]
fn a_refresh_may_be_answered_as_the_standard_has_it() {
    let more =
        json!({ "answer": { "access_token": "/authed_user/access_token", "expires_in": "/authed_user/expires_in" } });
    let body = json!({ "ok": true, "access_token": "user", "refresh_token": "next", "expires_in": 43_200, "token_type": "user" });
    assert_eq!(failed(&more, 200, &body), Failed::Unexpected, "of a code the token at the top is somebody else's");
    let answer = Answer::new(StatusCode::OK, http::HeaderMap::new(), body.to_string().into_bytes());
    let tokens = with(&more, |client| read(client, &answer, true, NOW)).ok().unwrap();
    assert_eq!(secret(&tokens, Tokens::ACCESS).as_deref(), Some("user"));
    assert_eq!(
        (secret(&tokens, Tokens::REFRESH).as_deref(), tokens.lifetime),
        (Some("next"), Some(Duration::from_hours(12)))
    );
}
