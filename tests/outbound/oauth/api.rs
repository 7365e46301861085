//! What the API says to a token that was obtained: refused, of too few scopes, later.

use super::*;

/// A type beside one that is tested with a token that people paste: what its answers mean is shown there.
const SIBLINGS: [(&str, &str, &str); 8] = [
    ("github", "oauth_app", "token"),
    ("github", "github_app", "token"),
    ("slack", "oauth_bot", "token"),
    ("slack", "oauth_user", "token"),
    ("slack", "oauth_webhook", "incoming_webhook"),
    ("hubspot", "oauth", "access_token"),
    ("notion", "oauth", "token"),
    ("linear", "oauth", "api_key"),
];

/// What the others' documentation says of a token: status, body, verdict.
fn answers() -> Vec<(&'static str, u16, Value, &'static str)> {
    let graph = |code: &str| json!({ "error": { "code": code, "message": "…" } });
    vec![
        ("google", 401, json!({ "error": "invalid_request", "error_description": "Invalid Credentials" }), "invalid"),
        ("google", 200, json!({}), "unknown"),
        ("microsoft", 401, graph("InvalidAuthenticationToken"), "invalid"),
        ("microsoft", 403, graph("Authorization_RequestDenied"), "limited"),
        ("microsoft", 503, graph("ServiceNotAvailable"), "unknown"),
        ("salesforce", 403, json!("Bad_OAuth_Token"), "invalid"),
        ("salesforce", 401, json!([{ "errorCode": "INVALID_SESSION_ID" }]), "invalid"),
        ("salesforce", 200, json!("<html>a login page</html>"), "unknown"),
        ("atlassian", 401, json!({ "code": 401, "message": "Unauthorized" }), "invalid"),
        ("atlassian", 429, json!({}), "unknown"),
        ("zoom", 401, json!({ "code": 124, "message": "Invalid access token." }), "invalid"),
        ("zoom", 400, json!({ "code": 4711, "message": "…does not contain scopes…" }), "limited"),
        ("zoom", 429, json!({ "code": 429 }), "unknown"),
    ]
}

#[test]
fn an_app_is_tested_as_the_token_beside_it_is() {
    for (provider, app, token) in SIBLINGS {
        let test = |key| Catalog::embedded().connection_type(provider, key).unwrap().test.as_ref().unwrap();
        assert_eq!(test(app).rules, test(token).rules, "{provider} {app}");
        assert_eq!(test(app).call, test(token).call, "{provider} {app}");
    }
    let alone = answers().into_iter().map(|(provider, ..)| (provider, "oauth"));
    let shown: BTreeSet<_> = SIBLINGS.iter().map(|(provider, app, _)| (*provider, *app)).chain(alone).collect();
    assert_eq!(shown, all().iter().map(|of| (of.provider, of.connection_type)).collect::<BTreeSet<_>>());
}

#[tokio::test]
async fn an_answer_to_a_token_has_its_verdict() {
    for (provider, status, body, verdict) in answers() {
        let of = documented(provider, "oauth");
        let tokens = of.tokens.clone();
        let of = Documented { test: (of.test.0, status, body.clone()), ..of };
        let Ok((_, found)) = obtain(&of, (200, tokens)).await else { panic!("{provider}") };
        assert_eq!(found.verdict.as_str(), verdict, "{provider} {status} {body}: {:?}", found.reason);
    }
}
