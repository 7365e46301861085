//! The client of a connection at its authorization server: the templates of the provider file filled with its values. What is
//! asked and answered is the matter of the module `oauth`.

use std::collections::BTreeMap;

use url::{Url, form_urlencoded};

use super::file::oauth::TokenBody;
use super::file::{Kept, Oauth};
use super::fill::{FillError, Values, unfit};
use super::pattern;
use super::provider::ConnectionType;
use super::template::Template;
use crate::domain::values::{Secret, Secrets, Settings};

/// Parameters that belong to the flow: nothing else may set them.
const RESERVED: [&str; 11] = [
    "client_id",
    "client_secret",
    "code",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "grant_type",
    "redirect_uri",
    "refresh_token",
    "response_type",
    "state",
];

/// A client at an authorization server. It holds a secret: it has no `Debug`.
pub struct Client<'a> {
    /// What its provider file says.
    pub file: &'a Oauth,
    /// Where people consent; none where it has to be discovered, or nobody does.
    pub authorize_url: Option<Url>,
    /// Where tokens are obtained; none where it has to be discovered.
    pub token_url: Option<Url>,
    /// Where tokens are revoked.
    pub revoke_url: Option<Url>,
    /// The issuer, spelled as it was entered.
    pub issuer: Option<String>,
    /// The id of the client.
    pub id: String,
    /// Its secret.
    pub secret: Option<Secret>,
    /// How it proves itself.
    pub authentication: ClientAuthentication,
    /// The scopes to ask for.
    pub scopes: Vec<String>,
    /// What stands between them.
    pub separator: &'static str,
    /// Further parameters where people consent.
    pub authorize_parameters: BTreeMap<String, String>,
    /// Further parameters where tokens are obtained.
    pub token_parameters: BTreeMap<String, String>,
    /// Where the answer has what.
    pub pointers: Pointers,
}

/// How a client proves itself (RFC 6749, section 2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// By HTTP Basic.
    Basic,
    /// In the body.
    Post,
    /// Not at all: it is public.
    None,
}

/// Where an answer has what: JSON pointers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointers {
    /// The access token.
    pub access_token: String,
    /// The refresh token.
    pub refresh_token: String,
    /// Its lifetime.
    pub expires_in: String,
    /// Its type.
    pub token_type: String,
    /// Its scopes.
    pub scope: String,
}

impl Pointers {
    /// As the standard has it (RFC 6749, section 5.1).
    #[must_use]
    pub fn standard() -> Self {
        let at = |name: &str| format!("/{name}");
        Self {
            access_token: at("access_token"),
            refresh_token: at("refresh_token"),
            expires_in: at("expires_in"),
            token_type: at("token_type"),
            scope: at("scope"),
        }
    }
}

impl Client<'_> {
    /// Whether the addresses have to be discovered.
    #[must_use]
    pub const fn is_discovered(&self) -> bool {
        self.token_url.is_none()
    }

    /// How the parameters of a token request are sent.
    #[must_use]
    pub const fn body(&self) -> TokenBody {
        self.file.token_body
    }
}

/// Fills in the client of a connection; none where its type does not use OAuth.
///
/// # Errors
/// When a value that is needed is not there, or does not fit its place.
pub fn client<'a>(
    connection_type: &'a ConnectionType,
    settings: &Settings,
    secrets: &Secrets,
) -> Result<Option<Client<'a>>, FillError> {
    let Some(file) = &connection_type.oauth else { return Ok(None) };
    let values = Values { settings, secrets };
    let url = |template: &Option<Template>| template.as_ref().map(|template| address(values, template)).transpose();
    let answer = &file.answer;
    let pointer = |template: &Template| optional(values, template).map(Option::unwrap_or_default);
    let secret = file.client_secret.as_ref().map(|template| optional(values, template)).transpose()?.flatten();
    Ok(Some(Client {
        file,
        authorize_url: url(&file.authorize_url)?,
        token_url: url(&file.token_url)?,
        revoke_url: file.revoke_url.as_ref().map(|template| optional_address(values, template)).transpose()?.flatten(),
        issuer: file.issuer.as_ref().map(|template| optional(values, template)).transpose()?.flatten(),
        id: values.text(&file.client_id)?,
        secret: secret.map(Secret::new),
        authentication: authentication(values, &file.client_authentication)?,
        scopes: scopes(values, file)?,
        separator: separator(values, &file.scope_separator)?,
        authorize_parameters: authorize_parameters(values, file)?,
        token_parameters: parameters(values, &file.token_parameters)?,
        pointers: Pointers {
            access_token: values.text(&answer.access_token)?,
            refresh_token: pointer(&answer.refresh_token)?,
            expires_in: pointer(&answer.expires_in)?,
            token_type: pointer(&answer.token_type)?,
            scope: pointer(&answer.scope)?,
        },
    }))
}

/// Whether something of an answer is what the file expects there.
#[must_use]
pub fn is_expected(kept: &Kept, value: &str) -> bool {
    kept.pattern.as_deref().is_none_or(|pattern| pattern::matches(pattern, value) == Some(true))
}

/// Splits a list of scopes, whatever stands between them.
#[must_use]
pub fn split_scopes(text: &str) -> Vec<String> {
    text.split([' ', ',', '\t']).filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
}

/// The values that the answer of a server will give, as stand-ins: so that the places where they go can be checked before.
#[must_use]
pub fn stand_ins(connection_type: &ConnectionType) -> Secrets {
    let provided = connection_type.oauth.iter().flat_map(Oauth::provides);
    provided.map(|name| (name.to_owned(), Secret::new("https://x.example".to_owned()))).collect()
}

