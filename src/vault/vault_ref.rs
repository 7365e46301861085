//! The reference to a blob, which is its hash. Knows nothing of what the blob holds.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::domain::Invalid;

/// SHA-256 of a blob; as text (base64url without padding) the name of the blob in the blob store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct VaultRef([u8; 32]);

impl VaultRef {
    /// The reference to this blob.
    #[must_use]
    pub fn of(blob: &[u8]) -> Self {
        Self(Sha256::digest(blob).into())
    }

    /// The hash itself.
    pub(super) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl TryFrom<String> for VaultRef {
    type Error = Invalid;

    /// Accepts the one spelling that [`Display`](fmt::Display) writes.
    fn try_from(text: String) -> Result<Self, Invalid> {
        let hash = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        hash.map(Self).ok_or(Invalid("the base64url of 32 bytes, without padding"))
    }
}

impl fmt::Display for VaultRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SHA-256 of nothing (FIPS 180-4).
    const EMPTY: &str = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";

    #[test]
    fn any_other_spelling_of_a_reference_is_refused() {
        let spellings = [
            "",
            "47DE",
            &format!("{EMPTY}="),
            &format!("{EMPTY}A"),
            &EMPTY.replace('-', "+"),
            &EMPTY.replace("uFU", "uFV"),
        ];
        for text in spellings {
            assert!(VaultRef::try_from((*text).to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_reference_is_the_hash_of_its_blob() {
        assert_eq!(VaultRef::of(b"").to_string(), EMPTY);
        assert_eq!(VaultRef::try_from(EMPTY.to_owned()).unwrap(), VaultRef::of(b""));
    }
}
