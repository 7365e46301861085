//! A hash over parts, for what is chained. Needs no key, so by itself it proves nothing: a tag over it does.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::parts;
use crate::domain::Invalid;

/// SHA-256 over parts, each behind its length. As text base64url without padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// What stands before the first of a chain.
    pub const ZERO: Self = Self([0; 32]);

    /// Hashes the parts.
    #[must_use]
    pub fn of(parts: &[&[u8]]) -> Self {
        Self(<Sha256 as sha2::Digest>::digest(parts::join(parts)).into())
    }

    /// Its bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Spells digests one after the other: base64url of their bytes.
    #[must_use]
    pub fn join(digests: &[Self]) -> String {
        let bytes: Vec<u8> = digests.iter().flat_map(|digest| digest.0).collect();
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads what [`join`](Self::join) spelled.
    #[must_use]
    pub fn split(text: &str) -> Option<Vec<Self>> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (digests, rest) = bytes.as_chunks::<32>();
        rest.is_empty().then(|| digests.iter().copied().map(Self).collect())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

impl TryFrom<String> for Digest {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or(Invalid("base64url of 32 bytes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_whole_digests_is_refused() {
        let digest = Digest::of(&[b"a"]).to_string();
        for text in ["A", "AAAA", &digest[1..], &format!("{digest}AA"), &format!("{digest}=")] {
            assert_eq!(Digest::split(text), None, "{text}");
            assert!(Digest::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn digests_are_split_as_they_were_joined() {
        let digests = [Digest::of(&[b"a"]), Digest::ZERO, Digest::of(&[b"a", b""])];
        assert_eq!(Digest::split(&Digest::join(&digests)).unwrap(), digests);
        assert_eq!(Digest::split("").unwrap(), []);
    }
}
