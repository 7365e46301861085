//! PostgreSQL, a real one; and what a server might do that a real one does not.

use std::sync::LazyLock;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{IMPATIENT, Lines, REJECTED, Server, VALID, absent, door, test, words};

static SERVER: LazyLock<Server> = LazyLock::new(|| Server::start("postgresql.sh", &["on"]));
static WITHOUT_TLS: LazyLock<Server> = LazyLock::new(|| Server::start("postgresql.sh", &["off"]));

async fn ask(replaced: Value) -> (&'static str, &'static str) {
    SERVER.ask("postgresql", &replaced).await
}

#[tokio::test]
async fn a_wrong_password_is_rejected_however_the_user_signs_in() {
    for user in ["scram", "md5", "clear", "nobody"] {
        assert_eq!(ask(json!({ "user": user, "password": "wrong" })).await, REJECTED, "{user}");
    }
    for user in ["scram", "md5"] {
        assert_eq!(ask(json!({ "user": user, "password": "wrong", "ssl_mode": "disable" })).await, REJECTED, "{user}");
    }
}

#[tokio::test]
async fn a_password_is_not_sent_in_clear_text_without_tls() {
    let plain = json!({ "user": "clear", "ssl_mode": "disable" });
    assert_eq!(ask(plain).await, ("unknown", "tls_required"));
}

#[tokio::test]
async fn a_server_that_wants_tls_refuses_who_comes_without() {
    assert_eq!(ask(json!({ "user": "tls", "ssl_mode": "disable" })).await, REJECTED);
    assert_eq!(ask(json!({ "user": "tls" })).await, VALID);
}

#[tokio::test]
async fn a_server_without_tls_or_with_a_certificate_of_nobody_known_gets_no_password() {
    assert_eq!(WITHOUT_TLS.ask("postgresql", &json!({})).await, ("unknown", "tls_failed"));
    let stranger = test("postgresql", Lines::trusting(&WITHOUT_TLS.ca), SERVER.port, &json!({}), IMPATIENT).await;
    assert_eq!(words(&stranger), ("unknown", "tls_failed"));
    // The certificate is made out to localhost.
    assert_eq!(ask(json!({ "host": "127.0.0.1" })).await, ("unknown", "tls_failed"));
}

#[tokio::test]
async fn a_database_that_is_not_there_is_not_the_credentials_fault() {
    assert_eq!(ask(json!({ "database": "nowhere" })).await, ("invalid", "target_not_found"));
}

#[tokio::test]
async fn a_user_who_may_not_connect_to_the_database_is_limited() {
    assert_eq!(ask(json!({ "user": "outsider", "database": "closed" })).await, ("limited", "insufficient_scope"));
}

#[tokio::test]
async fn too_many_connections_tell_nothing() {
    assert_eq!(ask(json!({ "user": "full" })).await, ("unknown", "rate_limited"));
}

#[tokio::test]
async fn a_server_that_still_starts_tells_nothing() {
    // 57P03, from a standby that lets nobody in.
    let starting = Server::start("postgresql.sh", &["starting"]);
    for password in ["right", "wrong"] {
        let asked = json!({ "ssl_mode": "disable", "password": password });
        assert_eq!(starting.ask("postgresql", &asked).await, ("unknown", "unreachable"), "{password}");
    }
}

#[tokio::test]
async fn an_absent_host_tells_nothing() {
    absent("postgresql").await;
}

#[tokio::test]
async fn a_good_password_is_valid_and_the_version_is_kept() {
    for user in ["scram", "md5", "clear"] {
        assert_eq!(ask(json!({ "user": user })).await, VALID, "{user}");
    }
    for user in ["scram", "md5"] {
        assert_eq!(ask(json!({ "user": user, "ssl_mode": "disable" })).await, VALID, "{user} without TLS");
    }
    assert_eq!(WITHOUT_TLS.ask("postgresql", &json!({ "ssl_mode": "disable" })).await, VALID);
    let finding = SERVER.find("postgresql", &json!({})).await;
    assert!(finding.facts["server_version"].starts_with(|c: char| c.is_ascii_digit()), "{:?}", finding.facts);
    assert_eq!(finding.facts.len(), 1);
}

#[tokio::test]
async fn a_password_beyond_ascii_is_prepared_as_the_server_does() {
    for password in ["\u{2168} a\u{bd}", "IX\u{a0}a\u{bd}", "I\u{ad}X a1\u{2044}2"] {
        assert_eq!(ask(json!({ "user": "sprep", "password": password })).await, VALID, "{password:?}");
    }
    assert_eq!(ask(json!({ "user": "sprep", "password": "IX a" })).await, REJECTED);
}

