//! Tokens that the organization's server signs, exchanged by its pages for sessions.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

use super::{names, read};
use crate::support::people::OWN;
use crate::support::signing::Signer;
use crate::support::{Answer, Keyfob, NOW, ROOT, bearer, shown};

pub(crate) const PATH: &str = "/v1/embedded/sessions/exchange";
const PAGE: &str = "https://app.example.com";
const LIST: &str = "/v1/embedded/connections";

/// Seconds since 1970 at the beginning of every test.
fn now() -> i64 {
    NOW.millis() / 1000
}

/// A Keyfob, a key of its development environment, and who signs with it.
struct World {
    keyfob: Keyfob,
    kid: String,
    signer: Signer,
}

impl World {
    async fn new() -> Self {
        Self::of(Signer::ed()).await
    }

    async fn of(signer: Signer) -> Self {
        let keyfob = Keyfob::start().await;
        let kid = register(&keyfob, "development", &signer).await;
        keyfob.post("/v1/embedded/origins", &json!({ "origin": PAGE })).await.expect(201);
        Self { keyfob, kid, signer }
    }

    fn sign(&self, claims: &Value) -> String {
        self.signer.token(&self.kid, claims)
    }

    async fn exchange(&self, claims: &Value) -> Answer {
        send(&self.keyfob, &self.sign(claims), &[]).await
    }

    fn sessions(&self) -> i64 {
        self.keyfob.database.value("select count(*) from embedded_sessions")
    }
}

async fn register(keyfob: &Keyfob, environment: &str, signer: &Signer) -> String {
    let body = json!({ "environment": environment, "name": "Backend", "public_key": signer.jwk("any") });
    keyfob.post("/v1/signing-keys", &body).await.expect(201).json()["id"].as_str().unwrap().to_owned()
}

/// Claims of a token for a customer that holds for five minutes.
fn claims(id: &str) -> Value {
    json!({ "aud": OWN, "sub": "acme", "jti": id, "iat": now(), "exp": now() + 300 })
}

/// The same with one claim changed, or left out where it is null.
fn with(name: &str, value: Value) -> Value {
    let mut claims = claims("t1");
    if value.is_null() {
        claims.as_object_mut().unwrap().remove(name);
    } else {
        claims[name] = value;
    }
    claims
}

/// Exchanges a token as a page does: without any key.
async fn send(keyfob: &Keyfob, token: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method("POST").uri(format!("{OWN}{PATH}"));
    for (name, value) in headers.iter().chain(&[("content-type", "application/json")]) {
        request = request.header(*name, *value);
    }
    keyfob.send(request.body(Body::from(json!({ "jwt": token }).to_string())).unwrap()).await
}

