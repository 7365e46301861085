//! Bad input: each kind has a stable code and, where a value is wrong, its pointer; none leaves anything behind.

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

use crate::support::{Answer, Keyfob, ROOT, bearer};

/// A Keyfob with one connection, which nothing may change.
struct Settled {
    keyfob: Keyfob,
    /// The path of the connection, which has version 1.
    path: String,
    before: (Value, std::collections::BTreeMap<String, i64>, usize, usize),
}

impl Settled {
    async fn start() -> Self {
        let keyfob = Keyfob::working().await;
        let id = keyfob.create(&bearer("Settled")).await["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/connections/{id}");
        let before = state(&keyfob, &path).await;
        Self { keyfob, path, before }
    }

    async fn expect_untouched(&self) {
        assert_eq!(state(&self.keyfob, &self.path).await, self.before);
    }

    /// Creates with one value changed, and expects this place and code for it.
    async fn expect_refused(&self, cases: &[(&str, Value, &str, &str)]) {
        for (pointer, value, at, code) in cases {
            let answer = self.keyfob.post("/v1/connections", &bearer_but(pointer, value.clone())).await;
            let said = (answer.problem(), answer.errors());
            assert_eq!(said, ((422, "invalid_body".to_owned()), pairs(&[(at, code)])), "{pointer} {value:.80}");
            assert!(!answer.text.contains("planted-secret") && answer.text.len() < 2_000, "{}", answer.text);
        }
        self.expect_untouched().await;
    }
}

/// The connection, the rows of each table, the blobs, and the requests that left.
async fn state(keyfob: &Keyfob, path: &str) -> (Value, std::collections::BTreeMap<String, i64>, usize, usize) {
    let shown = keyfob.get(path).await.expect(200).json();
    let blobs = keyfob.blobs.stored.lock().unwrap().len();
    (shown, keyfob.database.counts(), blobs, keyfob.counterpart.received().len())
}

/// A connection with one value of the body changed; null takes it out.
fn bearer_but(pointer: &str, value: Value) -> Value {
    let mut body = bearer("Acme");
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Value::Null => drop(parent.remove(key)),
        value => drop(parent.insert(key.to_owned(), value)),
    }
    body
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(pointer, code)| ((*pointer).to_owned(), (*code).to_owned())).collect()
}

#[tokio::test]
async fn a_wrong_word_of_a_new_connection_is_named_with_its_pointer() {
    let settled = Settled::start().await;
    let long = "x".repeat(10_000);
    let cases = [
        ("/environment", json!(null), "/environment", "missing"),
        ("/environment", json!("prod"), "/environment", "invalid"),
        ("/environment", json!(1), "/environment", "invalid"),
        ("/provider", json!(null), "/provider", "missing"),
        ("/provider", json!("slak"), "/provider", "unknown"),
        ("/provider", json!("http\0"), "/provider", "unknown"),
        ("/connection_type", json!(null), "/connection_type", "missing"),
        ("/connection_type", json!("incoming_webhook"), "/connection_type", "unknown"),
        ("/name", json!(null), "/name", "missing"),
        ("/name", json!(""), "/name", "invalid"),
        ("/name", json!("  "), "/name", "invalid"),
        ("/name", json!(long), "/name", "invalid"),
        ("/name", json!("a\0b"), "/name", "invalid"),
        ("/name", json!("a\nb"), "/name", "invalid"),
        ("/name", json!(["a"]), "/name", "invalid"),
        ("/description", json!(long), "/description", "invalid"),
        ("/description", json!("a\0b"), "/description", "invalid"),
        ("/stable_key", json!("Not A Key"), "/stable_key", "invalid"),
        ("/stable_key", json!(""), "/stable_key", "invalid"),
        ("/tags", json!("a"), "/tags", "invalid"),
        ("/tags", json!(["a", "b\0"]), "/tags/1", "invalid"),
        ("/tags", json!(["a", long]), "/tags/1", "invalid"),
        ("/tags", json!((0..21).map(|tag| tag.to_string()).collect::<Vec<_>>()), "/tags", "invalid"),
        ("/enabled", json!("true"), "/enabled", "invalid"),
        ("/embedded", json!(1), "/embedded", "invalid"),
        ("/expires_at", json!("tomorrow"), "/expires_at", "invalid"),
        ("/expires_at", json!(1_795_168_800), "/expires_at", "invalid"),
        ("/note", json!("a\0b"), "/note", "invalid"),
        ("/colour", json!("red"), "/colour", "unknown_field"),
        ("/version", json!(1), "/version", "unknown_field"),
    ];
    settled.expect_refused(&cases).await;
}

