//! Who may do what: every route of the router by every kind of caller.

mod grants;
mod people;
mod refusals;
pub(crate) mod table;
pub(crate) mod world;

use std::collections::BTreeSet;

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

use crate::support::routes::routes;
use crate::support::{Answer, Keyfob, PICKER, ROOT, bearer};
use table::{Elsewhere, Need, Row, table};
use world::{World, id, path_of};

#[test]
fn every_route_of_the_router_has_its_row_and_every_row_its_route() {
    let routed: BTreeSet<_> = routes().into_iter().collect();
    let listed: BTreeSet<_> = table().iter().map(|row| (row.method.to_owned(), row.path.to_owned())).collect();
    assert!(routed.len() > 30, "the router's source is read");
    assert_eq!(routed, listed, "src/router.rs and tests/api/access/table.rs name the same routes");
    assert_eq!(table().len(), listed.len(), "one row a route");
}

#[tokio::test]
async fn without_a_valid_key_every_route_answers_401_with_the_same_bytes_and_does_nothing() {
    let world = World::new().await;
    let callers = world.unproved().await;
    let before = world.state();
    let mut answers = BTreeSet::new();
    for row in table().iter().filter(|row| row.need != Need::Nothing) {
        for (who, authorization) in &callers {
            let answer = world.ask(row, authorization.as_deref()).await;
            assert_eq!(answer.problem(), (401, "unauthorized".to_owned()), "{who} {} {}", row.method, row.path);
            let headers: Vec<String> = comparable(&answer);
            answers.insert((answer.text, headers));
        }
    }
    assert_eq!(answers.len(), 1, "{answers:#?}");
    assert_eq!(world.state(), before);
}

/// The headers of an answer that may tell why: all but the request's id and what the route adds for browsers.
fn comparable(answer: &Answer) -> Vec<String> {
    let tells = |name: &str| !matches!(name, "keyfob-request-id" | "vary");
    answer.headers.iter().filter(|(name, _)| tells(name.as_str())).map(|header| format!("{header:?}")).collect()
}

#[tokio::test]
async fn a_key_without_the_scope_is_told_which_one_and_does_nothing() {
    let world = World::new().await;
    for row in table() {
        let Need::Scope(scope) = row.need else { continue };
        let key = format!("Bearer {}", world.key_without(scope).await);
        let before = world.state();
        let answer = world.ask(&row, Some(&key)).await;
        assert_eq!(answer.problem(), (403, "missing_scope".to_owned()), "{} {}", row.method, row.path);
        assert_eq!(answer.json()["detail"], format!("This key lacks the scope {scope}."));
        assert_eq!(world.state(), before, "{} {}", row.method, row.path);
    }
}

#[tokio::test]
async fn a_key_with_the_scope_does_nothing_in_another_environment() {
    for row in table().iter().filter(|row| matches!(row.need, Need::Key | Need::Scope(_))) {
        let world = World::new().await;
        let key = format!("Bearer {}", world.exact_key(row.need, "staging").await);
        let before = world.state();
        let answer = world.ask(row, Some(&key)).await;
        let refused = match row.elsewhere {
            Elsewhere::Same => {
                assert_eq!(answer.status, row.status, "{} {}: {}", row.method, row.path, answer.text);
                continue;
            }
            Elsewhere::Hidden => (404, "not_found"),
            Elsewhere::Refused => (403, "environment_not_allowed"),
            Elsewhere::Exceeds => (403, "grant_exceeded"),
        };
        assert_eq!(answer.problem(), (refused.0, refused.1.to_owned()), "{} {}", row.method, row.path);
        assert_eq!(world.state(), before, "{} {}", row.method, row.path);
    }
}

#[tokio::test]
async fn a_session_may_use_the_routes_of_pages_and_no_other() {
    let world = World::new().await;
    for body in [json!({ "customer": "c1" }), json!({})] {
        let session = format!("Bearer {}", world.session(&body).await);
        for row in
            table().iter().filter(|row| !matches!(row.need, Need::Nothing | Need::Body | Need::Own | Need::Builder))
        {
            let before = world.state();
            let answer = world.ask(row, Some(&session)).await;
            if row.need == Need::Session {
                answer.expect(row.status);
            } else {
                assert_eq!(answer.problem(), (403, "key_required".to_owned()), "{} {}", row.method, row.path);
            }
            assert_eq!(world.state(), before, "{} {}", row.method, row.path);
        }
    }
}

