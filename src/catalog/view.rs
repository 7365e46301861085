//! A provider as the API shows it, whole: guides, forms, and what its tests do. The build makes one such view of each
//! provider file; they are deployed as static files, so that no text that is only shown weighs on the Worker.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::file::{Category, ConnectionType, Field, FieldType, Grant, Guide, Provider, SideEffect, VisibleWhen};
use super::json_schema::json_schema;
use super::reach::Reach;

/// The path of the view of a provider among the static files.
#[must_use]
pub fn view_path(provider: &str) -> String {
    format!("/providers/{provider}.json")
}

/// The path of the icon of a provider among the static files.
#[must_use]
pub fn icon_path(provider: &str) -> String {
    format!("/providers/{provider}.svg")
}

/// A provider with everything that a form needs.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProviderView<'a> {
    /// Its key.
    pub key: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its category.
    pub category: Category,
    /// Its home page.
    pub homepage: &'a str,
    /// Its icon, an SVG document: a path on this host, which any page may load without a key.
    #[schema(example = "/providers/slack.svg")]
    pub icon_url: String,
    /// Its connection types.
    pub connection_types: Vec<TypeView<'a>>,
}

/// A connection type: the guide, the form, and what its test does.
#[derive(Debug, Serialize, ToSchema)]
pub struct TypeView<'a> {
    /// Its key.
    pub key: &'a str,
    /// Its name.
    pub name: &'a str,
    /// What it is for.
    pub description: &'a str,
    /// How to obtain, limit and rotate its credential.
    pub guide: &'a Guide,
    /// The fields of its form, in order.
    pub fields: Vec<FieldView<'a>>,
    /// The same fields as a JSON Schema (2020-12) of `{settings, secrets}`.
    #[schema(value_type = Object)]
    pub json_schema: Value,
    /// What other tools ask for and Keyfob cannot do, by the key under which it would be sent: why, and what to do.
    pub unavailable: &'a BTreeMap<String, String>,
    /// How its tokens are obtained; null where it does not use OAuth 2.0.
    pub oauth: Option<OauthView>,
    /// What its test does at the provider; null where it has none.
    pub test_side_effect: Option<SideEffect>,
    /// Whether a test may send a message that people see, when asked for.
    pub sends_message: bool,
}

/// How tokens are obtained by OAuth 2.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Oauth)]
pub struct OauthView {
    /// The grant. With `authorization_code` the connection is saved first and then authorized by a person, with
    /// `POST /v1/connections/{id}/authorizations`.
    pub grant: Grant,
    /// Whether tokens can be revoked at the provider when the connection is deleted.
    pub can_revoke: bool,
}

/// A field of a form.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Field)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, as the provider file states them")]
pub struct FieldView<'a> {
    /// Its key.
    #[schema(example = "webhook_url")]
    pub key: &'a str,
    /// Its name for people.
    pub label: &'a str,
    /// What it is.
    pub help: &'a str,
    /// Where its value is obtained.
    pub obtain: &'a str,
    /// What its value is.
    #[serde(rename = "type")]
    pub field_type: FieldType,
    /// Whether its value is a secret: sent in `secrets`, else in `settings`.
    pub secret: bool,
    /// Whether a connection needs it, while it is shown.
    pub required: bool,
    /// A regular expression that the whole value matches.
    pub pattern: Option<&'a str>,
    /// What the pattern says, in words.
    pub pattern_help: Option<&'a str>,
    /// The values to choose from.
    #[serde(rename = "enum")]
    pub choices: Option<&'a [String]>,
    /// The value where none is given.
    #[schema(value_type = Option<Value>)]
    pub default: Option<&'a Value>,
    /// When it is shown at all; always, where null.
    pub visible_when: Option<&'a VisibleWhen>,
    /// Whether its value decides where secrets are sent: changing it asks for the secrets again.
    pub destination: bool,
    /// Whether each customer has a value of its own under a template that does not say otherwise.
    pub customer_specific: bool,
}

impl<'a> From<&'a Field> for FieldView<'a> {
    fn from(field: &'a Field) -> Self {
        Self {
            key: &field.key,
            label: &field.label,
            help: &field.help,
            obtain: &field.obtain,
            field_type: field.value_type,
            secret: field.secret,
            required: field.required,
            pattern: field.pattern.as_deref(),
            pattern_help: field.pattern_help.as_deref(),
            choices: field.choices.as_deref(),
            default: field.default.as_ref(),
            visible_when: field.visible_when.as_ref(),
            destination: field.destination,
            customer_specific: field.is_customer_specific(),
        }
    }
}

impl<'a> From<&'a ConnectionType> for TypeView<'a> {
    fn from(of: &'a ConnectionType) -> Self {
        Self {
            key: &of.key,
            name: &of.name,
            description: &of.description,
            guide: &of.guide,
            fields: of.fields.iter().map(FieldView::from).collect(),
            json_schema: json_schema(of),
            unavailable: &of.unavailable,
            oauth: of.oauth.as_ref().map(|oauth| OauthView {
                grant: oauth.grant,
                can_revoke: oauth.revoke_url.is_some() || oauth.token_url.is_none(),
            }),
            test_side_effect: match &of.reach {
                Reach::Request(_) => of.test.as_ref().map(|test| test.side_effect),
                // Servers can log who connects.
                Reach::Server(_) => Some(SideEffect::Logged),
            },
            sends_message: of.message.is_some(),
        }
    }
}

impl<'a> From<&'a Provider> for ProviderView<'a> {
    fn from(provider: &'a Provider) -> Self {
        Self {
            key: &provider.key,
            name: &provider.name,
            category: provider.category,
            homepage: &provider.homepage,
            icon_url: icon_path(&provider.key),
            connection_types: provider.connection_types.iter().map(TypeView::from).collect(),
        }
    }
}
