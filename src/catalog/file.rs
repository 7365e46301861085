//! The shape of a provider file, `providers/<key>/provider.toml`, as serde types. It knows no rule that goes beyond
//! the shape: those are in `check`. The build script reads this file too; `docs/providers-format.md` explains it.

mod auth;
mod field;
pub mod oauth;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

pub use auth::Auth;
pub use field::{Cut, Field, FieldType, Letters, Refusal, VisibleWhen};
pub use oauth::{Grant, Kept, Oauth};

use super::reach::{Reach, ServerTemplate};
use super::statuses::Statuses;
use super::template::Template;
use crate::domain::reason::Reason;
use crate::domain::verdict::Verdict;

/// A third-party service.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// The name of its folder.
    pub key: String,
    /// Its name for people.
    pub name: String,
    /// Under which heading it is offered.
    pub category: Category,
    /// Its home page.
    pub homepage: String,
    /// The text of `icon.svg`. Never in the TOML file: the build script puts it here.
    #[serde(default)]
    pub icon: String,
    /// The ways to authenticate with it, the recommended one first.
    pub connection_types: Vec<ConnectionType>,
}

/// The headings under which providers are offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Language models and what is built on them.
    Ai,
    /// Customers, payments, books.
    Business,
    /// Chat, mail, notifications.
    Communication,
    /// Clouds and their object stores.
    Cloud,
    /// Databases and warehouses.
    Data,
    /// What developers work with.
    Development,
    /// Documents, tables, tasks.
    Productivity,
    /// Anything over a general protocol.
    Generic,
}

/// One way to authenticate with a provider.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub struct ConnectionType {
    /// Its key, unique within the provider.
    pub key: String,
    /// Its name for people.
    pub name: String,
    /// What it is for, in a sentence or two.
    pub description: String,
    /// How to obtain, limit and rotate the credential.
    pub guide: Guide,
    /// The form, in the order in which it is shown.
    pub fields: Vec<Field>,
    /// What other tools ask for and Keyfob cannot do, by the key under which it would be sent: why, and what to do.
    pub unavailable: BTreeMap<String, String>,
    /// How its tokens are obtained, where it uses OAuth 2.0.
    pub oauth: Option<Oauth>,
    /// How the provider is reached with these values.
    pub reach: Reach,
    /// How to find out, without harm, whether the credential works. A server is tested as its protocol says.
    pub test: Option<Test>,
    /// Why there is no test; stated exactly where there is none.
    pub no_test: Option<String>,
    /// The message of `mode=send_message`, where only a message proves delivery.
    pub message: Option<Message>,
}

/// A connection type as it stands in the file: of `request` and `server` there is one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    key: String,
    name: String,
    description: String,
    guide: Guide,
    #[serde(default)]
    fields: Vec<Field>,
    #[serde(default)]
    unavailable: BTreeMap<String, String>,
    oauth: Option<Oauth>,
    request: Option<RequestTemplate>,
    server: Option<ServerTemplate>,
    test: Option<Test>,
    no_test: Option<String>,
    message: Option<Message>,
}

impl TryFrom<Written> for ConnectionType {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, &'static str> {
        let Written { key, name, description, guide, fields, unavailable, oauth, test, no_test, message, .. } = written;
        let reach = match (written.request, written.server) {
            (Some(request), None) => Reach::Request(request),
            (None, Some(server)) => Reach::Server(server),
            _ => return Err("must hold either request or server"),
        };
        Ok(Self { key, name, description, guide, fields, unavailable, oauth, reach, test, no_test, message })
    }
}

impl ConnectionType {
    /// The field with this key.
    #[must_use]
    pub fn field(&self, key: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.key == key)
    }
}

/// How a person obtains, limits and rotates a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Guide {
    /// The provider's own page about it.
    pub url: String,
    /// What to do, step by step.
    pub steps: Vec<String>,
    /// The least that the credential must be allowed.
    pub least_permissions: String,
    /// How to use an account that belongs to no person, where the provider has such accounts.
    pub service_account: Option<String>,
    /// How to replace the credential without an interruption.
    pub rotation: String,
    /// What "Connected" does not prove.
    pub not_proven: String,
}