#[tokio::test]
async fn what_is_of_the_designer_is_for_builder_sessions_alone() {
    for row in table().iter().filter(|row| row.need == Need::Builder) {
        let world = World::new().await;
        for customer in ["c1", "known"] {
            let session = format!("Bearer {}", world.session(&json!({ "customer": customer })).await);
            let before = world.state();
            let answer = world.ask(row, Some(&session)).await;
            assert_eq!(answer.problem(), (404, "not_found".to_owned()), "{customer} {} {}", row.method, row.path);
            assert_eq!(world.state(), before, "{customer} {} {}", row.method, row.path);
        }
        let builder = format!("Bearer {}", world.session(&json!({})).await);
        let before = audited(&world.keyfob);
        world.ask(row, Some(&builder)).await.expect(row.status);
        let expected: Vec<&str> = [row.audited].into_iter().filter(|action| !action.is_empty()).collect();
        assert_eq!(audited(&world.keyfob)[before.len()..], expected, "{} {}", row.method, row.path);
    }
}

#[tokio::test]
async fn what_is_a_customers_own_is_for_that_customers_sessions_alone() {
    for row in table().iter().filter(|row| row.need == Need::Own) {
        let world = World::new().await;
        let known = format!("Bearer {}", world.session(&json!({ "customer": "known" })).await);
        let mut answers = BTreeSet::new();
        for other in [json!({ "customer": "c1" }), json!({ "customer": "Known" }), json!({})] {
            let session = format!("Bearer {}", world.session(&other).await);
            let before = world.state();
            if row.path.contains("{id}") {
                let answer = world.ask(row, Some(&session)).await;
                assert_eq!(answer.problem(), (404, "not_found".to_owned()), "{other} {} {}", row.method, row.path);
                answers.insert(comparable(&answer));
                let random = path_of(row, "con_01kag3p3g0zzzzzzzzzzzzzzzz");
                answers.insert(comparable(&world.ask_at(&random, row, Some(&session)).await));
                assert_eq!(world.state(), before, "{other} {} {}", row.method, row.path);
            }
        }
        assert!(answers.len() < 2, "{answers:#?}");
        let before = audited(&world.keyfob);
        world.ask(row, Some(&known)).await.expect(row.status);
        let expected: Vec<&str> = [row.audited].into_iter().filter(|action| !action.is_empty()).collect();
        assert_eq!(audited(&world.keyfob)[before.len()..], expected, "{} {}", row.method, row.path);
    }
}

#[tokio::test]
async fn no_key_may_use_the_routes_of_pages_not_even_the_root_key() {
    let world = World::new().await;
    let all = world.keyfob.key(&world::SCOPES, &world::ENVIRONMENTS).await;
    for row in table().iter().filter(|row| matches!(row.need, Need::Session | Need::Own | Need::Builder)) {
        for key in [ROOT, &all] {
            let answer = world.ask(row, Some(&format!("Bearer {key}"))).await;
            assert_eq!(answer.problem(), (403, "session_required".to_owned()), "{} {}", row.method, row.path);
        }
    }
}

#[tokio::test]
async fn a_key_with_exactly_the_scope_and_the_root_key_succeed_and_changes_are_audited_once() {
    for row in table().iter().filter(|row| matches!(row.need, Need::Key | Need::Scope(_))) {
        for is_root in [false, true] {
            let world = World::new().await;
            let key = if is_root { ROOT.to_owned() } else { world.exact_key(row.need, "development").await };
            let before = audited(&world.keyfob);
            world.ask(row, Some(&format!("bearer {key}"))).await.expect(row.status);
            let after = audited(&world.keyfob);
            let expected: Vec<&str> = row.audited.split_whitespace().collect();
            assert_eq!(after[before.len()..], expected, "{} {}", row.method, row.path);
            assert_eq!(world.keyfob.log.last()["caller"].as_str().unwrap() == "key_root", is_root);
        }
    }
}

/// The actions of the audit log, the oldest first.
fn audited(keyfob: &Keyfob) -> Vec<String> {
    let actions: String =
        keyfob.database.value("select json_group_array(action) from (select action from audit_events order by seq)");
    serde_json::from_str(&actions).unwrap()
}

#[tokio::test]
async fn what_needs_no_key_answers_anybody_and_tells_nothing() {
    let world = World::new().await;
    for row in table().iter().filter(|row| row.need == Need::Nothing) {
        for authorization in [None, Some("Bearer kf_secret"), Some(format!("Bearer {ROOT}").as_str())] {
            let answer = world.ask(row, authorization).await.expect(row.status);
            let is_page = row.path.starts_with("/oauth/") && answer.text.contains("This link was used before");
            assert!(is_page || ["", "ok unnamed\n", PICKER].contains(&&*answer.text), "{}", answer.text);
        }
    }
}

