//! What the storage and the vault say, as problems.

use crate::store::StoreError;
use crate::store::access::MAX_ORIGINS;
use crate::store::commit::{CommitError, Conflict};
use crate::store::secrets::SecretsError;
use crate::store::signing_keys::MAX_SIGNING_KEYS;
use crate::store::webhooks::MAX_WEBHOOKS;
use crate::vault::KeyRingError;

use super::{ApiError, ValueError};

impl ApiError {
    /// There are as many of something as there may be.
    #[must_use]
    pub fn too_many(pointer: &str, what: &str, most: u64) -> Self {
        let detail = format!("There are {most} {what}, which is the most: delete one first.");
        Self::InvalidBody(vec![ValueError { pointer: pointer.to_owned(), code: "invalid".to_owned(), detail }])
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Database(error) => Self::StorageUnavailable(error.to_string()),
            error => Self::Internal(error.to_string()),
        }
    }
}

impl From<CommitError> for ApiError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Conflict(Conflict::Version) => Self::PreconditionFailed,
            CommitError::Conflict(Conflict::StableKey) => Self::StableKeyTaken,
            CommitError::Conflict(Conflict::Origin) => Self::OriginTaken,
            CommitError::Conflict(Conflict::Usages) => Self::UsagesChanged,
            CommitError::Conflict(Conflict::Deleted) => Self::NotFound,
            CommitError::Conflict(Conflict::MasterKey) => Self::KeyUnavailable,
            CommitError::Conflict(Conflict::Webhooks) => {
                Self::too_many("/environment", "webhooks in this environment", MAX_WEBHOOKS)
            }
            CommitError::Conflict(Conflict::SigningKeys) => {
                Self::too_many("/environment", "signing keys in this environment", MAX_SIGNING_KEYS)
            }
            CommitError::Conflict(Conflict::Template) => Self::TemplateChanged,
            CommitError::Conflict(Conflict::Customer) => Self::CustomerConnected,
            CommitError::Conflict(Conflict::CustomerChanged) => Self::CustomerChanged,
            CommitError::Conflict(Conflict::Customers) => Self::TooManyOfCustomer,
            CommitError::Conflict(Conflict::TokenUsed) => Self::TokenUsed,
            CommitError::Conflict(Conflict::TokenEnded | Conflict::LinkUsed | Conflict::LinkEnded) => {
                Self::Unauthorized
            }
            CommitError::Conflict(Conflict::Origins) => Self::too_many("/origin", "origins", MAX_ORIGINS),
            CommitError::Conflict(Conflict::Resolves) => {
                Self::StorageUnavailable("another tick summarised these resolves".to_owned())
            }
            CommitError::Conflict(Conflict::Idempotency) => {
                Self::StorageUnavailable("the answer to the same request is being written".to_owned())
            }
            CommitError::Store(error) => error.into(),
        }
    }
}

impl From<&KeyRingError> for ApiError {
    fn from(_: &KeyRingError) -> Self {
        Self::KeyUnavailable
    }
}

impl From<SecretsError> for ApiError {
    fn from(error: SecretsError) -> Self {
        match error {
            SecretsError::Pending => Self::SecretPending,
            SecretsError::KeyUnavailable => Self::KeyUnavailable,
            SecretsError::Corrupt(what) => Self::Internal(format!("ALARM: vault: {what}")),
            SecretsError::Blob(error) => Self::StorageUnavailable(error.to_string()),
        }
    }
}
