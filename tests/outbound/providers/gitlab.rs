//! `GitLab`, as its documentation describes it:
//! - <https://docs.gitlab.com/api/personal_access_tokens/#get-details-on-a-personal-access-token>: `/self`
//! - <https://docs.gitlab.com/api/rest/troubleshooting/>
//! - <https://docs.gitlab.com/user/profile/personal_access_tokens/>: a token ends at midnight UTC of its last date
//!
//! Read 2026-11-20.

use serde_json::json;

use super::*;
use crate::counterpart::Received;
use crate::stub::{self, Effect};

fn service(request: &Received) -> Effect {
    let listed = [
        "GET https://gitlab.com/api/v4/personal_access_tokens/self",
        "GET https://git.acme.dev/gitlab/api/v4/personal_access_tokens/self",
    ];
    if !listed.contains(&stub::call(request).as_str()) {
        return Effect::Unlisted;
    }
    match request.header("private-token") {
        Some("glpat-goodPLANTED0123456789") => stub::json(
            200,
            &json!({
                "id": 4, "name": "Test Token", "revoked": false, "created_at": "2020-07-23T14:31:47.729Z",
                "scopes": ["read_api", "read_repository"], "user_id": 24, "last_used_at": "2021-10-06T17:58:37.550Z",
                "active": true, "expires_at": "2027-01-31",
            }),
        ),
        Some("glpat-limitedPLANTED0123456789") => {
            let told = "The request requires higher privileges than provided by the access token.";
            stub::json(403, &json!({ "error": "insufficient_scope", "error_description": told, "scope": "api" }))
        }
        _ => stub::json(401, &json!({ "message": "401 Unauthorized" })),
    }
}

fn token(token: &str) -> Values {
    (json!({}), json!({ "token": token }))
}

pub(super) fn described() -> Vec<Described> {
    vec![Described {
        provider: "gitlab",
        connection_type: "token",
        service,
        good: token("glpat-goodPLANTED0123456789"),
        told: json!({
            "facts": { "token_name": "Test Token", "user_id": "24" },
            "granted_scopes": ["read_api", "read_repository"], "expires_at": "2027-01-31T00:00:00.000Z",
        }),
        wrong: token("glpat-wrongPLANTED0123456789"),
        limited: Some(token("glpat-limitedPLANTED0123456789")),
        answers: vec![
            says(200, r#"{"active":true,"revoked":false}"#, VALID),
            says(200, r#"{"active":false,"revoked":true}"#, REJECTED),
            says(200, r#"{"active":false,"revoked":false}"#, EXPIRED),
            says(200, "<html>Sign in</html>", ODD),
            says(
                401,
                r#"{"error":"invalid_token","error_description":"Token is expired. You can either do re-authorization or token refresh."}"#,
                EXPIRED,
            ),
            says(
                401,
                r#"{"error":"invalid_token","error_description":"Token was revoked. You have to re-authorize from the user."}"#,
                REJECTED,
            ),
            says(403, r#"{"error":"insufficient_scope"}"#, LIMITED),
            says(429, "Retry later", PAUSE),
        ],
        door: vec![
            ("token", " glpat-0123456789ABCDEFabcd\n", Ok("glpat-0123456789ABCDEFabcd")),
            ("token", "gldt-0123456789ABCDEFabcd", Err("refused")),
            ("token", "glrt-0123456789ABCDEFabcd", Err("refused")),
            ("token", "<your_access_token>", Err("placeholder")),
            ("base_url", "https://git.acme.dev/gitlab/api/v4/", Ok("https://git.acme.dev/gitlab/api/v4")),
            ("base_url", "https://gitlab.com", Err("pattern")),
        ],
    }]
}

claims!();

#[tokio::test]
async fn a_server_of_ones_own_is_asked_at_its_own_address() {
    let [of] = &described()[..] else { panic!("one type") };
    let stub = Stub::start(service).await;
    let settings = json!({ "base_url": "https://git.acme.dev/gitlab/api/v4" });
    let values = (settings, json!({ "token": "glpat-goodPLANTED0123456789" }));
    assert_eq!(meaning(&test(of, stub.network(), &values).await), VALID);
}
