//! Public keys as others publish them: a JWK set (RFC 7517). What is not a key for signatures of ours is passed over.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::ports::PublicKey;

use super::JwtError;

/// The keys of one signer, by their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySet(Vec<(String, PublicKey)>);

#[derive(Deserialize)]
struct Published {
    keys: Vec<Value>,
}

/// The members of a JWK that matter here (RFC 7517, section 4; RFC 7518, section 6; RFC 8037, section 2).
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// Parses a JWK set.
    ///
    /// # Errors
    /// When it is none, or holds no key that could verify a token.
    pub fn parse(text: &[u8]) -> Result<Self, JwtError> {
        let published: Published = serde_json::from_slice(text).map_err(|_| JwtError::Malformed)?;
        let keys: Vec<_> = published.keys.into_iter().filter_map(read).collect();
        if keys.is_empty() { Err(JwtError::Malformed) } else { Ok(Self(keys)) }
    }

    /// The key of this id.
    #[must_use]
    pub fn find(&self, kid: &str) -> Option<&PublicKey> {
        self.0.iter().find(|(id, _)| id == kid).map(|(_, key)| key)
    }
}

fn read(jwk: Value) -> Option<(String, PublicKey)> {
    let jwk: Jwk = serde_json::from_value(jwk).ok()?;
    Some((jwk.kid.clone()?, key(jwk)?))
}

/// Reads one public key from its JWK, whatever its id; none where it is of another kind, or not for signatures.
#[must_use]
pub fn from_jwk(jwk: Value) -> Option<PublicKey> {
    key(serde_json::from_value(jwk).ok()?)
}

/// The JWK of a key: the members that its thumbprint covers, in their order (RFC 7638, section 3.2).
#[must_use]
pub fn to_jwk(key: &PublicKey) -> String {
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    match key {
        PublicKey::Rs256 { n, e } => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, text(e), text(n)),
        PublicKey::Es256 { x, y } => {
            format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, text(x), text(y))
        }
        PublicKey::Ed25519 { x } => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, text(x)),
    }
}

/// The thumbprint of a key (RFC 7638): base64url of the SHA-256 of its JWK.
#[must_use]
pub fn thumbprint(key: &PublicKey) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(to_jwk(key)))
}

fn key(jwk: Jwk) -> Option<PublicKey> {
    let signs = jwk.usage.as_deref().is_none_or(|usage| usage == "sig");
    let verifies = jwk.key_ops.iter().flatten().any(|operation| operation == "verify") || jwk.key_ops.is_none();
    if !signs || !verifies {
        return None;
    }
    let is_for = |name: &str| jwk.alg.as_deref().is_none_or(|alg| alg == name);
    Some(match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("RSA", None) if is_for("RS256") => rsa(bytes(jwk.n)?, bytes(jwk.e)?)?,
        ("EC", Some("P-256")) if is_for("ES256") => PublicKey::Es256 { x: coordinate(jwk.x)?, y: coordinate(jwk.y)? },
        ("OKP", Some("Ed25519")) if is_for("EdDSA") => PublicKey::Ed25519 { x: coordinate(jwk.x)? },
        _ => return None,
    })
}

/// An RSA key of 2,048 bits at least (RFC 7518, section 3.3) and 8,192 at most, written without leading zeros.
pub(super) fn rsa(n: Vec<u8>, e: Vec<u8>) -> Option<PublicKey> {
    let is_number = |bytes: &[u8]| bytes.first().is_some_and(|first| *first != 0);
    let is_long = n.first().is_some_and(|first| n.len() > 256 || n.len() == 256 && *first >= 0x80);
    let is_key = is_number(&n) && is_number(&e) && is_long && n.len() <= 1_024 && e.len() <= 8;
    is_key.then_some(PublicKey::Rs256 { n, e })
}

fn coordinate(text: Option<String>) -> Option<[u8; 32]> {
    bytes(text)?.try_into().ok()
}

fn bytes(text: Option<String>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text?).ok()
}
