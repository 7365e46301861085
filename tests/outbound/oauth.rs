//! The connection types that use OAuth, each against a token endpoint and an API that answer as the provider's documentation
//! says: a consent, a spent grant, a refused client, an outage; then its test with the token that it gave.
//!
//! The pages are named in the provider files. Read 2026-11-27.

mod api;
mod consent;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use keyfob::catalog::Catalog;
use keyfob::catalog::destinations::destinations;
use keyfob::catalog::oauth::{Client, client};
use keyfob::catalog::provider::ConnectionType;
use keyfob::domain::values::{Secret, Secrets, Settings};
use keyfob::egress::Policy;
use keyfob::oauth::{self, Code, Credential, Failed, Pkce, Tokens};
use keyfob::probe::{self, Finding};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::counterpart::{Counterpart, Received, answer};
use crate::ports::{Rerouted, SeededRandom};
use crate::probe::{PATIENT, egress, means};

/// A connection type with OAuth, as its documentation has it.
struct Documented {
    provider: &'static str,
    connection_type: &'static str,
    settings: Value,
    /// Where tokens are obtained: host and path.
    token_at: &'static str,
    /// How the client proves itself there.
    is_basic: bool,
    /// Whether the parameters are JSON.
    is_json: bool,
    /// The answer to a consent.
    tokens: Value,
    /// The access token in it, and the scopes that it names.
    access: &'static str,
    scopes: Option<&'static [&'static str]>,
    /// The answers, status and body, to a spent grant and to a client that is not accepted.
    spent: (u16, Value),
    refused: (u16, Value),
    /// The call of its test, and the answer to a good token.
    test: (&'static str, u16, Value),
}

fn bearer(more: &Value) -> Value {
    let mut tokens = json!({ "access_token": "planted-access", "token_type": "bearer" });
    tokens.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    tokens
}

fn error(status: u16, code: &str) -> (u16, Value) {
    (status, json!({ "error": code, "error_description": "…" }))
}

