//! The guarded exchange with counterparts that misbehave.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use keyfob::domain::origin::Origin;
use keyfob::domain::time::Timestamp;
use keyfob::egress::exchange::SIZE_LIMIT;
use keyfob::egress::{Answer, Egress, EgressError, Policy, Refused};
use keyfob::ports::Outbound;
use url::Url;

use crate::counterpart::{Counterpart, Reply, answer};
use crate::ports::{Parrots, RealNetwork, SetClock};

fn egress(policy: Policy, clock: SetClock) -> Egress {
    Egress::new((Arc::new(RealNetwork::new()), Arc::new(Parrots)), Arc::new(clock), policy)
}

fn clock() -> SetClock {
    SetClock::at(Timestamp::from_millis(0))
}

fn development() -> Egress {
    egress(Policy { allow_private_network: true }, clock())
}

fn get(url: Url) -> Outbound {
    Outbound { method: Method::GET, url, headers: HeaderMap::new(), body: Bytes::new() }
}

/// Asks the counterpart alone, which is also the only allowed origin.
async fn ask(counterpart: &Counterpart) -> Result<Answer, EgressError> {
    development().exchange(get(counterpart.url("/")), &BTreeSet::from([counterpart.origin()])).await
}

/// The same, with ten seconds that pass in 300 ms.
async fn ask_impatiently(counterpart: &Counterpart) -> Result<Answer, EgressError> {
    let clock = clock().with_patience(Duration::from_millis(300));
    let egress = egress(Policy { allow_private_network: true }, clock);
    egress.exchange(get(counterpart.url("/")), &BTreeSet::from([counterpart.origin()])).await
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn nothing_is_sent_when_the_guard_refuses() {
    let counterpart = Counterpart::start(|_| answer(200, &[], "")).await;
    let own = BTreeSet::from([counterpart.origin()]);
    let other = BTreeSet::from([Origin::try_from("https://hooks.slack.com".to_owned()).unwrap()]);

    let elsewhere = development().exchange(get(counterpart.url("/")), &other).await;
    assert_eq!(elsewhere.err(), Some(EgressError::Refused(Refused::Origin)));
    let in_production = egress(Policy::default(), clock()).exchange(get(counterpart.url("/")), &own).await;
    assert_eq!(in_production.err(), Some(EgressError::Refused(Refused::Scheme)));
    assert!(counterpart.received().is_empty());
}

#[tokio::test]
async fn a_header_that_decides_about_the_connection_is_refused() {
    let counterpart = Counterpart::start(|_| answer(200, &[], "")).await;
    for name in ["host", "content-length", "transfer-encoding", "connection", "upgrade", "accept-encoding", "expect"] {
        let mut request = get(counterpart.url("/"));
        request.headers.insert(HeaderName::from_static(name), HeaderValue::from_static("1"));
        let refused = development().exchange(request, &BTreeSet::from([counterpart.origin()])).await;
        assert_eq!(refused.err(), Some(EgressError::Refused(Refused::Header)), "{name}");
    }
    assert!(counterpart.received().is_empty());
}

#[tokio::test]
async fn a_redirect_is_a_result_and_is_not_followed() {
    let target = Counterpart::start(|_| answer(200, &[], "")).await;
    for status in [301, 302, 303, 307, 308] {
        let location = target.url("/").to_string();
        let counterpart = Counterpart::start(move |_| answer(status, &[("Location", &location)], "")).await;
        assert_eq!(ask(&counterpart).await.unwrap().status.as_u16(), status);
    }
    assert!(target.received().is_empty());
}

#[tokio::test]
async fn a_body_that_drips_slowly_ends_with_the_time_limit() {
    let counterpart = Counterpart::start(|_| Reply::Forever {
        head: b"HTTP/1.1 200 X\r\nContent-Length: 60000\r\n\r\n".to_vec(),
        chunk: b"x".to_vec(),
        pause: Duration::from_millis(20),
    })
    .await;
    assert_eq!(ask_impatiently(&counterpart).await.err(), Some(EgressError::Timeout));
}

#[tokio::test]
async fn headers_that_drip_slowly_are_no_answer_when_the_time_is_over() {
    let counterpart = Counterpart::start(|_| Reply::Forever {
        head: b"HTTP/1.1 200 X\r\nA: ".to_vec(),
        chunk: b"x".to_vec(),
        pause: Duration::from_millis(20),
    })
    .await;
    assert_eq!(ask_impatiently(&counterpart).await.err(), Some(EgressError::Unreachable));
}

#[tokio::test]
async fn a_counterpart_that_says_nothing_is_not_told_from_an_absent_one() {
    let counterpart = Counterpart::start(|_| Reply::Silence).await;
    assert_eq!(ask_impatiently(&counterpart).await.err(), Some(EgressError::Unreachable));
}

#[tokio::test]
async fn an_endless_body_is_left_at_the_size_limit() {
    let counterpart = Counterpart::start(|_| Reply::Forever {
        head: b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(),
        chunk: [b"1000\r\n".as_slice(), &[b'x'; 0x1000], b"\r\n"].concat(),
        pause: Duration::ZERO,
    })
    .await;
    let answer = ask(&counterpart).await.unwrap();
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body(), Err(EgressError::TooLarge));
}

