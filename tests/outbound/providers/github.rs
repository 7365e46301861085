//! `GitHub`, as its documentation describes it:
//! - <https://docs.github.com/en/rest/users/users#get-the-authenticated-user>
//! - <https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api>
//! - <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>
//! - <https://github.blog/changelog/2021-07-26-expiration-options-for-personal-access-tokens/>
//!
//! Read 2026-11-20.

use serde_json::json;

use super::*;
use crate::counterpart::Received;
use crate::stub::{self, Effect};

const GOOD: &str = "github_pat_11GOOD0_plantedPLANTEDplanted";

fn service(request: &Received) -> Effect {
    let token = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    match (stub::call(request).as_str(), token) {
        ("GET https://api.github.com/user" | "GET https://git.acme.dev/api/v3/user", token) => {
            // Without a User-Agent GitHub answers 403; the version has to be one that it knows.
            assert!(request.header("user-agent").is_some_and(|agent| !agent.is_empty()));
            assert_eq!(request.header("x-github-api-version"), Some("2022-11-28"));
            user(token)
        }
        _ => Effect::Unlisted,
    }
}

fn user(token: Option<&str>) -> Effect {
    let known = json!({ "login": "octocat", "id": 1, "type": "User", "name": "monalisa octocat", "email": null });
    let expires = ("github-authentication-token-expiration", "2027-01-31 08:00:00 UTC");
    match token {
        Some(GOOD) => stub::json_with(200, &[("x-oauth-scopes", "repo, read:org"), expires], &known),
        Some("ghp_ssoLimited0000000000000000000000000") => {
            let sso = ("x-github-sso", "required; url=https://github.com/orgs/acme/sso?authorization_request=x");
            let body = "Resource protected by organization SAML enforcement. You must grant your Personal Access token access to this organization.";
            stub::json_with(
                403,
                &[sso, ("x-ratelimit-remaining", "4999")],
                &json!({ "message": body, "status": "403" }),
            )
        }
        _ => stub::json(401, &json!({ "message": "Bad credentials", "status": "401" })),
    }
}

fn token(token: &str) -> Values {
    (json!({}), json!({ "token": token }))
}

pub(super) fn described() -> Vec<Described> {
    vec![Described {
        provider: "github",
        connection_type: "token",
        service,
        good: token(GOOD),
        told: json!({
            "facts": { "login": "octocat", "account_id": "1", "name": "monalisa octocat" },
            "granted_scopes": ["repo", "read:org"], "expires_at": "2027-01-31T08:00:00.000Z",
        }),
        wrong: token("ghp_wrong000000000000000000000000000000"),
        limited: Some(token("ghp_ssoLimited0000000000000000000000000")),
        answers: vec![
            says(200, r#"{"login":"octocat"}"#, VALID),
            says(200, "<html>a login page of a proxy</html>", ODD),
            says(401, r#"{"message":"Bad credentials","documentation_url":"https://docs.github.com/rest"}"#, REJECTED),
            says(403, r#"{"message":"API rate limit exceeded for user ID 1."}"#, PAUSE),
            says(403, r#"{"message":"You have exceeded a secondary rate limit."}"#, PAUSE),
            says(403, r#"{"message":"Maximum number of login attempts exceeded. Please try again later."}"#, PAUSE),
            says(403, r#"{"message":"Resource not accessible by personal access token"}"#, LIMITED),
            Documented { status: 403, headers: &[("x-ratelimit-remaining", "0")], body: "{}", meaning: PAUSE },
            says(429, "{}", PAUSE),
        ],
        door: vec![
            ("token", " ghp_0123456789abcdefghijABCDEFGHIJ012345\n", Ok("ghp_0123456789abcdefghijABCDEFGHIJ012345")),
            ("token", "ghs_0123456789abcdefghijABCDEFGHIJ012345", Err("refused")),
            ("token", "ghr_0123456789abcdefghijABCDEFGHIJ012345", Err("refused")),
            ("token", "Bearer ghp_0123456789abcdefghijABCDEFGHIJ012345", Err("refused")),
            ("token", "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", Err("placeholder")),
            ("token", "hunter2", Err("pattern")),
            ("base_url", "https://git.acme.dev/api/v3/", Ok("https://git.acme.dev/api/v3")),
            ("base_url", "HTTPS://API.GitHub.com/", Ok("https://api.github.com")),
            ("base_url", "https://api.acme.ghe.com", Ok("https://api.acme.ghe.com")),
            ("base_url", "https://github.com/acme", Err("refused")),
            ("base_url", "https://git.acme.dev", Err("pattern")),
            ("base_url", "http://git.acme.dev/api/v3", Err("insecure_url")),
        ],
    }]
}

claims!();

#[tokio::test]
async fn an_enterprise_server_is_asked_at_its_own_address() {
    let [of] = &described()[..] else { panic!("one type") };
    let stub = Stub::start(service).await;
    let values = (json!({ "base_url": "https://git.acme.dev/api/v3" }), json!({ "token": GOOD }));
    assert_eq!(meaning(&test(of, stub.network(), &values).await), VALID);
    let [received] = &stub.counterpart.received()[..] else { panic!("one request") };
    assert_eq!(received.header("host"), Some("git.acme.dev"));
}
