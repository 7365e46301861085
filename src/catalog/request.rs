//! How a provider is reached with the values of a connection. Every scheme of authentication is implemented here,
//! once: for the workflow engine, which gets a [`Request`], and for the probe, which sends a [`call`].

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde::Serialize;
use url::Url;
use utoipa::ToSchema;

use super::file::{Auth, Call, RequestTemplate, Test};
use super::fill::{FillError, Values, sensitive, unfit};
use super::pattern;
use super::provider::ConnectionType;
use super::signing::signing;
use super::statuses::Statuses;
use super::template::Template;
use crate::domain::values::{Secrets, Settings};
use crate::ports::Outbound;

/// What a request to the provider is made of. Where the connection type signs each request or a token (AWS, Google, Snowflake), the caller signs, with the
/// settings and secrets beside this: here is only what does not change. It holds secrets: it has no `Debug`.
#[derive(Serialize, ToSchema)]
pub struct Request {
    /// The URL that paths are appended to.
    pub base_url: String,
    /// The headers that every request carries, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The parameters that every query carries.
    pub query: BTreeMap<String, String>,
}

/// Whether a call carries the credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// It does.
    Sent,
    /// It does not: to see whether the provider answers the same without.
    Withheld,
}

/// Renders how the provider is reached by HTTP with these values.
///
/// # Errors
/// When a field that is needed has no value, or its value does not fit its place.
pub fn render(template: &RequestTemplate, settings: &Settings, secrets: &Secrets) -> Result<Request, FillError> {
    let values = Values { settings, secrets };
    let common = Common::of(template, values, Credential::Sent)?;
    let headers = common.headers.iter().map(|(name, value)| (name.to_string(), shown(value))).collect();
    Ok(Request { base_url: common.base_url, headers, query: common.query })
}

/// Renders one call of a test or a message; `None` where a field that the call needs has no value: then the test
/// does not exist for these values. To a server there are no calls.
///
/// # Errors
/// When a field that every request needs has no value, or a value does not fit its place.
pub fn call(
    connection_type: &ConnectionType,
    call: &Call,
    settings: &Settings,
    secrets: &Secrets,
    credential: Credential,
) -> Result<Option<Outbound>, FillError> {
    let values = Values { settings, secrets };
    let Some(template) = connection_type.request() else { return Ok(None) };
    let common = Common::of(template, values, credential)?;
    match outbound(common, template, call, values) {
        Ok(outbound) => Ok(Some(outbound)),
        Err(FillError::Unset(_)) => Ok(None),
        Err(unfit) => Err(unfit),
    }
}

/// The statuses that mean `valid` when no rule of the test matches.
///
/// # Errors
/// When the field that holds the list has a value that is none.
pub fn expected(test: &Test, settings: &Settings) -> Result<Option<Statuses>, FillError> {
    let Some(template) = &test.expect else { return Ok(None) };
    let list = match (Values { settings, secrets: &Secrets::default() }).text(template) {
        Ok(list) => list,
        Err(FillError::Unset(_)) => return Ok(None),
        Err(unfit) => return Err(unfit),
    };
    Statuses::parse(&list).map(Some).map_err(|_| unfit(template, "is not a list of statuses"))
}

/// Whether the values fit wherever the test and the message put them.
pub(super) fn fits(connection_type: &ConnectionType, settings: &Settings, secrets: &Secrets) -> Result<(), FillError> {
    let test = connection_type.test.as_ref();
    let else_call = test.and_then(|test| test.else_call.as_ref());
    let message = connection_type.message.as_ref().map(|message| &message.call);
    let calls = [test.map(|test| &test.call), else_call, message];
    for template in calls.into_iter().flatten() {
        call(connection_type, template, settings, secrets, Credential::Sent)?;
    }
    signing(connection_type, settings, secrets)?;
    test.map_or(Ok(()), |test| expected(test, settings).map(drop))
}

/// The base URL, parsed.
pub(super) fn base_url(request: &RequestTemplate, settings: &Settings, secrets: &Secrets) -> Result<Url, FillError> {
    let template = base_url_for(request, settings);
    let text = Values { settings, secrets }.url(template)?;
    let url = Url::parse(&text).ok().filter(Url::has_host);
    url.ok_or_else(|| unfit(template, "makes no URL"))
}

/// The template of the base URL for these values.
fn base_url_for<'a>(request: &'a RequestTemplate, settings: &Settings) -> &'a Template {
    let value = |field: &str| settings.get(field).and_then(serde_json::Value::as_str);
    let other = request
        .base_urls
        .iter()
        .find(|other| value(&other.field).is_some_and(|value| pattern::matches(&other.matches, value) == Some(true)));
    other.map_or(&request.base_url, |other| &other.base_url)
}

/// What every request has in common.
struct Common {
    base_url: String,
    headers: HeaderMap,
    query: BTreeMap<String, String>,
}

