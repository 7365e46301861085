//! Sessions of the dashboard: cookies that only our own pages may use, worth what their key is worth.

use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::people::{Browser, OWN, person, root, sign_in_with, start};
use crate::support::{Keyfob, ROOT, bearer};

const LIST: &str = "/v1/connections?environment=development";

async fn mint(keyfob: &Keyfob, expires_at: Option<&str>) -> Value {
    let scopes = ["connections:read", "connections:write"];
    let body = json!({ "name": "Desk", "scopes": scopes, "environments": ["development"], "expires_at": expires_at });
    keyfob.post("/v1/api-keys", &body).await.expect(201).json()
}

fn secret(key: &Value) -> &str {
    key["secret"].as_str().unwrap()
}

#[tokio::test]
async fn signing_in_with_a_key_sets_a_cookie_that_only_this_host_gets() {
    let keyfob = Keyfob::start().await;
    let key = mint(&keyfob, None).await;
    let browser = Browser::own().with("authorization", format!("Bearer {}", secret(&key)));
    let answer = browser.send(&keyfob, "POST", "/v1/session", &Value::Null).await.expect(201);
    let who = json!({
        "kind": "key", "id": key["id"], "name": "Desk", "scopes": ["connections:read", "connections:write"],
        "environments": ["development"], "expires_at": "2026-11-20T18:00:00.000Z",
    });
    assert_eq!(answer.json(), who);
    let (name, rest) = answer.header("set-cookie").split_once('=').unwrap();
    let (token, attributes) = rest.split_once("; ").unwrap();
    assert_eq!((name, &token[..3], token.len()), ("__Host-keyfob_session", "kd_", 52));
    assert_eq!(attributes, "Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=28800");
    assert!(!answer.text.contains(token));
    let signed_in = Browser::own().after(&answer);
    assert_eq!(signed_in.get(&keyfob, "/v1/session").await.expect(200).json(), who);
    let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(token));
    assert_eq!(keyfob.database.value::<String>("select token_hash from dashboard_sessions"), hash);
    assert!(!keyfob.database.dump().contains(token) && !keyfob.log.all().concat().contains(token));
}

#[tokio::test]
async fn a_key_learns_who_it_is_and_has_no_session_to_end() {
    let keyfob = Keyfob::start().await;
    let who = keyfob.get("/v1/session").await.expect(200).json();
    assert_eq!((&who["id"], &who["kind"], &who["expires_at"]), (&json!("key_root"), &json!("key"), &Value::Null));
    let none = keyfob.request("DELETE", "/v1/session", ROOT, &[], &Value::Null).await;
    assert_eq!(none.problem(), (404, "not_found".to_owned()));
}

#[tokio::test]
async fn a_session_may_do_what_its_key_may_and_no_more_and_history_names_the_key() {
    let keyfob = Keyfob::start().await;
    let key = mint(&keyfob, None).await;
    let browser = sign_in_with(&keyfob, secret(&key)).await;
    let made = browser.send(&keyfob, "POST", "/v1/connections?test=false", &bearer("Acme")).await.expect(201).json();
    assert_eq!(made["created_by"], json!({ "id": key["id"], "name": "Desk", "claimed": null }));
    let path = format!("/v1/connections/{}", made["id"].as_str().unwrap());
    let delete = browser.clone().with("if-match", "\"1\"").send(&keyfob, "DELETE", &path, &Value::Null).await;
    assert_eq!(delete.problem(), (403, "missing_scope".to_owned()));
    let elsewhere = browser.get(&keyfob, "/v1/connections?environment=staging").await;
    assert_eq!(elsewhere.problem(), (403, "environment_not_allowed".to_owned()));
}

