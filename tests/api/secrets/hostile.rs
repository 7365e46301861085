//! Providers that echo the credential in the wildest ways and break, storage that fails under the request: nothing of
//! what was sent shows.

use std::time::Duration;

use keyfob::catalog::Catalog;
use keyfob::catalog::file::Grant;
use keyfob::catalog::provider::ConnectionType;
use serde_json::{Value, json};

use super::canaries::{Canary, canaries, telling};
use super::{Watched, bytes};
use crate::support::ROOT;
use crate::support::counterpart::{Received, Reply, answer};
use crate::support::database::Fault;

/// What was sent as a secret, in whatever place.
fn credential(request: &Received) -> String {
    let header = request.header("authorization").or_else(|| request.header("x-api-key"));
    header.map_or_else(|| request.target.rsplit(['/', '=']).next().unwrap_or_default().to_owned(), str::to_owned)
}

/// What a provider does with what it was told.
type Echo = fn(&str) -> Reply;

/// Each way of echoing.
const ECHOES: [(&str, Echo); 9] = [
    ("in the words of the status", |told| raw(&format!("HTTP/1.1 400 {told}\r\nContent-Length: 0\r\n\r\n"))),
    ("in the name of a header", |told| {
        let name: String = told.chars().filter(char::is_ascii_alphanumeric).collect();
        answer(200, &[(&name, told)], "{}")
    }),
    ("in a redirect", |told| answer(302, &[("Location", &format!("http://127.0.0.1:1/{told}?{told}#{told}"))], told)),
    ("in a cookie and a challenge", |told| {
        answer(401, &[("Set-Cookie", &format!("a={told}")), ("WWW-Authenticate", told), ("Retry-After", told)], told)
    }),
    ("in place of HTTP", |told| raw(told)),
    ("in a broken head", |told| raw(&format!("HTTP/1.1 200 OK\r\n{told}\r\n\r\n"))),
    ("in a body that breaks off", |told| {
        raw(&format!("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{{\"name\":\"{told}"))
    }),
    ("in a chunk and a trailer", |told| {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Told\r\n\r\n";
        raw(&format!("{head}{:x};{told}\r\n{told}\r\n0\r\nX-Told: {told}\r\n\r\n", told.len()))
    }),
    ("in every field of JSON", |told| {
        let deep =
            json!({ "error": told, "name": told, "message": [told, { told: told }], "channel_id": told, "url": told });
        answer(200, &[("Content-Type", "application/json")], deep.to_string())
    }),
];

fn raw(text: &str) -> Reply {
    Reply::Bytes(text.as_bytes().to_vec())
}

#[tokio::test]
async fn a_provider_that_echoes_the_credential_in_any_way_brings_it_nowhere() {
    let canaries = canaries();
    // A server of a protocol of its own is not told the credential before it has proved who it is: that is tested with them.
    let called = |canary: &&Canary| {
        let of = Catalog::embedded().connection_type(canary.provider, canary.connection_type);
        // Nor is an authorization server told a client secret before somebody consented.
        let waits = |of: &ConnectionType| of.oauth.as_ref().is_some_and(|it| it.grant == Grant::AuthorizationCode);
        of.is_some_and(|of| of.request().is_some() && !waits(of))
    };
    let each = canaries.iter().filter(called).flat_map(|canary| ECHOES.map(|(how, echo)| be_echoed(canary, how, echo)));
    futures_util::future::join_all(each).await;
}

async fn be_echoed(canary: &Canary, how: &str, echo: Echo) {
    let mut watched = Watched::with(move |request| echo(&credential(request))).await;
    watched.keyfob.clock.hurry(Duration::from_secs(1));
    let path = created(&mut watched, canary).await;
    let edits = json!({ "secrets": { canary.field: canary.second } });
    watched.ask("POST", &format!("{path}/tests"), &[], &edits).await;
    watched.ask("POST", &format!("{path}/tests"), &[], &json!({ "mode": "send_message" })).await;
    for read in [path.clone(), format!("{path}/tests"), format!("{path}/events")] {
        watched.ask("GET", &read, &[], &Value::Null).await;
    }
    assert!(!watched.keyfob.counterpart.received().is_empty());
    expect_hidden(&watched, canary, how);
}

async fn created(watched: &mut Watched, canary: &Canary) -> String {
    let created = watched.ask("POST", "/v1/connections", &[], &canary.connection(&canary.first)).await;
    format!("/v1/connections/{}", created.expect(201).json()["id"].as_str().unwrap())
}

fn expect_hidden(watched: &Watched, canary: &Canary, how: &str) {
    let what = format!("{}/{}/{}, {how},", canary.provider, canary.connection_type, canary.field);
    for piece in [&canary.first, &canary.second].into_iter().flat_map(|secret| telling(secret)) {
        watched.search(&what, &piece);
    }
}

/// Each batch of each operation fails once before and once after it was done; blobs are invisible or damaged.
#[tokio::test]
async fn a_failing_storage_brings_a_secret_nowhere() {
    for canary in canaries() {
        let mut watched = Watched::start(200).await;
        let path = created(&mut watched, &canary).await;
        let whole = canary.connection(&canary.second);
        let change = json!({ "secrets": { canary.field: canary.second } });
        let reveal = json!({ "fields": [canary.field], "reason": "A test." });
        let (reveals, restores, credentials, tests) = (
            format!("{path}/reveal"),
            format!("{path}/revisions/1/restore"),
            format!("{path}/credentials"),
            format!("{path}/tests"),
        );
        let operations = [
            ("POST", "/v1/connections", &whole),
            ("PATCH", &*path, &change),
            ("POST", &*restores, &json!({})),
            ("POST", &*tests, &change),
            ("POST", &*reveals, &reveal),
            ("GET", &*credentials, &Value::Null),
        ];
        let mut failed = 0;
        for (method, path, body) in operations {
            for fault in [Fault::Before, Fault::After] {
                for batch in 0..3 {
                    watched.keyfob.advance(Duration::from_hours(1));
                    let faults = [vec![Fault::Nothing; batch], vec![fault]].concat();
                    watched.keyfob.database.fail_next(&faults);
                    let answer = watched.ask_in_vain(ROOT, method, path, &[("if-match", "\"1\"")], body).await;
                    failed += usize::from(answer.status.as_u16() >= 500);
                    drop_uncovered(&mut watched, answer.status.as_u16());
                    watched.keyfob.database.forget_faults();
                }
            }
        }
        assert!(failed > 6, "{failed}");
        watched.keyfob.blobs.lagging.store(true, std::sync::atomic::Ordering::SeqCst);
        watched.ask_in_vain(ROOT, "GET", &credentials, &[], &Value::Null).await;
        watched.keyfob.blobs.lagging.store(false, std::sync::atomic::Ordering::SeqCst);
        for blob in watched.keyfob.blobs.stored.lock().unwrap().values_mut() {
            blob[20] ^= 1;
        }
        watched.ask_in_vain(ROOT, "GET", &credentials, &[], &Value::Null).await.expect(500);
        watched.ask_in_vain(ROOT, "POST", &reveals, &[], &reveal).await.expect(500);
        expect_hidden(&watched, &canary, "with a failing storage");
    }
}

/// Leaves out the answers that are there to show a secret: reveal and credentials, when they succeed.
fn drop_uncovered(watched: &mut Watched, status: u16) {
    if status == 200 && watched.answers.last().is_some_and(|answer| answer.contains("\"secrets\":{")) {
        watched.answers.pop();
    }
}

#[test]
fn what_is_searched_is_searched_byte_by_byte() {
    assert_eq!(bytes(&[0x43, 0xff]), "C\u{ff}");
}