#[tokio::test]
async fn a_wrong_value_of_a_new_connection_is_named_with_its_pointer() {
    let settled = Settled::start().await;
    let long = "x".repeat(10_000);
    let cases = [
        ("/settings", json!([]), "/settings", "invalid"),
        ("/settings/base_url", json!(null), "/settings/base_url", "missing"),
        ("/settings/base_url", json!(""), "/settings/base_url", "missing"),
        ("/settings/base_url", json!(7), "/settings/base_url", "wrong_type"),
        ("/settings/base_url", json!({}), "/settings/base_url", "wrong_type"),
        ("/settings/base_url", json!("api.acme.dev"), "/settings/base_url", "invalid_url"),
        ("/settings/base_url", json!("http://api.acme.dev"), "/settings/base_url", "insecure_url"),
        ("/settings/base_url", json!("https://10.0.0.1"), "/settings/base_url", "destination"),
        ("/settings/base_url", json!("https://localhost"), "/settings/base_url", "destination"),
        ("/settings/base_url", json!("https://api.acme.dev\0"), "/settings/base_url", "control_character"),
        ("/settings/base_url", json!(long), "/settings/base_url", "too_long"),
        ("/settings/test_path", json!("/../x"), "/settings/test_path", "invalid_path"),
        ("/settings/test_method", json!("POST"), "/settings/test_method", "enum"),
        ("/settings/test_expect", json!("500"), "/settings/test_expect", "pattern"),
        ("/settings/tokn", json!("x"), "/settings/tokn", "unknown_field"),
        ("/settings/a~1b", json!("x"), "/settings/a~01b", "unknown_field"),
        ("/settings/token", json!("planted-secret-1"), "/settings/token", "is_secret"),
        ("/secrets", json!("x"), "/secrets", "invalid"),
        ("/secrets/token", json!(null), "/secrets/token", "missing"),
        ("/secrets/token", json!(" "), "/secrets/token", "missing"),
        ("/secrets/token", json!(7), "/secrets/token", "invalid"),
        ("/secrets/token", json!("two words"), "/secrets/token", "pattern"),
        ("/secrets/token", json!("Bearer x1y2z3"), "/secrets/token", "refused"),
        ("/secrets/token", json!("a\0b"), "/secrets/token", "control_character"),
        ("/secrets/token", json!("********"), "/secrets/token", "placeholder"),
        ("/secrets/token", json!("<your token>"), "/secrets/token", "placeholder"),
        ("/secrets/token", json!(long), "/secrets/token", "too_long"),
        ("/secrets/tokn", json!("x"), "/secrets/tokn", "unknown_field"),
        ("/secrets/test_path", json!("/me"), "/secrets/test_path", "not_secret"),
    ];
    settled.expect_refused(&cases).await;
}

#[tokio::test]
async fn every_wrong_value_is_named_at_once() {
    let settled = Settled::start().await;
    let mut body = bearer_but("/settings", json!({ "test_method": "PUT", "x": 1 }));
    body["secrets"] = json!({ "token": "••••" });
    let answer = settled.keyfob.post("/v1/connections", &body).await;
    let errors = [
        ("/secrets/token", "placeholder"),
        ("/settings/base_url", "missing"),
        ("/settings/test_method", "enum"),
        ("/settings/x", "unknown_field"),
    ];
    assert_eq!((answer.problem(), answer.errors()), ((422, "invalid_body".to_owned()), pairs(&errors)));
    settled.expect_untouched().await;
}

#[tokio::test]
async fn a_wrong_value_of_a_change_is_named_with_its_pointer() {
    let settled = Settled::start().await;
    for (body, at, code) in [
        (json!({ "provider": "slack" }), "/provider", "unknown_field"),
        (json!({ "environment": "staging" }), "/environment", "unknown_field"),
        (json!({ "name": "\0" }), "/name", "invalid"),
        (json!({ "name": "x".repeat(10_000) }), "/name", "invalid"),
        (json!({ "tags": [""] }), "/tags/0", "invalid"),
        (json!({ "stable_key": "É" }), "/stable_key", "invalid"),
        (json!({ "expires_at": "never" }), "/expires_at", "invalid"),
        (json!({ "settings": { "base_url": null } }), "/settings/base_url", "missing"),
        (json!({ "settings": { "nope": "x" } }), "/settings/nope", "unknown_field"),
        (json!({ "secrets": { "token": null } }), "/secrets/token", "missing"),
        (json!({ "secrets": { "token": "••••••••et-1" } }), "/secrets/token", "placeholder"),
        (json!({ "secrets": { "token": ["x"] } }), "/secrets/token", "invalid"),
    ] {
        let answer = settled.keyfob.patch(&settled.path, 1, &body).await;
        let said = (answer.problem(), answer.errors());
        assert_eq!(said, ((422, "invalid_body".to_owned()), pairs(&[(at, code)])), "{body:.80}");
    }
    settled.expect_untouched().await;
}