impl Common {
    fn of(request: &RequestTemplate, values: Values<'_>, credential: Credential) -> Result<Self, FillError> {
        let base_url = values.url(base_url_for(request, values.settings))?;
        let mut common = Self { base_url, headers: HeaderMap::new(), query: BTreeMap::new() };
        add_headers(&mut common.headers, &request.headers, values)?;
        if credential == Credential::Sent {
            common.authenticate(&request.auth, values)?;
        }
        Ok(common)
    }

    fn authenticate(&mut self, auth: &Auth, values: Values<'_>) -> Result<(), FillError> {
        match auth {
            // What signs each request has nothing that could be added here: see `signing`.
            Auth::None {}
            | Auth::AwsSigv4 { .. }
            | Auth::GoogleServiceAccount { .. }
            | Auth::SnowflakeKeyPair { .. } => {}
            Auth::Bearer { token } => {
                let value = sensitive(&format!("Bearer {}", values.text(token)?));
                let value = value.ok_or_else(|| unfit(token, "has characters that a header cannot carry"))?;
                self.headers.insert(header::AUTHORIZATION, value);
            }
            Auth::Basic { username, password } => {
                let name = values.text(username)?;
                if name.contains(':') {
                    return Err(unfit(username, "has a colon, which basic authentication cannot carry"));
                }
                let pair = STANDARD.encode(format!("{name}:{}", values.text(password)?));
                self.headers.extend(sensitive(&format!("Basic {pair}")).map(|value| (header::AUTHORIZATION, value)));
            }
            Auth::Authorization { value } => {
                self.headers.insert(header::AUTHORIZATION, values.header_value(value)?);
            }
            Auth::Header { name, value } => {
                self.headers.insert(values.header_name(name)?, values.header_value(value)?);
            }
            Auth::AccessToken { placement, name, prefix, token } => match values.text(placement)?.as_str() {
                "header" => {
                    let value = format!("{} {}", values.text(prefix)?, values.text(token)?);
                    let value = sensitive(&value);
                    let value = value.ok_or_else(|| unfit(token, "has characters that a header cannot carry"))?;
                    self.headers.insert(values.header_name(name)?, value);
                }
                "query" => drop(self.query.insert(values.text(name)?, values.text(token)?)),
                _ => return Err(unfit(placement, "must be header or query")),
            },
            Auth::Query { name, value } => {
                self.query.insert(values.text(name)?, values.text(value)?);
            }
        }
        Ok(())
    }
}

fn outbound(
    mut common: Common,
    template: &RequestTemplate,
    call: &Call,
    values: Values<'_>,
) -> Result<Outbound, FillError> {
    let method = values.text(&call.method)?;
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| unfit(&call.method, "is not a method"))?;
    let to_blame = if call.path.as_literal().is_some() { &template.base_url } else { &call.path };
    let mut url = join(&common.base_url, &values.url(&call.path)?).ok_or_else(|| unfit(to_blame, "makes no URL"))?;
    add_headers(&mut common.headers, &call.headers, values)?;
    for (name, value) in &call.query {
        common.query.insert(name.clone(), values.text(value)?);
    }
    if !common.query.is_empty() {
        url.query_pairs_mut().extend_pairs(&common.query);
    }
    Ok(Outbound { method, url, headers: common.headers, body: body(call, values)? })
}

/// The body, with the members whose holes have values.
fn body(call: &Call, values: Values<'_>) -> Result<Bytes, FillError> {
    let members = values.members(&call.body_members)?;
    let text = call.body.clone().unwrap_or_default();
    match serde_json::from_str::<serde_json::Map<_, _>>(&text) {
        Ok(object) if !members.is_empty() => {
            Ok(serde_json::Value::Object(object.into_iter().chain(members).collect()).to_string().into())
        }
        _ => Ok(text.into()),
    }
}

/// Appends a path to a base URL, so that neither the host nor the path of the base changes.
fn join(base: &str, path: &str) -> Option<Url> {
    let base = Url::parse(base).ok()?;
    if path.is_empty() {
        return Some(base);
    }
    if base.query().is_some() || !path.starts_with('/') {
        return None;
    }
    let prefix = base.as_str().trim_end_matches('/');
    let url = Url::parse(&format!("{prefix}{path}")).ok()?;
    let below = url.as_str().strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/'));
    below.then_some(url)
}

fn add_headers(
    headers: &mut HeaderMap,
    templates: &BTreeMap<String, Template>,
    values: Values<'_>,
) -> Result<(), FillError> {
    for (name, template) in templates {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unfit(template, "belongs to no header"))?;
        headers.insert(name, values.header_value(template)?);
    }
    Ok(())
}

/// A header as text; it was made from text.
fn shown(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

#[cfg(test)]
mod tests;
