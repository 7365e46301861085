//! Anything in any place of any request: what is taken comes back as it was given, what is not is a problem with a
//! status below 500, and everything can still be read. Routes come from the table of routes, fields from the OpenAPI
//! document, so that a new one is covered before anybody thinks of it.

mod places;
mod words;

use axum::body::Body;
use http::{HeaderValue, Request};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::access::table::{Need, Row, table};
use crate::access::world::{World, absolute};
use crate::support::{Answer, Keyfob, ROOT, bearer};
use places::{Operation, with};
use words::{json_texts, words};

/// Limits that no test meets.
const GENEROUS: &str = r#"{"reveals_per_hour":1000000,"tests_per_minute":1000000,"tests_per_minute_per_host":1000000,"messages_per_hour":1000000,"reports_per_minute":1000000}"#;

/// One route, under attack.
struct Target {
    world: World,
    row: Row,
    token: String,
}

impl Target {
    async fn new(row: Row) -> Self {
        let keyfob = Keyfob::configured(
            |request| {
                crate::support::counterpart::answer(
                    if request.header("authorization").is_some() { 200 } else { 401 },
                    &[],
                    "{}",
                )
            },
            &[("RATE_LIMITS", GENEROUS)],
        );
        let world = World::of(keyfob.await).await;
        let token = match row.need {
            Need::Session => world.session(&json!({ "customer": "c1", "expires_in": 1800 })).await,
            Need::Builder => world.session(&json!({ "expires_in": 1800 })).await,
            _ => ROOT.to_owned(),
        };
        Self { world, row, token }
    }

    /// A request of the route; the version that is current goes with it.
    fn request(&self, path: &str) -> http::request::Builder {
        let version: i64 = self.world.keyfob.database.value(&format!(
            "select coalesce(max(version), 0) from connections where id = '{}'",
            self.world.connection
        ));
        let request = Request::builder().method(self.row.method).uri(absolute(path));
        let request = request.header("authorization", format!("Bearer {}", self.token));
        if self.row.needs_version() { request.header("if-match", format!("\"{version}\"")) } else { request }
    }

    async fn send_body(&self, body: impl Into<Body>) -> Answer {
        let request = self.request(&self.world.path(&self.row)).header("content-type", "application/json");
        self.send(request.body(body.into()).unwrap()).await
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let shown = format!("{request:?}");
        let answer = self.world.keyfob.send(request).await;
        let status = answer.status.as_u16();
        assert!(status < 500, "{status} {}\n{shown:.2000}", answer.text);
        // What a person's browser asks is answered with pages.
        if status >= 400 && self.row.method != "HEAD" && !self.row.path.starts_with("/oauth/") {
            answer.problem();
        }
        answer
    }

    /// Reads all that the API shows: nothing that was stored stands in the way.
    async fn read_everything(&self) {
        for row in table().iter().filter(|row| row.method == "GET") {
            let session = self.world.session(&json!({})).await;
            let token = if row.need == Need::Session { session.as_str() } else { ROOT };
            let answer = self.world.ask(row, Some(&format!("Bearer {token}"))).await;
            assert!(answer.status.as_u16() < 500, "{} {}", row.path, answer.text);
        }
    }
}

/// Fails where a text was taken and is shown as another one. White space and invisible characters around a text are what
/// pasting adds, and are cut; addresses and times have one spelling.
fn expect_kept(pointer: &str, sent: &str, answer: &Answer) {
    let Ok(Value::String(sent)) = serde_json::from_str::<Value>(sent) else { return };
    let shown = answer.status.is_success().then(|| answer.json().pointer(pointer).cloned());
    let Some(Some(Value::String(shown))) = shown else { return };
    let added = |c: char| c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
    let has_one_spelling =
        url::Url::parse(sent.trim()).is_ok() || keyfob::domain::time::Timestamp::parse(&sent).is_ok();
    let is_kept = shown == sent || shown == sent.trim() || shown == sent.trim_matches(added);
    assert!(is_kept || has_one_spelling, "{pointer}: {sent:?} became {shown:?}");
}

#[tokio::test]
async fn any_json_in_any_field_of_any_body_is_kept_or_refused() {
    let texts = json_texts();
    for row in table().into_iter().filter(|row| !row.body.is_null()) {
        let Some(operation) = Operation::of(row.method, row.path) else { continue };
        let target = Target::new(row).await;
        for field in operation.fields(&target.row.body) {
            for text in &texts {
                let answer = target.send_body(with(&target.row.body, &field, text)).await;
                expect_kept(&field, text, &answer);
            }
        }
        target.read_everything().await;
    }
}

#[tokio::test]
async fn any_damage_to_any_body_is_kept_or_refused() {
    for row in table().into_iter().filter(|row| !row.body.is_null()) {
        let target = Target::new(row).await;
        let body = target.row.body.to_string().into_bytes();
        for at in 0..body.len() {
            target.send_body(body[..at].to_vec()).await;
            for byte in [0, b'"', b'{', 0x80, 0xff] {
                let mut damaged = body.clone();
                damaged[at] = byte;
                target.send_body(damaged).await;
            }
        }
        let doubled = [&body[..body.len() - 1], b",", &body[1..]].concat();
        let answer = target.send_body(doubled).await;
        assert!(body == b"{}" || answer.status.as_u16() == 422, "{} {}", target.row.path, answer.text);
        for bytes in [&b"\xef\xbb\xbf{}"[..], b"\xff\xfe{\0}\0", b"\0", b"{}\0", b"{}{}", b"\x1f\x8b\x08\0"] {
            target.send_body(bytes.to_vec()).await;
        }
        target.read_everything().await;
    }
}

