//! What a request brings to the door: cursors, queries, headers, bodies, values, and the provider files they are held to.

use axum::extract::{FromRequest, FromRequestParts};
use futures_util::FutureExt;
use http::{HeaderValue, Request};
use keyfob::api::cursor::{self, PageQuery};
use keyfob::api::extract::{Body, IfMatch, InQuery, etag};
use keyfob::api::idempotency::Idempotency;
use keyfob::catalog::Catalog;
use keyfob::catalog::provider::{ConnectionType, Provider};
use keyfob::catalog::values::{Part, check};
use keyfob::domain::values::{Secret, Secrets, Settings};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{Damage, cases};

/// Any JSON, a few levels deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[a-z:/.]{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{0,12}", inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn parts(request: http::request::Builder) -> http::request::Parts {
    request.body(()).unwrap().into_parts().0
}

/// Whatever a type of connection may be given: its own fields and others, with all kinds of values.
fn any_values() -> impl Strategy<Value = (&'static ConnectionType, Value, Value)> {
    let types: Vec<&'static ConnectionType> =
        Catalog::embedded().providers().iter().flat_map(|provider| &provider.connection_types).collect();
    prop::sample::select(types).prop_flat_map(|of| {
        let mut keys: Vec<String> = of.fields.iter().map(|field| field.key.clone()).collect();
        keys.push("unforeseen".to_owned());
        let value = prop_oneof![
            4 => prop::sample::select(vec![
                "https://api.acme.dev/v2", "https://hooks.slack.com/services/T0/B0/abcdefgh", "/me", "GET", "200-299",
                "X-Api-Key", "https://discord.com/api/webhooks/223704706495545344/abcdefghijklmnopqrstuvwxyz-0123456789-0123456789-0123456789",
            ]).prop_map(|text| json!(text)),
            2 => "\\PC{1,30}".prop_map(Value::from),
            1 => any_json(),
        ];
        let object = prop::collection::btree_map(prop::sample::select(keys), value, 0..8)
            .prop_map(|map| Value::Object(map.into_iter().collect()));
        (Just(of), object.clone(), object)
    })
}