/// Sends a body as it is.
async fn raw(keyfob: &Keyfob, content_type: Option<&str>, body: impl Into<Body>) -> Answer {
    let mut request =
        Request::builder().method("POST").uri("/v1/connections").header("authorization", format!("Bearer {ROOT}"));
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    keyfob.send(request.body(body.into()).unwrap()).await
}

#[tokio::test]
async fn what_is_not_json_is_refused() {
    let settled = Settled::start().await;
    let whole = bearer("Acme").to_string();
    let doubled = whole.replacen('{', "{\"name\":\"Twice\",", 1);
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    for (body, status, code) in [
        ("", 400, "invalid_json"),
        ("{", 400, "invalid_json"),
        ("name=Acme", 400, "invalid_json"),
        (&whole[..whole.len() - 1], 400, "invalid_json"),
        (&format!("{whole}{whole}"), 400, "invalid_json"),
        (&format!("\u{feff}{whole}"), 400, "invalid_json"),
        (&format!("{{\"settings\":{{\"x\":{deep}}}}}"), 400, "invalid_json"),
        ("[]", 422, "invalid_body"),
        ("null", 422, "invalid_body"),
        ("\"text\"", 422, "invalid_body"),
        (&doubled, 422, "invalid_body"),
    ] {
        let answer = raw(&settled.keyfob, Some("application/json"), body.to_owned()).await;
        assert_eq!(answer.problem(), (status, code.to_owned()), "{body:.60}");
    }
    let no_utf8 = raw(&settled.keyfob, Some("application/json"), b"{\"name\":\"\xff\"}".to_vec()).await;
    assert_eq!(no_utf8.problem(), (400, "invalid_json".to_owned()));
    settled.expect_untouched().await;
}

#[tokio::test]
async fn a_wrong_content_type_is_refused() {
    let settled = Settled::start().await;
    let body = bearer("Acme").to_string();
    for content_type in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("application/jsonp")]
    {
        let answer = raw(&settled.keyfob, content_type, body.clone()).await;
        assert_eq!(answer.problem(), (415, "unsupported_media_type".to_owned()), "{content_type:?}");
    }
    settled.expect_untouched().await;
    raw(&settled.keyfob, Some("Application/JSON; charset=utf-8"), body).await.expect(201);
}

#[tokio::test]
async fn a_body_over_1_mib_is_refused() {
    let settled = Settled::start().await;
    let body = bearer("Acme").to_string();
    let padded = |length: usize| format!("{body}{}", " ".repeat(length - body.len()));
    let answer = raw(&settled.keyfob, Some("application/json"), padded((1 << 20) + 1)).await;
    assert_eq!(answer.problem(), (413, "body_too_large".to_owned()));
    settled.expect_untouched().await;
    raw(&settled.keyfob, Some("application/json"), padded(1 << 20)).await.expect(201);
}

#[tokio::test]
async fn a_stale_or_missing_etag_is_refused() {
    let settled = Settled::start().await;
    let Settled { keyfob, path, .. } = &settled;
    let body = json!({ "name": "Other" });
    let restore = format!("{path}/revisions/1/restore");
    for (method, path, body) in [("PATCH", path, &body), ("DELETE", path, &Value::Null), ("POST", &restore, &json!({}))]
    {
        let missing = keyfob.request(method, path, ROOT, &[], body).await;
        assert_eq!(missing.problem(), (428, "if_match_required".to_owned()), "{method}");
        for tag in ["\"0\"", "\"2\"", "1", "W/\"2\"", "\"x\"", ""] {
            let stale = keyfob.request(method, path, ROOT, &[("if-match", tag)], body).await;
            assert_eq!(stale.problem(), (412, "version_mismatch".to_owned()), "{method} {tag}");
        }
    }
    settled.expect_untouched().await;
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let settled = Settled::start().await;
    let other = format!("{}0", &settled.path[..settled.path.len() - 1]);
    let upper = settled.path.replace("con_", "CON_");
    for path in [
        "/v1/connections/x",
        "/v1/connections/%00",
        "/v1/connections/con_",
        "/v1/connections/key_01234567890123456789012345",
        &other,
        &upper,
        &format!("{other}/tests"),
        &format!("{other}/events"),
        &format!("{other}/revisions"),
        &format!("{}/revisions/2", settled.path),
        &format!("{}/revisions/0", settled.path),
        &format!("{}/revisions/x", settled.path),
        &format!("{}/revisions/99999999999999999999", settled.path),
        "/v2/connections",
        "/",
    ] {
        let answer = settled.keyfob.get(path).await;
        assert_eq!(answer.problem(), (404, "not_found".to_owned()), "{path}");
    }
    let answer = settled.keyfob.request("PUT", &settled.path, ROOT, &[], &Value::Null).await;
    assert_eq!(answer.problem(), (405, "method_not_allowed".to_owned()));
    settled.expect_untouched().await;
}