#[test]
fn values_are_checked_at_the_door() {
    door(
        "postgresql",
        &[
            ("host", json!(" DB.Acme.dev "), Ok(json!("db.acme.dev"))),
            ("host", json!("2606:4700::1111"), Ok(json!("2606:4700::1111"))),
            ("host", json!("203.0.113.7"), Ok(json!("203.0.113.7"))),
            ("host", json!("postgres://ann:right@db.acme.dev:5432/app"), Err("refused")),
            ("host", json!("postgresql://db.acme.dev"), Err("refused")),
            ("host", json!("jdbc:postgresql://db.acme.dev/app"), Err("refused")),
            ("host", json!("ann@db.acme.dev"), Err("refused")),
            ("host", json!("db.acme.dev:5432"), Err("refused")),
            ("host", json!("/var/run/postgresql"), Err("refused")),
            ("host", json!("db.acme.dev/app"), Err("pattern")),
            ("host", json!("256.0.0.1"), Err("unfit")),
            ("port", json!(0), Err("unfit")),
            ("port", json!(65536), Err("unfit")),
            ("port", json!("5432"), Err("wrong_type")),
            ("ssl_mode", json!("require"), Err("refused")),
            ("ssl_mode", json!("REQUIRE"), Err("refused")),
            ("ssl_mode", json!("verify-ca"), Err("refused")),
            ("ssl_mode", json!("prefer"), Err("refused")),
            ("ssl_mode", json!("allow"), Err("refused")),
            ("ssl_mode", json!("on"), Err("enum")),
            ("ssl_mode", json!("disable"), Ok(json!("disable"))),
            ("ca_certificate", json!("-----BEGIN CERTIFICATE-----"), Err("unavailable")),
            ("client_certificate", json!("-----BEGIN CERTIFICATE-----"), Err("unavailable")),
            ("client_key", json!("x"), Err("unavailable")),
            ("ssh_tunnel", json!(true), Err("unavailable")),
            ("ssh_host", json!("bastion.acme.dev"), Err("unavailable")),
        ],
    );
}

/// A server that says these bytes, one piece after each thing that it hears, and then waits or hangs up.
async fn scripted(pieces: Vec<Vec<u8>>, hangs_up: bool, replaced: Value) -> ((&'static str, &'static str), Vec<u8>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (mut heard, mut buffer) = (Vec::new(), [0; 4096]);
        for piece in pieces {
            let length = stream.read(&mut buffer).await.unwrap_or(0);
            heard.extend_from_slice(&buffer[..length]);
            stream.write_all(&piece).await.unwrap();
        }
        if !hangs_up {
            while let Ok(length @ 1..) = stream.read(&mut buffer).await {
                heard.extend_from_slice(&buffer[..length]);
            }
        }
        heard
    });
    let found = test("postgresql", Lines::trusting(b""), port, &replaced, IMPATIENT).await;
    (words(&found), server.await.unwrap())
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &u32::try_from(body.len() + 4).unwrap().to_be_bytes(), body].concat()
}

const ODD: (&str, &str) = ("unknown", "unexpected_answer");

#[tokio::test]
async fn what_comes_before_tls_is_not_taken_for_what_comes_under_it() {
    // An answer and more in one piece (CVE-2021-23222), an error before TLS (CVE-2024-10977), and no answer to the question.
    for first in
        [[b"S".to_vec(), message(b'R', &[0; 4])].concat(), message(b'E', b"C28P01\0\0"), b"HTTP/1.1 400\r\n".to_vec()]
    {
        let (found, heard) = scripted(vec![first.clone()], false, json!({})).await;
        assert_eq!(found, ODD, "{first:?}");
        assert_eq!(heard.len(), 8, "the request for TLS, and nothing more");
    }
}

#[tokio::test]
async fn a_server_that_skips_its_proof_is_not_believed() {
    let plain = json!({ "ssl_mode": "disable" });
    let sasl = message(b'R', b"\0\0\0\x0aSCRAM-SHA-256\0\0");
    let done = [message(b'R', &[0; 4]), message(b'Z', b"I")].concat();
    let (found, heard) = scripted(vec![sasl.clone(), done], false, plain.clone()).await;
    assert_eq!(found, ODD);
    assert!(!heard.windows(5).any(|heard| heard == b"right"));
    // Another nonce than ours.
    let first = message(b'R', b"\0\0\0\x0br=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
    assert_eq!(scripted(vec![sasl, first], false, plain.clone()).await.0, ODD);
    let unknown = message(b'R', b"\0\0\0\x0aSCRAM-SHA-512\0\0");
    assert_eq!(scripted(vec![unknown], false, plain).await.0, ODD);
}

#[tokio::test]
async fn nonsense_endless_and_broken_answers_tell_nothing() {
    let plain = json!({ "ssl_mode": "disable" });
    for odd in [
        b"220 mail.acme.dev ESMTP\r\n".to_vec(),
        b"R\0\0\0\x03".to_vec(),
        b"R\xff\xff\xff\xff".to_vec(),
        message(b'R', b"\0\0"),
        message(b'R', &7u32.to_be_bytes()),
        message(b'Z', b"I"),
        message(b'E', b""),
        message(b'E', b"C08P01\0\0"),
        message(b'N', &vec![b'x'; 30_000]).repeat(3),
    ] {
        assert_eq!(scripted(vec![odd.clone()], false, plain.clone()).await.0, ODD, "{:?}", &odd[..odd.len().min(20)]);
    }
    assert_eq!(scripted(vec![b"R\0".to_vec()], false, plain.clone()).await.0, ("unknown", "timeout"));
    for torn in [b"R\0".to_vec(), Vec::new()] {
        assert_eq!(scripted(vec![torn], true, plain.clone()).await.0, ("unknown", "unreachable"));
    }
}
