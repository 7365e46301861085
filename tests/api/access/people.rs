//! Whoever is signed in to the dashboard, against every route.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::table::{Elsewhere, Need, Row, table};
use super::world::{World, id, text};
use super::{audited, comparable};
use crate::support::people::{Browser, claims, person, root, sign_in_as, sign_in_with, start};
use crate::support::{Answer, ROOT};

async fn ask(world: &World, row: &Row, browser: &Browser) -> Answer {
    let mut browser = browser.clone();
    if row.needs_version() {
        browser = browser.with("if-match", "\"1\"");
    }
    browser.send(&world.keyfob, row.method, &world.path(row), &world.body(row)).await
}

/// The routes that somebody who is signed in may use.
fn rows() -> impl Iterator<Item = Row> {
    table().into_iter().filter(|row| !matches!(row.need, Need::Nothing | Need::Session | Need::Own | Need::Builder))
}

#[tokio::test]
async fn an_expired_ended_or_orphaned_session_is_no_session_on_every_route() {
    let world = World::of(start().await).await;
    let keyfob = &world.keyfob;
    let expired = root(keyfob).await;
    let expired_person = person(keyfob, "ann@example.com").await;
    keyfob.advance(Duration::from_hours(8));
    let (out, key) =
        (root(keyfob).await, json!({ "name": "Gone", "scopes": ["transfer"], "environments": ["staging"] }));
    out.send(keyfob, "DELETE", "/v1/session", &Value::Null).await.expect(204);
    let key = keyfob.post("/v1/api-keys", &key).await.expect(201).json();
    let orphaned = sign_in_with(keyfob, &text(&key, "secret")).await;
    keyfob.request("DELETE", &format!("/v1/api-keys/{}", id(&key)), ROOT, &[], &Value::Null).await.expect(204);
    let random = Browser::own().with("cookie", format!("__Host-keyfob_session={}", ROOT.replacen("kf_", "kd_", 1)));
    let callers = [
        ("expired", expired),
        ("a person's, expired", expired_person),
        ("out", out),
        ("orphaned", orphaned),
        ("random", random),
    ];
    let before = world.state();
    let mut answers = BTreeSet::new();
    for row in table().iter().filter(|row| row.need != Need::Nothing) {
        for (who, browser) in &callers {
            let answer = ask(&world, row, browser).await;
            assert_eq!(answer.problem(), (401, "unauthorized".to_owned()), "{who} {} {}", row.method, row.path);
            answers.insert((answer.text.clone(), comparable(&answer)));
        }
    }
    assert_eq!(answers.len(), 1, "{answers:#?}");
    assert_eq!(world.state(), before);
}

#[tokio::test]
async fn a_change_from_a_foreign_page_is_refused_on_every_route_with_the_same_bytes() {
    let world = World::of(start().await).await;
    let mut foreign = person(&world.keyfob, "ann@example.com").await;
    foreign.headers.retain(|(name, _)| *name != "origin");
    let foreign = foreign.with("origin", "https://evil.example.net");
    let before = world.state();
    let mut answers = BTreeSet::new();
    for row in rows().filter(|row| row.method != "GET" && row.need != Need::Body) {
        let answer = ask(&world, &row, &foreign).await;
        assert_eq!(answer.problem(), (403, "foreign_origin".to_owned()), "{} {}", row.method, row.path);
        answers.insert((answer.text.clone(), comparable(&answer)));
    }
    assert_eq!(answers.len(), 1, "{answers:#?}");
    assert_eq!(world.state(), before);
}

#[tokio::test]
async fn a_person_with_too_few_scopes_is_told_which_one_and_does_nothing() {
    let world = World::of(start().await).await;
    let mut claims = claims("bob@example.com");
    claims["groups"] = "readers".into();
    let bob = Browser::own().after(&sign_in_as(&world.keyfob, &claims).await.expect(201));
    let before = world.state();
    for row in rows() {
        let Need::Scope(scope) = row.need else { continue };
        let answer = ask(&world, &row, &bob).await;
        if scope == "connections:read" {
            answer.expect(row.status);
        } else {
            assert_eq!(answer.problem(), (403, "missing_scope".to_owned()), "{} {}", row.method, row.path);
            assert!(answer.json()["detail"].as_str().unwrap().contains(scope));
        }
    }
    assert_eq!(world.state(), before);
}

#[tokio::test]
async fn a_session_does_in_another_environment_what_its_key_does_there() {
    for row in rows().filter(|row| row.elsewhere != Elsewhere::Same) {
        let world = World::new().await;
        let browser = sign_in_with(&world.keyfob, &world.exact_key(row.need, "staging").await).await;
        let before = world.state();
        let refused = match row.elsewhere {
            Elsewhere::Same => continue,
            Elsewhere::Hidden => (404, "not_found"),
            Elsewhere::Refused => (403, "environment_not_allowed"),
            Elsewhere::Exceeds => (403, "grant_exceeded"),
        };
        let answer = ask(&world, &row, &browser).await;
        assert_eq!(answer.problem(), (refused.0, refused.1.to_owned()), "{} {}", row.method, row.path);
        assert_eq!(world.state(), before, "{} {}", row.method, row.path);
    }
}

#[tokio::test]
async fn a_session_of_a_key_with_exactly_the_scope_succeeds_and_changes_are_audited_once() {
    // A session makes no session: its own test says so.
    for row in rows().filter(|row| (row.method, row.path) != ("POST", "/v1/session")) {
        let world = World::new().await;
        let browser = sign_in_with(&world.keyfob, &world.exact_key(row.need, "development").await).await;
        let before = audited(&world.keyfob);
        ask(&world, &row, &browser).await.expect(row.status);
        let expected: Vec<&str> = row.audited.split_whitespace().collect();
        assert_eq!(audited(&world.keyfob)[before.len()..], expected, "{} {}", row.method, row.path);
    }
}
