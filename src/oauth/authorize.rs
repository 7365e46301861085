//! Where a person is sent to consent (RFC 6749, section 4.1.1), with PKCE (RFC 7636).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use url::Url;

use crate::catalog::oauth::Client;
use crate::domain::values::Secret;

/// What stands before the secret of a browser when the verifier is made of it.
const VERIFIER: &[u8] = b"keyfob/verifier/1";

/// A proof key for code exchange: the verifier, which only the token request shows.
pub struct Pkce(Secret);

impl Pkce {
    /// Makes the key of an attempt from the secret that its browser alone holds: 43 characters of base64url, the hash of 256
    /// random bits. Nothing of it rests anywhere between the two requests.
    #[must_use]
    pub fn of(browser: &Secret) -> Self {
        let hash = Sha256::new().chain_update(VERIFIER).chain_update(browser.expose_secret()).finalize();
        Self(Secret::new(URL_SAFE_NO_PAD.encode(hash)))
    }

    /// The verifier.
    #[must_use]
    pub const fn verifier(&self) -> &Secret {
        &self.0
    }

    /// The challenge, by the method S256.
    fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.0.expose_secret()))
    }
}

/// The address where a person consents.
#[must_use]
pub fn authorize_url(client: &Client<'_>, at: &Url, redirect_uri: &str, (state, pkce): (&Secret, &Pkce)) -> Url {
    let mut url = at.clone();
    {
        let mut query = url.query_pairs_mut();
        for (name, value) in &client.authorize_parameters {
            query.append_pair(name, value);
        }
        query.append_pair("response_type", "code");
        query.append_pair("client_id", &client.id);
        query.append_pair("redirect_uri", redirect_uri);
        if !client.scopes.is_empty() {
            query.append_pair(&client.file.scope_parameter, &client.scopes.join(client.separator));
        }
        query.append_pair("state", state.expose_secret());
        if client.file.pkce {
            query.append_pair("code_challenge", &pkce.challenge());
            query.append_pair("code_challenge_method", "S256");
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Appendix B of RFC 7636.
    #[test]
    fn the_challenge_is_the_one_of_the_standard() {
        let pkce = Pkce(Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned()));
        assert_eq!(pkce.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn each_browser_has_a_verifier_of_its_own_that_is_not_its_secret() {
        let of = |secret: &str| Pkce::of(&Secret::new(secret.to_owned())).verifier().expose_secret().to_owned();
        assert_eq!(of("a").len(), 43);
        assert_eq!(of("a"), of("a"));
        assert_ne!(of("a"), of("b"));
    }
}
