//! What MySQL 8 servers really sent, played back byte for byte. Recorded by others and published with their notes (read
//! 2026-11-27): the greeting of an 8.0.20 in a walk through the handshake packet, greeting and refusal of an 8.0.31 in the
//! notes on tracing `sendto` with bpftrace. It shares no code with the probe, and computes the proof with `ring`.

use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{IMPATIENT, Lines, REJECTED, VALID, test, words};

const GREETING_8_0_20: &[u8] =
    b"J\x00\x00\x00\n8.0.20\x00\x0b\x00\x00\x00\x05?r66p\x029\x00\xff\xff\xff\x02\x00\xff\xc7\x15\x00\x00\x00\
    \x00\x00\x00\x00\x00\x00\x00\x1e\\<PRz\\\x03pNcr\x00caching_sha2_password\x00";
const SCRAMBLE_8_0_20: &[u8; 20] = b"\x05?r66p\x029\x1e\\<PRz\\\x03pNcr";
const GREETING_8_0_31: &[u8] =
    b"J\x00\x00\x00\x0a8.0.31\x00s\x82\x00\x008\x15p@m)2#\x00\xff\xf7\xff\x02\x00\xff\x9f\x15\x00\x00\x00\x00\
    \x00\x00\x00\x00\x00\x00^d\x11\x0eLh!D\x1cd\x01]\x00caching_sha2_password\x00";
const SCRAMBLE_8_0_31: &[u8; 20] = b"8\x15p@m)2#^d\x11\x0eLh!D\x1cd\x01]";
const DENIED_8_0_31: &[u8] =
    b"G\x00\x00\x02\xff\x15\x04#28000Access denied for user 'root'@'localhost' (using password: NO)";
/// The password was in the cache, and was right; and OK, as go-sql-driver/mysql's tests hold them.
const FAST_AND_OK: &[u8] = b"\x02\x00\x00\x02\x01\x03\x07\x00\x00\x03\x00\x00\x00\x02\x00\x00\x00";
const OK_TO_A_PING: &[u8] = b"\x07\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00";

/// Plays a greeting and what follows the answer to it; then what follows a ping.
async fn play(greeting: &'static [u8], then: &'static [u8]) -> (u16, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(greeting).await.unwrap();
        let mut length = [0; 4];
        if stream.read_exact(&mut length).await.is_err() {
            return Vec::new();
        }
        let mut heard = vec![0; usize::from(length[0])];
        stream.read_exact(&mut heard).await.unwrap();
        stream.write_all(then).await.unwrap();
        let mut ping = [0; 5];
        if stream.read_exact(&mut ping).await.is_ok() {
            assert_eq!(&ping, b"\x01\x00\x00\x00\x0e");
            stream.write_all(OK_TO_A_PING).await.unwrap();
        }
        heard
    });
    (port, task)
}

fn values(port: u16, ssl_mode: &str) -> Value {
    json!({ "user": "root", "password": "secret", "database": "app", "port": port, "ssl_mode": ssl_mode })
}

fn proof(scramble: &[u8]) -> Vec<u8> {
    let sha = |bytes: &[u8]| digest(&SHA256, bytes).as_ref().to_vec();
    let once = sha(b"secret");
    let mask = sha(&[&sha(&once)[..], scramble].concat());
    once.iter().zip(mask).map(|(a, b)| a ^ b).collect()
}

#[tokio::test]
async fn a_server_that_was_recorded_without_tls_gets_no_password_where_tls_is_wanted() {
    let (port, task) = play(GREETING_8_0_31, DENIED_8_0_31).await;
    let found = test("mysql", Lines::trusting(b""), port, &values(port, "VERIFY_IDENTITY"), IMPATIENT).await;
    assert_eq!((words(&found), task.await.unwrap()), (("unknown", "tls_failed"), Vec::new()));
}

#[tokio::test]
async fn the_refusal_of_an_8_0_31_is_rejected() {
    let (port, task) = play(GREETING_8_0_31, DENIED_8_0_31).await;
    let found = test("mysql", Lines::trusting(b""), port, &values(port, "DISABLED"), IMPATIENT).await;
    assert_eq!(words(&found), REJECTED);
    let heard = task.await.unwrap();
    assert_eq!(&heard[32..], [b"root\0\x20", &*proof(SCRAMBLE_8_0_31), b"app\0caching_sha2_password\0"].concat());
}

#[tokio::test]
async fn the_greeting_of_an_8_0_20_is_answered_with_the_proof_for_its_challenge() {
    let (port, task) = play(GREETING_8_0_20, FAST_AND_OK).await;
    let found = test("mysql", Lines::trusting(b""), port, &values(port, "DISABLED"), IMPATIENT).await;
    assert_eq!((words(&found), found.facts["server_version"].as_str()), (VALID, "8.0.20"));
    let heard = task.await.unwrap();
    assert_eq!(&heard[32..], [b"root\0\x20", &*proof(SCRAMBLE_8_0_20), b"app\0caching_sha2_password\0"].concat());
}
