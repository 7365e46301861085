//! What is written in one location is seen in another a minute and more later: until then a secret is pending, never stale.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{bearer, path_of};
use crate::world::{Call, World};

const LAG: Duration = Duration::from_secs(90);
/// The lag, and as long as a location believes that there was nothing.
const SETTLED: Duration = Duration::from_secs(90 + 60);
const HERE: usize = 0;
const THERE: [usize; 2] = [1, 2];

fn call(world: &World, isolate: usize, call: &Call) -> crate::support::Answer {
    world.sim.run(&world.clock, world.send(isolate, call)).unwrap()
}

fn create(world: &World) -> String {
    path_of(&call(world, HERE, &Call::new("POST", "/v1/connections?test=false", bearer("Acme"))).expect(201).json())
}

/// The revision and the token that a location resolves, or nothing while it is pending.
fn resolve(world: &World, isolate: usize, path: &str) -> Option<(u64, String)> {
    let answer = call(world, isolate, &Call::get(format!("{path}/credentials")));
    if answer.status == 503 {
        assert_eq!(answer.problem().1, "secret_pending");
        assert!(answer.header("retry-after").parse::<u64>().unwrap() > 0);
        return None;
    }
    let body = answer.expect(200).json();
    Some((body["revision"].as_u64().unwrap(), body["secrets"]["token"].as_str().unwrap().to_owned()))
}

#[test]
fn a_secret_is_pending_elsewhere_and_then_there_and_never_stale() {
    let mut pending = 0;
    for seed in 0..10 {
        let world = World::new(seed, 3, LAG);
        let path = create(&world);
        for revision in 1..=3_u64 {
            let newest = (revision, format!("planted-secret-{revision}"));
            if revision > 1 {
                let body = json!({ "secrets": { "token": newest.1 } });
                let change = Call::new("PATCH", format!("{path}?test=false"), body).if_match(revision - 1);
                call(&world, HERE, &change).expect(200);
            }
            assert_eq!(resolve(&world, HERE, &path), Some(newest.clone()), "at once where it was written");
            for _ in 0..SETTLED.as_secs() {
                for there in THERE {
                    let found = resolve(&world, there, &path);
                    pending += usize::from(found.is_none());
                    assert!(found.is_none_or(|found| found == newest), "seed {seed}: stale");
                }
                world.clock.advance(Duration::from_secs(1));
            }
            for there in THERE {
                assert_eq!(resolve(&world, there, &path), Some(newest.clone()), "seed {seed}: after the lag it reads");
            }
        }
    }
    assert!(pending > 500, "the store lags: {pending}");
}

#[test]
fn what_needs_a_secret_that_is_pending_is_told_to_come_again_and_changes_nothing() {
    let world = World::new(7, 3, LAG);
    let path = create(&world);
    let before = world.database.counts();
    let setting = Call::new("PATCH", format!("{path}?test=false"), json!({ "settings": { "test_path": "/x" } }));
    let restore = Call::new("POST", format!("{path}/revisions/1/restore?test=false"), json!({}));
    let reveal = Call::new("POST", format!("{path}/reveal"), json!({ "fields": ["token"], "reason": "why" }));
    for there in THERE {
        for refused in [setting.clone().if_match(1), restore.clone().if_match(1), reveal.clone()] {
            let answer = call(&world, there, &refused);
            assert_eq!(answer.problem(), (503, "secret_pending".to_owned()), "{refused:?}");
            assert!(answer.header("retry-after").parse::<u64>().unwrap() > 0);
        }
    }
    assert_eq!(world.database.counts(), before);
    world.clock.advance(SETTLED);
    call(&world, THERE[0], &setting.if_match(1)).expect(200);
}

#[test]
fn what_needs_no_secret_does_not_wait_for_one() {
    let world = World::new(7, 3, LAG);
    let path = create(&world);
    assert_eq!(resolve(&world, THERE[0], &path), None);
    call(&world, THERE[0], &Call::new("PATCH", &path, json!({ "name": "New" })).if_match(1)).expect(200);
    let sent = json!({ "secrets": { "token": "planted-secret-2" } });
    call(&world, THERE[0], &Call::new("PATCH", format!("{path}?test=false"), sent).if_match(2)).expect(200);
    assert_eq!(resolve(&world, THERE[0], &path), Some((2, "planted-secret-2".to_owned())));
    call(&world, THERE[1], &Call::new("DELETE", &path, Value::Null).if_match(3)).expect(204);
    for isolate in 0..3 {
        // The blob is still there, and cached: without its row it is nothing.
        call(&world, isolate, &Call::get(format!("{path}/credentials"))).expect(404);
    }
}
