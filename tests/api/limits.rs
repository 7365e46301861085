//! Rate limits at exactly the numbers that are documented: as many as allowed, one more refused with a time to wait, the
//! next window forgets, and no crowd gets past. The limiter of failed authentications is the platform's: its numbers are
//! tested end to end.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Answer, Keyfob, ROOT, bearer, path_of};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// One request that counts.
#[derive(Clone)]
struct Request {
    path: String,
    key: String,
    body: Value,
}

impl Request {
    fn new(path: impl Into<String>, body: Value) -> Self {
        Self { path: path.into(), key: ROOT.to_owned(), body }
    }

    fn by(self, key: &str) -> Self {
        Self { key: key.to_owned(), ..self }
    }

    async fn send(&self, keyfob: &Keyfob) -> Answer {
        keyfob.request("POST", &self.path, &self.key, &[], &self.body).await
    }
}

#[track_caller]
fn allowed(answer: &Answer) {
    assert!(answer.status.is_success(), "{}", answer.text);
}

#[track_caller]
fn refused(answer: &Answer, seconds: u64) {
    assert_eq!(answer.problem(), (429, "rate_limited".to_owned()));
    assert_eq!(answer.header("retry-after"), seconds.to_string());
}

async fn connection(keyfob: &Keyfob, name: &str) -> String {
    path_of(&keyfob.post("/v1/connections?test=false", &bearer(name)).await.expect(201).json())
}

fn reveal(path: &str) -> Request {
    Request::new(format!("{path}/reveal"), json!({ "fields": ["token"], "reason": "why" }))
}

fn test(path: &str) -> Request {
    Request::new(format!("{path}/tests"), json!({}))
}

fn draft() -> Request {
    let mut draft = bearer("Draft");
    draft.as_object_mut().unwrap().remove("name");
    Request::new("/v1/tests", draft)
}

/// Sends as many requests as a window allows, one more early in it and one late, and one in the next; the window has just
/// begun.
async fn exactly(keyfob: &Keyfob, limit: usize, window: Duration, request: &Request) {
    for _ in 0..limit {
        allowed(&request.send(keyfob).await);
    }
    refused(&request.send(keyfob).await, window.as_secs() + 1);
    keyfob.advance(window.saturating_sub(Duration::from_millis(1)));
    refused(&request.send(keyfob).await, 1);
    keyfob.advance(Duration::from_millis(1));
    allowed(&request.send(keyfob).await);
}

/// Sends 32 requests at once, and counts those that are allowed.
async fn crowd(keyfob: &Keyfob, requests: &[Request]) -> usize {
    let sent = requests.iter().cycle().take(32).map(|request| request.send(keyfob));
    let answers = join_all(sent).await;
    let (allowed, others): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status.is_success());
    for answer in others {
        assert_eq!(answer.problem(), (429, "rate_limited".to_owned()));
    }
    allowed.len()
}

#[tokio::test]
async fn sixty_reveals_an_hour_and_key() {
    let keyfob = Keyfob::working().await;
    let path = connection(&keyfob, "Acme").await;
    exactly(&keyfob, 60, HOUR, &reveal(&path)).await;
    let other = keyfob.key(&["credentials:reveal"], &["development"]).await;
    for _ in 0..40 {
        allowed(&reveal(&path).by(&other).send(&keyfob).await);
    }
    assert_eq!(crowd(&keyfob, &[reveal(&path).by(&other)]).await, 20);
    let audited = "select count(*) from audit_events where action = 'connection.secrets_revealed'";
    assert_eq!(keyfob.database.value::<i64>(audited), 61 + 60);
}

#[tokio::test]
async fn six_tests_a_minute_and_connection() {
    let keyfob = Keyfob::working().await;
    let path = connection(&keyfob, "Acme").await;
    exactly(&keyfob, 6, MINUTE, &test(&path)).await;
    let other = connection(&keyfob, "Other").await;
    let sent = keyfob.counterpart.received().len();
    assert_eq!(crowd(&keyfob, &[test(&other)]).await, 6);
    let asked_by_one = keyfob.counterpart.received().len() - sent;
    assert_eq!(asked_by_one % 6, 0, "what is refused calls nobody");
}

#[tokio::test]
async fn six_drafts_a_minute_and_caller() {
    let keyfob = Keyfob::working().await;
    exactly(&keyfob, 6, MINUTE, &draft()).await;
    let other = keyfob.key(&["connections:test"], &["development"]).await;
    assert_eq!(crowd(&keyfob, &[draft().by(&other)]).await, 6);
}

#[tokio::test]
async fn sixty_tests_a_minute_and_destination_host_whoever_asks() {
    let keyfob = Keyfob::working().await;
    let mut tests = Vec::new();
    for number in 0..14 {
        tests.push(test(&connection(&keyfob, &format!("Acme {number}")).await));
    }
    let (ten, rest) = tests.split_at(10);
    for request in ten.iter().flat_map(|request| std::iter::repeat_n(request, 6)) {
        allowed(&request.send(&keyfob).await);
    }
    refused(&rest[0].send(&keyfob).await, 61);
    // Another port is no other host, nor is another spelling of the usual one.
    for url in ["https://api.acme.dev:8443", "https://API.acme.dev:443/v2"] {
        let mut same = draft();
        same.body["settings"]["base_url"] = url.into();
        refused(&same.send(&keyfob).await, 61);
    }
    let mut elsewhere = draft();
    elsewhere.body["settings"]["base_url"] = "https://api.other.dev".into();
    allowed(&elsewhere.send(&keyfob).await);
    keyfob.advance(MINUTE);
    for request in ten.iter().flat_map(|request| std::iter::repeat_n(request, 5)) {
        allowed(&request.send(&keyfob).await);
    }
    assert_eq!(crowd(&keyfob, &tests).await, 10);
}
