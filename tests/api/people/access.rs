//! Sign-in through Cloudflare Access: whose tokens are accepted, what people may do, and what happens without its keys.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::counterpart::{Received, answer};
use crate::support::people::{
    ACCESS, AUDIENCE, Browser, TEAM, VARIABLES, asks_for_keys, certs, claims, person, sign_in_as, start, start_while,
};
use crate::support::signing::Signer;
use crate::support::{Answer, Keyfob, bearer, path_of};

async fn sign_in(keyfob: &Keyfob, token: &str) -> Answer {
    let browser = Browser::own().with("cf-access-jwt-assertion", token);
    browser.send(keyfob, "POST", "/v1/session", &Value::Null).await
}

fn asked(keyfob: &Keyfob) -> usize {
    keyfob.counterpart.received().iter().filter(|request| asks_for_keys(request)).count()
}

#[tokio::test]
async fn a_person_signs_in_and_is_named_everywhere() {
    let keyfob = start().await;
    let answer = sign_in_as(&keyfob, &claims("Ann@Example.com")).await.expect(201);
    let who = answer.json();
    assert_eq!((&who["kind"], &who["id"]), (&json!("person"), &json!("person:ann@example.com")));
    assert_eq!((&who["name"], &who["environments"]), (&json!("ann@example.com"), &json!(["development"])));
    // The token of Access ends in an hour, so the session does.
    assert_eq!(who["expires_at"], "2026-11-20T11:00:00.000Z");
    let browser = Browser::own().after(&answer);
    let made = browser.send(&keyfob, "POST", "/v1/connections", &bearer("Acme")).await.expect(201).json();
    let actor = json!({ "id": "person:ann@example.com", "name": "ann@example.com", "claimed": null });
    assert_eq!(made["created_by"], actor);
    let reveal = json!({ "fields": ["token"], "reason": "It moves." });
    browser.send(&keyfob, "POST", &format!("{}/reveal", path_of(&made)), &reveal).await.expect(200);
    let audited = "select json_array(action, json(actor)) from audit_events order by seq desc limit 1";
    let audited: Value = serde_json::from_str(&keyfob.database.value::<String>(audited)).unwrap();
    assert_eq!(audited, json!(["connection.secrets_revealed", actor]));
    let events = browser.get(&keyfob, &format!("{}/events", path_of(&made))).await.expect(200).json();
    assert_eq!(events["data"][0]["actor"], actor);
    assert_eq!(keyfob.log.last()["caller"], "person:ann@example.com");
    keyfob.advance(Duration::from_hours(1));
    browser.get(&keyfob, "/v1/session").await.expect(401);
}

