//! What an answer tells for free, and what of it is kept: the places that the file names, short plain values, and
//! nothing that is a secret or a telling piece of one. It knows facts, scopes and when a credential expires.

use std::borrow::Cow;
use std::collections::BTreeMap;

use http::HeaderMap;
use serde_json::Value;

use super::xml;
use crate::catalog::file::Place;
use crate::domain::health::Facts;
use crate::domain::time::Timestamp;
use crate::domain::values::{Secret, Secrets};

/// The longest fact, in characters. What is longer is no name and no id.
const MAX_LENGTH: usize = 200;

/// From so many characters on, a piece of a secret counts as a secret: the token within a webhook's URL is longer, the ids
/// beside it are shorter.
const TELLING_LENGTH: usize = 32;

/// The most scopes that are kept: what is beyond is no list for people.
const MAX_SCOPES: usize = 100;

/// An answer, as far as it may tell something.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    /// The body, where it is JSON.
    pub(super) json: Option<&'a Value>,
    /// The body as text.
    pub(super) text: Option<&'a str>,
    /// The headers.
    pub(super) headers: &'a HeaderMap,
    /// What must not be kept as if it were a fact.
    pub(super) secrets: &'a Secrets,
}

impl Told<'_> {
    /// The facts at these places.
    pub(super) fn facts(self, places: &BTreeMap<String, Place>) -> Facts {
        let fact = |place: &Place| plain(&*self.value(place)?).filter(|text| !betrays(text, self.secrets));
        places.iter().filter_map(|(name, place)| Some((name.clone(), fact(place)?))).collect()
    }

    /// The scopes that are listed at a place: in an array, or in a text with commas or spaces between them.
    pub(super) fn scopes(self, place: &Place) -> Vec<String> {
        let value = self.value(place);
        let listed: Vec<String> = match value.as_deref() {
            Some(Value::Array(items)) => items.iter().filter_map(plain).collect(),
            Some(Value::String(text)) => text.split([',', ' ']).map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        let good = |scope: &String| !scope.is_empty() && scope.len() <= MAX_LENGTH && !betrays(scope, self.secrets);
        listed.into_iter().filter(good).take(MAX_SCOPES).collect()
    }

    /// The moment that is stated at a place.
    pub(super) fn time(self, place: &Place) -> Option<Timestamp> {
        match &*self.value(place)? {
            Value::String(text) => time(text.trim()),
            Value::Number(number) => {
                number.as_i64().and_then(|seconds| seconds.checked_mul(1000)).map(Timestamp::from_millis)
            }
            _ => None,
        }
    }

    fn value(&self, place: &Place) -> Option<Cow<'_, Value>> {
        match place {
            Place::Xml { xml } => xml::element(self.text?, xml).map(|text| Cow::Owned(Value::String(text))),
            Place::Body(pointer) => self.json?.pointer(pointer).map(Cow::Borrowed),
            Place::Header { header } => {
                let text = self.headers.get(header)?.to_str().ok()?;
                Some(Cow::Owned(Value::String(text.to_owned())))
            }
        }
    }
}

/// A time as providers write it: RFC 3339; the same with a space in place of the `T` and `UTC` or `+0100` behind (GitHub's
/// header); or a date alone, which begins at midnight UTC (GitLab).
fn time(text: &str) -> Option<Timestamp> {
    let (date, rest) = text.split_once(' ').unwrap_or((text, "00:00:00 UTC"));
    let (clock, zone) = rest.split_once(' ').unwrap_or((rest, "UTC"));
    let zone = match zone.split_at_checked(3) {
        Some(("UTC", "")) => "Z".to_owned(),
        Some((hours, minutes)) if minutes.len() == 2 => format!("{hours}:{minutes}"),
        _ => zone.to_owned(),
    };
    Timestamp::parse(text).or_else(|_| Timestamp::parse(&format!("{date}T{clock}{zone}"))).ok()
}

/// A text as a fact: one short line that gives no secret away.
pub(super) fn fact(text: &str, secrets: &Secrets) -> Option<String> {
    plain(&Value::from(text)).filter(|text| !betrays(text, secrets))
}

