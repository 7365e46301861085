//! Connect links: one customer, one account, redeemed once, by a page of this Keyfob.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use http::Request;
use keyfob::token::Token;
use serde_json::{Value, json};

use crate::support::people::OWN;
use crate::support::ports::SeededRandom;
use crate::support::{Answer, Keyfob, ROOT, bearer, path_of, shown};

const LINKS: &str = "/v1/connect-links";
const REDEEM: &str = "/v1/embedded/connect-links/redemptions";
const OWN_ONES: &str = "/v1/embedded/connections";

/// Asks for a link under the address of this Keyfob.
async fn ask(keyfob: &Keyfob, body: &Value) -> Answer {
    keyfob.post(&format!("{OWN}{LINKS}"), body).await
}

/// A link for `c1` in development, and its token.
async fn link(keyfob: &Keyfob, target: &Value) -> (Value, String) {
    let mut body = json!({ "environment": "development", "customer": "c1" });
    body.as_object_mut().unwrap().extend(target.as_object().unwrap().clone());
    let link = ask(keyfob, &body).await.expect(201).json();
    let token = link["url"].as_str().unwrap().split_once("/embed/#").unwrap().1.to_owned();
    (link, token)
}

/// What the page behind the link sends: no key, its own origin.
async fn redeem_from(keyfob: &Keyfob, origin: Option<&str>, body: &Value) -> Answer {
    let mut request = Request::builder().method("POST").uri(format!("{OWN}{REDEEM}"));
    request = request.header("content-type", "application/json");
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    keyfob.send(request.body(Body::from(body.to_string())).unwrap()).await
}

async fn redeem(keyfob: &Keyfob, token: &str) -> Answer {
    redeem_from(keyfob, Some(OWN), &json!({ "token": token })).await
}

async fn embedded(keyfob: &Keyfob, method: &str, path: &str, token: &Value, body: &Value) -> Answer {
    keyfob.request(method, path, token.as_str().unwrap(), &[("if-match", "\"1\"")], body).await
}

fn alone() -> Value {
    json!({ "provider": "http", "connection_type": "bearer" })
}

fn template(name: &str) -> Value {
    json!({
        "environment": "development", "kind": "template", "provider": "http", "connection_type": "bearer", "name": name,
        "settings": { "base_url": "https://api.acme.dev", "test_path": "/me" }, "embedded": true,
    })
}

fn of_customer(customer: &str, name: &str) -> Value {
    let mut body = bearer(name);
    (body["kind"], body["customer"]) = ("customer".into(), customer.into());
    body
}

#[tokio::test]
async fn a_link_to_nothing_to_several_or_to_what_the_customer_cannot_use_is_refused() {
    let keyfob = Keyfob::working().await;
    let mut hidden = template("Hidden");
    hidden["embedded"] = json!(false);
    let mut supplied = template("Supplied");
    supplied["supplied_by"] = json!("organization");
    let mut elsewhere = template("Elsewhere");
    elsewhere["environment"] = json!("staging");
    let mut templates = Vec::new();
    for body in [hidden, supplied, elsewhere, bearer("No template")] {
        templates.push(keyfob.create(&body).await["id"].clone());
    }
    let exposed = keyfob.create(&template("Exposed")).await["id"].clone();
    let theirs = keyfob.create(&of_customer("c2", "Theirs")).await["id"].clone();
    let organizations = keyfob.create(&bearer("Acme")).await["id"].clone();
    let random = json!("con_01kag3p3g0zzzzzzzzzzzzzzzz");
    let mut refused = vec![
        (json!({}), ""),
        (json!({ "provider": "http" }), ""),
        (json!({ "connection_type": "bearer" }), ""),
        (json!({ "template": exposed, "connection": theirs }), ""),
        (json!({ "template": exposed, "provider": "http", "connection_type": "bearer" }), ""),
        (json!({ "provider": "nothing", "connection_type": "bearer" }), "/provider"),
        (json!({ "provider": "slack", "connection_type": "bearer" }), "/connection_type"),
        (json!({ "connection": theirs }), "/connection"),
        (json!({ "connection": organizations }), "/connection"),
        (json!({ "connection": random }), "/connection"),
        (json!({ "template": random }), "/template"),
        (json!({ "provider": "http", "connection_type": "bearer", "expires_in": 59 }), "/expires_in"),
        (json!({ "provider": "http", "connection_type": "bearer", "expires_in": 604_801 }), "/expires_in"),
        (json!({ "provider": "http", "connection_type": "bearer", "customer": "" }), "/customer"),
        (json!({ "provider": "http", "connection_type": "bearer", "url": "x" }), "/url"),
    ];
    refused.extend(templates.iter().map(|id| (json!({ "template": id }), "/template")));
    for (target, pointer) in refused {
        let mut body = json!({ "environment": "development", "customer": "c1" });
        body.as_object_mut().unwrap().extend(target.as_object().unwrap().clone());
        let answer = ask(&keyfob, &body).await;
        assert_eq!(answer.problem(), (422, "invalid_body".to_owned()), "{body}");
        assert_eq!(answer.errors()[0].0, pointer, "{body}");
    }
    assert_eq!(keyfob.database.counts()["connect_links"], 0);
}

