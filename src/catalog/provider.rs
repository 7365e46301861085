//! What the Worker itself keeps of a provider file: what its logic needs. What people are only shown (guides, icons,
//! help) is in [`super::view`], which is deployed beside the Worker, not in it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::file::{self, Category, Cut, FieldType, Letters, Message, Oauth, Refusal, Test, VisibleWhen};
use super::reach::Reach;

/// A third-party service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// The name of its folder.
    pub key: String,
    /// Its name for people.
    pub name: String,
    /// Under which heading it is offered.
    pub category: Category,
    /// The ways to authenticate with it, the recommended one first.
    pub connection_types: Vec<ConnectionType>,
}

/// One way to authenticate with a provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionType {
    /// Its key, unique within the provider.
    pub key: String,
    /// Its name for people.
    pub name: String,
    /// The form, in the order in which it is shown.
    #[serde(default)]
    pub fields: Vec<Field>,
    /// What other tools ask for and Keyfob cannot do, by the key under which it would be sent: why, and what to do.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unavailable: BTreeMap<String, String>,
    /// How its tokens are obtained, where it uses OAuth 2.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth: Option<Oauth>,
    /// How the provider is reached with these values.
    pub reach: Reach,
    /// How to find out, without harm, whether the credential works; none where nothing harmless does.
    pub test: Option<Test>,
    /// The message of `mode=send_message`, where only a message proves delivery.
    pub message: Option<Message>,
}

impl ConnectionType {
    /// The field with this key.
    #[must_use]
    pub fn field(&self, key: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.key == key)
    }
}

/// One field of the form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, as the provider file states them")]
pub struct Field {
    /// Its key, unique within the connection type.
    pub key: String,
    /// Its name for people, which the sentences about a wrong value use.
    pub label: String,
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
    /// The letters in which a value is kept.
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_of: Option<String>,
    /// When it is shown at all; always, where absent.
    pub visible_when: Option<VisibleWhen>,
    /// Whether its value decides where secrets are sent.
    #[serde(default)]
    pub destination: bool,
    /// Whether each customer has a value of its own where a template does not say otherwise.
    #[serde(default)]
    pub customer_specific: bool,
}

impl From<&file::Provider> for Provider {
    fn from(file: &file::Provider) -> Self {
        Self {
            key: file.key.clone(),
            name: file.name.clone(),
            category: file.category,
            connection_types: file.connection_types.iter().map(ConnectionType::from).collect(),
        }
    }
}

impl From<&file::ConnectionType> for ConnectionType {
    fn from(file: &file::ConnectionType) -> Self {
        Self {
            key: file.key.clone(),
            name: file.name.clone(),
            fields: file.fields.iter().map(Field::from).collect(),
            unavailable: file.unavailable.clone(),
            oauth: file.oauth.clone(),
            reach: file.reach.clone(),
            test: file.test.clone(),
            message: file.message.clone(),
        }
    }
}

impl From<&file::Field> for Field {
    fn from(file: &file::Field) -> Self {
        Self {
            key: file.key.clone(),
            label: file.label.clone(),
            value_type: file.value_type,
            secret: file.secret,
            required: file.required,
            cut: file.cut.clone(),
            letters: file.letters,
            pattern: file.pattern.clone(),
            pattern_help: file.pattern_help.clone(),
            refuse: file.refuse.clone(),
            choices: file.choices.clone(),
            default: file.default.clone(),
            project_of: file.project_of.clone(),
            visible_when: file.visible_when.clone(),
            destination: file.destination,
            customer_specific: file.is_customer_specific(),
        }
    }
}
