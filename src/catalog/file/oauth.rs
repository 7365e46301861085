//! How tokens are obtained by OAuth 2.0 (RFC 6749), as a provider file states it. What providers do differently is data here:
//! no provider has code of its own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::catalog::template::Template;

/// Which client asks which server for which tokens, and where its answer has them.
///
/// In `request`, `test` and `message` the hole `{access_token}` stands for the token, and `{<name>}` for what `answer.keep`
/// names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oauth {
    /// The grant.
    pub grant: Grant,
    /// Where people consent.
    pub authorize_url: Option<Template>,
    /// Where tokens are obtained.
    pub token_url: Option<Template>,
    /// Where tokens are revoked (RFC 7009).
    pub revoke_url: Option<Template>,
    /// The issuer: what `iss` has to be where the server sends it (RFC 9207), and who is asked for the addresses above where they
    /// are not stated (OpenID Connect Discovery 1.0, RFC 8414).
    pub issuer: Option<Template>,
    /// The client.
    pub client_id: Template,
    /// Its secret.
    pub client_secret: Option<Template>,
    /// How the client proves itself: `basic`, `post` or `none` (RFC 6749, section 2.3.1).
    #[serde(default = "post", skip_serializing_if = "is_post")]
    pub client_authentication: Template,
    /// The scopes to ask for, with spaces or commas between them.
    pub scopes: Option<Template>,
    /// What stands between scopes when they are asked for: `space` or `comma`.
    #[serde(default = "space", skip_serializing_if = "is_space")]
    pub scope_separator: Template,
    /// The parameter that names the scopes.
    #[serde(default = "scope", skip_serializing_if = "is_scope")]
    pub scope_parameter: String,
    /// Whether the provider knows PKCE (RFC 7636).
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub pkce: bool,
    /// Further parameters where people consent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub authorize_parameters: BTreeMap<String, Template>,
    /// Further ones that the values name, as a query: `access_type=offline&prompt=consent`.
    pub more_authorize_parameters: Option<Template>,
    /// Further parameters where tokens are obtained.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub token_parameters: BTreeMap<String, Template>,
    /// How the parameters of a token request are sent.
    #[serde(default, skip_serializing_if = "is_form")]
    pub token_body: TokenBody,
    /// Where the answer has the tokens.
    #[serde(default)]
    pub answer: TokenAnswer,
    /// For how many seconds an access token lives whose answer does not say so; for ever, where absent.
    pub lifetime: Option<u64>,
}

/// A grant of RFC 6749.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// A person consents at the provider (section 4.1).
    AuthorizationCode,
    /// The client stands for itself (section 4.4).
    ClientCredentials,
}

/// How the parameters of a token request are sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenBody {
    /// As a form, as the standard has it.
    #[default]
    Form,
    /// As a JSON object.
    Json,
}

/// Where the answer to a token request has what: JSON pointers (RFC 6901).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenAnswer {
    /// The access token.
    pub access_token: Template,
    /// The refresh token.
    pub refresh_token: Template,
    /// For how many seconds the access token lives.
    pub expires_in: Template,
    /// The type of the access token.
    pub token_type: Template,
    /// The scopes that were granted, with spaces or commas between them, or a list.
    pub scope: Template,
    /// The code of an error.
    pub error: String,
    /// Codes that mean what `invalid_grant` means in the standard: the grant is spent, withdrawn or expired for good.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub invalid_grant: Vec<String>,
    /// Codes that mean what `invalid_client` means in the standard.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub invalid_client: Vec<String>,
    /// Scopes that are granted although the answer never lists them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unlisted_scopes: Vec<String>,
    /// What else is kept of the answer, by the name of its hole.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub keep: BTreeMap<String, Kept>,
}

/// Something of the answer that requests need: the address of an instance, a webhook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// Where it is.
    pub at: String,
    /// A regular expression that the whole of it matches. What decides where secrets go has one.
    pub pattern: Option<String>,
    /// Whether it is a secret.
    #[serde(default)]
    pub secret: bool,
}

impl Default for TokenAnswer {
    fn default() -> Self {
        Self {
            access_token: literal("/access_token"),
            refresh_token: literal("/refresh_token"),
            expires_in: literal("/expires_in"),
            token_type: literal("/token_type"),
            scope: literal("/scope"),
            error: "/error".to_owned(),
            invalid_grant: Vec::new(),
            invalid_client: Vec::new(),
            unlisted_scopes: Vec::new(),
            keep: BTreeMap::new(),
        }
    }
}

impl Oauth {
    /// The hole of the access token.
    pub const ACCESS_TOKEN: &'static str = "access_token";

    /// The names of the holes that its answer fills.
    pub fn provides(&self) -> impl Iterator<Item = &str> {
        [Self::ACCESS_TOKEN].into_iter().chain(self.answer.keep.keys().map(String::as_str))
    }

    /// The templates of addresses.
    pub fn urls(&self) -> impl Iterator<Item = (&'static str, &Template)> {
        let urls = [
            ("authorize_url", &self.authorize_url),
            ("token_url", &self.token_url),
            ("revoke_url", &self.revoke_url),
            ("issuer", &self.issuer),
        ];
        urls.into_iter().filter_map(|(name, url)| Some((name, url.as_ref()?)))
    }

    /// The templates that take any text, by name.
    #[must_use]
    pub fn texts(&self) -> Vec<(&'static str, &Template)> {
        let answer = &self.answer;
        let always = [
            ("client_id", &self.client_id),
            ("client_authentication", &self.client_authentication),
            ("scope_separator", &self.scope_separator),
            ("answer.access_token", &answer.access_token),
            ("answer.refresh_token", &answer.refresh_token),
            ("answer.expires_in", &answer.expires_in),
            ("answer.token_type", &answer.token_type),
            ("answer.scope", &answer.scope),
        ];
        let sometimes = [
            ("client_secret", &self.client_secret),
            ("scopes", &self.scopes),
            ("more_authorize_parameters", &self.more_authorize_parameters),
        ];
        let parameters = self.authorize_parameters.values().map(|template| ("authorize_parameters", template));
        let more = self.token_parameters.values().map(|template| ("token_parameters", template));
        let sometimes = sometimes.into_iter().filter_map(|(name, template)| Some((name, template.as_ref()?)));
        always.into_iter().chain(sometimes).chain(parameters).chain(more).collect()
    }
}

/// A template without holes. The texts here have no braces.
fn literal(text: &str) -> Template {
    Template::try_from(text.to_owned()).unwrap_or_default()
}

fn post() -> Template {
    literal("post")
}

fn is_post(template: &Template) -> bool {
    *template == post()
}

fn space() -> Template {
    literal("space")
}

fn is_space(template: &Template) -> bool {
    *template == space()
}

fn scope() -> String {
    "scope".to_owned()
}

fn is_scope(name: &str) -> bool {
    name == "scope"
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
const fn is_yes(flag: &bool) -> bool {
    *flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
fn is_form(body: &TokenBody) -> bool {
    *body == TokenBody::Form
}
