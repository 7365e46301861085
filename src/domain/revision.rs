//! A revision: one immutable version of a connection's values.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::actor::Actor;
use super::health::Verdict;
use super::reason::Reason;
use super::text::Note;
use super::time::Timestamp;
use super::values::Settings;

/// What became of a secret in a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecretChange {
    /// It was set for the first time.
    Added,
    /// It has another value.
    Changed,
    /// It is the same as before.
    Unchanged,
    /// It was cleared.
    Removed,
}

/// One version of the values, secrets only as changed or unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Revision {
    /// Its number, from 1 without gaps.
    pub number: u64,
    /// The settings.
    pub settings: Settings,
    /// The settings of the revision before; none for the first.
    pub settings_before: Option<Settings>,
    /// The fields that have a secret.
    pub secret_fields: BTreeSet<String>,
    /// The revision whose vault entry holds the secrets.
    pub secrets_revision: Option<u64>,
    /// What became of each secret.
    pub secret_changes: BTreeMap<String, SecretChange>,
    /// The revision that was restored into this one.
    pub restored_from: Option<u64>,
    /// Why, in the author's words.
    pub note: Option<Note>,
    /// Who made it.
    pub author: Actor,
    /// When.
    pub created_at: Timestamp,
    /// Its last definitive verdict; `unknown` while there is none.
    pub verdict: Verdict,
    /// Why, unless the verdict is `valid`.
    pub reason: Option<Reason>,
}
