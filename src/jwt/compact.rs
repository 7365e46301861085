//! The compact serialization of a JWS (RFC 7515, section 7.1): three parts, each of one spelling.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::domain::time::Timestamp;
use crate::ports::{PublicKey, Sign};

use super::claims::{Claims, Expected};
use super::{JwtError, strict};

/// The longest token that is looked at: twice what fits a cookie.
pub const MAX_TOKEN: usize = 8 * 1024;

/// A token whose form is right. Nothing is known of its signature.
pub struct Jws<'a> {
    algorithm: String,
    kid: Option<String>,
    /// The first two parts as they were signed.
    signed: &'a str,
    claims: Vec<u8>,
    signature: Vec<u8>,
}

impl<'a> Jws<'a> {
    /// Parses a token.
    ///
    /// # Errors
    /// [`JwtError::Malformed`] when it has not three parts in base64url without padding and of one spelling (RFC 4648,
    /// section 3.5), is longer than [`MAX_TOKEN`], or its header is no JSON object, names a member twice, is of another
    /// type, or has extensions that must be understood (`crit`).
    pub fn parse(token: &'a str) -> Result<Self, JwtError> {
        if token.len() > MAX_TOKEN {
            return Err(JwtError::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(JwtError::Malformed)?;
        // A fourth part would leave a dot in the claims, which is no digit of base64url.
        let (header, claims) = signed.split_once('.').ok_or(JwtError::Malformed)?;
        let header = strict::object(&decode(header)?).ok_or(JwtError::Malformed)?;
        let (algorithm, kid) = read(&header).ok_or(JwtError::Malformed)?;
        Ok(Self { algorithm, kid, signed, claims: decode(claims)?, signature: decode(signature)? })
    }

    /// The id of the key that signed it, as it says.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Verifies that the owner of the key signed it, and that its claims are as expected at this moment.
    ///
    /// # Errors
    /// What does not hold.
    pub async fn verify(
        &self,
        sign: &dyn Sign,
        key: &PublicKey,
        expected: &Expected<'_>,
        now: Timestamp,
    ) -> Result<Claims, JwtError> {
        self.verify_signature(sign, key).await?;
        expected.check(strict::object(&self.claims).ok_or(JwtError::Malformed)?, now)
    }

    /// Verifies that the owner of the key signed it, whatever it says.
    ///
    /// # Errors
    /// When it names another algorithm than the key is of, or the signature is wrong.
    pub async fn verify_signature(&self, sign: &dyn Sign, key: &PublicKey) -> Result<(), JwtError> {
        if self.algorithm != key.algorithm() {
            return Err(JwtError::Algorithm);
        }
        let is_signed = sign.verify(key, self.signed.as_bytes(), &self.signature).await;
        if is_signed { Ok(()) } else { Err(JwtError::Signature) }
    }
}

/// Algorithm and key id of a header that is understood.
fn read(header: &Map<String, Value>) -> Option<(String, Option<String>)> {
    let is_jwt = header.get("typ").is_none_or(|typ| typ.as_str().is_some_and(|typ| typ.eq_ignore_ascii_case("jwt")));
    if !is_jwt || header.contains_key("crit") {
        return None;
    }
    let kid = match header.get("kid") {
        None => None,
        Some(kid) => Some(kid.as_str()?.to_owned()),
    };
    Some((header.get("alg")?.as_str()?.to_owned(), kid))
}

fn decode(part: &str) -> Result<Vec<u8>, JwtError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| JwtError::Malformed)
}