/// The secrets with stand-ins for what the answer of a server will give.
#[must_use]
pub(super) fn with_stand_ins(connection_type: &ConnectionType, secrets: &Secrets) -> Secrets {
    let own = secrets.0.iter().map(|(field, secret)| (field.clone(), secret.copy()));
    stand_ins(connection_type).0.into_iter().chain(own).collect()
}

fn address(values: Values<'_>, template: &Template) -> Result<Url, FillError> {
    let text = values.url(template)?;
    Url::parse(&text).ok().filter(Url::has_host).ok_or_else(|| unfit(template, "makes no URL"))
}

fn optional_address(values: Values<'_>, template: &Template) -> Result<Option<Url>, FillError> {
    match address(values, template) {
        Err(FillError::Unset(_)) => Ok(None),
        found => found.map(Some),
    }
}

fn optional(values: Values<'_>, template: &Template) -> Result<Option<String>, FillError> {
    match values.text(template) {
        Err(FillError::Unset(_)) => Ok(None),
        found => found.map(Some),
    }
}

fn authentication(values: Values<'_>, template: &Template) -> Result<ClientAuthentication, FillError> {
    match values.text(template)?.as_str() {
        "basic" => Ok(ClientAuthentication::Basic),
        "post" => Ok(ClientAuthentication::Post),
        "none" => Ok(ClientAuthentication::None),
        _ => Err(unfit(template, "must be basic, post or none")),
    }
}

fn separator(values: Values<'_>, template: &Template) -> Result<&'static str, FillError> {
    match values.text(template)?.as_str() {
        "space" => Ok(" "),
        "comma" => Ok(","),
        _ => Err(unfit(template, "must be space or comma")),
    }
}

fn scopes(values: Values<'_>, file: &Oauth) -> Result<Vec<String>, FillError> {
    let text = file.scopes.as_ref().map(|template| optional(values, template)).transpose()?.flatten();
    Ok(split_scopes(&text.unwrap_or_default()))
}

fn parameters(
    values: Values<'_>,
    templates: &BTreeMap<String, Template>,
) -> Result<BTreeMap<String, String>, FillError> {
    let filled = templates.iter().map(|(name, template)| Ok((name.clone(), optional(values, template)?)));
    let filled: Vec<(String, Option<String>)> = filled.collect::<Result<_, FillError>>()?;
    Ok(filled.into_iter().filter_map(|(name, value)| Some((name, value?))).collect())
}

fn authorize_parameters(values: Values<'_>, file: &Oauth) -> Result<BTreeMap<String, String>, FillError> {
    let mut all = parameters(values, &file.authorize_parameters)?;
    let Some(template) = &file.more_authorize_parameters else { return Ok(all) };
    let more = optional(values, template)?.unwrap_or_default();
    for (name, value) in form_urlencoded::parse(more.as_bytes()) {
        if RESERVED.contains(&&*name) || name == file.scope_parameter {
            return Err(unfit(template, "names a parameter that the flow itself sets"));
        }
        all.insert(name.into_owned(), value.into_owned());
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn connection_type(oauth: &serde_json::Value) -> ConnectionType {
        let request =
            json!({ "base_url": "https://api.example", "auth": { "scheme": "bearer", "token": "{access_token}" } });
        let value = json!({ "key": "k", "name": "n", "reach": { "request": request }, "oauth": oauth });
        serde_json::from_value(value).unwrap()
    }

    fn oauth(more: &serde_json::Value) -> serde_json::Value {
        let mut oauth = json!({
            "grant": "authorization_code", "authorize_url": "https://a.example/authorize",
            "token_url": "https://a.example/token", "client_id": "{client_id}", "client_secret": "{client_secret}",
            "scopes": "{scopes}", "more_authorize_parameters": "{more}", "client_authentication": "{authentication}",
        });
        oauth.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        oauth
    }

    fn filled(more: &str, authentication: &str) -> Result<(BTreeMap<String, String>, Vec<String>), FillError> {
        let connection_type = connection_type(&oauth(&json!({})));
        let settings = [("client_id", "id"), ("scopes", "a b,c"), ("more", more), ("authentication", authentication)];
        let settings = settings.into_iter().map(|(key, value)| (key.to_owned(), json!(value))).collect();
        let client = client(&connection_type, &settings, &Secrets::default())?.unwrap();
        Ok((client.authorize_parameters, client.scopes))
    }

    #[test]
    fn a_parameter_of_the_flow_cannot_be_set_by_values() {
        for name in RESERVED.into_iter().chain(["scope"]) {
            assert!(matches!(filled(&format!("prompt=x&{name}=y"), "post"), Err(FillError::Unfit { .. })), "{name}");
        }
        // Encoded it is the same name.
        assert!(matches!(filled("%73tate=y", "post"), Err(FillError::Unfit { .. })));
    }

    #[test]
    fn an_unknown_way_to_prove_the_client_is_refused() {
        assert!(matches!(filled("", "digest"), Err(FillError::Unfit { .. })));
    }

    #[test]
    fn values_fill_the_client() {
        let (parameters, scopes) = filled("prompt=consent&x=a%20b", "basic").unwrap();
        assert_eq!(
            parameters,
            BTreeMap::from([("prompt", "consent"), ("x", "a b")].map(|(k, v)| (k.into(), v.into())))
        );
        assert_eq!(scopes, ["a", "b", "c"]);
    }

    #[test]
    fn without_oauth_there_is_no_client() {
        let mut connection_type = connection_type(&oauth(&json!({})));
        connection_type.oauth = None;
        assert!(client(&connection_type, &Settings::new(), &Secrets::default()).is_ok_and(|client| client.is_none()));
    }
}
