//! The exchange of tokens at Google, as its documentation describes it:
//! - <https://developers.google.com/identity/protocols/oauth2/service-account> ("JWT error codes"), read 2026-11-27

use serde_json::json;

use super::*;
use crate::counterpart::Received;
use crate::keys::{google_file, known, other, verified};
use crate::stub::{self, Effect};

pub(super) const EMAIL: &str = "workflows@planted-project.iam.gserviceaccount.com";
const SCOPE: &str = "https://www.googleapis.com/auth/drive.readonly";
pub(super) const TOKEN: &str = "ya29.planted-access-token";

fn service(request: &Received) -> Effect {
    match stub::call(request).as_str() {
        "POST https://oauth2.googleapis.com/token" => exchange(request, SCOPE),
        _ => Effect::Unlisted,
    }
}

/// Exchanges a token: verified with the public key, and every claim as documented.
pub(super) fn exchange(request: &Received, scope: &str) -> Effect {
    assert_eq!(request.header("content-type"), Some("application/x-www-form-urlencoded"));
    let form = url::form_urlencoded::parse(&request.body).into_owned().collect::<Vec<_>>();
    let [(grant, kind), (name, assertion)] = &form[..] else { panic!("two parameters: {form:?}") };
    assert_eq!((&**grant, &**kind), ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"));
    assert_eq!(name, "assertion");
    let refuse =
        |status, error: &str, text: &str| stub::json(status, &json!({ "error": error, "error_description": text }));
    let Some((header, claims)) = verified(assertion) else {
        return refuse(400, "invalid_grant", "Invalid JWT Signature.");
    };
    assert_eq!(header, json!({ "alg": "RS256", "typ": "JWT", "kid": "planted-key-id" }));
    let (iat, exp) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
    assert!(iat < exp && exp <= iat + 3600, "{claims}");
    assert_eq!((&claims["aud"], &claims["scope"]), (&json!("https://oauth2.googleapis.com/token"), &json!(scope)));
    match (claims["iss"].as_str().unwrap(), claims.get("sub").map(|sub| sub.as_str().unwrap())) {
        (EMAIL, None | Some("ann@acme.dev")) => {
            stub::json(200, &json!({ "access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer" }))
        }
        (EMAIL, Some("eve@acme.dev")) => {
            refuse(401, "unauthorized_client", "Client is unauthorized to retrieve access tokens using this method.")
        }
        _ => refuse(400, "invalid_grant", "Invalid grant: account not found"),
    }
}

fn values(subject: Option<&str>, key: &str) -> Values {
    let mut settings = json!({ "scopes": SCOPE });
    if let Some(subject) = subject {
        settings["subject"] = json!(subject);
    }
    (settings, json!({ "credentials": google_file(EMAIL, key) }))
}

/// What the exchange may answer, whatever it is for.
pub(super) fn exchange_answers() -> Vec<Documented> {
    vec![
        says(400, r#"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#, REJECTED),
        says(400, r#"{"error":"invalid_grant","error_description":"Invalid grant: account not found"}"#, REJECTED),
        says(
            400,
            r#"{"error":"invalid_grant","error_description":"Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim."}"#,
            ODD,
        ),
        says(400, r#"{"error":"invalid_grant","error_description":"Invalid email or User ID"}"#, GONE),
        says(400, r#"{"error":"invalid_grant","error_description":"Not a valid email."}"#, GONE),
        says(401, r#"{"error":"disabled_client","error_description":"The OAuth client was disabled."}"#, REJECTED),
        says(401, r#"{"error":"deleted_client","error_description":"x"}"#, REJECTED),
        says(403, r#"{"error":"org_internal","error_description":"x"}"#, LIMITED),
        says(400, r#"{"error":"admin_policy_enforced","error_description":"x"}"#, LIMITED),
        says(401, r#"{"error":"unauthorized_client","error_description":"x"}"#, LIMITED),
        says(400, r#"{"error":"invalid_scope","error_description":"x"}"#, LIMITED),
        says(401, r#"{"error":"invalid_client","error_description":"The OAuth client was not found."}"#, REJECTED),
        says(403, r#"{"error":"access_denied","error_description":"x"}"#, LIMITED),
        says(400, r#"{"error":"invalid_request"}"#, ODD),
        says(200, "<html>a login page of a proxy</html>", ODD),
    ]
}

pub(super) fn door() -> Vec<(&'static str, &'static str, Result<&'static str, &'static str>)> {
    let leak = |text: String| -> &'static str { text.leak() };
    let file = google_file(EMAIL, &known());
    let replaced = |from: &str, to: &str| leak(file.replace(from, to));
    vec![
        ("credentials", leak(format!("\u{feff}  {file}\n\n")), Ok(leak(file.clone()))),
        ("credentials", "not json", Err("unfit")),
        ("credentials", "[]", Err("unfit")),
        ("credentials", r#"{"type":"service_account"}"#, Err("unfit")),
        ("credentials", r#"{"installed":{"client_id":"x"}}"#, Err("unfit")),
        ("credentials", replaced("service_account", "authorized_user"), Err("unfit")),
        ("credentials", replaced("client_email", "client_mail"), Err("unfit")),
        ("credentials", replaced("BEGIN PRIVATE", "BEGIN PUBLIC"), Err("unfit")),
        ("credentials", replaced("MII", "NII"), Err("unfit")),
        ("credentials", leak(known()), Err("unfit")),
        ("subject", " Ann@Acme.dev", Ok("ann@acme.dev")),
        ("subject", "ann", Err("pattern")),
    ]
}

pub(super) fn described() -> Vec<Described> {
    let own = says(200, r#"{"access_token":"ya29.x","expires_in":3599,"token_type":"Bearer"}"#, VALID);
    let scopes =
        [("scopes", "drive.readonly", Err("pattern")), ("scopes", "https://evil.example/auth/drive", Err("pattern"))];
    vec![Described {
        provider: "google",
        connection_type: "service_account",
        service,
        good: values(None, &known()),
        told: json!({ "facts": {}, "granted_scopes": [], "expires_at": null }),
        wrong: values(None, &other()),
        limited: Some(values(Some("eve@acme.dev"), &known())),
        answers: exchange_answers().into_iter().chain([own]).collect(),
        door: door().into_iter().chain(scopes).collect(),
    }]
}

claims!();

#[tokio::test]
async fn the_account_acts_as_a_person_where_it_is_told_to() {
    let of = described().pop().unwrap();
    let stub = Stub::start(service).await;
    assert_eq!(meaning(&test(&of, stub.network(), &values(Some("ann@acme.dev"), &known())).await), VALID);
}