#[tokio::test]
async fn a_link_is_shown_once_with_its_token_in_the_fragment_and_rests_as_a_hash() {
    let keyfob = Keyfob::working().await;
    let mut body = json!({ "environment": "development", "customer": "c1" });
    body.as_object_mut().unwrap().extend(alone().as_object().unwrap().clone());
    let headers = [("idempotency-key", "once")];
    let path = format!("{OWN}{LINKS}");
    let first = keyfob.request("POST", &path, ROOT, &headers, &body).await.expect(201);
    let made = first.json();
    let fields: Vec<String> = made.as_object().unwrap().keys().cloned().collect();
    let expected = [
        "connection",
        "connection_type",
        "created_at",
        "created_by",
        "customer",
        "environment",
        "expires_at",
        "id",
        "provider",
        "template",
        "url",
        "used_at",
    ];
    assert_eq!(fields, expected);
    assert_eq!(made["expires_at"], "2026-11-21T10:00:00.000Z");
    let url = made["url"].as_str().unwrap();
    let token = url.strip_prefix(&format!("{OWN}/embed/#")).unwrap();
    assert!(matches!(Token::parse(token), Some(Token::Link(_))));
    let second = keyfob.request("POST", &path, ROOT, &headers, &body).await;
    assert_eq!(second.problem(), (409, "already_created".to_owned()));
    assert!(second.text.contains(made["id"].as_str().unwrap()) && !second.text.contains("kl_"));
    body["customer"] = json!("c2");
    let other = keyfob.request("POST", &path, ROOT, &headers, &body).await;
    assert_eq!(other.problem(), (422, "idempotency_key_reused".to_owned()));
    let listed = keyfob.get(&format!("{LINKS}?environment=development")).await.expect(200);
    assert_eq!(listed.json()["data"].as_array().unwrap().len(), 1);
    assert_eq!(listed.json()["data"][0]["id"], made["id"]);
    for text in [listed.text, keyfob.database.dump(), keyfob.log.all().concat()] {
        assert!(!text.contains(token) && !text.contains("kl_"), "{text}");
    }
}

#[tokio::test]
async fn a_link_is_redeemed_once_and_whatever_else_is_sent_gets_the_same_answer() {
    let keyfob = Keyfob::working().await;
    let (_, token) = link(&keyfob, &alone()).await;
    let redeemed = redeem(&keyfob, &token).await.expect(201);
    assert_eq!(redeemed.header("cache-control"), "no-store");
    let (revoked, revoked_token) = link(&keyfob, &alone()).await;
    let path = format!("{LINKS}/{}", revoked["id"].as_str().unwrap());
    keyfob.request("DELETE", &path, ROOT, &[], &Value::Null).await.expect(204);
    let (_, expired) =
        link(&keyfob, &json!({ "provider": "http", "connection_type": "bearer", "expires_in": 60 })).await;
    keyfob.advance(Duration::from_mins(1));
    let before = keyfob.database.dump();
    let mut answers = BTreeSet::new();
    for token in [
        token.as_str(),
        &revoked_token,
        &expired,
        &Token::new_link(&SeededRandom::default()).token,
        &token.replacen("kl_", "ks_", 1),
        redeemed.json()["token"].as_str().unwrap(),
        ROOT,
        "kl_",
        "",
    ] {
        let answer = redeem(&keyfob, token).await;
        assert_eq!(answer.problem(), (401, "unauthorized".to_owned()));
        answers.insert(answer.text);
    }
    assert_eq!(answers.len(), 1);
    assert_eq!(keyfob.database.dump(), before);
    keyfob.throttle.0.store(true, Ordering::SeqCst);
    assert_eq!(redeem(&keyfob, &expired).await.problem(), (429, "too_many_failures".to_owned()));
}

