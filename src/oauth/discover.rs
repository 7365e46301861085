//! The addresses of an authorization server: as the values state them, or as its issuer tells (OpenID Connect Discovery 1.0,
//! section 4; RFC 8414, section 3).

use std::collections::BTreeSet;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::Deserialize;
use url::Url;

use super::answer::Failed;
use crate::catalog::oauth::Client;
use crate::domain::origin::Origin;
use crate::egress::{Deadline, Egress};
use crate::ports::Outbound;

/// Where an authorization server is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// Where people consent.
    pub authorize: Option<Url>,
    /// Where tokens are obtained.
    pub token: Url,
    /// Where tokens are revoked.
    pub revoke: Option<Url>,
    /// Whether every answer to a person's consent names the issuer (RFC 9207).
    pub names_issuer: bool,
}

/// What an issuer tells of itself.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    revocation_endpoint: Option<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// The addresses of the client's server.
///
/// # Errors
/// When the issuer does not tell, tells them of another, or names another host: the secret of the client was entered for its own.
pub async fn addresses(
    egress: &Egress,
    client: &Client<'_>,
    allowed: &BTreeSet<Origin>,
    deadline: &mut Deadline,
) -> Result<Addresses, Failed> {
    if let Some(token) = &client.token_url {
        return Ok(Addresses {
            authorize: client.authorize_url.clone(),
            token: token.clone(),
            revoke: client.revoke_url.clone(),
            names_issuer: false,
        });
    }
    let issuer = client.issuer.as_deref().and_then(|issuer| Url::parse(issuer).ok()).ok_or(Failed::Discovery)?;
    for well_known in well_known(&issuer) {
        let accept = (header::ACCEPT, HeaderValue::from_static("application/json"));
        let headers = HeaderMap::from_iter([accept, (header::USER_AGENT, super::token::AGENT)]);
        let request = Outbound { method: Method::GET, url: well_known, headers, body: Bytes::new() };
        let answer = egress.exchange_before(deadline, request, allowed).await.map_err(Failed::from)?;
        if answer.status == StatusCode::OK {
            let metadata = answer.body().ok().and_then(|body| serde_json::from_slice(body).ok());
            return of(client, &issuer, metadata.ok_or(Failed::Discovery)?);
        }
        if !answer.status.is_client_error() {
            return Err(Failed::of_status(answer.status));
        }
    }
    Err(Failed::Discovery)
}

/// Where the issuer tells: appended to its path, as OpenID Connect has it, then inserted before it, as RFC 8414 has it.
fn well_known(issuer: &Url) -> Vec<Url> {
    let path = issuer.path().trim_end_matches('/');
    let paths =
        [format!("{path}/.well-known/openid-configuration"), format!("/.well-known/oauth-authorization-server{path}")];
    let at = |path: String| {
        let mut url = issuer.clone();
        url.set_path(&path);
        url
    };
    paths.into_iter().map(at).collect()
}

fn of(client: &Client<'_>, issuer: &Url, metadata: Metadata) -> Result<Addresses, Failed> {
    // Compared as text, to the letter; the slash at the end of a bare host, which our spelling of addresses drops, apart.
    let same =
        |text: &str| text.trim_end_matches('/') == client.issuer.as_deref().unwrap_or_default().trim_end_matches('/');
    let url = |text: Option<String>| text.map(|text| Url::parse(&text).map_err(|_| Failed::Discovery)).transpose();
    let addresses = Addresses {
        authorize: url(metadata.authorization_endpoint)?,
        token: url(metadata.token_endpoint)?.ok_or(Failed::Discovery)?,
        revoke: url(metadata.revocation_endpoint)?,
        names_issuer: metadata.authorization_response_iss_parameter_supported,
    };
    let all = [addresses.authorize.as_ref(), Some(&addresses.token), addresses.revoke.as_ref()];
    let is_own = all.into_iter().flatten().all(|url| url.origin() == issuer.origin());
    if same(&metadata.issuer) && is_own { Ok(addresses) } else { Err(Failed::Discovery) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_standards_are_asked() {
        let asked = |issuer: &str| -> Vec<String> {
            well_known(&Url::parse(issuer).unwrap()).into_iter().map(String::from).collect()
        };
        assert_eq!(
            asked("https://a.example/tenant/"),
            [
                "https://a.example/tenant/.well-known/openid-configuration",
                "https://a.example/.well-known/oauth-authorization-server/tenant",
            ]
        );
        assert_eq!(asked("https://a.example")[0], "https://a.example/.well-known/openid-configuration");
    }
}
