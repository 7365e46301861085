//! Each effect of each operation fails in each way, alone and with all after it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::claims::{check, list};
use crate::operations::{Operation, Stage, operations, stage};
use crate::sim::{Fault, Plan, Port};
use crate::support::Answer;
use crate::world::World;

/// What an operation may change, as far as it does not depend on chance: how many rows, and what the connections are.
#[derive(Debug, Clone, PartialEq, Eq)]
struct State {
    rows: BTreeMap<String, i64>,
    connections: Value,
}

fn state(world: &World, later: &[&str]) -> State {
    let mut rows = world.database.counts();
    // Not part of any change: what waits to be deleted, how far the walk over the blob store is, what triggers count, and who
    // is told of what a test found.
    let apart = ["facet_counts", "garbage", "orphan_walk", "webhook_deliveries"];
    rows.retain(|table, _| !apart.contains(&table.as_str()) && !later.contains(&table.as_str()));
    let connections = "select json_group_array(json_array(name, description, tags, settings, secret_fields, enabled, \
                       embedded, version, revision, secrets_revision, deleted_at is null)) from connections";
    let mut connections = list(world, connections);
    let revoked = "select json_array((select count(*) from api_keys where revoked_at is null), \
                   (select count(*) from customer_epochs), (select count(*) from vault_entries where key_id = 1))";
    connections.as_array_mut().unwrap().push(list(world, revoked));
    State { rows, connections }
}

fn succeeded(answer: Option<&Answer>) -> bool {
    answer.is_some_and(|answer| answer.status.is_success())
}

/// An operation that went well, once without any fault.
struct Reference {
    before: State,
    after: State,
    effects: usize,
}

impl Reference {
    fn of(stage: &Stage, operation: &Operation) -> Self {
        let world = stage.world.copy();
        let before = state(&world, operation.later);
        world.sim.plan(Plan::Nothing);
        let answer = world.call(&operation.call);
        assert!(succeeded(answer.as_ref()), "{}: {answer:?}", operation.name);
        let effects = world.sim.effects();
        let after = state(&world, operation.later);
        check(&world);
        Self { before, after, effects }
    }
}

/// One operation under one plan, then once more as a client would send it again, then rest.
fn fail(stage: &Stage, operation: &Operation, reference: &Reference, plan: Plan) {
    let world = stage.world.copy();
    let told = format!("{} under {plan:?}", operation.name);
    world.sim.plan(plan);
    let first = world.call(&operation.call);
    let is_twice = matches!(plan, Plan::One(_, Fault::Twice)) && world.sim.failed() == Some(Port::Database);
    world.calm();
    let left = state(&world, operation.later);
    assert!([&reference.before, &reference.after].contains(&&left), "{told}: all or nothing, not {left:#?}");
    if succeeded(first.as_ref()) {
        assert_eq!(left, reference.after, "{told}: what was acknowledged is there");
    } else if let Some(answer) = &first {
        assert_eq!(answer.status, 503, "{told}: {}", answer.text);
        assert_eq!(answer.header("retry-after"), "1", "{told}");
    }
    if is_twice {
        assert!(succeeded(first.as_ref()), "{told}: what was done twice was done: {first:?}");
    }
    if operation.is_idempotent() {
        again(&world, operation, reference, first.as_ref(), &told);
    } else if operation.repeats {
        assert!(succeeded(world.call(&operation.call).as_ref()), "{told}: the same again");
    } else {
        let second = world.call(&operation.call).unwrap();
        let refused = match operation.call.method {
            // Who signed out is nobody any more.
            "DELETE" if operation.name == "sign out" => 401,
            // The connection stays.
            "DELETE" if operation.call.path.ends_with("/test-credentials") => 412,
            "DELETE" => 404,
            // It is good for once.
            "POST" if operation.name == "exchange a token" => 409,
            "POST" if operation.name == "redeem a link" => 401,
            _ => 412,
        };
        let was_done = left == reference.after;
        let is_right = if was_done { second.status == refused } else { second.status.is_success() };
        assert!(is_right, "{told}: the same again: {second:?}");
        assert_eq!(state(&world, operation.later), reference.after, "{told}: the same again");
    }
    check(&world);
}

