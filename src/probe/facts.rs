//! What an answer tells for free, and what of it is kept: the places that the file names, short plain values, and
//! nothing that is a secret or a telling piece of one.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::domain::health::Facts;
use crate::domain::values::{Secret, Secrets};

/// The longest fact, in characters. What is longer is no name and no id.
const MAX_LENGTH: usize = 200;

/// From so many characters on, a piece of a secret counts as a secret: the token within a webhook's URL is longer, the ids
/// beside it are shorter.
const TELLING_LENGTH: usize = 32;

/// Picks the facts out of a body. `places` are JSON pointers (RFC 6901) by name.
pub(super) fn pick(json: &Value, places: &BTreeMap<String, String>, secrets: &Secrets) -> Facts {
    let fact = |pointer: &String| plain(json.pointer(pointer)?).filter(|text| !betrays(text, secrets));
    places.iter().filter_map(|(name, pointer)| Some((name.clone(), fact(pointer)?))).collect()
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
        let places = BTreeMap::from([("fact".to_owned(), "/a/b".to_owned())]);
        let secrets = Secrets::from_iter([("secret".to_owned(), Secret::new(secret.to_owned()))]);
        pick(&json!({ "a": { "b": value } }), &places, &secrets).remove("fact")
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
        let places = BTreeMap::from([("fact".to_owned(), "/b".to_owned()), ("odd".to_owned(), "b".to_owned())]);
        assert!(pick(&json!({ "a": 1 }), &places, &Secrets::default()).is_empty());
    }
}