#[tokio::test]
async fn what_access_did_not_sign_for_us_signs_nobody_in() {
    let keyfob = start().await;
    let changed = |name: &str, value: Value| {
        let mut claims = claims("ann@example.com");
        claims[name] = value;
        ACCESS.token("key-1", &claims)
    };
    let valid = claims("ann@example.com");
    let now = crate::support::NOW.millis() / 1000;
    let tokens = [
        ("another signer", Signer::other_rsa().token("key-1", &valid)),
        ("an unknown key", ACCESS.token("key-2", &valid)),
        ("no key id", ACCESS.token_of(r#"{"alg":"RS256"}"#, &valid.to_string())),
        ("no algorithm", ACCESS.token_of(r#"{"alg":"none","kid":"key-1"}"#, &valid.to_string())),
        ("a MAC", ACCESS.token_of(r#"{"alg":"HS256","kid":"key-1"}"#, &valid.to_string())),
        ("another team", changed("iss", "https://evil.cloudflareaccess.com".into())),
        ("another application", changed("aud", json!(["another"]))),
        ("expired", changed("exp", (now - 30).into())),
        ("not yet", changed("nbf", (now + 31).into())),
        ("no address", changed("email", Value::Null)),
        ("no valid address", changed("email", "ann".into())),
        ("a session of the team", changed("type", "org".into())),
        ("somebody else", changed("email", "ann@example.com.evil.net".into())),
        ("nonsense", "a.b.c".to_owned()),
        ("nothing", String::new()),
    ];
    let before = keyfob.database.dump();
    let mut answers = std::collections::BTreeSet::new();
    for (what, token) in tokens {
        let answer = sign_in(&keyfob, &token).await;
        assert_eq!(answer.problem(), (401, "unauthorized".to_owned()), "{what}");
        assert_eq!(answer.header("set-cookie"), "");
        answers.insert(answer.text);
    }
    assert_eq!((answers.len(), keyfob.database.dump() == before), (1, true));
    let mut service = claims("ann@example.com");
    service.as_object_mut().unwrap().remove("email");
    service["common_name"] = "e367826f93b8d71185e03fe518aff3b4.access".into();
    assert_eq!(sign_in_as(&keyfob, &service).await.problem().0, 401);
}

#[tokio::test]
async fn the_cookie_of_access_signs_in_too_and_a_token_alone_grants_nothing() {
    let keyfob = start().await;
    let token = ACCESS.token("key-1", &claims("ann@example.com"));
    let browser = Browser::own().with("cookie", format!("a=b; CF_Authorization={token}"));
    assert_eq!(browser.get(&keyfob, "/v1/session").await.problem().0, 401);
    assert_eq!(browser.get(&keyfob, "/v1/connections?environment=development").await.problem().0, 401);
    browser.send(&keyfob, "POST", "/v1/session", &Value::Null).await.expect(201);
    // A browser adds the cookie and Access the header, whatever page asks.
    for origin in [None, Some("https://evil.example.net"), Some("null")] {
        let mut foreign = Browser::default().with("cf-access-jwt-assertion", &token);
        foreign.headers.extend(origin.map(|origin| ("origin", origin.to_owned())));
        let answer = foreign.send(&keyfob, "POST", "/v1/session", &Value::Null).await;
        assert_eq!(answer.problem(), (403, "foreign_origin".to_owned()), "{origin:?}");
    }
}

#[tokio::test]
async fn without_access_configured_its_tokens_mean_nothing() {
    let keyfob = Keyfob::start().await;
    assert_eq!(sign_in_as(&keyfob, &claims("ann@example.com")).await.problem(), (401, "unauthorized".to_owned()));
    assert_eq!(asked(&keyfob), 0);
}

#[tokio::test]
async fn groups_and_domains_give_the_first_role_that_names_the_person() {
    let keyfob = start().await;
    for (groups, scopes, environment) in [
        (json!({ "custom": { "groups": ["other", "readers"] } }), json!(["connections:read"]), "development"),
        (json!({ "groups": "readers" }), json!(["connections:read"]), "development"),
        (json!({ "groups": ["Readers"], "custom": { "groups": 1 } }), json!(["connections:test"]), "staging"),
        (json!({}), json!(["connections:test"]), "staging"),
    ] {
        let mut claims = claims("bob@example.com");
        claims.as_object_mut().unwrap().extend(groups.as_object().unwrap().clone());
        let who = sign_in_as(&keyfob, &claims).await.expect(201).json();
        assert_eq!((&who["scopes"], &who["environments"]), (&scopes, &json!([environment])), "{groups}");
    }
}

#[tokio::test]
async fn a_role_that_is_taken_away_ends_the_session_at_the_next_request() {
    let keyfob = start().await;
    let ann = person(&keyfob, "ann@example.com").await;
    let mut variables = VARIABLES;
    variables[2].1 = r#"[{"email":"ann@example.com","scopes":["audit:read"],"environments":["staging"]}]"#;
    let less = keyfob.restarted(&variables);
    let who = ann.get(&less, "/v1/session").await.expect(200).json();
    assert_eq!((&who["scopes"], &who["environments"]), (&json!(["audit:read"]), &json!(["staging"])));
    variables[2].1 = r#"[{"email":"bob@example.com","scopes":["audit:read"],"environments":["staging"]}]"#;
    ann.get(&keyfob.restarted(&variables), "/v1/session").await.expect(401);
    ann.get(&keyfob.restarted(&[]), "/v1/session").await.expect(401);
}

#[tokio::test]
async fn a_person_grants_nothing_that_they_lack() {
    let keyfob = start().await;
    let ann = person(&keyfob, "ann@example.com").await;
    let body =
        |scope: &str, environment: &str| json!({ "name": "Child", "scopes": [scope], "environments": [environment] });
    for (scope, environment) in [("audit:read", "development"), ("connections:read", "production")] {
        let answer = ann.send(&keyfob, "POST", "/v1/api-keys", &body(scope, environment)).await;
        assert_eq!(answer.problem(), (403, "grant_exceeded".to_owned()));
    }
    let key = body("connections:read", "development");
    let key = ann.send(&keyfob, "POST", "/v1/api-keys", &key).await.expect(201).json();
    assert_eq!(key["created_by"]["id"], "person:ann@example.com");
}

#[tokio::test]
async fn a_person_reveals_within_one_limit_whatever_the_session() {
    let keyfob = start().await;
    let ann = [person(&keyfob, "ann@example.com").await, person(&keyfob, "ANN@example.com").await];
    let path = format!("{}/reveal", path_of(&keyfob.create(&bearer("Acme")).await));
    let reveal = json!({ "fields": ["token"], "reason": "why" });
    for number in 0..60 {
        ann[number % 2].send(&keyfob, "POST", &path, &reveal).await.expect(200);
    }
    for session in ann {
        assert_eq!(session.send(&keyfob, "POST", &path, &reveal).await.problem(), (429, "rate_limited".to_owned()));
    }
}

#[tokio::test]
async fn without_keys_nobody_can_be_told_from_anybody_and_that_is_no_failure_of_theirs() {
    let status = Arc::new(AtomicU16::new(500));
    let keyfob = start_while(&status).await;
    keyfob.throttle.0.store(true, Ordering::SeqCst);
    for broken in [500, 302, 403, 404, 204] {
        status.store(broken, Ordering::SeqCst);
        let answer = sign_in_as(&keyfob, &claims("ann@example.com")).await;
        assert_eq!(answer.problem(), (503, "access_unavailable".to_owned()), "{broken}");
        assert_eq!(answer.header("retry-after"), "5");
    }
    status.store(200, Ordering::SeqCst);
    person(&keyfob, "ann@example.com").await;
}

#[tokio::test]
async fn an_answer_that_is_no_key_set_or_too_long_is_an_outage() {
    for body in ["{}", "<html>", r#"{"keys":[]}"#, &format!(r#"{{"keys":[],"fill":"{}"}}"#, "x".repeat(70_000))] {
        let body = body.to_owned();
        let keyfob = Keyfob::configured(move |_| answer(200, &[], &body), &VARIABLES).await;
        let answer = sign_in_as(&keyfob, &claims("ann@example.com")).await;
        assert_eq!(answer.problem(), (503, "access_unavailable".to_owned()));
    }
}

#[tokio::test]
async fn keys_are_kept_and_an_outage_does_not_matter_for_a_day() {
    let status = Arc::new(AtomicU16::new(200));
    let keyfob = start_while(&status).await;
    let mut claims = claims("ann@example.com");
    claims["exp"] = (crate::support::NOW.millis() / 1000 + 200_000).into();
    for _ in 0..5 {
        sign_in_as(&keyfob, &claims).await.expect(201);
    }
    assert_eq!(asked(&keyfob), 1);
    let asked_of = keyfob.counterpart.received()[0].header("host").map(str::to_owned);
    assert_eq!(asked_of.as_deref(), Some(TEAM));
    status.store(500, Ordering::SeqCst);
    keyfob.advance(Duration::from_hours(24) - Duration::from_millis(1));
    sign_in_as(&keyfob, &claims).await.expect(201);
    assert_eq!(asked(&keyfob), 2, "after an hour they are asked for anew");
    keyfob.advance(Duration::from_millis(1));
    assert_eq!(sign_in_as(&keyfob, &claims).await.problem(), (503, "access_unavailable".to_owned()));
}

#[tokio::test]
async fn a_new_key_is_asked_for_at_once_and_made_up_ones_six_times_a_minute() {
    let newer = Arc::new(AtomicU16::new(1));
    let published = Arc::clone(&newer);
    let rule = move |_: &Received| certs(&format!("key-{}", published.load(Ordering::SeqCst)));
    let keyfob = Keyfob::configured(rule, &VARIABLES).await;
    let claims = claims("ann@example.com");
    sign_in(&keyfob, &ACCESS.token("key-1", &claims)).await.expect(201);
    newer.store(2, Ordering::SeqCst);
    sign_in(&keyfob, &ACCESS.token("key-2", &claims)).await.expect(201);
    assert_eq!(asked(&keyfob), 2);
    keyfob.advance(Duration::from_mins(1));
    let tokens: Vec<String> = (0..32).map(|n| ACCESS.token(&format!("made-up-{n}"), &claims)).collect();
    for answer in join_all(tokens.iter().map(|token| sign_in(&keyfob, token))).await {
        assert_eq!(answer.problem(), (401, "unauthorized".to_owned()));
    }
    assert_eq!(asked(&keyfob), 8);
    keyfob.advance(Duration::from_mins(1));
    sign_in(&keyfob, &tokens[0]).await.expect(401);
    assert_eq!(asked(&keyfob), 9);
}

#[test]
fn nonsense_in_the_configuration_does_not_start() {
    let read = |changes: &[(&str, &str)]| {
        let value = |name: &str| {
            changes.iter().chain(&VARIABLES).find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        keyfob::config::Config::read(value).err().map(|error| error.to_string())
    };
    assert_eq!(read(&[]), None);
    for (changes, reason) in [
        (("ACCESS_TEAM_DOMAIN", "acme"), "ACCESS_TEAM_DOMAIN is not a domain such as acme.cloudflareaccess.com"),
        (("ACCESS_AUDIENCE", "a b"), "ACCESS_AUDIENCE is not the AUD tag of one Access application"),
        (
            ("ACCESS_AUDIENCE", ""),
            "ACCESS_AUDIENCE is not set: ACCESS_TEAM_DOMAIN, ACCESS_AUDIENCE and ACCESS_ROLES belong together",
        ),
        (("ACCESS_ROLES", "[]"), "ACCESS_ROLES: there is no role"),
        (
            ("ACCESS_ROLES", r#"[{"scopes":["transfer"],"environments":["staging"]}]"#),
            "ACCESS_ROLES: role 1: exactly one of email, email_domain and group is needed",
        ),
    ] {
        assert_eq!(read(&[changes]).as_deref(), Some(reason));
    }
    assert_eq!(AUDIENCE.len(), 64);
}

#[tokio::test]
async fn an_answer_that_knows_nobody_names_access_only_where_people_sign_in_with_it() {
    let keyfob = Keyfob::start().await;
    for (access, ways) in [(false, ["Bearer"].as_slice()), (true, &["Bearer", "Cloudflare-Access"])] {
        let keyfob = if access { &start().await } else { &keyfob };
        let answer = keyfob.request("GET", "/v1/session", "kf_unknown", &[], &Value::Null).await.expect(401);
        let named: Vec<_> =
            answer.headers.get_all("www-authenticate").iter().map(|way| way.to_str().unwrap()).collect();
        assert_eq!(named, ways);
    }
}
