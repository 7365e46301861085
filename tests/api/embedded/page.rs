//! `GET /embed/`: which pages may frame the picker.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::database::Fault::Before;
use crate::support::{Answer, Keyfob, PICKER, ROOT};

const PAGE: &str = "https://app.example.com";

async fn with_origin() -> Keyfob {
    let keyfob = Keyfob::start().await;
    keyfob.post("/v1/embedded/origins", &json!({ "origin": PAGE })).await.expect(201);
    keyfob
}

/// Opens the page as a browser does that has no key.
async fn open(keyfob: &Keyfob, query: &str) -> Answer {
    keyfob.send(http::Request::get(format!("/embed/{query}")).body(axum::body::Body::empty()).unwrap()).await
}

/// Who may frame it, as its policy says.
fn framed_by(answer: &Answer) -> String {
    let policy = answer.header("content-security-policy");
    policy.rsplit_once("frame-ancestors ").unwrap().1.to_owned()
}

#[tokio::test]
async fn no_page_frames_it_unless_its_origin_is_registered_and_named() {
    let keyfob = with_origin().await;
    for query in [
        "",
        "?origin=",
        "?origin=https://evil.example",
        "?origin=https://app.example.com.evil.example",
        "?origin=https://sub.app.example.com",
        "?origin=https://app.example.com/",
        "?origin=https://app.example.com:443",
        "?origin=HTTPS://APP.EXAMPLE.COM",
        "?origin=http://app.example.com",
        "?origin=*",
        "?origin='self'",
        "?origin=https:",
        "?origin=https://app.example.com%20https://evil.example",
        "?origin=https://app.example.com;script-src%20*",
        "?origin=https://app.example.com%0d%0aX-Evil:%201",
        "?origin=https://app.example.com&origin=https://evil.example",
        "?origin=%ff",
    ] {
        let answer = open(&keyfob, query).await.expect(200);
        assert_eq!((framed_by(&answer).as_str(), answer.text.as_str()), ("'none'", PICKER), "{query}");
        assert!(answer.headers.get("x-evil").is_none());
    }
}

#[tokio::test]
async fn the_page_that_is_named_and_registered_frames_it_and_no_other_is_told() {
    let keyfob = with_origin().await;
    keyfob.post("/v1/embedded/origins", &json!({ "origin": "https://other.example.com" })).await.expect(201);
    keyfob.post("/v1/embedded/origins", &json!({ "origin": "http://localhost:5173" })).await.expect(201);
    for origin in [PAGE, "https://other.example.com", "http://localhost:5173"] {
        let answer = open(&keyfob, &format!("?utm_source=mail&origin={origin}")).await.expect(200);
        assert_eq!(framed_by(&answer), origin);
        assert_eq!(answer.text, PICKER);
    }
}

#[tokio::test]
async fn an_origin_that_is_removed_frames_nothing_at_the_next_request() {
    let keyfob = with_origin().await;
    let query = format!("?origin={PAGE}");
    let answer = open(&keyfob, &query).await;
    assert_eq!((framed_by(&answer).as_str(), answer.header("cache-control")), (PAGE, "no-store"));
    let origins = keyfob.get("/v1/embedded/origins").await.json();
    let path = format!("/v1/embedded/origins/{}", origins["data"][0]["id"].as_str().unwrap());
    keyfob.request("DELETE", &path, ROOT, &[], &Value::Null).await.expect(204);
    assert_eq!(framed_by(&open(&keyfob, &query).await), "'none'");
}

#[tokio::test]
async fn its_policy_lets_it_run_and_ask_what_is_its_own_and_nothing_else() {
    let keyfob = with_origin().await;
    for query in ["", "?origin=https://app.example.com"] {
        let answer = open(&keyfob, query).await.expect(200);
        let policy = answer.header("content-security-policy");
        let sources: BTreeSet<&str> = policy.split(';').flat_map(|part| part.split_whitespace().skip(1)).collect();
        assert!(sources.is_subset(&BTreeSet::from(["'none'", "'self'", PAGE])), "{policy}");
        assert!(policy.starts_with("default-src 'none'; "), "{policy}");
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin-allow-popups");
        // It would be heeded beside the policy, and knows no second origin.
        assert!(answer.headers.get("x-frame-options").is_none());
    }
}

#[tokio::test]
async fn whether_an_origin_is_registered_is_asked_once_and_a_storage_that_fails_shows_no_page() {
    let keyfob = with_origin().await;
    open(&keyfob, "").await.expect(200);
    assert_eq!(keyfob.log.last()["database_calls"], 0);
    open(&keyfob, "?origin=https://app.example.com").await.expect(200);
    assert_eq!(keyfob.log.last()["database_calls"], 1);
    assert!(!keyfob.log.all().last().unwrap().contains("app.example.com"));
    keyfob.database.fail_next(&[Before]);
    let answer = open(&keyfob, "?origin=https://app.example.com").await;
    assert_eq!(answer.problem(), (503, "storage_unavailable".to_owned()));
}