#[tokio::test]
async fn whoever_signs_out_is_out_and_the_cookie_is_gone() {
    let keyfob = Keyfob::start().await;
    let (browser, other) = (root(&keyfob).await, root(&keyfob).await);
    let out = browser.send(&keyfob, "DELETE", "/v1/session", &Value::Null).await.expect(204);
    let gone = "__Host-keyfob_session=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0";
    assert_eq!(out.header("set-cookie"), gone);
    assert_eq!(browser.get(&keyfob, LIST).await.problem(), (401, "unauthorized".to_owned()));
    other.get(&keyfob, LIST).await.expect(200);
    let actions = "select json_group_array(action) from (select action from audit_events order by seq)";
    let actions: Value = serde_json::from_str(&keyfob.database.value::<String>(actions)).unwrap();
    assert_eq!(actions, json!(["session.created", "session.created", "session.ended"]));
}

#[tokio::test]
async fn a_session_ends_after_eight_hours() {
    let keyfob = Keyfob::start().await;
    let browser = root(&keyfob).await;
    keyfob.advance(Duration::from_hours(8) - Duration::from_millis(1));
    browser.get(&keyfob, LIST).await.expect(200);
    keyfob.advance(Duration::from_millis(1));
    browser.get(&keyfob, LIST).await.expect(401);
}

#[tokio::test]
async fn a_session_never_outlives_its_key() {
    let keyfob = Keyfob::start().await;
    let key = mint(&keyfob, Some("2026-11-20T11:00:00Z")).await;
    let browser = sign_in_with(&keyfob, secret(&key)).await;
    let who = browser.get(&keyfob, "/v1/session").await.expect(200).json();
    assert_eq!(who["expires_at"], "2026-11-20T11:00:00.000Z");
    keyfob.advance(Duration::from_hours(1));
    browser.get(&keyfob, LIST).await.expect(401);
}

#[tokio::test]
async fn a_revoked_key_ends_its_sessions_at_the_next_request() {
    let keyfob = Keyfob::start().await;
    let (key, other) = (mint(&keyfob, None).await, mint(&keyfob, None).await);
    let (browser, untouched) = (sign_in_with(&keyfob, secret(&key)).await, sign_in_with(&keyfob, secret(&other)).await);
    let path = format!("/v1/api-keys/{}", key["id"].as_str().unwrap());
    keyfob.request("DELETE", &path, ROOT, &[], &Value::Null).await.expect(204);
    assert_eq!(browser.get(&keyfob, LIST).await.problem(), (401, "unauthorized".to_owned()));
    untouched.get(&keyfob, LIST).await.expect(200);
}

#[tokio::test]
async fn another_root_key_ends_the_sessions_of_the_one_before() {
    let keyfob = Keyfob::start().await;
    let browser = root(&keyfob).await;
    let other = keyfob::token::Token::new_api_key(&crate::support::ports::SeededRandom::default()).token;
    let restarted = keyfob.restarted(&[("ROOT_API_KEY", other.as_str())]);
    browser.get(&restarted, LIST).await.expect(401);
    browser.get(&keyfob.restarted(&[]), LIST).await.expect(200);
}

#[tokio::test]
async fn a_change_with_a_cookie_has_to_come_from_a_page_of_our_own() {
    let keyfob = start().await;
    let people = [root(&keyfob).await, person(&keyfob, "ann@example.com").await];
    let before = keyfob.database.dump();
    for foreign in [
        None,
        Some("null"),
        Some("https://evil.example.net"),
        Some("https://keyfob.example.com.evil.net"),
        Some("https://sub.keyfob.example.com"),
        Some("http://keyfob.example.com"),
        Some("https://keyfob.example.com:8443"),
        Some("https://keyfob.example.com/"),
        Some("HTTPS://KEYFOB.EXAMPLE.COM"),
        Some(""),
    ] {
        for browser in &people {
            let mut headers = browser.headers.clone();
            headers.retain(|(name, _)| *name != "origin");
            headers.extend(foreign.map(|origin| ("origin", origin.to_owned())));
            let browser = Browser { headers };
            for (method, path, body) in [
                ("POST", "/v1/connections?test=false", bearer("Acme")),
                ("DELETE", "/v1/session", Value::Null),
                ("POST", "/v1/session", Value::Null),
                ("POST", "/v1/connections", json!("nonsense")),
            ] {
                let answer = browser.send(&keyfob, method, path, &body).await;
                assert_eq!(answer.problem(), (403, "foreign_origin".to_owned()), "{foreign:?} {method} {path}");
            }
            browser.get(&keyfob, LIST).await.expect(200);
        }
    }
    assert_eq!(keyfob.database.dump(), before);
}

