//! The wrapped key: a data key encrypted under the key of its owner, bound to its context and to its blob.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, ExposeSecretMut};

use super::aead::{self, AuthTag, Key, Nonce};
use super::{Context, Entry, KeyRing, VaultError, VaultRef};
use crate::ports::Random;

const VERSION: u8 = 1;

/// Version, key id, nonce, data key, tag.
const LENGTH: usize = 1 + 4 + 12 + 32 + 16;

/// Wraps a data key under the primary key; returns its text and the id of that key.
///
/// # Errors
/// When the ring has not its primary key.
pub(super) fn wrap(
    ring: &KeyRing,
    random: &dyn Random,
    context: &Context,
    vault_ref: &VaultRef,
    data_key: &Key,
) -> Result<(String, u32), VaultError> {
    let key_id = ring.primary_id();
    let kek = ring.kek(key_id, context.environment, &context.owner_id)?;
    let mut nonce = Nonce::default();
    random.fill(&mut nonce);
    let mut buffer = Key::init_with_mut(|key| key.copy_from_slice(data_key.expose_secret()));
    let tag = aead::encrypt(&kek, &nonce, &aad(key_id, context, vault_ref), buffer.expose_secret_mut())?;
    let bytes = [&[VERSION][..], &key_id.to_be_bytes(), &nonce, buffer.expose_secret(), &tag].concat();
    Ok((URL_SAFE_NO_PAD.encode(bytes), key_id))
}

/// Unwraps the data key of an entry.
///
/// # Errors
/// When the ring has not the key that wrapped it, or the text is not what was made for this context and reference.
pub(super) fn unwrap(ring: &KeyRing, entry: &Entry) -> Result<Key, VaultError> {
    const MALFORMED: VaultError = VaultError::corrupt("the wrapped key has not the form of one");
    let bytes = URL_SAFE_NO_PAD.decode(&entry.wrapped_key).map_err(|_| MALFORMED)?;
    let Parts { key_id, nonce, ciphertext, tag } = bytes.try_into().ok().and_then(split).ok_or(MALFORMED)?;
    if key_id != entry.key_id {
        return Err(VaultError::corrupt("the wrapped key names another master key than its row"));
    }
    let kek = ring.kek(key_id, entry.context.environment, &entry.context.owner_id)?;
    let mut data_key = Key::init_with_mut(|key| *key = ciphertext);
    let aad = aad(key_id, &entry.context, &entry.vault_ref);
    aead::decrypt(&kek, &nonce, &aad, data_key.expose_secret_mut(), &tag)?;
    Ok(data_key)
}

struct Parts {
    key_id: u32,
    nonce: Nonce,
    ciphertext: [u8; 32],
    tag: AuthTag,
}

fn split(bytes: [u8; LENGTH]) -> Option<Parts> {
    let (version, rest) = bytes.split_first()?;
    let (key_id, rest) = rest.split_first_chunk()?;
    let (nonce, rest) = rest.split_first_chunk()?;
    let (ciphertext, rest) = rest.split_first_chunk()?;
    let tag = rest.try_into().ok()?;
    (*version == VERSION).then_some(Parts {
        key_id: u32::from_be_bytes(*key_id),
        nonce: *nonce,
        ciphertext: *ciphertext,
        tag,
    })
}

fn aad(key_id: u32, context: &Context, vault_ref: &VaultRef) -> Vec<u8> {
    [b"keyfob/key/1", &key_id.to_be_bytes()[..], &context.to_bytes(), vault_ref.as_bytes()].concat()
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::vault::fixtures::{self, entry_of, ring, sealed};

    fn refused(entry: &Entry) -> bool {
        matches!(unwrap(&ring(1), entry), Err(VaultError::Corrupt(_)))
    }

    /// The entry with these bytes as its wrapped key, its row agreeing on the key id.
    fn entry_with(bytes: &[u8]) -> Entry {
        let key_id = bytes.get(1..5).map_or(1, |id| u32::from_be_bytes(id.try_into().unwrap()));
        Entry { wrapped_key: URL_SAFE_NO_PAD.encode(bytes), key_id, ..entry_of(&sealed()) }
    }

    fn bytes() -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(sealed().wrapped_key).unwrap()
    }

    #[test]
    fn a_flipped_bit_is_refused() {
        let mut bytes = bytes();
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(unwrap(&ring(1), &entry_with(&bytes)).is_err(), "bit {bit}");
            assert!(refused(&Entry { key_id: 1, ..entry_with(&bytes) }), "bit {bit}, row unchanged");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        assert!(unwrap(&ring(1), &entry_with(&bytes)).is_ok());
    }

    #[test]
    fn a_flipped_bit_of_the_text_is_refused() {
        let entry = entry_of(&sealed());
        for bit in 0..entry.wrapped_key.len() * 7 {
            let mut text = entry.wrapped_key.clone().into_bytes();
            text[bit / 7] ^= 1 << (bit % 7);
            let wrapped_key = String::from_utf8(text).unwrap();
            assert!(refused(&Entry { wrapped_key, ..entry_of(&sealed()) }), "bit {bit}");
        }
    }

    #[test]
    fn a_truncated_or_extended_key_is_refused() {
        let bytes = bytes();
        for end in 0..bytes.len() {
            assert!(refused(&Entry { key_id: 1, ..entry_with(&bytes[..end]) }), "{end} bytes");
        }
        for length in 1..=64 {
            assert!(refused(&entry_with(&[bytes.clone(), vec![0; length]].concat())), "{length} bytes more");
        }
    }

    #[test]
    fn a_truncated_or_extended_text_is_refused() {
        let text = sealed().wrapped_key;
        for end in 0..text.len() {
            assert!(refused(&Entry { wrapped_key: text[..end].to_owned(), ..entry_of(&sealed()) }), "{end} characters");
        }
        for tail in ["=", "==", " ", "\n", "A", "AA", "AAA", "AAAA", "\0"] {
            assert!(refused(&Entry { wrapped_key: format!("{text}{tail}"), ..entry_of(&sealed()) }), "{tail:?}");
        }
    }

    #[test]
    fn another_context_or_reference_is_refused() {
        for context in fixtures::other_contexts() {
            assert!(refused(&Entry { context, ..entry_of(&sealed()) }));
        }
        assert!(refused(&Entry { vault_ref: VaultRef::of(b"another blob"), ..entry_of(&sealed()) }));
    }

    #[test]
    fn a_row_that_names_another_key_is_refused() {
        assert!(refused(&Entry { key_id: 2, ..entry_of(&sealed()) }));
    }

    #[test]
    fn a_key_id_replaced_in_row_and_text_is_refused() {
        let mut bytes = bytes();
        bytes[4] = 2;
        assert!(refused(&entry_with(&bytes)));
    }

    proptest! {
        #[test]
        fn arbitrary_texts_are_refused_without_panic(wrapped_key in ".{0,120}", key_id in any::<u32>()) {
            let entry = Entry { wrapped_key, key_id, ..entry_of(&sealed()) };
            prop_assert!(refused(&entry));
        }

        #[test]
        fn arbitrary_bytes_are_refused_without_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            prop_assert!(unwrap(&ring(1), &entry_with(&bytes)).is_err());
            bytes.resize(LENGTH, 0);
            bytes[..5].copy_from_slice(&[VERSION, 0, 0, 0, 1]);
            prop_assert!(refused(&entry_with(&bytes)));
        }
    }
}
