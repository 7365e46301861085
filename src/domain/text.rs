//! Texts that people give: names, descriptions, tags, stable keys. Each type says what it accepts.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::char::{decompose_canonical, is_combining_mark};
use utoipa::ToSchema;

use super::Invalid;

/// Defines a text type with its rule; leading and trailing white space is cut.
macro_rules! text {
    ($(#[$doc:meta])+ $name:ident, $check:expr, $sentence:literal) => {
        $(#[$doc])+
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String)]
pub struct $name(String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Invalid;

            fn try_from(text: String) -> Result<Self, Invalid> {
                let text = text.trim();
                let check: fn(&str) -> bool = $check;
                if check(text) { Ok(Self(text.to_owned())) } else { Err(Invalid($sentence)) }
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> String {
                text.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text!(
    /// The name of a connection: one line of 1 to 200 characters.
    Name,
    |text| is_line(text, 1, 200),
    "1 to 200 characters on one line, no control characters"
);
text!(
    /// A description: up to 2,000 characters, possibly none, line breaks allowed.
    Description,
    |text| text.chars().count() <= 2_000 && !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t'),
    "at most 2,000 characters, no control characters but line breaks and tabs"
);
text!(
    /// A tag: one line of 1 to 50 characters. Tags are equal when their spelling is.
    Tag,
    |text| is_line(text, 1, 50),
    "1 to 50 characters on one line, no control characters"
);
text!(
    /// A stable key: names the same connection in every environment and deployment.
    StableKey,
    is_stable_key,
    "1 to 64 characters: a-z, 0-9, '-' and '_', beginning with a letter or digit"
);
text!(
    /// The organization's own id for one of its customers: 1 to 200 characters on one line.
    Customer,
    |text| is_line(text, 1, 200),
    "1 to 200 characters on one line, no control characters"
);
text!(
    /// The organization's own id of a workflow: 1 to 200 characters on one line.
    Workflow,
    |text| is_line(text, 1, 200),
    "1 to 200 characters on one line, no control characters"
);
text!(
    /// The organization's own id of a step within its workflow: 1 to 200 characters on one line.
    Step,
    |text| is_line(text, 1, 200),
    "1 to 200 characters on one line, no control characters"
);
text!(
    /// The id that somebody gave a token of theirs (`jti`): 1 to 200 characters on one line.
    TokenId,
    |text| is_line(text, 1, 200),
    "1 to 200 characters on one line, no control characters"
);
text!(
    /// A note or a reason that somebody gives with a change: 1 to 500 characters on one line.
    Note,
    |text| is_line(text, 1, 500),
    "1 to 500 characters on one line, no control characters"
);

impl Description {
    /// No description.
    #[must_use]
    pub const fn none() -> Self {
        Self(String::new())
    }
}

/// The most tags that a connection may have.
pub const MAX_TAGS: usize = 20;

fn is_line(text: &str, min: usize, max: usize) -> bool {
    let count = text.chars().count();
    (min..=max).contains(&count) && !text.chars().any(|c| c.is_control() || c == '\u{2028}' || c == '\u{2029}')
}

fn is_stable_key(text: &str) -> bool {
    let starts_well = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    starts_well && text.len() <= 64 && text.chars().all(fits)
}

impl StableKey {
    /// The stable key that a name suggests: its folded letters and digits, everything else as single hyphens.
    #[must_use]
    pub fn suggest(name: &Name) -> Self {
        let mut slug = String::new();
        for c in fold(name.as_str()).chars() {
            if slug.len() >= 48 {
                break;
            }
            if c.is_ascii_alphanumeric() {
                slug.push(c);
            } else if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
        }
        let slug = slug.trim_end_matches('-');
        Self(if slug.is_empty() { "connection".to_owned() } else { slug.to_owned() })
    }

    /// This key with a suffix, for when it is taken.
    #[must_use]
    pub fn with_suffix(&self, suffix: u16) -> Self {
        let stem: String = self.0.chars().take(58).collect();
        Self(format!("{stem}-{suffix:04x}"))
    }
}

/// Folds case and accents, so that "Éclair" is found as "eclair" and sorts beside it.
///
/// Canonical decomposition (Unicode UAX 15, NFD) without combining marks, in lower case.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        // Character by character, so that the tables of the other normal forms are not linked; the order of marks, which a
        // normal form would settle, does not matter to what drops them.
        decompose_canonical(c, |part| {
            if !is_combining_mark(part) {
                folded.extend(part.to_lowercase());
            }
        });
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Result<Name, Invalid> {
        Name::try_from(text.to_owned())
    }

    #[test]
    fn a_name_of_10000_characters_is_refused() {
        assert!(name(&"x".repeat(10_000)).is_err());
    }

    #[test]
    fn control_characters_and_line_breaks_are_refused_in_names() {
        for text in ["a\0b", "a\nb", "a\u{2028}b", "   ", ""] {
            assert!(name(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn emoji_and_any_script_are_kept_as_they_are() {
        assert_eq!(name(" Zahlung 💳 支払い ").unwrap().as_str(), "Zahlung 💳 支払い");
    }

    #[test]
    fn a_suggested_stable_key_is_one() {
        for (text, key) in
            [("Slack – Alerts!", "slack-alerts"), ("Été 2026", "ete-2026"), ("💳", "connection"), ("Öl", "ol")]
        {
            let suggested = StableKey::suggest(&name(text).unwrap());
            assert_eq!(suggested.as_str(), key);
            assert!(is_stable_key(suggested.with_suffix(0xabcd).as_str()));
        }
    }

    #[test]
    fn folding_ignores_case_and_accents() {
        assert_eq!(fold("ÉCLAIR Ω"), "eclair ω");
    }
}