fn standard(provider: &'static str, token_at: &'static str, test: (&'static str, u16, Value)) -> Documented {
    Documented {
        provider,
        connection_type: "oauth",
        settings: json!({}),
        token_at,
        is_basic: false,
        is_json: false,
        tokens: bearer(&json!({ "refresh_token": "planted-refresh", "expires_in": 3600 })),
        access: "planted-access",
        scopes: None,
        spent: error(400, "invalid_grant"),
        refused: error(401, "invalid_client"),
        test,
    }
}

fn slack(connection_type: &'static str, tokens: Value, scopes: &'static [&'static str]) -> Documented {
    let refused = |code: &str| (200, json!({ "ok": false, "error": code }));
    Documented {
        connection_type,
        tokens,
        scopes: Some(scopes),
        spent: refused("code_already_used"),
        refused: refused("bad_client_secret"),
        ..standard(
            "slack",
            "slack.com/api/oauth.v2.access",
            ("POST slack.com/api/auth.test", 200, json!({ "ok": true, "team": "Acme" })),
        )
    }
}

fn github(connection_type: &'static str, tokens: Value, scopes: Option<&'static [&'static str]>) -> Documented {
    Documented {
        connection_type,
        tokens,
        scopes,
        spent: (200, json!({ "error": "bad_verification_code" })),
        refused: (200, json!({ "error": "incorrect_client_credentials" })),
        ..standard(
            "github",
            "github.com/login/oauth/access_token",
            ("GET api.github.com/user", 200, json!({ "login": "ann", "id": 1 })),
        )
    }
}

#[expect(clippy::too_many_lines, reason = "one table: some lines a provider")]
fn all() -> Vec<Documented> {
    let hook = "https://hooks.slack.com/services/T0PLANTED/B0PLANTED/plantedplantedplantedpl";
    let authed = json!({ "id": "U1", "scope": "users:read", "access_token": "planted-access", "token_type": "user" });
    let webhook = json!({ "url": hook, "channel": "#alerts", "channel_id": "C1", "configuration_url": "https://x" });
    vec![
        github("oauth_app", bearer(&json!({ "scope": "read:user" })), Some(&["read:user"])),
        github(
            "github_app",
            bearer(&json!({
                "scope": "", "expires_in": 28_800, "refresh_token": "ghr_planted", "refresh_token_expires_in": 15_897_600,
            })),
            Some(&[]),
        ),
        Documented {
            tokens: bearer(&json!({
                "expires_in": 3599, "refresh_token": "planted-refresh",
                "scope": "https://www.googleapis.com/auth/userinfo.email openid",
            })),
            scopes: Some(&["https://www.googleapis.com/auth/userinfo.email", "openid"]),
            ..standard(
                "google",
                "oauth2.googleapis.com/token",
                ("GET www.googleapis.com/oauth2/v3/userinfo", 200, json!({ "sub": "1", "email": "ann@acme.dev" })),
            )
        },
        slack("oauth_bot", bearer(&json!({ "ok": true, "scope": "chat:write", "token_type": "bot" })), &["chat:write"]),
        slack("oauth_user", json!({ "ok": true, "authed_user": authed, "team": { "id": "T1" } }), &["users:read"]),
        Documented {
            test: (
                "POST hooks.slack.com/services/T0PLANTED/B0PLANTED/plantedplantedplantedpl",
                400,
                json!("invalid_payload"),
            ),
            ..slack(
                "oauth_webhook",
                bearer(&json!({ "ok": true, "scope": "incoming-webhook", "incoming_webhook": webhook })),
                &["incoming-webhook"],
            )
        },
        Documented {
            spent: (400, json!({ "status": "BAD_REFRESH_TOKEN", "message": "…" })),
            refused: (400, json!({ "status": "BAD_CLIENT_SECRET", "message": "…" })),
            ..standard(
                "hubspot",
                "api.hubapi.com/oauth/v1/token",
                ("GET api.hubapi.com/account-info/2026-03/details", 200, json!({ "portalId": 1 })),
            )
        },
        Documented {
            is_basic: true,
            is_json: true,
            tokens: bearer(&json!({ "bot_id": "b1", "workspace_id": "w1", "owner": {} })),
            ..standard(
                "notion",
                "api.notion.com/v1/oauth/token",
                ("GET api.notion.com/v1/users/me", 200, json!({ "object": "user", "id": "1" })),
            )
        },
        Documented {
            tokens: bearer(&json!({ "expires_in": 86_399, "refresh_token": "planted-refresh", "scope": "read" })),
            scopes: Some(&["read"]),
            ..standard(
                "linear",
                "api.linear.app/oauth/token",
                ("POST api.linear.app/graphql", 200, json!({ "data": { "viewer": { "id": "1" } } })),
            )
        },
        Documented {
            tokens: bearer(&json!({ "expires_in": 3599, "refresh_token": "planted-refresh", "scope": "User.Read" })),
            scopes: Some(&["User.Read"]),
            ..standard(
                "microsoft",
                "login.microsoftonline.com/common/oauth2/v2.0/token",
                ("GET graph.microsoft.com/v1.0/me", 200, json!({ "id": "1" })),
            )
        },
        Documented {
            tokens: bearer(&json!({
                "refresh_token": "planted-refresh", "instance_url": "https://acme.my.salesforce.com",
                "id": "https://login.salesforce.com/id/00D/005", "issued_at": "1795168800000", "scope": "refresh_token api",
            })),
            scopes: Some(&["refresh_token", "api"]),
            ..standard(
                "salesforce",
                "login.salesforce.com/services/oauth2/token",
                ("GET acme.my.salesforce.com/services/oauth2/userinfo", 200, json!({ "user_id": "1" })),
            )
        },
        Documented {
            is_json: true,
            tokens: bearer(
                &json!({ "expires_in": 3600, "refresh_token": "planted-refresh", "scope": "read:jira-work" }),
            ),
            scopes: Some(&["read:jira-work"]),
            ..standard(
                "atlassian",
                "auth.atlassian.com/oauth/token",
                ("GET api.atlassian.com/oauth/token/accessible-resources", 200, json!([{ "id": "1", "name": "acme" }])),
            )
        },
        Documented {
            is_basic: true,
            ..standard("zoom", "zoom.us/oauth/token", ("GET api.zoom.us/v2/users/me", 200, json!({ "id": "1" })))
        },
    ]
}

#[test]
fn every_connection_type_with_oauth_is_described() {
    // The generic ones are tested against a real authorization server.
    let own = |key: &str| key != "oauth2";
    let types = Catalog::embedded().providers().iter().filter(|provider| own(&provider.key)).flat_map(|provider| {
        let with = provider.connection_types.iter().filter(|of| of.oauth.is_some());
        with.map(|of| (provider.key.clone(), of.key.clone())).collect::<Vec<_>>()
    });
    let described = all().into_iter().map(|of| (of.provider.to_owned(), of.connection_type.to_owned()));
    assert_eq!(described.collect::<BTreeSet<_>>(), types.collect::<BTreeSet<_>>());
}

fn documented(provider: &str, connection_type: &str) -> Documented {
    all().into_iter().find(|of| (of.provider, of.connection_type) == (provider, connection_type)).unwrap()
}

fn connection_type(of: &Documented) -> &'static ConnectionType {
    Catalog::embedded().connection_type(of.provider, of.connection_type).unwrap()
}

/// The values of a connection, defaults filled in.
fn values(of: &Documented) -> (Settings, Secrets) {
    let mut settings: Settings = connection_type(of)
        .fields
        .iter()
        .filter_map(|field| Some((field.key.clone(), field.default.clone()?)))
        .collect();
    settings.insert("client_id".to_owned(), json!("client-1"));
    settings.extend(serde_json::from_value::<Settings>(of.settings.clone()).unwrap());
    let secret = ("client_secret".to_owned(), Secret::new("planted-client-secret".to_owned()));
    (settings, Secrets::from_iter([secret]))
}

/// A provider: its token endpoint answers this, its API that. What else it is asked is kept, and has to be nothing.
async fn provider(of: &Documented, tokens: (u16, Value), unforeseen: &Arc<Mutex<Vec<String>>>) -> Counterpart {
    let (token_at, test, unforeseen) = (of.token_at, of.test.clone(), Arc::clone(unforeseen));
    let (is_basic, is_json) = (of.is_basic, of.is_json);
    Counterpart::start(move |request| {
        let at = format!("{}{}", request.header("host").unwrap_or_default(), request.target);
        if request.method == "POST" && at == token_at {
            let form = parameters(request, is_json);
            let proves = if is_basic {
                request.header("authorization").is_some_and(|value| value.starts_with("Basic "))
            } else {
                form.get("client_secret").map(String::as_str) == Some("planted-client-secret")
            };
            assert!(proves && form.contains_key("grant_type"), "{form:?}");
            return answer(tokens.0, &[], tokens.1.to_string());
        }
        let (call, status, body) = &test;
        // A webhook is its own credential: whoever it belongs to is told no token.
        let carried = (!call.contains("hooks.slack.com")).then_some("Bearer planted-access");
        if format!("{} {at}", request.method) == *call && request.header("authorization") == carried {
            return answer(*status, &[], body.as_str().map_or_else(|| body.to_string(), str::to_owned));
        }
        unforeseen.lock().unwrap().push(format!("{} {at}", request.method));
        answer(404, &[], "")
    })
    .await
}

fn parameters(request: &Received, is_json: bool) -> BTreeMap<String, String> {
    if is_json {
        serde_json::from_slice(&request.body).unwrap()
    } else {
        form_urlencoded::parse(&request.body).into_owned().collect()
    }
}

async fn obtain(of: &Documented, tokens: (u16, Value)) -> Result<(Tokens, Finding), Failed> {
    let unforeseen: Arc<Mutex<Vec<String>>> = Arc::default();
    let counterpart = provider(of, tokens, &unforeseen).await;
    let (settings, secrets) = values(of);
    let connection_type = connection_type(of);
    let client: Client<'_> = client(connection_type, &settings, &secrets).unwrap().unwrap();
    let allowed = destinations(connection_type, &settings, &secrets).unwrap();
    let egress = egress(Rerouted::to(counterpart.url("/")), Policy::default(), PATIENT);
    let mut deadline = egress.deadline();
    let at = oauth::addresses(&egress, &client, &allowed, &mut deadline).await?;
    let (code, browser) = (Secret::new("code".to_owned()), Secret::new("browser".to_owned()));
    let code = Code { code: &code, pkce: &Pkce::of(&browser), redirect_uri: "https://keyfob.example/oauth/callback" };
    let obtained =
        oauth::obtain(&egress, &client, (&at.token, &allowed), &Credential::Code(code), &mut deadline).await?;
    let file = connection_type.oauth.as_ref().unwrap();
    let (settings, secrets) =
        keyfob::api::connections::trial::hand_over(file, (&settings, &secrets), &obtained.secrets);
    let allowed = destinations(connection_type, &settings, &secrets).unwrap_or_else(|_| allowed.clone());
    let random = SeededRandom::default();
    let found = probe::test(means(&egress, &random), connection_type, &settings, &secrets, &allowed).await;
    let unforeseen = unforeseen.lock().unwrap().clone();
    assert!(unforeseen.is_empty(), "{} {}: {unforeseen:?}", of.provider, of.connection_type);
    Ok((obtained, found))
}

#[tokio::test]
async fn a_consent_gives_a_token_that_its_test_takes() {
    for of in all() {
        let what = format!("{} {}", of.provider, of.connection_type);
        let Ok((tokens, found)) = obtain(&of, (200, of.tokens.clone())).await else { panic!("{what}") };
        assert_eq!(tokens.secrets.0[Tokens::ACCESS].expose_secret(), of.access, "{what}");
        assert_eq!(
            tokens.scopes.as_deref(),
            of.scopes.map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>()).as_deref(),
            "{what}"
        );
        assert_eq!(found.verdict.as_str(), "valid", "{what}: {:?}", found.reason);
    }
}

#[tokio::test]
async fn what_is_kept_of_an_answer_is_what_the_file_expects_there() {
    for (provider, connection_type, at, stranger) in [
        ("salesforce", "oauth", "/instance_url", "https://evil.example"),
        ("salesforce", "oauth", "/instance_url", "https://evil.example/.salesforce.com"),
        ("salesforce", "oauth", "/instance_url", "https://acme.my.salesforce.com.evil.example"),
        ("salesforce", "oauth", "/instance_url", "http://acme.my.salesforce.com"),
        ("slack", "oauth_webhook", "/incoming_webhook/url", "https://evil.example/services/T0A1/B0A1/aBcDeFgH"),
        ("slack", "oauth_webhook", "/incoming_webhook/url", "https://hooks.slack.com/services/T0A1/B0A1/aBc?to=evil"),
    ] {
        let of = documented(provider, connection_type);
        let mut tokens = of.tokens.clone();
        *tokens.pointer_mut(at).unwrap() = json!(stranger);
        assert_eq!(obtain(&of, (200, tokens)).await.err(), Some(Failed::Unexpected), "{stranger}");
    }
}

#[tokio::test]
async fn a_spent_grant_a_refused_client_and_an_outage_are_told_apart() {
    for of in all() {
        let what = format!("{} {}", of.provider, of.connection_type);
        let failed = async |tokens| obtain(&of, tokens).await.err();
        assert_eq!(failed(of.spent.clone()).await, Some(Failed::Grant), "{what}");
        assert_eq!(failed(of.refused.clone()).await, Some(Failed::Client), "{what}");
        assert_eq!(failed((503, json!({}))).await, Some(Failed::Unreachable), "{what}");
        assert_eq!(failed((429, json!({}))).await, Some(Failed::RateLimited), "{what}");
        assert_eq!(failed((200, json!("nothing"))).await, Some(Failed::Unexpected), "{what}");
    }
}
