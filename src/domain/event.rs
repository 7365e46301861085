//! An event: one change of a connection that a person made, as its history tells it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

use super::actor::Actor;
use super::time::Timestamp;

/// What kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventType {
    /// The connection was created.
    Created,
    /// Something of it was changed: values, name, tags, switches …
    Updated,
    /// An older revision was restored.
    Restored,
    /// It was deleted.
    Deleted,
}

impl EventType {
    /// The word that the API and the database use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Restored => "restored",
            Self::Deleted => "deleted",
        }
    }
}

/// A field before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// The value before.
    pub before: Value,
    /// The value after.
    pub after: Value,
}

/// What changed beside the values, by field. Values are in the revision, secrets nowhere.
pub type Changes = BTreeMap<String, Change>;

/// One change of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// The version of the connection that this change made.
    pub version: u64,
    /// What kind of change.
    #[serde(rename = "type")]
    pub event_type: EventType,
    /// The revision that it made, where values changed.
    pub revision: Option<u64>,
    /// What changed beside the values.
    pub changes: Changes,
    /// Who.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
}
