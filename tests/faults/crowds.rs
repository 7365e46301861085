//! 32 clients at once, in every order that the seeds give: one of them wins, or all of them get the one answer.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use crate::claims::check;
use crate::sim::{Dice, Fault, Plan};
use crate::support::{Answer, bearer, path_of};
use crate::world::{Call, World};

const CROWD: u64 = 32;

/// The same call from everybody, over all isolates.
fn crowd(world: &World, seed: u64, call: &Call) -> Vec<Option<Answer>> {
    let isolate = |client: u64| usize::try_from(client % 3).unwrap();
    let calls = (0..CROWD).map(|client| world.send(isolate(client), call)).collect();
    world.sim.run_all(&world.clock, &mut Dice::seeded(seed), calls)
}

fn create() -> Call {
    Call::new("POST", "/v1/connections?test=false", bearer("Acme"))
}

fn once() -> Call {
    create().with("idempotency-key", "once")
}

fn count(world: &World, table: &str) -> i64 {
    world.database.counts()[table]
}

#[test]
fn of_32_writers_with_one_etag_one_wins_in_any_order() {
    for seed in 0..20 {
        let world = World::new(seed, 3, Duration::ZERO);
        let path = path_of(&world.expect(201, &create()).json());
        let change = json!({ "secrets": { "token": "planted-secret-2" } });
        let answers = crowd(&world, seed, &Call::new("PATCH", format!("{path}?test=false"), change).if_match(1));
        let statuses: Vec<u16> = answers.iter().flatten().map(|answer| answer.status.as_u16()).collect();
        let won = statuses.iter().filter(|status| **status == 200).count();
        let lost = statuses.iter().filter(|status| **status == 412).count();
        assert_eq!((won, lost), (1, 31), "seed {seed}: {statuses:?}");
        assert_eq!((count(&world, "events"), count(&world, "audit_events")), (2, 2), "seed {seed}");
        check(&world);
    }
}

#[test]
fn one_key_from_32_clients_makes_one_connection_and_one_answer_in_any_order() {
    for seed in 0..20 {
        let world = World::new(seed, 3, Duration::ZERO);
        let answers = crowd(&world, seed, &once());
        let texts: BTreeSet<String> = answers.into_iter().map(|answer| answer.unwrap().expect(201).text).collect();
        assert_eq!((texts.len(), count(&world, "connections")), (1, 1), "seed {seed}");
        check(&world);
    }
}

#[test]
fn one_key_from_32_clients_gets_one_answer_whatever_becomes_of_one_batch() {
    let faults = [Fault::ErrorAfter, Fault::ErrorThenDone, Fault::Twice, Fault::HangAfter, Fault::DeathAfter];
    for (seed, number) in (0..40).step_by(3).flat_map(|number| (0..2).map(move |seed| (seed, number))) {
        for fault in faults {
            let told = format!("seed {seed}, effect {number}, {fault:?}");
            let world = World::new(seed, 3, Duration::ZERO);
            // The first 32 are the look-ups of all: one that fails is told to come again.
            world.sim.plan(Plan::One(32 + number, fault));
            let answers = crowd(&world, seed, &once());
            world.calm();
            let created: BTreeSet<&str> = answers
                .iter()
                .flatten()
                .filter(|answer| answer.status == 201)
                .map(|answer| answer.text.as_str())
                .collect();
            let others =
                answers.iter().filter(|answer| answer.as_ref().is_none_or(|answer| answer.status != 201)).count();
            assert!(created.len() == 1 && others <= 1, "{told}: {} answers, {others} without one", created.len());
            let again = world.expect(201, &once());
            assert_eq!((created, count(&world, "connections")), (BTreeSet::from([&*again.text]), 1), "{told}");
            check(&world);
        }
    }
}