#[tokio::test]
async fn of_two_who_redeem_at_once_one_wins() {
    let keyfob = Keyfob::working().await;
    for _ in 0..8 {
        let (_, token) = link(&keyfob, &alone()).await;
        let (one, two) = tokio::join!(redeem(&keyfob, &token), redeem(&keyfob, &token));
        let mut statuses = [one.status.as_u16(), two.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 401]);
    }
    // After the link was read as not redeemed, another one was first, or it was revoked.
    for meanwhile in ["insert into used_links values ('{id}', 0)", "delete from connect_links where id = '{id}'"] {
        let (made, token) = link(&keyfob, &alone()).await;
        let meanwhile = meanwhile.replace("{id}", made["id"].as_str().unwrap());
        let trigger = format!("create trigger meanwhile after insert on audit_events begin {meanwhile}; end");
        keyfob.database.execute(&trigger).unwrap();
        assert_eq!(redeem(&keyfob, &token).await.problem().0, 401, "{meanwhile}");
        keyfob.database.execute("drop trigger meanwhile").unwrap();
    }
    assert_eq!(keyfob.database.counts()["embedded_sessions"], 8);
}

#[tokio::test]
async fn a_link_is_redeemed_by_pages_of_this_keyfob_alone() {
    let keyfob = Keyfob::working().await;
    keyfob.post("/v1/embedded/origins", &json!({ "origin": "https://app.example.com" })).await.expect(201);
    let (_, token) = link(&keyfob, &alone()).await;
    for origin in ["https://app.example.com", "https://evil.example", "null", "http://keyfob.example.com"] {
        let answer = redeem_from(&keyfob, Some(origin), &json!({ "token": token })).await;
        assert_eq!(answer.problem(), (403, "foreign_origin".to_owned()), "{origin}");
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
    assert_eq!(redeem_from(&keyfob, None, &json!({ "token": token, "x": 1 })).await.errors()[0].0, "/x");
    redeem_from(&keyfob, None, &json!({ "token": token })).await.expect(201);
}

#[tokio::test]
async fn a_token_of_a_link_is_no_key_and_no_session() {
    let keyfob = Keyfob::working().await;
    let (_, token) = link(&keyfob, &alone()).await;
    for path in ["/v1/embedded/connections", "/v1/providers", "/v1/session"] {
        keyfob.request("GET", path, &token, &[], &Value::Null).await.expect(401);
    }
    redeem(&keyfob, &token).await.expect(201);
}

#[tokio::test]
async fn what_a_link_to_a_template_is_redeemed_for_connects_under_that_template_alone() {
    let keyfob = Keyfob::working().await;
    let (one, two) = (keyfob.create(&template("One")).await, keyfob.create(&template("Two")).await);
    let (made, token) = link(&keyfob, &json!({ "template": one["id"] })).await;
    assert_eq!(shown(&made, ["provider", "connection_type"]), alone());
    let session = redeem(&keyfob, &token).await.expect(201).json();
    let expected = json!({
        "environment": "development", "customer": "c1", "providers": ["http"], "connection_types": ["bearer"],
        "templates": [one["id"]], "expires_at": "2026-11-20T10:30:00.000Z", "connection": null,
    });
    let fields = ["environment", "customer", "providers", "connection_types", "templates", "expires_at", "connection"];
    assert_eq!(shown(&session, fields), expected);
    let under = |template: &Value| json!({ "template": template["id"], "secrets": { "token": "planted-own" } });
    let token = &session["token"];
    assert_eq!(embedded(&keyfob, "POST", OWN_ONES, token, &under(&two)).await.errors()[0].0, "/template");
    let mut by_itself = alone();
    (by_itself["name"], by_itself["settings"]) = (json!("Own"), json!({ "base_url": "https://own.acme.dev" }));
    assert_eq!(embedded(&keyfob, "POST", OWN_ONES, token, &by_itself).await.errors()[0].0, "/template");
    let own = embedded(&keyfob, "POST", OWN_ONES, token, &under(&one)).await.expect(201).json();
    let events = format!("/v1/connections/{}/events", own["id"].as_str().unwrap());
    assert_eq!(keyfob.get(&events).await.expect(200).json()["data"][0]["actor"]["name"], "c1");
}

#[tokio::test]
async fn what_a_link_to_a_type_is_redeemed_for_creates_one_of_that_type_alone() {
    let keyfob = Keyfob::working().await;
    let (_, token) = link(&keyfob, &alone()).await;
    let session = redeem(&keyfob, &token).await.expect(201).json()["token"].clone();
    let body = |key: &str| {
        json!({
            "provider": "http", "connection_type": key, "name": "Own", "secrets": { "token": "planted-own" },
            "settings": { "base_url": "https://own.acme.dev", "test_path": "/me" },
        })
    };
    assert_eq!(embedded(&keyfob, "POST", OWN_ONES, &session, &body("basic")).await.errors()[0].0, "/connection_type");
    embedded(&keyfob, "POST", OWN_ONES, &session, &body("bearer")).await.expect(201);
    let providers = keyfob.request("GET", "/v1/embedded/providers", session.as_str().unwrap(), &[], &Value::Null).await;
    let providers = providers.expect(200).json();
    assert_eq!(providers["data"].as_array().unwrap().len(), 1);
    assert_eq!(providers["data"][0]["connection_types"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_a_link_to_a_connection_is_redeemed_for_sees_and_changes_that_one_alone() {
    let keyfob = Keyfob::working().await;
    let mine = keyfob.create(&of_customer("c1", "Mine")).await;
    let also_mine = keyfob.create(&of_customer("c1", "Also mine")).await;
    let mut exposed = bearer("Exposed");
    exposed["embedded"] = json!(true);
    keyfob.create(&exposed).await;
    let template = keyfob.create(&template("T")).await;
    let (_, token) = link(&keyfob, &json!({ "connection": mine["id"] })).await;
    let session = redeem(&keyfob, &token).await.expect(201).json();
    assert_eq!(session["connection"], mine["id"]);
    let token = &session["token"];
    let listed = embedded(&keyfob, "GET", OWN_ONES, token, &Value::Null).await.expect(200).json();
    let ids: Vec<&Value> = listed["data"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!((ids, &listed["next_cursor"]), (vec![&mine["id"]], &Value::Null));
    let other = format!("{OWN_ONES}/{}", also_mine["id"].as_str().unwrap());
    for (method, body) in [("GET", Value::Null), ("PATCH", json!({ "name": "x" })), ("DELETE", Value::Null)] {
        assert_eq!(embedded(&keyfob, method, &other, token, &body).await.problem().0, 404, "{method}");
    }
    let mut by_itself = alone();
    (by_itself["name"], by_itself["settings"]) = (json!("Own"), json!({ "base_url": "https://own.acme.dev" }));
    for body in [by_itself, json!({ "template": template["id"], "secrets": { "token": "planted-own" } })] {
        assert_eq!(embedded(&keyfob, "POST", OWN_ONES, token, &body).await.errors()[0].0, "/template");
    }
    let path = format!("{OWN_ONES}/{}", mine["id"].as_str().unwrap());
    let secret = json!({ "secrets": { "token": "planted-next" }, "name": "Renamed" });
    let changed = embedded(&keyfob, "PATCH", &path, token, &secret).await.expect(200).json();
    assert_eq!(changed["name"], "Renamed");
    let resolved = keyfob.get(&format!("{}/credentials", path_of(&mine))).await.expect(200).json();
    assert_eq!(resolved["secrets"], json!({ "token": "planted-next" }));
}

#[tokio::test]
async fn what_a_link_was_redeemed_for_ends_with_the_link_after_half_an_hour_and_with_the_customer() {
    let keyfob = Keyfob::working().await;
    let short = json!({ "provider": "http", "connection_type": "bearer", "expires_in": 60 });
    let (_, token) = link(&keyfob, &short).await;
    let session = redeem(&keyfob, &token).await.expect(201).json()["token"].clone();
    // The link's own end is not the session's, and neither is the tick that forgets what ended long ago.
    keyfob.advance(Duration::from_mins(30) - Duration::from_millis(1));
    keyfob.tick().await;
    embedded(&keyfob, "GET", OWN_ONES, &session, &Value::Null).await.expect(200);
    keyfob.advance(Duration::from_millis(1));
    embedded(&keyfob, "GET", OWN_ONES, &session, &Value::Null).await.expect(401);

    let (made, token) = link(&keyfob, &alone()).await;
    let session = redeem(&keyfob, &token).await.expect(201).json()["token"].clone();
    let path = format!("{LINKS}/{}", made["id"].as_str().unwrap());
    keyfob.request("DELETE", &path, ROOT, &[], &Value::Null).await.expect(204);
    embedded(&keyfob, "GET", OWN_ONES, &session, &Value::Null).await.expect(401);
    keyfob.request("DELETE", &path, ROOT, &[], &Value::Null).await.expect(404);

    for path in
        ["/v1/customers/c1?environment=development", "/v1/embedded/sessions?environment=development&customer=c1"]
    {
        let (_, used) = link(&keyfob, &alone()).await;
        let (_, unused) = link(&keyfob, &alone()).await;
        let session = redeem(&keyfob, &used).await.expect(201).json()["token"].clone();
        keyfob.request("DELETE", path, ROOT, &[], &Value::Null).await.expect(204);
        embedded(&keyfob, "GET", OWN_ONES, &session, &Value::Null).await.expect(401);
        assert_eq!(redeem(&keyfob, &unused).await.problem().0, 401);
        keyfob.advance(Duration::from_millis(1));
    }
}

#[tokio::test]
async fn links_are_listed_newest_first_with_when_they_were_redeemed_and_for_a_month() {
    let keyfob = Keyfob::working().await;
    let mut made = Vec::new();
    for customer in ["c1", "c2", "c1"] {
        let mut target = alone();
        target["customer"] = json!(customer);
        made.insert(0, link(&keyfob, &target).await);
        keyfob.advance(Duration::from_secs(1));
    }
    redeem(&keyfob, &made[0].1).await.expect(201);
    let all = format!("{LINKS}?environment=development");
    let first = keyfob.get(&format!("{all}&limit=2")).await.expect(200).json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = keyfob.get(&format!("{all}&limit=2&cursor={cursor}")).await.expect(200).json();
    let ids = |pages: &[&Value]| -> Vec<Value> {
        pages.iter().flat_map(|page| page["data"].as_array().unwrap()).map(|link| link["id"].clone()).collect()
    };
    let expected: Vec<Value> = made.iter().map(|(link, _)| link["id"].clone()).collect();
    assert_eq!(ids(&[&first, &second]), expected);
    assert_eq!(first["data"][0]["used_at"], "2026-11-20T10:00:03.000Z");
    assert_eq!(first["data"][1]["used_at"], Value::Null);
    let of_customer = keyfob.get(&format!("{all}&customer=c2")).await.expect(200).json();
    assert_eq!(ids(&[&of_customer]), [made[1].0["id"].clone()]);
    assert_eq!(keyfob.get(&format!("{LINKS}?environment=staging")).await.expect(200).json()["data"], json!([]));
    keyfob.advance(Duration::from_hours(24 * 29));
    keyfob.tick().await;
    assert_eq!(keyfob.database.counts()["connect_links"], 3);
    keyfob.advance(Duration::from_hours(24 * 3));
    keyfob.tick().await;
    let counts = keyfob.database.counts();
    assert_eq!((counts["connect_links"], counts["used_links"]), (0, 1));
    keyfob.advance(Duration::from_hours(24 * 7));
    keyfob.tick().await;
    assert_eq!(keyfob.database.counts()["used_links"], 0);
}

#[tokio::test]
async fn links_leave_their_traces() {
    let keyfob = Keyfob::working().await;
    let (made, token) = link(&keyfob, &alone()).await;
    redeem(&keyfob, &token).await.expect(201);
    let path = format!("{LINKS}/{}", made["id"].as_str().unwrap());
    keyfob.request("DELETE", &path, ROOT, &[], &Value::Null).await.expect(204);
    let log = keyfob.get("/v1/audit-events").await.expect(200).json();
    let told: Vec<Value> =
        log["data"].as_array().unwrap().iter().map(|entry| json!([entry["action"], entry["actor"]["id"]])).collect();
    let expected = json!([
        ["connect_link.deleted", "key_root"],
        ["embedded_session.created", made["id"]],
        ["connect_link.created", "key_root"],
    ]);
    assert_eq!(json!(told), expected);
}