#[tokio::test]
async fn authorization_wins_over_the_cookie_whatever_it_says() {
    let keyfob = Keyfob::start().await;
    let browser = root(&keyfob).await;
    let small = keyfob.key(&["transfer"], &["staging"]).await;
    for (authorization, status) in [
        (format!("Bearer {small}"), 403),
        ("Bearer kf_secret".to_owned(), 401),
        (format!("Basic {ROOT}"), 401),
        (String::new(), 401),
        (format!("Bearer {ROOT}"), 200),
    ] {
        browser.clone().with("authorization", &authorization).get(&keyfob, LIST).await.expect(status);
    }
    // What a key does is not what a browser does unasked: no page can send it without being asked.
    let foreign =
        Browser::default().with("origin", "https://evil.example.net").with("authorization", format!("Bearer {ROOT}"));
    foreign.send(&keyfob, "POST", "/v1/connections?test=false", &bearer("Acme")).await.expect(201);
}

#[tokio::test]
async fn a_token_is_valid_only_where_it_belongs() {
    let keyfob = Keyfob::start().await;
    let browser = root(&keyfob).await;
    let cookie = browser.headers.iter().find(|(name, _)| *name == "cookie").unwrap().1.clone();
    let token = cookie.split_once('=').unwrap().1.to_owned();
    let session = keyfob.post("/v1/embedded/sessions", &json!({ "environment": "staging" })).await.expect(201).json();
    let session = session["token"].as_str().unwrap();
    let as_cookie = |value: &str| Browser::own().with("cookie", value);
    for (what, browser) in [
        ("as bearer", Browser::own().with("authorization", format!("Bearer {token}"))),
        ("an API key in the cookie", as_cookie(&format!("__Host-keyfob_session={ROOT}"))),
        ("an embedded session in the cookie", as_cookie(&format!("__Host-keyfob_session={session}"))),
        ("another name", as_cookie(&format!("keyfob_session={token}"))),
        ("another case", as_cookie(&format!("__host-Keyfob_session={token}"))),
        ("twice", as_cookie(&format!("{cookie}; {cookie}"))),
        ("beside a foreign one", as_cookie(&format!("__Host-keyfob_session=x; {cookie}"))),
        ("quoted", as_cookie(&format!("__Host-keyfob_session=\"{token}\""))),
        ("cut", as_cookie(&cookie[..cookie.len() - 1])),
        ("empty", as_cookie("__Host-keyfob_session=")),
    ] {
        assert_eq!(browser.get(&keyfob, LIST).await.problem(), (401, "unauthorized".to_owned()), "{what}");
    }
    as_cookie(&format!("theme=dark; {cookie}; a=b=c")).get(&keyfob, LIST).await.expect(200);
}

#[tokio::test]
async fn a_cookie_is_never_valid_on_the_pages_of_embedded_builders() {
    let keyfob = start().await;
    keyfob.post("/v1/embedded/origins", &json!({ "origin": "https://app.acme.dev" })).await.expect(201);
    for browser in [root(&keyfob).await, person(&keyfob, "ann@example.com").await] {
        for path in ["/v1/embedded/providers", "/v1/embedded/connections"] {
            for origin in [OWN, "https://app.acme.dev"] {
                let mut browser = browser.clone();
                browser.headers.retain(|(name, _)| *name != "origin");
                let answer = browser.with("origin", origin).get(&keyfob, path).await;
                assert_eq!(answer.problem(), (403, "session_required".to_owned()));
                assert_eq!(answer.header("access-control-allow-credentials"), "");
            }
        }
    }
}

