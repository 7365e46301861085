//! The renewal of OAuth tokens: each of its effects fails in each way, and many ask at once in every order.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};

use crate::operations::consent;
use crate::sim::{Dice, Fault, Plan, Port};
use crate::support::Answer;
use crate::world::{Call, World};

/// A world with a connection that was authorized an hour ago: its access token has just ended.
struct Stage {
    world: World,
    resolve: Call,
}

fn stage(isolates: usize) -> Stage {
    let world = World::new(0, isolates, Duration::ZERO);
    let created = world.expect(201, &Call::new("POST", "/v1/connections?test=false", consent(None))).json();
    let path = format!("/v1/connections/{}", created["id"].as_str().unwrap());
    let begun = world.expect(201, &Call::new("POST", format!("{path}/authorizations"), json!({}))).json();
    let start = begun["start_url"].as_str().unwrap().split_once("/oauth/").unwrap().1.to_owned();
    let sent = world.expect(303, &Call::get(format!("/oauth/{start}")));
    let cookie = sent.header("set-cookie").split(';').next().unwrap().to_owned();
    let state = sent.header("location").split("state=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let back = format!("/oauth/callback?state={state}&code=any");
    world.expect(200, &Call::get(back).with("cookie", cookie));
    world.clock.advance(Duration::from_hours(1));
    Stage { world, resolve: Call::get(format!("{path}/credentials")) }
}

/// What a resolve gave: a token, or the code of the refusal.
fn outcome(answer: &Answer) -> Result<String, String> {
    let body: Value = answer.json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if answer.status.is_success() { Ok(text(&body["secrets"]["access_token"])) } else { Err(text(&body["code"])) }
}

/// Asks again and again, as an engine does, until the answer is no "later".
fn settle(stage: &World, resolve: &Call) -> Result<String, String> {
    for _ in 0..20 {
        if let Some(answer) = stage.call(resolve)
            && answer.status.as_u16() != 503
        {
            return outcome(&answer);
        }
        stage.clock.advance(Duration::from_secs(10));
    }
    panic!("it never comes to an end");
}

#[test]
fn whatever_fails_in_a_renewal_it_ends_in_the_new_token_or_in_reauthorize() {
    let stage = stage(1);
    let reference = stage.world.copy();
    reference.sim.plan(Plan::Nothing);
    assert_eq!(outcome(&reference.expect(200, &stage.resolve)), Ok("planted-access-2".to_owned()));
    let effects = reference.sim.effects();
    assert!(effects >= 6, "sources, secrets, lease, tokens, blob, commit: {effects}");
    let mut reauthorized = 0;
    for (number, fault) in (0..effects).flat_map(|number| Fault::ALL.map(|fault| (number, fault))) {
        let world = stage.world.copy();
        world.sim.plan(Plan::One(number, fault));
        let heard = world.call(&stage.resolve).filter(|answer| answer.status.is_success());
        let (failed, what) = (world.sim.failed(), format!("{number} {fault:?}"));
        world.calm();
        // What was handed out is stored: it is handed out again.
        if let Some(answer) = &heard {
            assert_eq!(outcome(&world.expect(200, &stage.resolve)), outcome(answer), "{what}");
        }
        let calls = world.tokens.calls.load(Ordering::SeqCst);
        match settle(&world, &stage.resolve) {
            Ok(token) => assert_eq!(token, world.tokens.newest(), "{what}"),
            Err(code) => {
                // The refresh token is spent, and nobody has the one that took its place.
                let spent = failed == Some(Port::Network)
                    || [Fault::DeathBefore, Fault::HangBefore].contains(&fault)
                    || [Fault::DeathAfter, Fault::HangAfter].contains(&fault);
                assert!(spent && heard.is_none(), "{what}: {code}");
                assert_eq!(code, "connection_unauthorized", "{what}");
                reauthorized += 1;
                let asked = world.tokens.calls.load(Ordering::SeqCst);
                for _ in 0..3 {
                    world.clock.advance(Duration::from_hours(1));
                    world.sim.run(&world.clock, world.tick(0)).unwrap();
                    assert_eq!(settle(&world, &stage.resolve), Err(code.clone()), "{what}");
                }
                assert_eq!(world.tokens.calls.load(Ordering::SeqCst), asked, "{what}: no loop");
            }
        }
        assert!(world.tokens.calls.load(Ordering::SeqCst) - calls <= 1, "{what}");
    }
    assert!(reauthorized > 0, "some of them lose the answer");
}

#[test]
fn in_whatever_order_many_ask_there_is_one_call_and_all_get_the_new_token() {
    for seed in 0..200 {
        let stage = stage(3);
        let mut dice = Dice::seeded(seed);
        let calls = (0..12).map(|number| stage.world.send(number % 3, &stage.resolve)).collect();
        let answers = stage.world.sim.run_all(&stage.world.clock, &mut dice, calls);
        for answer in answers {
            assert_eq!(outcome(&answer.unwrap()), Ok("planted-access-2".to_owned()), "seed {seed}");
        }
        assert_eq!(
            stage.world.tokens.calls.load(Ordering::SeqCst),
            2,
            "seed {seed}: one for the code, one for the renewal"
        );
    }
}

#[test]
fn of_two_that_hold_a_lease_at_once_one_is_stored_and_nobody_is_locked_out() {
    for seed in 0..100 {
        let stage = stage(2);
        let mut dice = Dice::seeded(seed);
        // Nobody's lease keeps anybody away: only the number of the entry does.
        let trigger = "create trigger no_lease after update of leased_until on oauth_tokens when new.leased_until > 0 \
                       begin update oauth_tokens set leased_until = 0 where owner_id = new.owner_id; end";
        stage.world.database.execute(trigger).unwrap();
        let calls = (0..2).map(|number| stage.world.send(number, &stage.resolve)).collect();
        stage.world.sim.run_all(&stage.world.clock, &mut dice, calls);
        let stored = "select group_concat(number) from vault_entries where purpose = 'tokens'";
        assert_eq!(stage.world.database.value::<String>(stored), "1,2", "seed {seed}");
        assert_eq!(settle(&stage.world, &stage.resolve), Ok("planted-access-2".to_owned()), "seed {seed}");
    }
}
