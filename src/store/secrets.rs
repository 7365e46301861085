//! Secrets as they rest in two places: the wrapped key in the database, the blob in the blob store.

use std::time::Duration;

use crate::domain::time::Timestamp;
use crate::ports::{BlobError, BlobStore};
use crate::vault::{self, Entry, KeyRing, Opened, VaultError};

/// An entry younger than this may not be visible everywhere yet.
const YOUNG: Duration = Duration::from_mins(10);
/// How long a cache may keep the blob of an entry that is not young: blobs never change.
const CACHED: Duration = Duration::from_hours(1);
/// How long a blob outlives its row: the database can be turned back for 30 days.
const GARBAGE_AGE: Duration = Duration::from_hours(31 * 24);

/// Why secrets could not be read. None of these falls back to anything.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// The blob is not visible here yet.
    #[error("the blob is not visible yet")]
    Pending,
    /// The key ring has not the key that they are wrapped under.
    #[error("the master key is not available")]
    KeyUnavailable,
    /// The blob is gone or not what was sealed. An alarm.
    #[error("what is stored does not open: {0}")]
    Corrupt(String),
    /// The blob store failed.
    #[error(transparent)]
    Blob(#[from] BlobError),
}

/// Reads and opens the secrets of an entry.
///
/// # Errors
/// When the blob is not visible yet, gone or changed, its key is not available, or the store fails.
pub async fn open(
    blobs: &dyn BlobStore,
    ring: &KeyRing,
    now: Timestamp,
    entry: &Entry,
) -> Result<Opened, SecretsError> {
    let is_young = entry.created_at + YOUNG > now;
    let blob = blobs.get(&entry.vault_ref.to_string(), if is_young { None } else { Some(CACHED) }).await?;
    match blob {
        Some(blob) => vault::open(ring, entry, &blob).map_err(|error| match error {
            VaultError::KeyUnavailable(_) => SecretsError::KeyUnavailable,
            VaultError::Corrupt(detail) => SecretsError::Corrupt(detail.to_string()),
        }),
        None if is_young => Err(SecretsError::Pending),
        None => Err(SecretsError::Corrupt("the blob is gone".to_owned())),
    }
}

/// When the blob of a row that is deleted now may go.
#[must_use]
pub fn garbage_due(now: Timestamp) -> Timestamp {
    now + GARBAGE_AGE
}
