//! The master keys: how they are given, and the keys that are derived from them. Knows nothing of entries.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::aead::Key;
use super::{VaultError, kdf, parts};
use crate::domain::environment::Environment;

/// Why a text is no key ring. No sentence repeats any of it but numbers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyRingError {
    /// Not JSON at all.
    #[error("the master keys are not valid JSON, line {line}, column {column}")]
    NotJson {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// JSON of another shape: a member is unknown, missing, repeated or of another type.
    #[error(r#"the master keys must look like {{"primary":1,"keys":{{"1":"<base64 of 32 bytes>"}}}}: both members once, no other"#)]
    Shape,
    /// No key.
    #[error("there is no master key")]
    Empty,
    /// An id that is no positive u32, or not in its shortest spelling.
    #[error("the id of a master key must be a number from 1 to 4294967295 without sign, space or leading zero")]
    KeyId,
    /// Two keys have the same id.
    #[error("master key {0} is there twice")]
    RepeatedId(u32),
    /// A key that is not base64.
    #[error("master key {0} is not base64 (standard alphabet, with padding)")]
    NotBase64(u32),
    /// A key of another length.
    #[error("master key {id} has {length} bytes instead of 32")]
    Length {
        /// The id of the key.
        id: u32,
        /// How many bytes it has.
        length: usize,
    },
    /// Two ids have the same key, so one of them is not what it was meant to be.
    #[error("master keys {0} and {1} are the same")]
    SameKey(u32, u32),
    /// The primary key is none of the keys.
    #[error("the primary master key, {0}, is not among the keys")]
    NoPrimary(u32),
}

/// The master keys. New entries are wrapped under the primary one; the others only open.
///
/// It has no `Debug`, and the keys are wiped when it is dropped.
pub struct KeyRing {
    primary: u32,
    keys: BTreeMap<u32, Key>,
}

impl KeyRing {
    /// Parses `{"primary":2,"keys":{"1":"<base64 of 32 bytes>","2":"…"}}`.
    ///
    /// # Errors
    /// When anything in it is unknown, missing, repeated or not as long as it must be.
    pub fn parse(json: &str) -> Result<Self, KeyRingError> {
        let spelled: Spelled = serde_json::from_str(json).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => KeyRingError::Shape,
            _ => KeyRingError::NotJson { line: error.line(), column: error.column() },
        })?;
        if spelled.keys.0.is_empty() {
            return Err(KeyRingError::Empty);
        }
        let mut ring = Self { primary: spelled.primary, keys: BTreeMap::new() };
        for (id, key) in &spelled.keys.0 {
            ring.add(parse_id(id.expose_secret())?, key.expose_secret())?;
        }
        if ring.keys.contains_key(&ring.primary) { Ok(ring) } else { Err(KeyRingError::NoPrimary(ring.primary)) }
    }

    fn add(&mut self, id: u32, text: &str) -> Result<(), KeyRingError> {
        let key = parse_key(id, text)?;
        let same = |other: &Key| bool::from(other.expose_secret().ct_eq(key.expose_secret()));
        if self.keys.contains_key(&id) {
            return Err(KeyRingError::RepeatedId(id));
        }
        if let Some((other, _)) = self.keys.iter().find(|(_, other)| same(other)) {
            return Err(KeyRingError::SameKey(*other, id));
        }
        self.keys.insert(id, key);
        Ok(())
    }

    /// The id of the key that wraps new entries.
    #[must_use]
    pub const fn primary_id(&self) -> u32 {
        self.primary
    }

    /// The ids of all keys, in ascending order.
    pub fn ids(&self) -> impl Iterator<Item = u32> {
        self.keys.keys().copied()
    }

    /// A value by which the database recognizes a key without knowing it; `None` when there is no such key.
    #[must_use]
    pub fn check_value(&self, id: u32) -> Option<String> {
        let value = self.derive(id, &[b"keyfob/check/1"]).ok()?;
        Some(URL_SAFE_NO_PAD.encode(value.expose_secret()))
    }

    /// Drops a key, as if it had never been in the ring.
    #[cfg(test)]
    pub(super) fn forget(&mut self, id: u32) {
        self.keys.remove(&id);
    }

    /// The key that wraps the data keys of one owner.
    pub(super) fn kek(&self, id: u32, environment: Environment, owner_id: &str) -> Result<Key, VaultError> {
        self.derive(id, &[b"keyfob/kek/1", environment.as_str().as_bytes(), owner_id.as_bytes()])
    }

    /// A key for what the parts say, derived from the master key of this id.
    pub(super) fn derive(&self, id: u32, info: &[&[u8]]) -> Result<Key, VaultError> {
        let master = self.keys.get(&id).ok_or(VaultError::KeyUnavailable(id))?;
        kdf::derive(master, &parts::join(info))
    }
}

fn parse_id(text: &str) -> Result<u32, KeyRingError> {
    let id = text.parse().map_err(|_| KeyRingError::KeyId)?;
    if id > 0 && u32::to_string(&id) == text { Ok(id) } else { Err(KeyRingError::KeyId) }
}

fn parse_key(id: u32, text: &str) -> Result<Key, KeyRingError> {
    // As long as the text, so that decoding never moves it.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    STANDARD.decode_vec(text, &mut bytes).map_err(|_| KeyRingError::NotBase64(id))?;
    let key: &[u8; 32] = bytes.as_slice().try_into().map_err(|_| KeyRingError::Length { id, length: bytes.len() })?;
    Ok(Key::init_with_mut(|copy| copy.copy_from_slice(key)))
}

/// The JSON of a key ring.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Spelled {
    primary: u32,
    keys: SpelledKeys,
}

/// The member `keys` as it is spelled, repeated ids included. An id is a secret too: somebody may have swapped the two.
struct SpelledKeys(Vec<(SecretString, SecretString)>);

impl<'de> Deserialize<'de> for SpelledKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(SpelledKeysVisitor)
    }
}

struct SpelledKeysVisitor;

impl<'de> Visitor<'de> for SpelledKeysVisitor {
    type Value = SpelledKeys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("keys by their id")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SpelledKeys, A::Error> {
        let mut keys = Vec::new();
        while let Some((id, key)) = map.next_entry::<String, String>()? {
            keys.push((id.into(), key.into()));
        }
        Ok(SpelledKeys(keys))
    }
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests;