#[tokio::test]
async fn whatever_does_not_hold_is_401_with_the_same_bytes_and_the_log_says_why() {
    let world = World::new().await;
    let stranger = Signer::ed();
    let header = |alg: &str, kid: &str| json!({ "alg": alg, "kid": kid }).to_string();
    let text = claims("t1").to_string();
    let good = world.sign(&claims("t1"));
    let unknown = world.kid.replace("sgk_01", "sgk_02");
    let tokens = [
        (String::new(), "not a signed token as expected"),
        ("a.b.c".to_owned(), "not a signed token as expected"),
        (ROOT.to_owned(), "not a signed token as expected"),
        (format!("{good}."), "not a signed token as expected"),
        ("x".repeat(20_000), "not a signed token as expected"),
        (stranger.token(&world.kid, &claims("t1")), "the signature is wrong"),
        (world.signer.token(&unknown, &claims("t1")), "no key has this id"),
        (world.signer.token("Backend", &claims("t1")), "no key has this id"),
        (world.signer.token_of(r#"{"alg":"EdDSA"}"#, &text), "no key has this id"),
        (world.signer.token_of(&header("none", &world.kid), &text), "not the algorithm of the key"),
        (world.signer.token_of(&header("HS256", &world.kid), &text), "not the algorithm of the key"),
        (world.signer.token_of(&header("ES256", &world.kid), &text), "not the algorithm of the key"),
        (world.signer.token_of(&header("EdDSA", &world.kid), "[]"), "not a signed token as expected"),
        (world.sign(&with("aud", json!("https://other.example.com"))), "another audience"),
        (world.sign(&with("aud", json!(format!("{OWN}/")))), "another audience"),
        (world.sign(&with("aud", Value::Null)), "another audience"),
        (world.sign(&with("exp", json!(now()))), "expired"),
        (world.sign(&with("exp", json!(now() - 3_600))), "expired"),
        (world.sign(&with("exp", Value::Null)), "not a signed token as expected"),
        (world.sign(&with("iat", json!(now() + 31))), "not valid yet"),
        (world.sign(&with("nbf", json!(now() + 31))), "not valid yet"),
    ];
    let mut answers = std::collections::BTreeSet::new();
    for (token, reason) in &tokens {
        let answer = send(&world.keyfob, token, &[]).await;
        assert_eq!(answer.problem(), (401, "unauthorized".to_owned()), "{reason} {token:.80}");
        assert_eq!(world.keyfob.log.last()["refusal"], *reason, "{token:.80}");
        answers.insert(answer.text);
    }
    assert_eq!(answers.len(), 1);
    assert_eq!(world.sessions(), 0);
    assert_eq!(world.keyfob.database.value::<i64>("select count(*) from used_tokens"), 0);
    // Every one of them counts as a failed authentication.
    world.keyfob.throttle.0.store(true, Ordering::SeqCst);
    for (token, _) in &tokens {
        let answer = send(&world.keyfob, token, &[]).await;
        assert_eq!(answer.problem(), (429, "too_many_failures".to_owned()), "{token:.80}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_the_claims_of_a_token_that_holds_is_told() {
    let world = World::new().await;
    let keyfob = |value: Value| with("keyfob", value);
    for (claims, expected) in [
        (with("sub", Value::Null), "`sub` names"),
        (with("sub", json!("")), "`sub` names"),
        (with("sub", json!("x".repeat(201))), "`sub` names"),
        (with("sub", json!(7)), "`sub` names"),
        (with("jti", Value::Null), "`jti` is"),
        (with("jti", json!("x".repeat(201))), "`jti` is"),
        (with("jti", json!(1)), "`jti` is"),
        (with("iat", Value::Null), "`iat` is"),
        (with("exp", json!(now() + 3_600 + 31)), "`exp` is"),
        (with("exp", json!(now() + 86_400)), "`exp` is"),
        (keyfob(json!([])), "`keyfob` is"),
        (keyfob(json!({ "provider": ["slack"] })), "`keyfob` is"),
        (keyfob(json!({ "providers": "slack" })), "`keyfob` is"),
        (keyfob(json!({ "purpose": "admin" })), "`keyfob` is"),
        (keyfob(json!({ "environment": "staging" })), "`keyfob.environment` is"),
        (keyfob(json!({ "providers": ["slack", "slak"] })), "`/keyfob/providers/1`: There is no such provider."),
        (keyfob(json!({ "connection_types": ["basik"] })), "`/keyfob/connection_types/0`: No provider has"),
    ] {
        let answer = world.exchange(&claims).await;
        assert_eq!(answer.problem(), (422, "invalid_body".to_owned()), "{claims}");
        assert_eq!(answer.errors(), [("/jwt".to_owned(), "claim".to_owned())], "{claims}");
        let detail = answer.json()["errors"][0]["detail"].as_str().unwrap().to_owned();
        assert!(detail.starts_with(expected), "{claims}: {detail}");
    }
    let answer = world.exchange(&json!({ "aud": OWN, "exp": now() + 7_200 })).await.expect(422);
    assert_eq!(answer.errors().len(), 4, "all at once: {}", answer.text);
    assert_eq!(world.sessions(), 0);
}

#[tokio::test]
async fn a_token_of_each_algorithm_gives_a_session_for_its_customer() {
    for signer in [Signer::rsa(), Signer::ec(), Signer::ed()] {
        let world = World::of(signer).await;
        let mut exposed = bearer("Exposed");
        exposed["embedded"] = json!(true);
        world.keyfob.create(&exposed).await;
        let answer = world.exchange(&claims("t1")).await.expect(201);
        assert_eq!(answer.header("cache-control"), "no-store");
        let created = answer.json();
        assert_eq!(created["expires_at"], "2026-11-20T10:05:00.000Z", "no longer than the token");
        let token = created["token"].as_str().unwrap();
        assert_eq!(names(&world.keyfob, token).await, ["Exposed"]);
        let audited = world.keyfob.get("/v1/audit-events?action=embedded_session.created").await.expect(200).json();
        assert_eq!(
            shown(&audited["data"][0], ["environment", "resource_id", "actor", "detail"]),
            json!({
                "environment": "development", "resource_id": created["id"],
                "actor": { "id": world.kid, "name": "Backend", "claimed": null },
                "detail": { "customer": "acme", "providers": null, "token_id": "t1" },
            })
        );
        world.keyfob.advance(Duration::from_mins(5) - Duration::from_millis(1));
        read(&world.keyfob, LIST, token, &[]).await.expect(200);
        world.keyfob.advance(Duration::from_millis(1));
        read(&world.keyfob, LIST, token, &[]).await.expect(401);
    }
}

#[tokio::test]
async fn a_session_lives_half_an_hour_at_most_however_long_its_token_does() {
    let world = World::new().await;
    let answer = world.exchange(&with("exp", json!(now() + 3_600))).await.expect(201);
    assert_eq!(answer.json()["expires_at"], "2026-11-20T10:30:00.000Z");
}

#[tokio::test]
async fn a_token_is_good_for_once_even_when_it_is_sent_twice_at_once() {
    let world = World::new().await;
    let token = world.sign(&claims("t1"));
    let (first, second) = tokio::join!(send(&world.keyfob, &token, &[]), send(&world.keyfob, &token, &[]));
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    let again = send(&world.keyfob, &token, &[]).await;
    assert_eq!(again.problem(), (409, "token_used".to_owned()));
    // The same id in another token is the same token; another key's is not.
    let other = world.exchange(&with("exp", json!(now() + 200))).await;
    assert_eq!(other.problem(), (409, "token_used".to_owned()));
    assert_eq!(world.sessions(), 1);
    let kid = register(&world.keyfob, "development", &world.signer).await;
    send(&world.keyfob, &world.signer.token(&kid, &claims("t1")), &[]).await.expect(201);
}

#[tokio::test]
async fn a_used_token_is_remembered_until_it_could_not_be_sent_again() {
    let world = World::new().await;
    let token = world.sign(&claims("t1"));
    send(&world.keyfob, &token, &[]).await.expect(201);
    let remembered = || world.keyfob.database.value::<i64>("select count(*) from used_tokens");
    world.keyfob.advance(Duration::from_secs(300 + 30));
    world.keyfob.tick().await;
    assert_eq!(remembered(), 1);
    world.keyfob.advance(Duration::from_millis(1));
    world.keyfob.tick().await;
    assert_eq!(remembered(), 0);
    send(&world.keyfob, &token, &[]).await.expect(401);
}

#[tokio::test]
async fn limits_and_the_purpose_of_a_token_are_those_of_its_session() {
    let world = World::new().await;
    let limited = json!({ "environment": "development", "providers": ["slack"], "connection_types": ["token"] });
    let session = world.exchange(&with("keyfob", limited)).await.expect(201).json();
    let page = read(&world.keyfob, "/v1/embedded/providers", session["token"].as_str().unwrap(), &[]).await.json();
    assert_eq!(page["data"].as_array().unwrap().len(), 1);
    assert_eq!(page["data"][0]["connection_types"].as_array().unwrap().len(), 1);

    let mut builder = with("keyfob", json!({ "purpose": "build" }));
    builder["jti"] = json!("t2");
    world.exchange(&builder).await.expect(201);
    let row = "select json_array(customer, created_by ->> 'claimed') from embedded_sessions order by id desc limit 1";
    assert_eq!(world.keyfob.database.value::<String>(row), r#"["","acme"]"#);
}

#[tokio::test]
async fn a_deleted_key_signs_for_nobody_and_its_sessions_end_at_once() {
    let world = World::new().await;
    let other = Signer::ec();
    let kid = register(&world.keyfob, "staging", &other).await;
    let stays = send(&world.keyfob, &other.token(&kid, &claims("t1")), &[]).await.expect(201).json();
    let ends = world.exchange(&claims("t1")).await.expect(201).json();
    let [stays, ends] = [&stays, &ends].map(|session| session["token"].as_str().unwrap());
    read(&world.keyfob, LIST, ends, &[]).await.expect(200);
    let path = format!("/v1/signing-keys/{}", world.kid);
    world.keyfob.request("DELETE", &path, ROOT, &[], &Value::Null).await.expect(204);
    read(&world.keyfob, LIST, ends, &[]).await.expect(401);
    read(&world.keyfob, LIST, stays, &[]).await.expect(200);
    world.exchange(&claims("t2")).await.expect(401);
}

#[tokio::test]
async fn ending_a_customers_sessions_ends_the_tokens_that_were_signed_before() {
    let world = World::new().await;
    world.keyfob.advance(Duration::from_secs(10));
    let path = "/v1/embedded/sessions?environment=development&customer=acme";
    world.keyfob.request("DELETE", path, ROOT, &[], &Value::Null).await.expect(204);
    let answer = world.exchange(&claims("t1")).await;
    assert_eq!(answer.problem(), (401, "unauthorized".to_owned()));
    world.exchange(&with("sub", json!("other"))).await.expect(201);
    world.keyfob.advance(Duration::from_secs(1));
    let mut later = with("iat", json!(now() + 11));
    later["jti"] = json!("t2");
    world.exchange(&later).await.expect(201);
}

#[tokio::test]
async fn a_page_that_is_not_registered_uses_up_no_token() {
    let world = World::new().await;
    let token = world.sign(&claims("t1"));
    for origin in ["https://evil.example", "https://app.example.com:8443", "null", "http://keyfob.example.com"] {
        let answer = send(&world.keyfob, &token, &[("origin", origin)]).await;
        assert_eq!(answer.problem(), (403, "origin_not_registered".to_owned()), "{origin}");
        assert!(answer.headers.get("access-control-allow-origin").is_none());
    }
    let answer = send(&world.keyfob, &token, &[("origin", PAGE)]).await.expect(201);
    assert_eq!(answer.header("access-control-allow-origin"), PAGE);
    // Pages of this Keyfob itself, such as the picker.
    send(&world.keyfob, &world.sign(&with("jti", json!("t2"))), &[("origin", OWN)]).await.expect(201);
}

#[tokio::test]
async fn a_registered_page_reads_every_refusal() {
    let world = World::new().await;
    let origin = ("origin", PAGE);
    let malformed = Request::builder().method("POST").uri(format!("{OWN}{PATH}")).header("origin", PAGE);
    let malformed = malformed.header("content-type", "application/json").body(Body::from("{")).unwrap();
    let used = world.sign(&claims("t1"));
    for answer in [
        send(&world.keyfob, "a.b.c", &[origin]).await.expect(401),
        send(&world.keyfob, &world.sign(&with("sub", Value::Null)), &[origin]).await.expect(422),
        send(&world.keyfob, &used, &[origin]).await.expect(201),
        send(&world.keyfob, &used, &[origin]).await.expect(409),
        world.keyfob.send(malformed).await.expect(400),
    ] {
        assert_eq!(answer.header("access-control-allow-origin"), PAGE, "{}", answer.text);
    }
}
