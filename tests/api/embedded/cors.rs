//! Cross-origin requests: pages of registered origins read the embedded API, and no page reads anything else.

use std::sync::atomic::Ordering;

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

use super::stored::Stored;
use super::{customer, read};
use crate::support::routes::routes;
use crate::support::{Answer, Keyfob, ROOT};

const PAGE: &str = "https://app.example.com";
const PATHS: [&str; 4] =
    ["/v1/embedded/connections", "/v1/embedded/providers", "/v1/embedded/providers/http", "/v1/embedded/session"];
const EXCHANGE: &str = super::exchange::PATH;
/// Origins that look like the registered one.
const OTHERS: [&str; 11] = [
    "https://evil.example",
    "https://app.example.com.evil.example",
    "https://evilapp.example.com",
    "https://sub.app.example.com",
    "https://app.example.com:443",
    "https://app.example.com:8443",
    "https://app.example.com/",
    "HTTPS://APP.EXAMPLE.COM",
    "http://app.example.com",
    "null",
    "*",
];

async fn with_origin() -> Keyfob {
    let keyfob = Keyfob::start().await;
    keyfob.post("/v1/embedded/origins", &json!({ "origin": PAGE })).await.expect(201);
    keyfob
}

async fn preflight(keyfob: &Keyfob, path: &str, origin: &str) -> Answer {
    let request = Request::builder()
        .method("OPTIONS")
        .uri(path)
        .header("origin", origin)
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "authorization");
    keyfob.send(request.body(Body::empty()).unwrap()).await
}

/// The names of the headers that let a page read.
fn allowing(answer: &Answer) -> Vec<String> {
    let names = answer.headers.keys().map(ToString::to_string);
    names.filter(|name| name.starts_with("access-control-")).collect()
}

fn varies_by_origin(answer: &Answer) -> bool {
    answer.headers.get_all("vary").iter().any(|value| value.to_str().unwrap().contains("Origin"))
}

#[tokio::test]
async fn a_preflight_of_a_registered_origin_is_answered_before_any_authentication() {
    let keyfob = with_origin().await;
    for path in PATHS.into_iter().chain([EXCHANGE]) {
        let answer = preflight(&keyfob, path, PAGE).await.expect(204);
        assert_eq!(answer.header("access-control-allow-origin"), PAGE);
        assert_eq!(answer.header("access-control-allow-methods"), "GET, POST, PATCH, DELETE, OPTIONS");
        let headers = answer.header("access-control-allow-headers");
        assert_eq!(headers, "Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key");
        assert!(answer.headers.get("access-control-allow-credentials").is_none());
        assert!(varies_by_origin(&answer));
        assert_eq!(answer.text, "");
    }
}

#[tokio::test]
async fn another_origin_gets_no_cors_header_however_alike_it_looks() {
    let keyfob = with_origin().await;
    let token = customer(&keyfob, "c1").await;
    for (path, origin) in PATHS.into_iter().flat_map(|path| OTHERS.map(|origin| (path, origin))) {
        let answers = [
            preflight(&keyfob, path, origin).await.expect(204),
            read(&keyfob, path, &token, &[("origin", origin)]).await.expect(200),
            read(&keyfob, path, "kf_secret", &[("origin", origin)]).await.expect(401),
        ];
        for answer in answers {
            assert_eq!(allowing(&answer), [""; 0], "{origin}");
            assert!(varies_by_origin(&answer), "a cache must not hand it to another page");
        }
    }
}

#[tokio::test]
async fn a_page_of_a_registered_origin_reads_every_answer_errors_included() {
    let keyfob = with_origin().await;
    Stored::exposed(1, "Exposed").insert(&keyfob);
    let token = customer(&keyfob, "c1").await;
    let path = PATHS[0];
    let etag = read(&keyfob, path, &token, &[]).await.expect(200).header("etag").to_owned();
    let origin = ("origin", PAGE);
    let mut answers = vec![
        read(&keyfob, path, &token, &[origin]).await.expect(200),
        read(&keyfob, PATHS[1], &token, &[origin]).await.expect(200),
        read(&keyfob, path, &token, &[origin, ("if-none-match", &etag)]).await.expect(304),
        read(&keyfob, &format!("{path}?limit=0"), &token, &[origin]).await.expect(400),
        read(&keyfob, path, "kf_secret", &[origin]).await.expect(401),
        read(&keyfob, path, &ROOT.replacen("kf_", "ks_", 1), &[origin]).await.expect(401),
        read(&keyfob, path, ROOT, &[origin]).await.expect(403),
    ];
    keyfob.throttle.0.store(true, Ordering::SeqCst);
    answers.push(read(&keyfob, path, "kf_secret", &[origin]).await.expect(429));
    for answer in answers {
        assert_eq!(answer.header("access-control-allow-origin"), PAGE, "{}", answer.status);
        let exposed = answer.header("access-control-expose-headers");
        assert!(exposed.contains("ETag") && exposed.contains("Retry-After"), "{exposed}");
        assert_eq!(allowing(&answer).len(), 2);
        assert!(varies_by_origin(&answer));
    }
}

#[tokio::test]
async fn a_request_that_names_no_origin_gets_no_cors_header() {
    let keyfob = with_origin().await;
    let token = customer(&keyfob, "c1").await;
    for path in PATHS {
        let answer = read(&keyfob, path, &token, &[]).await.expect(200);
        assert_eq!(allowing(&answer), [""; 0]);
        assert!(varies_by_origin(&answer));
    }
}

#[tokio::test]
async fn a_removed_origin_is_refused_at_the_next_request() {
    let keyfob = with_origin().await;
    let token = customer(&keyfob, "c1").await;
    let origins = keyfob.get("/v1/embedded/origins").await.expect(200).json();
    let path = format!("/v1/embedded/origins/{}", origins["data"][0]["id"].as_str().unwrap());
    keyfob.request("DELETE", &path, ROOT, &[], &Value::Null).await.expect(204);
    assert_eq!(allowing(&preflight(&keyfob, PATHS[0], PAGE).await), [""; 0]);
    assert_eq!(allowing(&read(&keyfob, PATHS[0], &token, &[("origin", PAGE)]).await), [""; 0]);
}

#[tokio::test]
async fn the_api_for_servers_answers_no_cors_not_even_to_a_registered_origin() {
    let keyfob = with_origin().await;
    let of_pages = |path: &str| {
        let is_list = PATHS.contains(&path.replace("{provider}", "http").as_str());
        is_list || path == EXCHANGE || path == "/v1/embedded/tests" || path.starts_with("/v1/embedded/connections/")
    };
    for (method, path) in routes().into_iter().filter(|(_, path)| !of_pages(path)) {
        let path = path.replace("{provider}", "slack").replace("{number}", "1").replace("{id}", "con_x");
        for key in [ROOT, "kf_secret"] {
            let answer = keyfob.request(&method, &path, key, &[("origin", PAGE)], &Value::Null).await;
            assert_eq!(allowing(&answer), [""; 0], "{method} {path}");
        }
        if method == "GET" {
            let answer = preflight(&keyfob, &path, PAGE).await;
            assert_eq!((answer.status.as_u16(), allowing(&answer).len()), (405, 0), "{path}");
        }
    }
}