#[tokio::test]
async fn an_unknown_cursor_is_refused() {
    let settled = Settled::start().await;
    for list in ["/v1/connections?environment=development&", &format!("{}/tests?", settled.path)] {
        for cursor in ["x", "e30", "W10", "WzFd", "bnVsbA", "%00", "%F0%9F%92%B3", &"A".repeat(5_000)] {
            let answer = settled.keyfob.get(&format!("{list}cursor={cursor}")).await;
            assert_eq!(answer.problem(), (400, "invalid_cursor".to_owned()), "{list}cursor={cursor:.60}");
        }
    }
}

#[tokio::test]
async fn a_wrong_query_parameter_is_named() {
    let settled = Settled::start().await;
    for (query, at, code) in [
        ("", "/environment", "missing"),
        ("environment=prod", "/environment", "invalid"),
        ("environment=", "/environment", "invalid"),
        ("environment=development&environment=staging", "/environment", "invalid"),
        ("environment=development&colour=red", "/colour", "unknown_field"),
        ("environment=development&Provider=http", "/Provider", "unknown_field"),
        ("environment=development&status=connected", "/status", "invalid"),
        ("environment=development&verdict=good", "/verdict", "invalid"),
        ("environment=development&reason=because", "/reason", "invalid"),
        ("environment=development&enabled=1", "/enabled", "invalid"),
        ("environment=development&kind=user", "/kind", "invalid"),
        ("environment=development&customer=%00", "/customer", "invalid"),
        ("environment=development&template=x", "/template", "invalid"),
        ("environment=development&stable_key=A", "/stable_key", "invalid"),
        ("environment=development&tag=a%00", "/tag/0", "invalid"),
        ("environment=development&tag=a&tag=", "/tag/1", "invalid"),
        ("environment=development&expires_before=2027", "/expires_before", "invalid"),
        ("environment=development&unused_for=x", "/unused_for", "invalid"),
        ("environment=development&unused_for=0", "/unused_for", "invalid"),
        ("environment=development&unused_for=3651", "/unused_for", "invalid"),
        ("environment=development&sort=colour", "/sort", "invalid"),
        ("environment=development&limit=0", "/limit", "invalid"),
        ("environment=development&limit=101", "/limit", "invalid"),
        ("environment=development&limit=1000", "/limit", "invalid"),
        ("environment=development&limit=-1", "/limit", "invalid"),
    ] {
        let answer = settled.keyfob.get(&format!("/v1/connections?{query}")).await;
        let said = (answer.problem(), answer.errors());
        assert_eq!(said, ((400, "invalid_query".to_owned()), pairs(&[(at, code)])), "{query}");
    }
    let long = format!("environment=development&search={}", "x".repeat(201));
    let words = format!(
        "environment=development&search=abc{}",
        ('a'..'u').map(|c| format!("+{c}")).collect::<Vec<_>>().concat()
    );
    let many = format!("environment=development{}", "&tag=a".repeat(11));
    for (query, at) in [(&long, "/search"), (&words, "/search"), (&many, "/tag")] {
        let answer = settled.keyfob.get(&format!("/v1/connections?{query}")).await;
        assert_eq!(answer.errors(), pairs(&[(at, "invalid")]), "{query:.60}");
    }
    let answer = settled.keyfob.post("/v1/connections?tset=false", &bearer("Acme")).await;
    assert_eq!(answer.errors(), pairs(&[("/tset", "unknown_field")]));
    settled.expect_untouched().await;
}

#[tokio::test]
async fn a_wrong_idempotency_key_is_refused() {
    let settled = Settled::start().await;
    for key in ["", " ", "two words", "ключ", &"k".repeat(256)] {
        let answer =
            settled.keyfob.request("POST", "/v1/connections", ROOT, &[("idempotency-key", key)], &bearer("Acme")).await;
        assert_eq!(answer.problem(), (400, "invalid_header".to_owned()), "{key:.20}");
    }
    settled.expect_untouched().await;
}

#[tokio::test]
async fn emoji_and_any_script_are_welcome() {
    let keyfob = Keyfob::working().await;
    let name = "Zahlung 💳 支払い 👩‍👩‍👧";
    let mut body = bearer(name);
    body["tags"] = json!(["💳", "支払い"]);
    body["description"] = json!("One line\nand another\t💳");
    let created = keyfob.create(&body).await;
    assert_eq!((created["name"].as_str(), created["stable_key"].as_str()), (Some(name), Some("zahlung")));
    assert_eq!(keyfob.get("/v1/connections?environment=development&tag=%F0%9F%92%B3").await.json()["data"][0], created);
}
