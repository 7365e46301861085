//! One field of a form, as a provider file writes it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::catalog::pattern;

/// One field of the form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its key, unique within the connection type.
    pub key: String,
    /// Its name for people.
    pub label: String,
    /// What it is.
    pub help: String,
    /// Where its value is obtained.
    pub obtain: String,
    /// What its value is.
    #[serde(rename = "type")]
    pub value_type: FieldType,
    /// Whether its value is a secret.
    #[serde(default)]
    pub secret: bool,
    /// Whether a connection without it is incomplete (while it is visible).
    #[serde(default)]
    pub required: bool,
    /// What is cut off a value before it is checked.
    pub cut: Option<Cut>,
    /// The letters in which a value is kept; as it was entered, where absent.
    pub letters: Option<Letters>,
    /// A regular expression that the whole value matches.
    pub pattern: Option<String>,
    /// What the pattern says, in words.
    pub pattern_help: Option<String>,
    /// Values that look right and are not, each with the reason; looked at before the pattern.
    #[serde(default)]
    pub refuse: Vec<Refusal>,
    /// The values to choose from.
    #[serde(rename = "enum")]
    pub choices: Option<Vec<String>>,
    /// The value where none is given.
    pub default: Option<Value>,
    /// The field with the key file whose project is the value where none is given.
    pub project_of: Option<String>,
    /// When it is shown at all; always, where absent.
    pub visible_when: Option<VisibleWhen>,
    /// Whether its value decides where secrets are sent.
    #[serde(default)]
    pub destination: bool,
    /// Whether each customer has a value of its own where a template does not say otherwise; as a rule, secrets are.
    pub customer_specific: Option<bool>,
    /// Why this secret has to stand in a URL, where it does.
    pub secret_in_url: Option<String>,
}

impl Field {
    /// Whether each customer has a value of its own where a template does not say otherwise.
    #[must_use]
    pub fn is_customer_specific(&self) -> bool {
        self.customer_specific.unwrap_or(self.secret)
    }
}

/// What the value of a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// One line.
    Text,
    /// Several lines, such as a PEM key or a key file.
    Multiline,
    /// An absolute `https` URL.
    Url,
    /// What follows a base URL: a path that begins with `/`, with or without a query.
    Path,
    /// A list of HTTP statuses such as `200-299, 304`.
    Statuses,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
}

/// What people copy along with an identifier: the rest of an address, a closing slash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// A regular expression for what may stand before the value.
    pub before: Option<String>,
    /// A regular expression for what may stand after it.
    pub after: Option<String>,
}

/// Letters that make no difference to the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Letters {
    /// Small letters.
    Lower,
    /// Capital letters.
    Upper,
}

/// Values that a field refuses, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// A regular expression that the whole value matches.
    pub pattern: String,
    /// Why such a value is refused, and what to do instead.
    pub help: String,
}

/// When a field is shown: while another one has one of these values, or one that a pattern matches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VisibleWhen {
    /// The key of the other field, which stands before this one.
    pub field: String,
    /// The values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>, required = false)]
    pub is: Vec<Value>,
    /// In their place a regular expression, which the whole value matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub matches: Option<String>,
}

impl VisibleWhen {
    /// Whether the other field having this value shows the field.
    #[must_use]
    pub fn holds(&self, value: &Value) -> bool {
        let matched = || pattern::matches(self.matches.as_deref()?, value.as_str()?);
        self.is.contains(value) || matched() == Some(true)
    }
}
