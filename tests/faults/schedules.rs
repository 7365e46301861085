//! Random schedules: several clients ask several isolates for anything, everything interleaves at every await, anything fails.
//!
//! `SCHEDULES` says how many from seed `FIRST` on, `SEED` which one (then it is the only one). A failure prints its seed.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::claims::{check, list};
use crate::model::{Asked, Kind, Model};
use crate::sim::{Dice, Plan, Request, Step};
use crate::support::{Answer, bearer};
use crate::world::{Call, World};

const CLIENTS: usize = 3;
const REQUESTS: usize = 4;
const ISOLATES: usize = 3;

/// A client with what it is waiting for.
struct Client {
    left: usize,
    waiting: Option<(Asked, Request<Option<Answer>>)>,
    /// Whether its request only waits for time to pass.
    stands: bool,
}

/// One schedule; gives how many requests were acknowledged.
fn schedule(seed: u64) -> usize {
    let mut dice = Dice::seeded(seed ^ 0x6b65_7966_6f62);
    let faults = dice.below(4) != 0;
    let lag = Duration::from_secs(dice.pick(&[0, 0, 60, 90]));
    let world = World::new(seed, ISOLATES, lag);
    let mut model = Model::default();
    for (name, token) in [("One", "token-of-one"), ("Two", "token-of-two")].into_iter().take(1 + (seed % 2) as usize) {
        let mut body = bearer(name);
        body["secrets"]["token"] = json!(token);
        model.know(&world.expect(201, &Call::new("POST", "/v1/connections?test=false", body)).json(), token);
    }
    if faults {
        world.sim.plan(Plan::Random(dice.pick(&[8, 16, 32])));
    }
    let mut clients: Vec<Client> =
        (0..CLIENTS).map(|_| Client { left: REQUESTS, waiting: None, stands: false }).collect();
    interleave(&world, &mut dice, &mut model, &mut clients);
    let tokens = check(&world);
    let events = list(&world, "select json_group_array(json_array(connection_id, version)) from events");
    model.check(&tokens, &events, faults);
    model.acknowledged()
}

fn interleave(world: &World, dice: &mut Dice, model: &mut Model, clients: &mut [Client]) {
    loop {
        let able = |client: &Client| !client.stands && (client.waiting.is_some() || client.left > 0);
        let able: Vec<usize> = (0..clients.len()).filter(|number| able(&clients[*number])).collect();
        if able.is_empty() {
            if !go_on(world, model, clients) {
                return;
            }
            continue;
        }
        if dice.below(50) == 0 {
            world.clock.advance(Duration::from_millis(dice.below(30_000)));
        }
        let client = &mut clients[dice.pick(&able)];
        match &mut client.waiting {
            None => {
                client.left -= 1;
                client.waiting = Some(begin(world, dice, model));
            }
            Some((asked, request)) => match world.sim.step(request) {
                Step::Runs => {}
                Step::Waits => client.stands = true,
                Step::Over(answer) => {
                    model.tell(asked.clone(), answer.flatten());
                    client.waiting = None;
                }
            },
        }
    }
}

fn begin(world: &World, dice: &mut Dice, model: &mut Model) -> (Asked, Request<Option<Answer>>) {
    let isolate = dice.pick(&[0, 1, 2]);
    let (asked, call) = model.ask(dice);
    let request = if asked.kind == Kind::Tick {
        let tick = world.tick(isolate);
        Request::new(Box::pin(async move {
            tick.await;
            None
        }))
    } else {
        let answer = world.send(isolate, &call);
        Request::new(Box::pin(async move { Some(answer.await) }))
    };
    (asked, request)
}

/// Lets time pass where everybody waits for it, and gives up what waits for ever; false when all is over.
fn go_on(world: &World, model: &mut Model, clients: &mut [Client]) -> bool {
    let passes = world.clock.skip();
    let mut any = false;
    for client in clients.iter_mut().filter(|client| client.stands) {
        any = true;
        client.stands = false;
        if let Some((asked, _)) = client.waiting.take_if(|_| !passes) {
            model.tell(asked, None);
        }
    }
    any
}

/// Says which schedule it was when it fails.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tell(&format!("the schedule that failed: SEED={}", self.0));
        }
    }
}

#[expect(clippy::print_stderr, reason = "it is what makes a failure repeatable")]
fn tell(what: &str) {
    eprintln!("{what}");
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn no_schedule_loses_what_was_acknowledged() {
    if let Some(seed) = number("SEED") {
        let _seed = Seed(seed);
        schedule(seed);
        return;
    }
    let (first, count) = (number("FIRST").unwrap_or(0), number("SCHEDULES").unwrap_or(500));
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let (next, acknowledged) = (AtomicU64::new(first), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= first + count {
                        return;
                    }
                    let _seed = Seed(seed);
                    acknowledged.fetch_add(schedule(seed), Ordering::SeqCst);
                }
            });
        }
    });
    let acknowledged = acknowledged.into_inner();
    tell(&format!("{count} schedules from seed {first}: {acknowledged} requests acknowledged, none lost"));
    assert!(acknowledged as u64 > count * 3, "most of what is asked is done");
}

#[test]
fn a_seed_is_one_schedule_and_always_the_same() {
    let told = |seed| (schedule(seed), schedule(seed));
    for seed in 0..5 {
        let (first, second) = told(seed);
        assert_eq!(first, second, "{seed}");
    }
}
