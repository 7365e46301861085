//! What a refusal tells: the same bytes for whatever is refused for the same reason, by every method, and no trace.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::table::{Need, Row, table};
use super::world::{ENVIRONMENTS, SCOPES, World, path_of};
use super::{comparable, gone};
use crate::support::{Answer, ROOT};

/// Every method that a client may think of.
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"];

/// What one can tell two answers apart by.
fn told(answer: &Answer) -> (u16, String, Vec<String>) {
    (answer.status.as_u16(), answer.text.clone(), comparable(answer))
}

/// The methods that each path answers; axum answers HEAD as GET.
fn routed() -> BTreeMap<&'static str, (Vec<&'static str>, Row)> {
    let mut routed: BTreeMap<&str, (Vec<&str>, Row)> = BTreeMap::new();
    for row in table() {
        let methods = if row.method == "GET" { vec!["GET", "HEAD"] } else { vec![row.method] };
        routed.entry(row.path).or_insert((Vec::new(), row)).0.extend(methods);
    }
    routed
}

#[tokio::test]
async fn a_method_that_a_path_does_not_answer_is_405_for_every_caller_and_does_nothing() {
    let world = World::new().await;
    let session = world.session(&json!({ "customer": "c1" })).await;
    let callers =
        [None, Some(format!("Bearer {ROOT}")), Some("Bearer kf_secret".to_owned()), Some(format!("Bearer {session}"))];
    let before = world.state();
    let mut bodies = BTreeSet::new();
    for (methods, row) in routed().values() {
        for method in METHODS.into_iter().filter(|method| !methods.contains(method)) {
            let mut answers = BTreeSet::new();
            for caller in &callers {
                let answer = world.ask_by(method, &world.path(row), row, caller.as_deref()).await;
                assert_eq!(answer.status.as_u16(), 405, "{method} {}", row.path);
                if method != "HEAD" {
                    assert_eq!(answer.problem().1, "method_not_allowed", "{method} {}", row.path);
                    bodies.insert(answer.text.clone());
                }
                answers.insert(told(&answer));
            }
            assert_eq!(answers.len(), 1, "{method} {}: {answers:#?}", row.path);
        }
    }
    assert_eq!(bodies.len(), 1);
    assert_eq!(world.state(), before);
}

#[tokio::test]
async fn head_is_refused_as_get_is() {
    let world = World::new().await;
    let callers = world.unproved().await;
    let before = world.state();
    for row in table().iter().filter(|row| row.method == "GET" && row.need != Need::Nothing) {
        for (who, authorization) in &callers {
            let answer = world.ask_by("HEAD", &world.path(row), row, authorization.as_deref()).await;
            assert_eq!((answer.status.as_u16(), answer.text.as_str()), (401, ""), "{who} {}", row.path);
        }
    }
    assert_eq!(world.state(), before);
}

/// Who lacks the right learns nothing of what is there: not even whether it is.
#[tokio::test]
async fn without_the_right_an_id_is_refused_in_the_same_bytes_whether_it_is_there_or_not() {
    let world = World::new().await;
    let gone = gone(&world).await;
    let session = format!("Bearer {}", world.session(&json!({ "customer": "c1" })).await);
    for row in table().iter().filter(|row| row.path.contains("{id}") && row.need != Need::Nothing) {
        let mut callers = vec![None];
        if let Need::Scope(scope) = row.need {
            callers.push(Some(format!("Bearer {}", world.key_without(scope).await)));
            callers.push(Some(session.clone()));
        }
        if matches!(row.need, Need::Session | Need::Own | Need::Builder) {
            callers.push(Some(format!("Bearer {ROOT}")));
        }
        let before = world.state();
        for caller in callers {
            let mut answers = BTreeSet::from([told(&world.ask(row, caller.as_deref()).await)]);
            // What is no id of this type is nowhere, and may be said to be.
            let path = world.path(row);
            let kind = path.split('/').find_map(|segment| segment.get(..4).filter(|kind| kind.ends_with('_')));
            let likely = |(what, id): &&(&str, String)| *what != "malformed" && id.get(..4) == kind;
            for (_, id) in gone.iter().filter(likely) {
                answers.insert(told(&world.ask_at(&path_of(row, id), row, caller.as_deref()).await));
            }
            let [(status, ..)] = &Vec::from_iter(&answers)[..] else { panic!("{} {answers:#?}", row.path) };
            assert_eq!(*status, if caller.is_none() { 401 } else { 403 }, "{} {}", row.method, row.path);
        }
        assert_eq!(world.state(), before, "{} {}", row.method, row.path);
    }
}

/// A key of every scope, but only for environments in which the object is not.
#[tokio::test]
async fn in_another_environment_an_object_and_a_random_id_look_the_same() {
    let world = World::new().await;
    let random = "con_01kag3p3g0zzzzzzzzzzzzzzzz";
    let key = world.keyfob.key(&SCOPES, &ENVIRONMENTS[1..]).await;
    let key = format!("Bearer {key}");
    let before = world.state();
    let mut answers = BTreeSet::new();
    for row in table().iter().filter(|row| row.path.starts_with("/v1/connections/{id}")) {
        for id in [world.connection.as_str(), random] {
            let answer = world.ask_at(&path_of(row, id), row, Some(&key)).await;
            assert_eq!(answer.problem(), (404, "not_found".to_owned()), "{} {}", row.method, row.path);
            answers.insert(told(&answer));
        }
    }
    assert_eq!(answers.len(), 1, "{answers:#?}");
    assert_eq!(world.state(), before);
}

/// Two customers' connections, stored as the API will store them.
#[tokio::test]
async fn a_session_of_another_customer_is_shown_nothing_and_can_do_nothing() {
    let world = World::new().await;
    let own = "update connections set kind = 'customer', customer = 'c1', name = 'Of c1', embedded = 1";
    world.keyfob.database.execute(&format!("{own} where id = '{}'", world.connection)).unwrap();
    for (customer, sees) in
        [(Some("c1"), true), (Some("c2"), false), (Some("C1"), false), (Some("c1 x"), false), (None, false)]
    {
        let session = format!("Bearer {}", world.session(&json!({ "customer": customer })).await);
        let before = world.state();
        let mut is_shown = false;
        let is_asked = |row: &&Row| row.need == Need::Session || (row.need == Need::Own && row.path.contains("{id}"));
        for row in table().iter().filter(is_asked) {
            let answer = world.ask(row, Some(&session)).await;
            let shown = answer.text.contains(&world.connection) || answer.text.contains("Of c1");
            assert!(sees || !shown, "{customer:?} {} {}: {}", row.method, row.path, answer.text);
            assert!(sees || !row.path.contains("{id}") || answer.status == 404, "{customer:?} {}", row.path);
            is_shown |= shown;
        }
        assert_eq!(is_shown, sees, "{customer:?}");
        assert!(sees || world.state() == before, "{customer:?}");
    }
}
