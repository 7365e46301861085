//! Tags that show whether a row or a request is still what it was: HMAC-SHA256 under keys derived from a master key.
//! Knows nothing of what is tagged.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret;
use serde::Deserialize;
use sha2::Sha256;

use super::{KeyRing, VaultError, parts};
use crate::domain::Invalid;

/// What is tagged. Each has a key of its own, so a tag made for one means nothing for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MacPurpose {
    /// A row of the audit log.
    Audit,
    /// A row of the events of a connection.
    Event,
    /// A checkpoint over rows of a log.
    Checkpoint,
    /// A request under an idempotency key.
    Idempotency,
}

impl MacPurpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Audit => b"keyfob/audit/1",
            Self::Event => b"keyfob/event/1",
            Self::Checkpoint => b"keyfob/checkpoint/1",
            Self::Idempotency => b"keyfob/idempotency/1",
        }
    }
}

/// A tag, as text `<key id>.<base64url>`. It has no `==`: [`verify`](Tag::verify) compares in constant time.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Tag {
    key_id: u32,
    code: [u8; 32],
}

impl Tag {
    /// Tags the parts under the primary master key.
    ///
    /// # Errors
    /// [`VaultError::KeyUnavailable`] when the ring has not its primary key any more.
    pub fn make(ring: &KeyRing, purpose: MacPurpose, parts: &[&[u8]]) -> Result<Self, VaultError> {
        let key_id = ring.primary_id();
        let code = mac(ring, key_id, purpose, parts)?.finalize().into_bytes().into();
        Ok(Self { key_id, code })
    }

    /// Whether these parts are the ones that were tagged for this purpose.
    ///
    /// # Errors
    /// [`VaultError::KeyUnavailable`] when the ring has not the master key of the tag.
    pub fn verify(&self, ring: &KeyRing, purpose: MacPurpose, parts: &[&[u8]]) -> Result<bool, VaultError> {
        Ok(mac(ring, self.key_id, purpose, parts)?.verify(&self.code.into()).is_ok())
    }

    /// The master key under which the tag was made.
    #[must_use]
    pub const fn key_id(&self) -> u32 {
        self.key_id
    }
}

fn mac(ring: &KeyRing, key_id: u32, purpose: MacPurpose, parts: &[&[u8]]) -> Result<Hmac<Sha256>, VaultError> {
    let key = ring.derive(key_id, &[purpose.label()])?;
    let mac = Hmac::<Sha256>::new_from_slice(key.expose_secret());
    let mac = mac.map_err(|_| VaultError::corrupt("the key of a tag has not the length of one"))?;
    Ok(mac.chain_update(parts::join(parts)))
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.key_id, URL_SAFE_NO_PAD.encode(self.code))
    }
}

impl TryFrom<String> for Tag {
    type Error = Invalid;

    /// Accepts the one spelling that [`Display`](fmt::Display) writes.
    fn try_from(text: String) -> Result<Self, Invalid> {
        const INVALID: Invalid = Invalid("a tag such as 1.<base64url of 32 bytes>");
        let (key_id, code) = text.split_once('.').ok_or(INVALID)?;
        let code = URL_SAFE_NO_PAD.decode(code).ok().and_then(|code| code.try_into().ok()).ok_or(INVALID)?;
        let tag = Self { key_id: key_id.parse().map_err(|_| INVALID)?, code };
        if tag.to_string() == text { Ok(tag) } else { Err(INVALID) }
    }
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::vault::fixtures::ring;

    const PARTS: &[&[u8]] = &[b"con_1", b"created"];

    fn tag() -> Tag {
        Tag::make(&ring(1), MacPurpose::Audit, PARTS).unwrap()
    }

    #[test]
    fn a_tag_does_not_verify_other_parts() {
        let others: [&[&[u8]]; 5] =
            [&[], &[b"con_1"], &[b"con_1created"], &[b"con_", b"1created"], &[b"con_1", b"created", b""]];
        for parts in others {
            assert!(!tag().verify(&ring(1), MacPurpose::Audit, parts).unwrap());
        }
    }

    #[test]
    fn a_tag_does_not_verify_for_another_purpose() {
        for purpose in [MacPurpose::Event, MacPurpose::Idempotency] {
            assert!(!tag().verify(&ring(1), purpose, PARTS).unwrap());
        }
    }

    #[test]
    fn a_tag_does_not_verify_under_another_key() {
        let moved = Tag { key_id: 2, ..tag() };
        assert!(!moved.verify(&ring(1), MacPurpose::Audit, PARTS).unwrap());
        let unknown = Tag { key_id: 3, ..tag() };
        assert!(matches!(unknown.verify(&ring(1), MacPurpose::Audit, PARTS), Err(VaultError::KeyUnavailable(3))));
    }

    #[test]
    fn a_flipped_bit_does_not_verify() {
        for bit in 0..256 {
            let mut tag = tag();
            tag.code[bit / 8] ^= 1 << (bit % 8);
            assert!(!tag.verify(&ring(1), MacPurpose::Audit, PARTS).unwrap(), "bit {bit}");
        }
    }

    #[test]
    fn any_other_spelling_of_a_tag_is_refused() {
        let text = tag().to_string();
        let code = &text[2..];
        let spellings = ["", ".", "1", "1.", code, &format!("01.{code}"), &format!("+1.{code}"), &format!("1.{code}=")];
        for text in spellings {
            assert!(Tag::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_tag_verifies_after_the_primary_key_changed() {
        let tag = Tag::try_from(tag().to_string()).unwrap();
        assert_eq!(tag.key_id(), 1);
        assert!(tag.verify(&ring(2), MacPurpose::Audit, PARTS).unwrap());
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in ".{0,60}|[0-9]{1,10}\\.[A-Za-z0-9_-]{43}") {
            if let Ok(tag) = Tag::try_from(text.clone()) {
                prop_assert_eq!(tag.to_string(), text);
            }
        }
    }
}
