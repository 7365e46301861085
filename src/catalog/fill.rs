//! The holes of a template filled with values, each as its place demands: URL, query, header. It knows no provider.

use std::borrow::Cow;
use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::template::{Part, Template};
use crate::domain::values::{Secret, Secrets, Settings};

/// A value in a path or a query keeps the unreserved characters of RFC 3986 and loses every other meaning.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Why a template cannot be filled. Names the field, never its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FillError {
    /// A field of a hole has no value.
    #[error("the field {0} has no value")]
    Unset(String),
    /// The value of a field cannot stand where the template puts it.
    #[error("the value of the field {field} {sentence}")]
    Unfit {
        /// The field.
        field: String,
        /// What is wrong with its value.
        sentence: &'static str,
    },
}

/// The values of a connection by field key.
#[derive(Clone, Copy)]
pub(super) struct Values<'a> {
    /// The settings.
    pub(super) settings: &'a Settings,
    /// The secrets.
    pub(super) secrets: &'a Secrets,
}

impl<'a> Values<'a> {
    fn get(self, field: &str) -> Result<Cow<'a, str>, FillError> {
        let setting = self.settings.get(field).and_then(as_text);
        let value = setting.or_else(|| self.secrets.0.get(field).map(Secret::expose_secret).map(Cow::Borrowed));
        value.filter(|value| !value.is_empty()).ok_or_else(|| FillError::Unset(field.to_owned()))
    }

    /// Fills a template whose place takes any text.
    pub(super) fn text(self, template: &Template) -> Result<String, FillError> {
        template.parts().iter().try_fold(String::new(), |mut filled, part| {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Hole(field) => filled.push_str(&self.get(field)?),
            }
            Ok(filled)
        })
    }

    /// Fills the members of a JSON object: those whose holes have values.
    pub(super) fn members(self, templates: &BTreeMap<String, Template>) -> Result<Map<String, Value>, FillError> {
        let mut members = Map::new();
        for (name, template) in templates {
            match self.text(template) {
                Ok(text) => drop(members.insert(name.clone(), text.into())),
                Err(FillError::Unset(_)) => {}
                Err(unfit) => return Err(unfit),
            }
        }
        Ok(members)
    }

    /// Fills the template of a URL, or of what is appended to one.
    ///
    /// A hole at its very beginning stands for a whole URL or path and goes in as it is; a hole in the host takes
    /// letters, digits, dots and hyphens only; everywhere else a value is percent-encoded.
    pub(super) fn url(self, template: &Template) -> Result<String, FillError> {
        template.parts().iter().try_fold(String::new(), |mut filled, part| {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Hole(field) => {
                    let value = self.get(field)?;
                    let value = if filled.is_empty() { value } else { url_piece(&filled, field, &value)?.into() };
                    filled.push_str(&value);
                }
            }
            Ok(filled)
        })
    }

    /// Fills the template of a header's name.
    pub(super) fn header_name(self, template: &Template) -> Result<HeaderName, FillError> {
        let name = self.text(template)?;
        HeaderName::from_bytes(name.as_bytes()).map_err(|_| unfit(template, "is not the name of a header"))
    }

    /// Fills the template of a header's value. It is marked as sensitive.
    pub(super) fn header_value(self, template: &Template) -> Result<HeaderValue, FillError> {
        sensitive(&self.text(template)?).ok_or_else(|| unfit(template, "has characters that a header cannot carry"))
    }
}

/// The value of a header, marked as sensitive so that no `Debug` shows it. ASCII only: beyond it the two ends may
/// disagree about the encoding.
pub(super) fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok().filter(|_| text.is_ascii())?;
    value.set_sensitive(true);
    Some(value)
}

/// The error that names the field of the first hole.
pub(super) fn unfit(template: &Template, sentence: &'static str) -> FillError {
    FillError::Unfit { field: template.holes().next().unwrap_or_default().to_owned(), sentence }
}

fn as_text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(flag) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
        _ => None,
    }
}