#[tokio::test]
async fn nothing_else_of_a_request_is_judged_before_the_key() {
    let world = World::new().await;
    let before = world.state();
    let mut answers = BTreeSet::new();
    for row in table().iter().filter(|row| !matches!(row.need, Need::Nothing | Need::Body)) {
        for request in wrong(&world, row) {
            let what = format!("{request:?}");
            let answer = world.keyfob.send(request).await;
            assert_eq!(answer.problem(), (401, "unauthorized".to_owned()), "{what}");
            answers.insert(answer.text);
        }
    }
    assert_eq!(answers.len(), 1);
    assert_eq!(world.state(), before);
}

/// Requests of a route in which something is wrong, without a key.
fn wrong(world: &World, row: &Row) -> Vec<Request<Body>> {
    let path = world.path(row);
    let unknown = format!("{}?unknown=1", path.split('?').next().unwrap());
    let to = |path: &str| Request::builder().method(row.method).uri(path);
    let json = || to(&path).header("content-type", "application/json");
    let header = |name: &str, value: &str| to(&path).header(name, value).body(Body::empty());
    let requests = [
        json().body(Body::from("{")),
        json().body(Body::from(r#"{"unknown":1}"#)),
        json().body(Body::from("x".repeat(2 << 20))),
        to(&path).header("content-type", "text/plain").body(Body::from("hello")),
        header("idempotency-key", "with a space"),
        header("if-match", "nonsense"),
        to(&path_of(row, "con_malformed")).body(Body::empty()),
        to(&unknown).body(Body::empty()),
    ];
    requests.into_iter().map(Result::unwrap).collect()
}

#[tokio::test]
async fn what_is_elsewhere_deleted_absent_or_malformed_is_404_with_the_same_bytes() {
    let world = World::new().await;
    let gone = gone(&world).await;
    let key = world.keyfob.key(&world::SCOPES, &["development"]).await;
    let key = format!("Bearer {key}");
    let before = world.state();
    let mut answers = BTreeSet::new();
    for row in table()
        .iter()
        .filter(|row| row.path.contains("{id}") && !matches!(row.need, Need::Own | Need::Builder | Need::Nothing))
    {
        for (what, id) in &gone {
            let answer = world.ask_at(&path_of(row, id), row, Some(&key)).await;
            assert_eq!(answer.problem(), (404, "not_found".to_owned()), "{what}: {} {}", row.method, row.path);
            answers.insert((answer.text.clone(), comparable(&answer)));
        }
    }
    for path in [
        format!("/v1/connections/{}/revisions/9", world.connection),
        format!("/v1/connections/{}/revisions/first", world.connection),
        "/v1/providers/unknown".to_owned(),
        "/v1/unknown".to_owned(),
    ] {
        let answer = world.keyfob.request("GET", &path, &key["Bearer ".len()..], &[], &Value::Null).await;
        assert_eq!(answer.problem(), (404, "not_found".to_owned()), "{path}");
        answers.insert((answer.text.clone(), comparable(&answer)));
    }
    assert_eq!(answers.len(), 1, "{answers:#?}");
    assert_eq!(world.state(), before);
}

/// Ids that lead nowhere, for whatever reason.
async fn gone(world: &World) -> Vec<(&'static str, String)> {
    let keyfob = &world.keyfob;
    let mut elsewhere = bearer("Elsewhere");
    elsewhere["environment"] = "production".into();
    let elsewhere = id(&keyfob.create(&elsewhere).await);
    let deleted = id(&keyfob.create(&bearer("Deleted")).await);
    keyfob.delete(&format!("/v1/connections/{deleted}"), 1).await.expect(204);
    let mut gone = vec![("elsewhere", elsewhere), ("deleted", deleted)];
    let bodies = [
        ("/v1/api-keys", json!({ "name": "Old", "scopes": ["transfer"], "environments": ["development"] })),
        ("/v1/embedded/origins", json!({ "origin": "https://old.example.com" })),
    ];
    for (path, body) in bodies {
        let id = id(&keyfob.post(path, &body).await.expect(201).json());
        keyfob.request("DELETE", &format!("{path}/{id}"), ROOT, &[], &Value::Null).await.expect(204);
        gone.push(("removed", id));
    }
    for prefix in ["con", "key", "ori", "sgk", "cnl"] {
        gone.push(("random", format!("{prefix}_01kag3p3g0zzzzzzzzzzzzzzzz")));
    }
    for malformed in ["con_", "x", "%00", "%ff", "%27%20or%201=1", "CON_01KAG3P3G0ZZZZZZZZZZZZZZZZ", "."] {
        gone.push(("malformed", malformed.to_owned()));
    }
    gone
}