fn settings(value: &Value) -> Settings {
    value.as_object().unwrap().iter().map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn secrets(value: &Value) -> Secrets {
    let texts = value.as_object().unwrap().iter();
    texts.filter_map(|(key, value)| Some((key.clone(), Secret::new(value.as_str()?.to_owned())))).collect()
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_cursor_is_read_as_it_was_written(name in any::<String>(), number in any::<i64>(), damage in Damage::any(), text in any::<String>()) {
        let written = cursor::encode(&(name.clone(), number));
        prop_assert_eq!(cursor::decode::<(String, i64)>(&written).ok(), Some((name, number)));
        let damaged = String::from_utf8_lossy(&damage.apply(written.as_bytes())).into_owned();
        for text in [damaged, text] {
            if let Ok(read) = cursor::decode::<(String, i64)>(&text) {
                prop_assert_eq!(cursor::decode::<(String, i64)>(&cursor::encode(&read)).ok(), Some(read));
            }
        }
    }

    #[test]
    fn any_query_is_read_or_refused(query in "[a-z]{0,8}[=&%]?[!-~]{0,60}", limit in "\\PC{0,6}") {
        for query in [query, format!("limit={limit}"), format!("cursor=a&limit={limit}")] {
            let Ok(request) = http::Uri::try_from(format!("/v1/x?{query}")) else { continue };
            let mut parts = parts(Request::get(request));
            if let Ok(InQuery(page)) = InQuery::<PageQuery>::from_request_parts(&mut parts, &()).now_or_never().unwrap() {
                let parsed = page.parse::<(i64, i64)>();
                prop_assert!(parsed.is_err() || (1..=100).contains(&parsed.unwrap().1));
            }
        }
    }

    #[test]
    fn if_match_takes_the_version_and_no_other(version in any::<u64>(), other in any::<u64>(), bytes in any::<Vec<u8>>()) {
        let check = |value: HeaderValue, version: u64| {
            let mut parts = parts(Request::get("/").header("if-match", value));
            let Ok(if_match) = IfMatch::from_request_parts(&mut parts, &()).now_or_never().unwrap();
            if_match.check(version).is_ok()
        };
        let tag = etag(version);
        for value in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}")] {
            prop_assert!(check(value.parse().unwrap(), version), "{}", value);
        }
        prop_assert_eq!(check(tag.parse().unwrap(), other), other == version);
        prop_assert!(!check(version.to_string().parse().unwrap(), version));
        if let Ok(value) = HeaderValue::from_bytes(&bytes) {
            let holds_it = String::from_utf8_lossy(&bytes).contains(&tag);
            prop_assert!(!check(value, version) || holds_it);
        }
    }

    #[test]
    fn an_idempotency_key_is_visible_ascii_or_refused(bytes in any::<Vec<u8>>(), key in "[!-~]{1,255}") {
        let read = |value: HeaderValue| {
            let mut parts = parts(Request::post("/").header("idempotency-key", value));
            Idempotency::from_request_parts(&mut parts, &()).now_or_never().unwrap().is_ok()
        };
        prop_assert!(read(HeaderValue::try_from(key).unwrap()));
        if let Ok(value) = HeaderValue::from_bytes(&bytes) {
            let is_key = (1..=255).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
            prop_assert_eq!(read(value), is_key);
        }
    }

    #[test]
    fn any_body_is_read_or_refused(value in any_json(), bytes in any::<Vec<u8>>(), damage in Damage::any()) {
        let text = value.to_string().into_bytes();
        for bytes in [text.clone(), damage.apply(&text), bytes] {
            let request = Request::post("/").header("content-type", "application/json").body(bytes.clone().into()).unwrap();
            let body = Body::<Value>::from_request(request, &()).now_or_never().unwrap();
            prop_assert_eq!(body.is_ok(), serde_json::from_slice::<Value>(&bytes).is_ok());
            prop_assert!(body.is_err() || body.unwrap().bytes == bytes);
        }
    }

    #[test]
    fn values_that_are_good_stay_as_they_are((of, given_settings, given_secrets) in any_values()) {
        if let Ok(once) = check(of, settings(&given_settings), secrets(&given_secrets), (Part::Whole, false)) {
            let again = |kept: &Secrets| kept.0.iter().map(|(key, secret)| (key.clone(), secret.copy())).collect();
            let twice = check(of, once.settings.clone(), again(&once.secrets), (Part::Whole, false));
            let twice = twice.map_err(|problems| TestCaseError::fail(format!("{problems:?}")))?;
            prop_assert_eq!(&twice.settings, &once.settings);
            prop_assert!(twice.secrets.0.iter().eq_by_texts(&once.secrets));
        }
    }

    #[test]
    fn what_is_wrong_with_values_never_repeats_them((of, given_settings, given_secrets) in any_values(), mark in "[A-Z]{12}") {
        let mut given_settings = settings(&given_settings);
        for value in given_settings.values_mut() {
            if let Value::String(text) = value {
                text.push_str(&mark);
            }
        }
        let marked = secrets(&given_secrets).0.into_iter().map(|(key, secret)| (key, Secret::new(format!("{}{mark}", secret.expose_secret()))));
        if let Err(problems) = check(of, given_settings, marked.collect(), (Part::Whole, false)) {
            prop_assert!(!problems.is_empty());
            let said = format!("{problems:?}");
            prop_assert!(!said.contains(&mark), "{}", said);
        }
    }

    #[test]
    fn a_damaged_catalogue_is_read_or_refused(at in any::<prop::sample::Index>(), damage in Damage::any()) {
        let providers = Catalog::embedded().providers();
        let text = serde_json::to_string(&[&providers[at.index(providers.len())]]).unwrap();
        prop_assert_eq!(Catalog::from_json(&text).unwrap().providers().len(), 1);
        if let Ok(text) = String::from_utf8(damage.apply(text.as_bytes()))
            && let Ok(read) = Catalog::from_json(&text)
        {
            let shown = serde_json::to_string(read.providers()).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Vec<Provider>>(&shown).unwrap(), read.providers());
        }
    }
}

/// Secrets compared by what they are, which they themselves do not offer.
trait EqByTexts {
    fn eq_by_texts(self, other: &Secrets) -> bool;
}

impl<'a, I: Iterator<Item = (&'a String, &'a Secret)>> EqByTexts for I {
    fn eq_by_texts(self, other: &Secrets) -> bool {
        self.map(|(key, secret)| (key, secret.expose_secret()))
            .eq(other.0.iter().map(|(key, secret)| (key, secret.expose_secret())))
    }
}
