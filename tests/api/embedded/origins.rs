//! Registered origins: which pages may embed.

use serde_json::{Value, json};

use crate::support::{Answer, Keyfob, ROOT};

const PATH: &str = "/v1/embedded/origins";

async fn register(keyfob: &Keyfob, origin: &str) -> Answer {
    keyfob.post(PATH, &json!({ "origin": origin })).await
}

#[tokio::test]
async fn what_is_no_safe_origin_is_refused() {
    let keyfob = Keyfob::start().await;
    for origin in [
        "",
        "*",
        "null",
        "app.example.com",
        "https://",
        "https://münchen.example",
        "https://*",
        "https://*.example.com",
        "https://app.example.com;script-src",
        "https://app.example.com,https:",
        "https://'self'",
        "https://app.example.com/path",
        "https://app.example.com?query",
        "https://app.example.com#fragment",
        "https://user@app.example.com",
        "https://app.example.com https://evil.example",
        "http://app.example.com",
        "http://localhost.example.com",
        "ftp://app.example.com",
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///",
    ] {
        let answer = register(&keyfob, origin).await;
        assert_eq!(answer.problem(), (422, "invalid_body".to_owned()), "{origin}");
        assert_eq!(answer.errors(), [("/origin".to_owned(), "invalid".to_owned())], "{origin}");
    }
    assert_eq!(keyfob.get(PATH).await.expect(200).json(), json!({ "data": [], "next_cursor": null }));
}

#[tokio::test]
async fn an_origin_is_kept_in_the_one_spelling_that_browsers_send() {
    let keyfob = Keyfob::start().await;
    for (sent, kept) in [
        ("https://app.example.com", "https://app.example.com"),
        ("HTTPS://Shop.Example.COM:443/", "https://shop.example.com"),
        ("https://app.example.com:8443", "https://app.example.com:8443"),
        ("https://xn--mnchen-3ya.example", "https://xn--mnchen-3ya.example"),
        ("http://localhost:5173", "http://localhost:5173"),
        ("http://127.0.0.1", "http://127.0.0.1"),
    ] {
        assert_eq!(register(&keyfob, sent).await.expect(201).json()["origin"], kept);
        assert_eq!(register(&keyfob, sent).await.problem(), (409, "origin_taken".to_owned()), "{sent}");
        assert_eq!(register(&keyfob, kept).await.problem(), (409, "origin_taken".to_owned()), "{sent}");
    }
}

#[tokio::test]
async fn origins_are_listed_whole_and_removed_by_id() {
    let keyfob = Keyfob::start().await;
    let second = register(&keyfob, "https://b.example.com").await.expect(201);
    let first = register(&keyfob, "https://a.example.com").await.expect(201).json();
    let root = json!({ "id": "key_root", "name": "Root key", "claimed": null });
    let expected = json!({
        "id": second.json()["id"], "origin": "https://b.example.com", "created_at": "2026-11-20T10:00:00.000Z",
        "created_by": root,
    });
    assert_eq!(second.json(), expected);
    let path = format!("{PATH}/{}", expected["id"].as_str().unwrap());
    assert_eq!(second.header("location"), path);
    assert_eq!(keyfob.get(PATH).await.expect(200).json()["data"], json!([first, expected]));
    keyfob.request("DELETE", &path, ROOT, &[], &Value::Null).await.expect(204);
    assert_eq!(keyfob.get(PATH).await.expect(200).json()["data"], json!([first]));
    keyfob.request("DELETE", &path, ROOT, &[], &Value::Null).await.expect(404);
    register(&keyfob, "https://b.example.com").await.expect(201);
}

#[tokio::test]
async fn there_are_a_hundred_origins_at_most() {
    let keyfob = Keyfob::start().await;
    for number in 0..100 {
        register(&keyfob, &format!("https://app{number}.example.com")).await.expect(201);
    }
    assert_eq!(register(&keyfob, "https://one-more.example.com").await.problem(), (422, "invalid_body".to_owned()));
    assert_eq!(keyfob.get(PATH).await.expect(200).json()["data"].as_array().unwrap().len(), 100);
}

#[tokio::test]
async fn a_repeated_registration_answers_what_the_first_one_did() {
    let keyfob = Keyfob::start().await;
    let (once, body) = ([("idempotency-key", "once")], json!({ "origin": "https://app.example.com" }));
    let first = keyfob.request("POST", PATH, ROOT, &once, &body).await.expect(201);
    let second = keyfob.request("POST", PATH, ROOT, &once, &body).await.expect(201);
    assert_eq!((second.text.as_str(), second.header("idempotency-replayed")), (first.text.as_str(), "true"));
}