/// A text, number or truth value as one short line.
fn plain(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.chars().filter(|c| !c.is_control()).collect(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    let text = text.trim();
    (1..=MAX_LENGTH).contains(&text.chars().count()).then(|| text.to_owned())
}

fn betrays(text: &str, secrets: &Secrets) -> bool {
    let mut values = secrets.0.values().map(Secret::expose_secret).filter(|secret| !secret.is_empty());
    values.any(|secret| text.contains(secret) || shares_piece(text, secret))
}

/// Whether a telling piece of a secret stands anywhere in a text.
fn shares_piece(text: &str, secret: &str) -> bool {
    let starts = text.char_indices().map(|(at, _)| at);
    let ends = starts.clone().chain([text.len()]).skip(TELLING_LENGTH);
    starts.zip(ends).any(|(start, end)| text.get(start..end).is_some_and(|piece| secret.contains(piece)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TOKEN: &str = "Planted-token_0123456789-0123456789-0123456789-0123456789-0123456789";

    fn picked(value: &Value, secret: &str) -> Option<String> {
        let places = BTreeMap::from([("fact".to_owned(), Place::Body("/a/b".to_owned()))]);
        let secrets = Secrets::from_iter([("secret".to_owned(), Secret::new(secret.to_owned()))]);
        let told = Told {
            json: Some(&json!({ "a": { "b": value } })),
            text: None,
            headers: &HeaderMap::new(),
            secrets: &secrets,
        };
        told.facts(&places).remove("fact")
    }

    #[test]
    fn a_fact_that_is_or_contains_a_secret_is_dropped() {
        for value in ["s3cret", "Bearer s3cret", "s3\u{0}cret", "xs3cretx"] {
            assert_eq!(picked(&json!(value), "s3cret"), None, "{value:?}");
        }
        assert_eq!(picked(&json!(12345), "12345"), None);
        assert_eq!(picked(&json!(true), "true"), None);
    }

    #[test]
    fn the_token_within_a_secret_url_is_dropped_and_the_id_beside_it_kept() {
        let url = format!("https://discord.com/api/webhooks/223704706495545344/{TOKEN}");
        assert_eq!(picked(&json!(TOKEN), &url), None);
        assert_eq!(picked(&json!(format!("webhook {TOKEN}")), &url), None);
        assert_eq!(picked(&json!(format!("é{}é", &TOKEN[5..37])), &url), None);
        assert_eq!(picked(&json!("223704706495545344"), &url).as_deref(), Some("223704706495545344"));
    }

    #[test]
    fn what_is_not_short_and_plain_is_dropped() {
        for value in [json!(null), json!([1]), json!({ "c": 1 }), json!(""), json!(" \n"), json!("x".repeat(201))] {
            assert_eq!(picked(&value, "s3cret"), None, "{value}");
        }
    }

    #[test]
    fn texts_numbers_and_truth_values_are_kept_as_one_line() {
        for (value, text) in [
            (json!("Ann\r\n\u{1b}[31m"), "Ann[31m"),
            (json!(42), "42"),
            (json!(false), "false"),
            (json!("💳".repeat(200)), &"💳".repeat(200)),
        ] {
            assert_eq!(picked(&value, "s3cret").as_deref(), Some(text));
        }
    }

    #[test]
    fn a_place_that_is_not_there_tells_nothing() {
        let places = ["/b", "b"].map(|pointer| (format!("x{}", pointer.len()), Place::Body(pointer.to_owned())));
        let headers = HeaderMap::new();
        let told = Told { json: Some(&json!({ "a": 1 })), text: None, headers: &headers, secrets: &Secrets::default() };
        assert!(told.facts(&places.into()).is_empty());
        let nowhere = Place::Header { header: "x-nothing".to_owned() };
        assert_eq!((told.scopes(&nowhere), told.time(&nowhere)), (Vec::new(), None));
    }

    /// What is told where a body says this, and where a header does.
    fn told(value: &Value) -> [(Vec<String>, Option<Timestamp>); 2] {
        let text = value.as_str().unwrap_or("-").parse().unwrap();
        let (headers, json) = (HeaderMap::from_iter([("x-told".parse().unwrap(), text)]), json!({ "told": value }));
        let secrets = Secrets::from_iter([("secret".to_owned(), Secret::new("s3cret".to_owned()))]);
        let told = Told { json: Some(&json), text: None, headers: &headers, secrets: &secrets };
        let places = [Place::Body("/told".to_owned()), Place::Header { header: "x-told".to_owned() }];
        places.map(|place| (told.scopes(&place), told.time(&place)))
    }

    #[test]
    fn scopes_are_read_from_lists_and_texts_without_blanks_or_secrets() {
        for value in [json!("repo, read:org"), json!("repo read:org"), json!("repo,,read:org, s3cret")] {
            assert_eq!(told(&value).map(|(scopes, _)| scopes), [["repo", "read:org"], ["repo", "read:org"]]);
        }
        let [(listed, _), _] = told(&json!(["a", 7, null, "", "s3cret"]));
        assert_eq!(listed, ["a", "7"]);
        let [(many, _), _] = told(&json!(vec!["a"; 1000]));
        assert_eq!(many.len(), MAX_SCOPES);
    }

    #[test]
    fn times_are_read_as_providers_write_them() {
        for (text, time) in [
            ("2027-01-31T10:00:00Z", "2027-01-31T10:00:00.000Z"),
            ("2027-01-31T10:00:00.5+02:00", "2027-01-31T08:00:00.500Z"),
            ("2027-01-31 10:00:00 UTC", "2027-01-31T10:00:00.000Z"),
            ("2027-01-31 10:00:00 -0800", "2027-01-31T18:00:00.000Z"),
            ("2027-01-31", "2027-01-31T00:00:00.000Z"),
        ] {
            for (_, found) in told(&json!(text)) {
                assert_eq!(found.map(|found| found.to_string()).as_deref(), Some(time), "{text}");
            }
        }
        let [(_, seconds), _] = told(&json!(1_801_389_600));
        assert_eq!(seconds.unwrap().to_string(), "2027-01-31T10:00:00.000Z");
    }

    #[test]
    fn what_is_no_time_is_none() {
        for value in
            [json!("never"), json!(""), json!("2027"), json!("31.01.2027"), json!("2027-01-31 10"), json!(true)]
        {
            assert_eq!(told(&value).map(|(_, time)| time), [None, None], "{value}");
        }
    }
}