#[tokio::test]
async fn any_text_in_any_parameter_of_any_query_is_answered() {
    let words = words();
    for row in table() {
        let Some(operation) = Operation::of(row.method, row.path) else { continue };
        let target = Target::new(row).await;
        let path = target.world.path(&target.row);
        let separator = if path.contains('?') { '&' } else { '?' };
        let bare = path.split('?').next().unwrap().to_owned();
        for name in operation.parameters("query").iter().map(String::as_str).chain(["unforeseen", "", "__proto__"]) {
            for word in &words {
                let encoded = utf8_percent_encode(word, NON_ALPHANUMERIC);
                for path in [format!("{path}{separator}{name}={encoded}"), format!("{bare}?{name}={encoded}")] {
                    target.send(target.request(&path).body(Body::empty()).unwrap()).await;
                }
            }
            for raw in ["%", "%ff", "%c0%80", "%ed%a0%80", "%00", "+", "=", "a&a=b&a", ";", "[]=1"] {
                let path = format!("{path}{separator}{name}={raw}");
                target.send(target.request(&path).body(Body::empty()).unwrap()).await;
            }
            let many = format!("{path}{separator}{}", format!("{name}=a&").repeat(300));
            target.send(target.request(&many).body(Body::empty()).unwrap()).await;
        }
    }
}

#[tokio::test]
async fn any_text_in_any_place_of_any_path_is_answered() {
    let words = words();
    for row in table().into_iter().filter(|row| row.path.contains('{')) {
        let target = Target::new(row).await;
        let segments: Vec<&str> = target.row.path.split('/').collect();
        for (at, _) in segments.iter().enumerate().filter(|(_, segment)| segment.starts_with('{')) {
            for word in &words {
                let encoded = utf8_percent_encode(word, NON_ALPHANUMERIC).to_string();
                let mut segments = segments.clone();
                segments[at] = &encoded;
                let path = segments.join("/").replace("{id}", &target.world.connection).replace("{number}", "1");
                if let Ok(request) = target.request(&path).body(Body::empty()) {
                    target.send(request).await;
                }
            }
        }
    }
}

#[tokio::test]
async fn any_bytes_in_any_header_are_answered() {
    let known =
        ["authorization", "content-type", "keyfob-actor", "origin", "cookie", "cf-connecting-ip", "accept", "range"];
    for row in table() {
        let Some(operation) = Operation::of(row.method, row.path) else { continue };
        let target = Target::new(row).await;
        let path = target.world.path(&target.row);
        let documented = operation.parameters("header");
        for name in documented.iter().map(String::as_str).chain(known) {
            for value in
                words().iter().map(String::as_bytes).chain([&b"\xff\xfe"[..], b"W/", b"\"1\"", b"*", b"bytes=0-"])
            {
                let Ok(value) = HeaderValue::from_bytes(value) else { continue };
                let mut request = target.request(&path).body(Body::from(target.row.body.to_string())).unwrap();
                request.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
                request.headers_mut().insert(http::HeaderName::try_from(name).unwrap(), value);
                target.send(request).await;
            }
        }
    }
}

/// The well-known list, in each free text of a connection; a secret comes back through `reveal`.
#[tokio::test]
async fn the_big_list_of_naughty_strings_is_kept_byte_by_byte_or_refused() {
    let keyfob = Keyfob::start().await;
    let mut body = bearer("Naughty");
    body["connection_type"] = "basic".into();
    body["settings"]["username"] = "ann".into();
    body["secrets"] = json!({ "password": "planted-secret-1" });
    let mut kept = 0;
    for word in naughty_strings::BLNS {
        let text = serde_json::to_string(word).unwrap();
        for field in
            ["/name", "/description", "/tags/0", "/stable_key", "/note", "/settings/username", "/secrets/password"]
        {
            let request = Request::post("/v1/connections?test=false").header("authorization", format!("Bearer {ROOT}"));
            let request = request.header("content-type", "application/json");
            let answer = keyfob.send(request.body(with(&body, field, &text).into()).unwrap()).await;
            assert!(matches!(answer.status.as_u16(), 201 | 409 | 422), "{field} {word:?}: {}", answer.text);
            expect_kept(field, &text, &answer);
            if answer.status == 201 {
                kept += 1;
                expect_secret(&keyfob, &answer.json(), field, &text).await;
            }
        }
        let search = utf8_percent_encode(word, NON_ALPHANUMERIC);
        let found = keyfob.get(&format!("/v1/connections?environment=development&search={search}")).await;
        assert!(matches!(found.status.as_u16(), 200 | 400), "{word:?}: {}", found.text);
    }
    assert!(kept > 1_000, "{kept}");
}

/// Reveals the password of a connection, where that is what was naughty, and expects it as it was sent.
async fn expect_secret(keyfob: &Keyfob, created: &Value, field: &str, sent: &str) {
    if field != "/secrets/password" {
        return;
    }
    let path = format!("/v1/connections/{}/reveal", created["id"].as_str().unwrap());
    keyfob.advance(std::time::Duration::from_hours(1));
    let revealed = keyfob.post(&path, &json!({ "fields": ["password"], "reason": "A test." })).await;
    expect_kept(field, sent, &revealed.expect(200));
}
