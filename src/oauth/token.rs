//! Requests to the token endpoint (RFC 6749, sections 4.1.3, 4.4.2 and 6) and to the revocation endpoint (RFC 7009).

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use url::Url;
use url::form_urlencoded::{self, byte_serialize};

use super::answer::{Failed, Tokens, read};
use super::authorize::Pkce;
use crate::catalog::file::oauth::TokenBody;
use crate::catalog::oauth::{Client, ClientAuthentication};
use crate::domain::origin::Origin;
use crate::domain::values::Secret;
use crate::egress::{Deadline, Egress};
use crate::ports::Outbound;

/// What the outside sees as the sender.
pub(super) const AGENT: HeaderValue = HeaderValue::from_static(concat!("Keyfob/", env!("CARGO_PKG_VERSION")));

/// What tokens are obtained for.
pub enum Credential<'a> {
    /// A code that a person's consent gave.
    Code(Code<'a>),
    /// A refresh token.
    Refresh(&'a Secret),
    /// The client itself.
    Client,
}

/// A code, and what proves that we asked for it.
pub struct Code<'a> {
    /// The code.
    pub code: &'a Secret,
    /// The proof key.
    pub pkce: &'a Pkce,
    /// Where it was sent, to the letter.
    pub redirect_uri: &'a str,
}

/// Obtains tokens.
///
/// # Errors
/// Why there are none.
pub async fn obtain(
    egress: &Egress,
    client: &Client<'_>,
    (at, allowed): (&Url, &BTreeSet<Origin>),
    credential: &Credential<'_>,
    deadline: &mut Deadline,
) -> Result<Tokens, Failed> {
    let mut parameters: BTreeMap<&str, &str> =
        client.token_parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let scopes = client.scopes.join(client.separator);
    match credential {
        Credential::Code(code) => {
            parameters.insert("grant_type", "authorization_code");
            parameters.insert("code", code.code.expose_secret());
            parameters.insert("redirect_uri", code.redirect_uri);
            if client.file.pkce {
                parameters.insert("code_verifier", code.pkce.verifier().expose_secret());
            }
        }
        Credential::Refresh(token) => {
            parameters.insert("grant_type", "refresh_token");
            parameters.insert("refresh_token", token.expose_secret());
        }
        Credential::Client => {
            parameters.insert("grant_type", "client_credentials");
            if !scopes.is_empty() {
                parameters.insert(&client.file.scope_parameter, &scopes);
            }
        }
    }
    let request = request(client, at, parameters);
    let answer = egress.exchange_before(deadline, request, allowed).await.map_err(Failed::from)?;
    read(client, &answer, matches!(credential, Credential::Refresh(_)), egress.now())
}

/// Revokes a token. A server that does not know it any more has nothing to revoke, and says so with 200.
///
/// # Errors
/// Why it is not revoked.
pub async fn revoke(
    egress: &Egress,
    client: &Client<'_>,
    (at, allowed): (&Url, &BTreeSet<Origin>),
    (token, hint): (&Secret, &str),
    deadline: &mut Deadline,
) -> Result<(), Failed> {
    let parameters = BTreeMap::from([("token", token.expose_secret()), ("token_type_hint", hint)]);
    let request = request(client, at, parameters);
    let answer = egress.exchange_before(deadline, request, allowed).await.map_err(Failed::from)?;
    if answer.status.is_success() { Ok(()) } else { Err(Failed::of_status(answer.status)) }
}

/// A request with which the client proves itself.
fn request<'a>(client: &'a Client<'_>, at: &Url, mut parameters: BTreeMap<&'a str, &'a str>) -> Outbound {
    let mut headers = HeaderMap::from_iter([
        (header::ACCEPT, HeaderValue::from_static("application/json")),
        (header::USER_AGENT, AGENT),
    ]);
    let secret = client.secret.as_ref().map(Secret::expose_secret).unwrap_or_default();
    match client.authentication {
        ClientAuthentication::Basic => headers.extend(basic(&client.id, secret).map(|it| (header::AUTHORIZATION, it))),
        ClientAuthentication::Post => {
            parameters.insert("client_id", &client.id);
            parameters.insert("client_secret", secret);
        }
        ClientAuthentication::None => drop(parameters.insert("client_id", &client.id)),
    }
    let (content_type, body) = match client.body() {
        TokenBody::Form => {
            let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(&parameters).finish();
            ("application/x-www-form-urlencoded", form)
        }
        TokenBody::Json => ("application/json", serde_json::to_string(&parameters).unwrap_or_default()),
    };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    Outbound { method: Method::POST, url: at.clone(), headers, body: Bytes::from(body) }
}

/// The client in `Authorization`: both parts are encoded as a form first (RFC 6749, section 2.3.1).
fn basic(id: &str, secret: &str) -> Option<HeaderValue> {
    let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = STANDARD.encode(format!("{}:{}", encode(id), encode(secret)));
    let mut value = HeaderValue::from_str(&format!("Basic {pair}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_encoded_as_a_form_before_it_is_encoded_as_basic() {
        let value = basic("my app", "a:b+c").unwrap();
        let pair = value.to_str().unwrap().strip_prefix("Basic ").unwrap();
        assert_eq!(STANDARD.decode(pair).unwrap(), b"my+app:a%3Ab%2Bc");
        assert_eq!(format!("{value:?}"), "Sensitive");
    }
}
