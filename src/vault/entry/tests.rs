//! Claims about whole entries: what opens, what does not, and that nothing is used twice.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::ExposeSecret;

use super::*;
use crate::vault::fixtures::{
    KEY_1, KEY_2, Stream, context, entry_of, other_contexts, ring, sealed, secrets, texts_of,
};

fn corrupt(entry: &Entry, blob: &[u8]) -> bool {
    matches!(open(&ring(1), entry, blob), Err(VaultError::Corrupt(_)))
}

fn ring_of(json: &str) -> KeyRing {
    KeyRing::parse(json).unwrap()
}

#[test]
fn open_refuses_an_entry_moved_to_another_context() {
    let sealed = sealed();
    for context in other_contexts() {
        assert!(corrupt(&Entry { context, ..entry_of(&sealed) }, &sealed.blob));
    }
}

#[test]
fn open_refuses_the_blob_of_another_entry() {
    let random = Stream::default();
    let [one, other] = [(); 2].map(|()| seal(&ring(1), &random, context(), &secrets()).unwrap());
    assert!(corrupt(&entry_of(&one), &other.blob));
    assert!(corrupt(&Entry { vault_ref: other.vault_ref, ..entry_of(&one) }, &other.blob));
    assert!(corrupt(&Entry { wrapped_key: other.wrapped_key.clone(), ..entry_of(&one) }, &one.blob));
}

#[test]
fn open_refuses_a_flipped_bit_even_under_its_own_reference() {
    let sealed = sealed();
    let mut blob = sealed.blob.clone();
    for bit in 0..blob.len() * 8 {
        blob[bit / 8] ^= 1 << (bit % 8);
        assert!(corrupt(&entry_of(&sealed), &blob), "bit {bit}");
        assert!(
            corrupt(&Entry { vault_ref: VaultRef::of(&blob), ..entry_of(&sealed) }, &blob),
            "bit {bit}, own reference"
        );
        blob[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn open_refuses_a_truncated_or_extended_blob() {
    let sealed = sealed();
    for end in 0..sealed.blob.len() {
        assert!(corrupt(&entry_of(&sealed), &sealed.blob[..end]), "{end} bytes");
    }
    assert!(corrupt(&entry_of(&sealed), &[&sealed.blob[..], &[0]].concat()));
}

#[test]
fn open_without_the_master_key_says_so() {
    let sealed = sealed();
    let other = ring_of(&format!(r#"{{"primary":2,"keys":{{"2":"{KEY_2}"}}}}"#));
    assert!(matches!(open(&other, &entry_of(&sealed), &sealed.blob), Err(VaultError::KeyUnavailable(1))));
    assert!(matches!(rewrap(&other, &Stream::default(), &entry_of(&sealed)), Err(VaultError::KeyUnavailable(1))));
}

#[test]
fn open_refuses_another_master_key_under_the_same_id() {
    let sealed = sealed();
    let other = ring_of(&format!(r#"{{"primary":1,"keys":{{"1":"{KEY_2}"}}}}"#));
    assert!(matches!(open(&other, &entry_of(&sealed), &sealed.blob), Err(VaultError::Corrupt(_))));
}

#[test]
fn seal_without_the_primary_key_is_refused() {
    let mut ring = ring(2);
    ring.forget(2);
    let refused = seal(&ring, &Stream::default(), context(), &secrets());
    assert!(matches!(refused, Err(VaultError::KeyUnavailable(2))));
}

#[test]
fn open_gives_what_was_sealed() {
    let sealed = sealed();
    let opened = open(&ring(1), &entry_of(&sealed), &sealed.blob).ok().unwrap();
    assert_eq!(texts_of(&opened.secrets), texts_of(&secrets()));
    assert_eq!(opened.destinations, context().destinations);
}

#[test]
fn a_rewrapped_entry_opens_without_the_old_key() {
    let sealed = sealed();
    let (wrapped_key, key_id) = rewrap(&ring(2), &Stream::default(), &entry_of(&sealed)).unwrap();
    assert_eq!(key_id, 2);
    let mut ring = ring(2);
    ring.forget(1);
    let opened = open(&ring, &Entry { wrapped_key, key_id, ..entry_of(&sealed) }, &sealed.blob).ok().unwrap();
    assert_eq!(texts_of(&opened.secrets), texts_of(&secrets()));
}

#[test]
fn a_hundred_thousand_seals_use_nothing_twice() {
    const SEALS: usize = 100_000;
    let (ring, random) = (ring_of(&format!(r#"{{"primary":1,"keys":{{"1":"{KEY_1}"}}}}"#)), Stream::default());
    let (mut nonces, mut keys, mut wrapped_keys, mut references) =
        (HashSet::new(), HashSet::new(), HashSet::new(), HashSet::new());
    for _ in 0..SEALS {
        let sealed = seal(&ring, &random, context(), &secrets()).ok().unwrap();
        let wrapped_key = URL_SAFE_NO_PAD.decode(&sealed.wrapped_key).unwrap();
        nonces.insert(<[u8; 12]>::try_from(&sealed.blob[1..13]).unwrap());
        nonces.insert(<[u8; 12]>::try_from(&wrapped_key[5..17]).unwrap());
        keys.insert(*wrapped_key::unwrap(&ring, &entry_of(&sealed)).ok().unwrap().expose_secret());
        wrapped_keys.insert(wrapped_key);
        references.insert(sealed.vault_ref);
    }
    assert_eq!([nonces.len(), keys.len(), wrapped_keys.len(), references.len()], [2 * SEALS, SEALS, SEALS, SEALS]);
}
