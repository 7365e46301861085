//! The blob: secrets encrypted under a data key and bound to their context. Knows neither master keys nor references.

use zeroize::Zeroizing;

use super::aead::{self, AuthTag, Key, Nonce};
use super::plaintext::{self, BLOCK};
use super::{Context, VaultError};
use crate::domain::values::Secrets;

const VERSION: u8 = 1;

/// Seals secrets under a data key that seals nothing else.
///
/// # Errors
/// When the secrets are too long for the mode.
pub(super) fn seal(data_key: &Key, nonce: &Nonce, context: &Context, secrets: &Secrets) -> Result<Vec<u8>, VaultError> {
    let mut buffer = plaintext::write(secrets);
    let tag = aead::encrypt(data_key, nonce, &aad(context), &mut buffer)?;
    Ok([&[VERSION][..], nonce, &buffer, &tag].concat())
}

/// Opens a blob.
///
/// # Errors
/// When the blob was not sealed under this data key for this context.
pub(super) fn open(data_key: &Key, context: &Context, blob: &[u8]) -> Result<Secrets, VaultError> {
    let (nonce, ciphertext, tag) = split(blob).ok_or(VaultError::corrupt("the blob has not the form of one"))?;
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    aead::decrypt(data_key, nonce, &aad(context), &mut buffer, tag)?;
    plaintext::read(&buffer).ok_or(VaultError::corrupt("the plaintext has not the form of one"))
}

fn split(blob: &[u8]) -> Option<(&Nonce, &[u8], &AuthTag)> {
    let (version, rest) = blob.split_first()?;
    let (nonce, rest) = rest.split_first_chunk()?;
    let (ciphertext, tag) = rest.split_last_chunk()?;
    (*version == VERSION && ciphertext.len().is_multiple_of(BLOCK)).then_some((nonce, ciphertext, tag))
}

fn aad(context: &Context) -> Vec<u8> {
    [b"keyfob/blob/1", &context.to_bytes()[..]].concat()
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::vault::fixtures;

    const NONCE: Nonce = [9; 12];

    fn data_key() -> Key {
        Key::new(Box::new([3; 32]))
    }

    fn blob() -> Vec<u8> {
        seal(&data_key(), &NONCE, &fixtures::context(), &fixtures::secrets()).unwrap()
    }

    fn opens(blob: &[u8]) -> bool {
        open(&data_key(), &fixtures::context(), blob).is_ok()
    }

    #[test]
    fn a_flipped_bit_is_refused() {
        let mut blob = blob();
        for bit in 0..blob.len() * 8 {
            blob[bit / 8] ^= 1 << (bit % 8);
            assert!(!opens(&blob), "bit {bit}");
            blob[bit / 8] ^= 1 << (bit % 8);
        }
        assert!(opens(&blob));
    }

    #[test]
    fn a_truncated_blob_is_refused() {
        let blob = blob();
        for end in 0..blob.len() {
            assert!(!opens(&blob[..end]), "first {end} bytes");
            assert!(!opens(&blob[blob.len() - end..]), "last {end} bytes");
        }
    }

    #[test]
    fn an_extended_blob_is_refused() {
        for length in 1..=2 * BLOCK {
            assert!(!opens(&[blob(), vec![0; length]].concat()), "{length} bytes behind");
            assert!(!opens(&[vec![VERSION; length], blob()].concat()), "{length} bytes before");
        }
    }

    #[test]
    fn another_context_is_refused() {
        for context in fixtures::other_contexts() {
            assert!(open(&data_key(), &context, &blob()).is_err(), "{context:?}");
        }
    }

    #[test]
    fn another_data_key_is_refused() {
        assert!(open(&Key::new(Box::new([4; 32])), &fixtures::context(), &blob()).is_err());
    }

    #[test]
    fn a_blob_shows_nothing_of_its_secrets() {
        assert!(!blob().windows(4).any(|window| b"xoxb-secret".windows(4).any(|secret| secret == window)));
    }

    #[test]
    fn a_blob_opens_to_what_was_sealed() {
        let secrets = open(&data_key(), &fixtures::context(), &blob()).unwrap();
        assert_eq!(fixtures::texts_of(&secrets), fixtures::texts_of(&fixtures::secrets()));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_refused_without_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(!opens(&bytes));
            if let Some(first) = bytes.first_mut() {
                *first = VERSION;
            }
            prop_assert!(!opens(&bytes));
        }
    }
}