fn url_piece(filled: &str, field: &str, value: &str) -> Result<String, FillError> {
    let unfit = |sentence| Err(FillError::Unfit { field: field.to_owned(), sentence });
    let in_host = filled.split_once("://").is_some_and(|(_, rest)| !rest.contains(['/', '?', '#']));
    if in_host {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-' || c == '_';
        // No host name has an underscore; who names things with them (Snowflake) has hyphens there.
        return if value.chars().all(fits) {
            Ok(value.replace('_', "-"))
        } else {
            unfit("cannot be part of a host name")
        };
    }
    if value.chars().all(|c| c == '.') {
        return unfit("would climb out of its place in the path");
    }
    Ok(utf8_percent_encode(value, ENCODED).to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;
    use url::Url;

    use super::*;

    fn template(text: &str) -> Template {
        Template::try_from(text.to_owned()).unwrap()
    }

    fn with<T>(value: &str, fill: impl FnOnce(Values<'_>) -> T) -> T {
        let settings = Settings::from([("a".to_owned(), json!(value)), ("n".to_owned(), json!(7))]);
        let secrets = Secrets::from_iter([("s".to_owned(), Secret::new("t0p".to_owned()))]);
        fill(Values { settings: &settings, secrets: &secrets })
    }

    fn url(text: &str, value: &str) -> Result<String, FillError> {
        with(value, |values| values.url(&template(text)))
    }

    #[test]
    fn a_hole_without_a_value_is_an_error_that_names_the_field() {
        let filled = with("", |values| [values.text(&template("{none}")), values.text(&template("{a}"))]);
        assert_eq!(filled, [Err(FillError::Unset("none".to_owned())), Err(FillError::Unset("a".to_owned()))]);
    }

    #[test]
    fn a_host_takes_no_character_that_ends_it() {
        for value in ["evil.example/", "a@evil.example", "a:80", "a?b", "a#b", "a\\b", "ä", "a b", "%2f"] {
            assert!(matches!(url("https://{a}.good.example/x", value), Err(FillError::Unfit { .. })), "{value}");
        }
        assert_eq!(url("https://{a}.good.example/", "xy1.us-east-1").unwrap(), "https://xy1.us-east-1.good.example/");
    }

    #[test]
    fn dots_do_not_climb_out_of_a_path() {
        for value in [".", "..", "..."] {
            assert!(url("https://a.example/x/{a}/y", value).is_err(), "{value}");
        }
        assert_eq!(url("https://a.example/{a}", "../x").unwrap(), "https://a.example/..%2Fx");
    }

    #[test]
    fn a_header_takes_no_line_break_and_no_name_with_spaces() {
        for value in ["a\r\nX-Evil: 1", "a\n", "a\0", "naïve"] {
            assert!(with(value, |values| values.header_value(&template("Bot {a}")).is_err()), "{value:?}");
        }
        for value in ["X Y", "X:", "é"] {
            assert!(with(value, |values| values.header_name(&template("{a}")).is_err()), "{value:?}");
        }
    }

    #[test]
    fn a_header_value_is_not_shown_by_debug() {
        let value = with("x", |values| values.header_value(&template("Bearer {s}")).unwrap());
        assert_eq!((value.to_str().unwrap(), format!("{value:?}").as_str()), ("Bearer t0p", "Sensitive"));
    }

    #[test]
    fn values_of_every_type_fill_holes() {
        assert_eq!(with("x/y", |values| values.text(&template("{a}-{n}-{s}"))).unwrap(), "x/y-7-t0p");
        assert_eq!(url("{a}", "https://a.example/b?c=d").unwrap(), "https://a.example/b?c=d");
        assert_eq!(
            url("https://a.example/{a}?q={a}", "x &/?").unwrap(),
            "https://a.example/x%20%26%2F%3F?q=x%20%26%2F%3F"
        );
    }

    proptest! {
        #[test]
        fn no_value_moves_a_request_to_another_place(value in r"\PC{1,20}|[./%@:?#\\a]{1,8}") {
            let filled = url("https://{a}.good.example/p/{a}/s?q={a}", &value);
            if let Some(parsed) = filled.ok().and_then(|filled| Url::parse(&filled).ok()) {
                prop_assert!(parsed.host_str().is_some_and(|host| host.ends_with(".good.example")), "{parsed}");
                prop_assert!(parsed.path().starts_with("/p/") && parsed.path().ends_with("/s"), "{parsed}");
                prop_assert_eq!(parsed.path_segments().map(Iterator::count), Some(3));
                prop_assert_eq!(parsed.query_pairs().count(), 1);
                prop_assert!(parsed.fragment().is_none());
            }
            let _ = with(&value, |values| values.header_value(&template("{a}")));
            let _ = with(&value, |values| values.header_name(&template("{a}")));
        }
    }
}
