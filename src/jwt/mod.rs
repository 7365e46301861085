//! Tokens that others signed: JSON Web Tokens (RFC 7519) as compact JWS (RFC 7515), verified as RFC 8725 advises.
//!
//! ```text
//! base64url(header) . base64url(claims) . base64url(signature)
//! ```
//!
//! Each key is of exactly one algorithm, and that one verifies. What the header says has to agree with it and decides
//! nothing, so that `none`, a MAC under a public key, or a key inside the header lead nowhere. Nothing is read from the
//! claims before the signature holds. It knows nothing of who signs, and fetches nothing.

mod claims;
mod compact;
mod keys;
mod spki;
mod strict;

pub use claims::{Claims, Expected, LEEWAY};
pub use compact::{Jws, MAX_TOKEN};
pub use keys::{KeySet, from_jwk, thumbprint, to_jwk};
pub use spki::from_pem;

/// Why a token is refused. For the log at most: whoever sent it learns that it does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwtError {
    /// It is not a compact JWS of JSON objects, too long, or asks for what is not understood.
    #[error("not a signed token as expected")]
    Malformed,
    /// No key has the id that it names.
    #[error("no key has this id")]
    UnknownKey,
    /// It names another algorithm than the key is of.
    #[error("not the algorithm of the key")]
    Algorithm,
    /// The owner of the key did not sign it.
    #[error("the signature is wrong")]
    Signature,
    /// Somebody else issued it.
    #[error("another issuer")]
    Issuer,
    /// It is meant for somebody else.
    #[error("another audience")]
    Audience,
    /// Its time is over.
    #[error("expired")]
    Expired,
    /// Its time has not come, or it was issued in the future.
    #[error("not valid yet")]
    NotYet,
}