#[tokio::test]
async fn no_foreign_page_signs_anybody_in() {
    let keyfob = Keyfob::start().await;
    let key = Browser::default().with("authorization", format!("Bearer {ROOT}"));
    for origin in ["https://evil.example.net", "null"] {
        let answer = key.clone().with("origin", origin).send(&keyfob, "POST", "/v1/session", &Value::Null).await;
        assert_eq!(answer.problem(), (403, "foreign_origin".to_owned()));
        assert_eq!(answer.header("set-cookie"), "");
    }
    key.send(&keyfob, "POST", "/v1/session", &Value::Null).await.expect(201);
}

#[tokio::test]
async fn a_session_makes_no_session_and_an_embedded_one_neither() {
    let keyfob = Keyfob::start().await;
    let answer = root(&keyfob).await.send(&keyfob, "POST", "/v1/session", &Value::Null).await;
    assert_eq!(answer.problem(), (403, "key_required".to_owned()));
    let session = keyfob.post("/v1/embedded/sessions", &json!({ "environment": "staging" })).await.expect(201).json();
    let embedded = Browser::own().with("authorization", format!("Bearer {}", session["token"].as_str().unwrap()));
    let answer = embedded.send(&keyfob, "POST", "/v1/session", &Value::Null).await;
    assert_eq!(answer.problem(), (403, "key_required".to_owned()));
    assert_eq!(keyfob.database.value::<i64>("select count(*) from dashboard_sessions"), 1);
}

#[tokio::test]
async fn failed_sign_ins_and_lost_cookies_count_as_failed_authentications() {
    let keyfob = start().await;
    keyfob.throttle.0.store(true, Ordering::SeqCst);
    let browsers = [
        Browser::own(),
        Browser::own().with("authorization", "Bearer kf_secret"),
        Browser::own().with("cf-access-jwt-assertion", "a.b.c"),
        Browser::own().with("cookie", "CF_Authorization=a.b.c"),
        Browser::own().with("cookie", "__Host-keyfob_session=kd_secret"),
    ];
    for browser in browsers {
        let answer = browser.send(&keyfob, "POST", "/v1/session", &Value::Null).await;
        assert_eq!(answer.problem(), (429, "too_many_failures".to_owned()), "{browser:?}");
        assert_eq!(answer.header("retry-after"), "60");
    }
}

#[tokio::test]
async fn a_session_that_cannot_be_audited_is_none() {
    let keyfob = Keyfob::start().await;
    let broken = "create trigger broken before insert on audit_events begin select raise(abort, 'full'); end";
    keyfob.database.execute(broken).unwrap();
    let answer = Browser::own().with("authorization", format!("Bearer {ROOT}"));
    let answer = answer.send(&keyfob, "POST", "/v1/session", &Value::Null).await;
    assert_eq!(answer.problem(), (503, "storage_unavailable".to_owned()));
    assert_eq!(answer.header("set-cookie"), "");
    assert_eq!(keyfob.database.value::<i64>("select count(*) from dashboard_sessions"), 0);
}

#[tokio::test]
async fn a_request_with_a_cookie_costs_one_round_trip() {
    let keyfob = start().await;
    for browser in [root(&keyfob).await, person(&keyfob, "ann@example.com").await] {
        browser.get(&keyfob, LIST).await.expect(200);
        assert_eq!(keyfob.log.last()["database_calls"], 1);
    }
}

#[tokio::test]
async fn ended_sessions_are_swept_after_a_day() {
    let keyfob = Keyfob::start().await;
    root(&keyfob).await;
    let count = || keyfob.database.value::<i64>("select count(*) from dashboard_sessions");
    keyfob.advance(Duration::from_hours(32));
    keyfob.tick().await;
    assert_eq!(count(), 1);
    keyfob.advance(Duration::from_millis(1));
    keyfob.tick().await;
    assert_eq!(count(), 0);
}