/// How a workflow and the test reach the provider with the values of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestTemplate {
    /// The URL that every path is appended to. Its origin is a destination.
    pub base_url: Template,
    /// What stands in its place for some values; the first that holds.
    #[serde(default)]
    pub base_urls: Vec<BaseUrlWhen>,
    /// Further origins where secrets may be sent.
    #[serde(default)]
    pub destinations: Vec<String>,
    /// How a request is authenticated.
    pub auth: Auth,
    /// Headers that every request carries, beside those of `auth`.
    #[serde(default)]
    pub headers: BTreeMap<String, Template>,
}

impl RequestTemplate {
    /// Every base URL that values can choose.
    pub fn base_urls(&self) -> impl Iterator<Item = &Template> {
        [&self.base_url].into_iter().chain(self.base_urls.iter().map(|other| &other.base_url))
    }
}

/// Another base URL, for some values of a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseUrlWhen {
    /// The key of the field.
    pub field: String,
    /// A regular expression that its whole value matches.
    pub matches: String,
    /// The URL.
    pub base_url: Template,
}

/// One HTTP request to the provider, below the base URL, authenticated as `request` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The method.
    pub method: Template,
    /// What is appended to the base URL.
    #[serde(default)]
    pub path: Template,
    /// Parameters of the query.
    #[serde(default)]
    pub query: BTreeMap<String, Template>,
    /// Headers, beside those of `request`.
    #[serde(default)]
    pub headers: BTreeMap<String, Template>,
    /// The body, sent as it is: no holes.
    pub body: Option<String>,
    /// Members that are added to the body, a JSON object then: each where its holes have values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub body_members: BTreeMap<String, Template>,
}

/// A test: one call, and what its answer says about the credential.
///
/// The first rule that matches decides; then `expect`; then the class of the status.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// What is called. Where a hole of it has no value, the test does not exist for these values.
    pub call: Call,
    /// What is called in its place where a hole of it has no value.
    pub else_call: Option<Call>,
    /// What the test does at the provider.
    pub side_effect: SideEffect,
    /// What answers mean.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// Statuses that mean `valid` when no rule matches: a list, or the hole of a field that holds one.
    pub expect: Option<Template>,
    /// What a valid answer tells for free, by name.
    #[serde(default)]
    pub facts: BTreeMap<String, Place>,
    /// Where an answer names the scopes of the credential: a list, or a text with commas or spaces between them.
    pub granted_scopes: Option<Place>,
    /// Where an answer says when the credential expires.
    pub expires_at: Option<Place>,
    /// Whether the call is repeated without the credential: the same answer means that nothing was checked.
    #[serde(default)]
    pub compare_without_credential: bool,
}

/// What a test does at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SideEffect {
    /// Nothing.
    None,
    /// It leaves a line in the provider's log.
    Logged,
    /// It costs money.
    Billable,
    /// Somebody sees it: it never runs unless asked for explicitly.
    Visible,
}

/// What an answer means. Every condition that is stated must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The status is one of these.
    pub status: Statuses,
    /// The body contains any of these.
    #[serde(default)]
    pub body_contains_any: Vec<String>,
    /// The body is JSON with such a value at this place.
    pub json: Option<JsonMatch>,
    /// A header has one of these values.
    pub header: Option<HeaderMatch>,
    /// The verdict.
    pub verdict: Verdict,
    /// The reason, unless the verdict is `valid`.
    pub reason: Option<Reason>,
    /// Whether the call is repeated once, some seconds later, before this is concluded.
    #[serde(default)]
    pub second_try: bool,
}

/// A place in a JSON body and what is looked for there: certain values, or any at all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JsonMatch {
    /// A JSON pointer (RFC 6901).
    pub pointer: String,
    /// The values, any of which matches.
    #[serde(default)]
    pub equals_any: Vec<Value>,
    /// Whether any value but `null` matches.
    #[serde(default)]
    pub present: bool,
}

/// A header and the values looked for in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderMatch {
    /// Its name.
    pub name: String,
    /// The values, any of which matches.
    pub equals_any: Vec<String>,
}

/// Where an answer tells something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Place {
    /// At a JSON pointer (RFC 6901) into the body.
    Body(String),
    /// In a header.
    Header {
        /// Its name.
        header: String,
    },
    /// In the first element of this name, where the body is XML.
    Xml {
        /// The name of the element.
        xml: String,
    },
}

/// A message with a visible effect, sent only when asked for explicitly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// What is sent.
    pub call: Call,
    /// What answers mean; then the class of the status.
    pub rules: Vec<Rule>,
}