#[tokio::test]
async fn a_compressed_body_counts_as_what_it_becomes() {
    let bomb = gzip(&vec![0; 64 * 1024 * 1024]);
    assert!(bomb.len() < 80_000);
    let counterpart = Counterpart::start(move |_| answer(200, &[("Content-Encoding", "gzip")], &bomb)).await;
    assert_eq!(ask(&counterpart).await.unwrap().body(), Err(EgressError::TooLarge));
}

#[tokio::test]
async fn an_endless_compressed_body_is_left_at_the_size_limit() {
    let packed = gzip(&vec![0; 1024 * 1024]);
    let chunk = [format!("{:x}\r\n", packed.len()).as_bytes(), &packed, b"\r\n"].concat();
    let counterpart = Counterpart::start(move |_| Reply::Forever {
        head: b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n".to_vec(),
        chunk: chunk.clone(),
        pause: Duration::from_millis(1),
    })
    .await;
    assert_eq!(ask(&counterpart).await.unwrap().body(), Err(EgressError::TooLarge));
}

#[tokio::test]
async fn a_compressed_body_arrives_unpacked() {
    let packed = gzip(br#"{"ok":true}"#);
    let counterpart = Counterpart::start(move |_| answer(200, &[("Content-Encoding", "gzip")], &packed)).await;
    assert_eq!(ask(&counterpart).await.unwrap().body(), Ok(br#"{"ok":true}"#.as_slice()));
}

#[tokio::test]
async fn a_body_of_just_the_limit_is_whole_and_one_byte_more_is_nothing() {
    let counterpart = Counterpart::start(|_| answer(200, &[], vec![b'x'; SIZE_LIMIT])).await;
    assert_eq!(ask(&counterpart).await.unwrap().body().map(<[u8]>::len), Ok(SIZE_LIMIT));
    let counterpart = Counterpart::start(|_| answer(200, &[], vec![b'x'; SIZE_LIMIT + 1])).await;
    assert_eq!(ask(&counterpart).await.unwrap().body(), Err(EgressError::TooLarge));
}

#[tokio::test]
async fn a_body_cut_short_is_no_answer() {
    let bytes = b"HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\n{\"ok\":true}".to_vec();
    let counterpart = Counterpart::start(move |_| Reply::Bytes(bytes.clone())).await;
    assert_eq!(ask(&counterpart).await.err(), Some(EgressError::Unreachable));

    let packed = gzip(&[b'x'; 1000]);
    let torn = packed[..packed.len() / 2].to_vec();
    let counterpart = Counterpart::start(move |_| answer(200, &[("Content-Encoding", "gzip")], &torn)).await;
    assert_eq!(ask(&counterpart).await.err(), Some(EgressError::Unreachable));
}

#[tokio::test]
async fn a_reset_a_closed_port_and_nonsense_look_the_same() {
    let reset = Counterpart::start(|_| Reply::Reset).await;
    assert_eq!(ask(&reset).await.err(), Some(EgressError::Unreachable));
    let nonsense = Counterpart::start(|_| Reply::Bytes(b"220 mail.example.org ESMTP\r\n".to_vec())).await;
    assert_eq!(ask(&nonsense).await.err(), Some(EgressError::Unreachable));

    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let closed = Url::parse(&format!("http://{free}/")).unwrap();
    let allowed = BTreeSet::from([Origin::of(&closed).unwrap()]);
    assert_eq!(development().exchange(get(closed), &allowed).await.err(), Some(EgressError::Unreachable));
}
