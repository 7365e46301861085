//! The syntax of a template: text with holes `{field}`, and nothing else. It knows no values; `fill` does.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text that stays as it is.
    Text(String),
    /// A hole: the key of the field whose value goes here.
    Hole(String),
}

/// A text with holes, as a provider file writes it: `https://{account}.example.com/v1`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Template(Vec<Part>);

/// A brace that opens or closes nothing, or a hole that names no field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadTemplate;

impl fmt::Display for BadTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a template is text with holes such as {field}, and no other braces")
    }
}

impl std::error::Error for BadTemplate {}

impl Template {
    /// The pieces, in order.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// The fields that the holes name, in order.
    pub fn holes(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Hole(field) => Some(field.as_str()),
            Part::Text(_) => None,
        })
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The whole text, where there is no hole.
    #[must_use]
    pub fn as_literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }
}

impl TryFrom<String> for Template {
    type Error = BadTemplate;

    fn try_from(text: String) -> Result<Self, BadTemplate> {
        let mut parts = Vec::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            push_text(&mut parts, before)?;
            let (field, after) = after.split_once('}').ok_or(BadTemplate)?;
            if !is_key(field) {
                return Err(BadTemplate);
            }
            parts.push(Part::Hole(field.to_owned()));
            rest = after;
        }
        push_text(&mut parts, rest)?;
        Ok(Self(parts))
    }
}

fn push_text(parts: &mut Vec<Part>, text: &str) -> Result<(), BadTemplate> {
    if text.contains('}') {
        return Err(BadTemplate);
    }
    if !text.is_empty() {
        parts.push(Part::Text(text.to_owned()));
    }
    Ok(())
}

/// Whether a text can be the key of a provider, a connection type, a field or a fact.
#[must_use]
pub fn is_key(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    text.starts_with(|c: char| c.is_ascii_lowercase()) && text.len() <= 64 && text.chars().all(fits)
}

impl From<Template> for String {
    fn from(template: Template) -> String {
        template.to_string()
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(text),
            Part::Hole(field) => write!(f, "{{{field}}}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Template, BadTemplate> {
        Template::try_from(text.to_owned())
    }

    #[test]
    fn braces_that_are_no_hole_are_refused() {
        for text in ["{", "}", "a}b", "{a", "{}", "{{a}}", "{a{b}}", "{A}", "{a b}", "{1}", "{a()}", "{a|upper}", "{é}"]
        {
            assert_eq!(parse(text), Err(BadTemplate), "{text}");
        }
    }

    #[test]
    fn a_template_is_written_as_it_was_read() {
        for text in ["", "text", "{a}", "https://{a}.example.com/{b_2}?c={a}"] {
            assert_eq!(parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn holes_are_listed_in_order() {
        let template = parse("{b}-{a}-{b}").unwrap();
        assert_eq!(template.holes().collect::<Vec<_>>(), ["b", "a", "b"]);
        assert_eq!(template.as_literal(), None);
        assert_eq!(parse("GET").unwrap().as_literal(), Some("GET"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in r"[a-z{}\PC]{0,40}") {
            if let Ok(template) = parse(&text) {
                assert_eq!(template.to_string(), text);
            }
        }
    }
}
