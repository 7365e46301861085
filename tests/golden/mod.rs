//! Entries, check values and tags that must be read for ever, natively and in wasm. Cases are added to the file, never
//! changed or removed.
//!
//! They were made by another implementation of the wire format (Python, pyca/cryptography), with fixed randomness.
#![expect(clippy::unwrap_used, reason = "a golden file that does not parse fails the test that reads it")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyfob::domain::environment::Environment;
use keyfob::domain::origin::Origin;
use keyfob::domain::time::Timestamp;
use keyfob::domain::values::{Secret, Secrets};
use keyfob::ports::Random;
use keyfob::vault::{Context, Entry, KeyRing, MacPurpose, Purpose, Tag, VaultError, VaultRef, open, rewrap, seal};
use serde::Deserialize;
use serde_json::Value;

/// What a golden file holds.
#[derive(Deserialize)]
struct Golden {
    master_keys: Value,
    check_values: BTreeMap<u32, String>,
    tags: Vec<GoldenTag>,
    entries: Vec<GoldenEntry>,
}

#[derive(Deserialize)]
struct GoldenTag {
    purpose: String,
    parts: Vec<String>,
    tag: String,
}

#[derive(Deserialize)]
struct GoldenEntry {
    environment: Environment,
    owner_id: String,
    purpose: Purpose,
    number: u64,
    destinations: BTreeSet<Origin>,
    secrets: BTreeMap<String, String>,
    random: String,
    key_id: u32,
    blob: String,
    vault_ref: VaultRef,
    wrapped_key: String,
}

/// The golden file of version 1 of blob and wrapped key.
fn golden() -> Golden {
    serde_json::from_str(include_str!("vault-1.json")).unwrap()
}

impl Golden {
    fn ring(&self, primary: u32) -> KeyRing {
        KeyRing::parse(&serde_json::json!({"primary": primary, "keys": self.master_keys}).to_string()).ok().unwrap()
    }
}

impl GoldenEntry {
    fn context(&self) -> Context {
        Context {
            environment: self.environment,
            owner_id: self.owner_id.clone(),
            purpose: self.purpose,
            number: self.number,
            destinations: self.destinations.clone(),
        }
    }

    fn entry(&self) -> Entry {
        Entry {
            context: self.context(),
            vault_ref: self.vault_ref,
            wrapped_key: self.wrapped_key.clone(),
            key_id: self.key_id,
            created_at: Timestamp::from_millis(0),
        }
    }

    fn blob(&self) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(&self.blob).unwrap()
    }

    fn secrets(&self) -> Secrets {
        self.secrets.iter().map(|(key, text)| (key.clone(), Secret::new(text.clone()))).collect()
    }

    fn is(&self, secrets: &Secrets) -> bool {
        self.secrets
            .iter()
            .map(|(key, text)| (&**key, &**text))
            .eq(secrets.0.iter().map(|(key, secret)| (&**key, secret.expose_secret())))
    }
}

/// Randomness that was noted down.
struct Noted(Mutex<Vec<u8>>);

impl Random for Noted {
    fn fill(&self, buffer: &mut [u8]) {
        let mut noted = self.0.lock().unwrap();
        buffer.copy_from_slice(&noted.drain(..buffer.len()).collect::<Vec<_>>());
    }
}

/// Asserts that every golden entry opens to its secrets, also after its key was wrapped anew.
pub(crate) fn entries_open() {
    let golden = golden();
    for golden_entry in &golden.entries {
        let (entry, blob) = (golden_entry.entry(), golden_entry.blob());
        let opened = open(&golden.ring(1), &entry, &blob).ok().unwrap();
        assert!(golden_entry.is(&opened.secrets), "{}", golden_entry.owner_id);
        assert_eq!(opened.destinations, golden_entry.destinations);
        let (wrapped_key, key_id) = rewrap(&golden.ring(2), &Noted(Mutex::new(vec![5; 12])), &entry).unwrap();
        let opened = open(&golden.ring(2), &Entry { wrapped_key, key_id, ..entry }, &blob).ok().unwrap();
        assert!(golden_entry.is(&opened.secrets), "{} rewrapped", golden_entry.owner_id);
    }
}

/// Asserts that the same randomness gives the same bytes, and that no randomness is left over.
pub(crate) fn entries_seal_to_the_same_bytes() {
    let golden = golden();
    for entry in &golden.entries {
        let random = Noted(Mutex::new(URL_SAFE_NO_PAD.decode(&entry.random).unwrap()));
        let sealed = seal(&golden.ring(entry.key_id), &random, entry.context(), &entry.secrets()).ok().unwrap();
        assert_eq!(URL_SAFE_NO_PAD.encode(&sealed.blob), entry.blob, "{}", entry.owner_id);
        assert_eq!(sealed.vault_ref, entry.vault_ref);
        assert_eq!((sealed.wrapped_key, sealed.key_id), (entry.wrapped_key.clone(), entry.key_id));
        assert!(random.0.lock().unwrap().is_empty());
    }
}

/// Asserts that every single flipped bit of a blob or of a wrapped key is refused.
pub(crate) fn flipped_bits_are_refused() {
    let golden = golden();
    let ring = golden.ring(1);
    let golden_entry = golden.entries.iter().min_by_key(|entry| entry.blob.len()).unwrap();
    for blob in flips(&golden_entry.blob()) {
        let referred = Entry { vault_ref: VaultRef::of(&blob), ..golden_entry.entry() };
        assert!(matches!(open(&ring, &golden_entry.entry(), &blob), Err(VaultError::Corrupt(_))));
        assert!(matches!(open(&ring, &referred, &blob), Err(VaultError::Corrupt(_))));
    }
    for bytes in flips(&URL_SAFE_NO_PAD.decode(&golden_entry.wrapped_key).unwrap()) {
        let entry = Entry { wrapped_key: URL_SAFE_NO_PAD.encode(bytes), ..golden_entry.entry() };
        assert!(matches!(open(&ring, &entry, &golden_entry.blob()), Err(VaultError::Corrupt(_))));
    }
}

/// Asserts that check values and tags are what they were.
pub(crate) fn check_values_and_tags_are_kept() {
    let golden = golden();
    for (id, value) in &golden.check_values {
        assert_eq!(golden.ring(1).check_value(*id).as_ref(), Some(value), "{id}");
    }
    for GoldenTag { purpose, parts, tag } in &golden.tags {
        let purposes =
            [("audit", MacPurpose::Audit), ("event", MacPurpose::Event), ("idempotency", MacPurpose::Idempotency)];
        let (_, purpose) = purposes.into_iter().find(|(name, _)| name == purpose).unwrap();
        let parts: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
        let tag = Tag::try_from(tag.clone()).unwrap();
        assert!(tag.verify(&golden.ring(1), purpose, &parts).unwrap());
        assert_eq!(Tag::make(&golden.ring(tag.key_id()), purpose, &parts).unwrap().to_string(), tag.to_string());
    }
}

fn flips(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..bytes.len() * 8).map(|bit| {
        bytes.iter().enumerate().map(|(at, byte)| if at == bit / 8 { byte ^ (1 << (bit % 8)) } else { *byte }).collect()
    })
}
