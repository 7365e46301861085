//! An entry of the vault: sealed, opened, rewrapped. Knows the steps and their order; the steps know the bytes.

use std::collections::BTreeSet;

use secrecy::ExposeSecretMut;

use super::aead::{Key, Nonce};
use super::{Context, KeyRing, VaultError, VaultRef, blob, wrapped_key};
use crate::domain::origin::Origin;
use crate::domain::time::Timestamp;
use crate::domain::values::Secrets;
use crate::ports::Random;

/// Secrets that are ready to rest: a row for the database, a blob for the blob store.
pub struct Sealed {
    /// Where the secrets belong.
    pub context: Context,
    /// The name of the blob.
    pub vault_ref: VaultRef,
    /// The encrypted secrets.
    pub blob: Vec<u8>,
    /// The key of the blob, wrapped; base64url.
    pub wrapped_key: String,
    /// The master key that wrapped it.
    pub key_id: u32,
}

/// The row of a sealed entry.
pub struct Entry {
    /// Where the secrets belong.
    pub context: Context,
    /// The name of the blob.
    pub vault_ref: VaultRef,
    /// The key of the blob, wrapped; base64url.
    pub wrapped_key: String,
    /// The master key that wrapped it.
    pub key_id: u32,
    /// When it was sealed: a young blob may not be visible yet.
    pub created_at: Timestamp,
}

/// Opened secrets, and the only places that they may be sent to.
pub struct Opened {
    /// The secrets.
    pub secrets: Secrets,
    /// The destinations that were sealed with them.
    pub destinations: BTreeSet<Origin>,
}

/// Seals secrets under a fresh data key, wrapped under the primary master key.
///
/// # Errors
/// [`VaultError::KeyUnavailable`] when the ring has not its primary key any more.
pub fn seal(ring: &KeyRing, random: &dyn Random, context: Context, secrets: &Secrets) -> Result<Sealed, VaultError> {
    let mut data_key = Key::default();
    random.fill(data_key.expose_secret_mut());
    let mut nonce = Nonce::default();
    random.fill(&mut nonce);
    let blob = blob::seal(&data_key, &nonce, &context, secrets)?;
    let vault_ref = VaultRef::of(&blob);
    let (wrapped_key, key_id) = wrapped_key::wrap(ring, random, &context, &vault_ref, &data_key)?;
    Ok(Sealed { context, vault_ref, blob, wrapped_key, key_id })
}

/// Opens the blob of an entry.
///
/// # Errors
/// [`VaultError::KeyUnavailable`] when the ring has not the master key of the entry, [`VaultError::Corrupt`] when entry and
/// blob are not what was sealed together.
pub fn open(ring: &KeyRing, entry: &Entry, blob: &[u8]) -> Result<Opened, VaultError> {
    if VaultRef::of(blob) != entry.vault_ref {
        return Err(VaultError::corrupt("the blob is not the one that the entry refers to"));
    }
    let data_key = wrapped_key::unwrap(ring, entry)?;
    let secrets = blob::open(&data_key, &entry.context, blob)?;
    Ok(Opened { secrets, destinations: entry.context.destinations.clone() })
}

/// Wraps the data key of an entry anew, under the primary master key; returns the new text and key id.
///
/// The blob is not needed and stays as it is.
///
/// # Errors
/// As [`open`], and when the ring has not its primary key any more.
pub fn rewrap(ring: &KeyRing, random: &dyn Random, entry: &Entry) -> Result<(String, u32), VaultError> {
    let data_key = wrapped_key::unwrap(ring, entry)?;
    wrapped_key::wrap(ring, random, &entry.context, &entry.vault_ref, &data_key)
}

#[cfg(test)]
mod tests;
