//! The claims about requests: what every scheme of authentication sends.

use serde_json::json;

use super::*;
use crate::domain::values::Secret;

/// A connection type that reaches `{base}` with this authentication.
fn connection_type(auth: &serde_json::Value) -> ConnectionType {
    let request = json!({ "base_url": "{base}", "auth": auth, "headers": { "X-Version": "{version}" } });
    let value = json!({ "key": "k", "name": "n", "reach": { "request": request } });
    serde_json::from_value(value).unwrap()
}

fn settings() -> Settings {
    let values =
        [("base", "https://a.example/v2/"), ("version", "7"), ("user", "ann"), ("name", "X-Key"), ("path", "/me?x=1")];
    values.into_iter().map(|(key, value)| (key.to_owned(), json!(value))).collect()
}

fn secrets() -> Secrets {
    Secrets::from_iter([("secret".to_owned(), Secret::new("t0p s3cret".to_owned()))])
}

fn render_with(auth: &serde_json::Value) -> Result<Request, FillError> {
    render(connection_type(auth).request().unwrap(), &settings(), &secrets())
}

fn rendered(auth: &serde_json::Value) -> serde_json::Value {
    serde_json::to_value(render_with(auth).map_err(|error| error.to_string()).unwrap()).unwrap()
}

fn template_call(path: &str) -> Call {
    let query = json!({ "q": "{user}&" });
    serde_json::from_value(json!({ "method": "POST", "path": path, "query": query, "body": "{}" })).unwrap()
}

fn sent(path: &str, credential: Credential) -> Result<Option<Outbound>, FillError> {
    let auth = json!({ "scheme": "query", "name": "key", "value": "{secret}" });
    call(&connection_type(&auth), &template_call(path), &settings(), &secrets(), credential)
}

#[test]
fn a_path_leaves_neither_the_host_nor_the_path_of_the_base() {
    for path in ["@evil.example", "evil", "/../x", "/../v2x", "/%2e%2e/v3", "/\\..\\..\\x"] {
        let failed = sent(path, Credential::Sent).err().map(|error| error.to_string());
        assert_eq!(failed.as_deref(), Some("the value of the field base makes no URL"), "{path}");
    }
}

#[test]
fn a_call_whose_hole_has_no_value_does_not_exist() {
    assert!(matches!(sent("{test_path}", Credential::Sent), Ok(None)));
}

#[test]
fn a_body_gets_the_members_that_have_values_and_they_stay_texts() {
    let mut call_of = template_call("/me");
    call_of.body = Some("{\"a\":1}".to_owned());
    let body = |call_of: &Call| {
        let of = connection_type(&json!({ "scheme": "none" }));
        call(&of, call_of, &settings(), &secrets(), Credential::Sent).ok().flatten().unwrap().body
    };
    assert_eq!(body(&call_of), "{\"a\":1}");
    let member = |hole: &str| Template::try_from(hole.to_owned()).unwrap();
    call_of.body_members = [("none".to_owned(), member("{none}"))].into();
    assert_eq!(body(&call_of), "{\"a\":1}");
    call_of.body_members.insert("b".to_owned(), member("{user}\","));
    assert_eq!(body(&call_of), r#"{"a":1,"b":"ann\","}"#);
}

#[test]
fn a_request_whose_hole_has_no_value_is_an_error() {
    let auth = json!({ "scheme": "bearer", "token": "{other}" });
    assert_eq!(render_with(&auth).err(), Some(FillError::Unset("other".to_owned())));
}

#[test]
fn a_user_name_with_a_colon_is_refused() {
    let auth = json!({ "scheme": "basic", "username": "{base}", "password": "{secret}" });
    let failed = render_with(&auth).err();
    assert!(matches!(failed, Some(FillError::Unfit { field, .. }) if field == "base"));
}

#[test]
fn each_scheme_puts_the_credential_in_its_place() {
    let base = "https://a.example/v2/";
    for (auth, headers, query) in [
        (json!({ "scheme": "none" }), json!({}), json!({})),
        (
            json!({ "scheme": "bearer", "token": "{secret}" }),
            json!({ "authorization": "Bearer t0p s3cret" }),
            json!({}),
        ),
        (
            json!({ "scheme": "basic", "username": "{user}", "password": "{secret}" }),
            json!({ "authorization": "Basic YW5uOnQwcCBzM2NyZXQ=" }),
            json!({}),
        ),
        (
            json!({ "scheme": "authorization", "value": "Token token={secret}" }),
            json!({ "authorization": "Token token=t0p s3cret" }),
            json!({}),
        ),
        (
            json!({ "scheme": "header", "name": "{name}", "value": "Bot {secret}" }),
            json!({ "x-key": "Bot t0p s3cret" }),
            json!({}),
        ),
        (
            json!({ "scheme": "query", "name": "{name}", "value": "{secret}" }),
            json!({}),
            json!({ "X-Key": "t0p s3cret" }),
        ),
    ] {
        let mut headers = headers;
        headers["x-version"] = json!("7");
        assert_eq!(rendered(&auth), json!({ "base_url": base, "headers": headers, "query": query }));
    }
}

#[test]
fn a_call_goes_below_the_base_url_with_the_credential_or_without() {
    for (credential, url) in [
        (Credential::Sent, "https://a.example/v2/me?x=1&key=t0p+s3cret&q=ann%26"),
        (Credential::Withheld, "https://a.example/v2/me?x=1&q=ann%26"),
    ] {
        let outbound = sent("{path}", credential).ok().flatten().unwrap();
        assert_eq!((outbound.method, outbound.url.as_str()), (Method::POST, url));
        assert_eq!(
            (&outbound.headers["x-version"], outbound.body.as_ref()),
            (&HeaderValue::from_static("7"), &b"{}"[..])
        );
    }
}

#[test]
fn the_withheld_credential_is_in_no_header() {
    let auth = json!({ "scheme": "bearer", "token": "{secret}" });
    let connection_type = connection_type(&auth);
    let outbound = call(&connection_type, &template_call(""), &settings(), &secrets(), Credential::Withheld);
    assert!(!outbound.ok().flatten().unwrap().headers.contains_key(header::AUTHORIZATION));
}

#[test]
fn expected_statuses_come_from_the_file_or_from_a_field() {
    let test = |expect: &str| {
        serde_json::from_value(json!({ "call": { "method": "GET" }, "side_effect": "none", "expect": expect }))
    };
    let expected = |expect: &str| expected(&test(expect).unwrap(), &settings());
    assert!(expected("{user}").is_err());
    assert!(expected("{absent}").unwrap().is_none());
    assert!(expected("2xx").unwrap().unwrap().contains(204));
}