/// The same request with the same key, again and again, makes one thing and gets one answer.
fn again(world: &World, operation: &Operation, reference: &Reference, first: Option<&Answer>, told: &str) {
    let second = world.call(&operation.call).unwrap();
    let third = world.call(&operation.call).unwrap();
    assert_eq!(state(world, operation.later), reference.after, "{told}: exactly one");
    if operation.shows_secret {
        assert_eq!(third.problem(), (409, "already_created".to_owned()), "{told}");
        assert!(second.status == 409 || !succeeded(first), "{told}: a secret is shown once");
    } else {
        assert_eq!((second.status.as_u16(), &second.text), (201, &third.text), "{told}: one answer");
        let first = first.filter(|first| first.status.is_success());
        assert!(first.is_none_or(|first| first.text == second.text), "{told}: one answer");
    }
}

/// The tests run side by side: each takes every second operation.
fn sweep(half: usize) {
    let stage = stage();
    for operation in operations(&stage).iter().skip(half).step_by(2) {
        let reference = Reference::of(&stage, operation);
        assert!(reference.effects > 0, "{}", operation.name);
        for fault in Fault::ALL {
            for number in 0..reference.effects {
                fail(&stage, operation, &reference, Plan::One(number, fault));
                if [Fault::ErrorBefore, Fault::ErrorAfter, Fault::ErrorThenDone].contains(&fault) {
                    fail(&stage, operation, &reference, Plan::From(number, fault));
                }
            }
        }
    }
}

#[test]
fn whatever_fails_nothing_acknowledged_is_lost_and_nothing_is_half_done() {
    sweep(0);
}

#[test]
fn whatever_fails_nothing_acknowledged_is_lost_and_nothing_is_half_done_either() {
    sweep(1);
}

#[test]
fn the_current_secret_is_the_one_that_was_acknowledged() {
    let stage = stage();
    for operation in operations(&stage).iter().filter(|operation| operation.name.starts_with("change a secret")) {
        let reference = Reference::of(&stage, operation);
        for (number, fault) in (0..reference.effects).flat_map(|number| Fault::ALL.map(|fault| (number, fault))) {
            let world = stage.world.copy();
            world.sim.plan(Plan::One(number, fault));
            let is_acknowledged = succeeded(world.call(&operation.call).as_ref());
            let tokens = check(&world);
            let token = |revision| tokens.get(&(stage.connection.clone(), revision)).map(String::as_str);
            assert_eq!(
                [token(1), token(2), token(3)],
                [Some("planted-secret-1"), Some("planted-secret-2"), Some("planted-secret-2")]
            );
            assert!(
                token(4) == Some("planted-secret-3") || !is_acknowledged && token(4).is_none(),
                "{number} {fault:?}"
            );
        }
    }
}

#[test]
fn an_operation_that_is_not_in_the_list_is_no_operation_of_the_router() {
    let stage = stage();
    let calls: Vec<(String, String)> = operations(&stage)
        .into_iter()
        .map(|operation| {
            let path = operation.call.path.split('?').next().unwrap_or_default().to_owned();
            (operation.call.method.to_owned(), path)
        })
        .collect();
    let is_called = |method: &str, route: &str| {
        calls.iter().any(|(called, path)| {
            let (path, route): (Vec<&str>, Vec<&str>) = (path.split('/').collect(), route.split('/').collect());
            let fits = |(part, hole): (&&str, &&str)| part == hole || hole.starts_with('{');
            called == method && path.len() == route.len() && path.iter().zip(&route).all(fits)
        })
    };
    let missing: Vec<(String, String)> = crate::support::routes::routes()
        .into_iter()
        .filter(|(method, route)| !["GET", "OPTIONS"].contains(&method.as_str()) && !is_called(method, route))
        .filter(|(_, route)| !UNSTORED.contains(&route.as_str()))
        .collect();
    assert_eq!(json!(missing), json!([]));
}

/// What changes nothing.
const UNSTORED: [&str; 3] = ["/v1/tests", "/v1/connections/plan", "/v1/embedded/tests"];
