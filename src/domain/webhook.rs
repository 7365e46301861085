//! Webhooks: endpoints that are told of events, and what they are told. Never a value, a setting or a name.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::actor::Actor;
use super::environment::Environment;
use super::id::{ConnectionId, DeliveryId, WebhookId};
use super::time::Timestamp;

/// What an endpoint can be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub enum Occasion {
    /// The status of a connection changed between `active` and `not_active`.
    #[serde(rename = "connection.status_changed")]
    StatusChanged,
    /// The credential of a connection expires within the horizon; once for each date.
    #[serde(rename = "connection.expiring")]
    Expiring,
    /// A connection is to be rotated within the horizon; once for each date.
    #[serde(rename = "connection.rotation_due")]
    RotationDue,
}

impl Occasion {
    /// The word that the API, the messages and the database use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StatusChanged => "connection.status_changed",
            Self::Expiring => "connection.expiring",
            Self::RotationDue => "connection.rotation_due",
        }
    }
}

/// A registered endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// The environment whose events it is told.
    pub environment: Environment,
    /// Where it listens.
    pub url: String,
    /// What it asked for.
    pub event_types: BTreeSet<Occasion>,
    /// When it was registered.
    pub created_at: Timestamp,
    /// Who registered it.
    pub created_by: Actor,
    /// Since when it is told nothing, because it answered that it is gone.
    pub disabled_at: Option<Timestamp>,
}

/// A message to one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Message {
    /// Its place in the outbox.
    pub seq: u64,
    /// Its id: the same in every attempt.
    pub id: DeliveryId,
    /// What it is about.
    pub event_type: Occasion,
    /// When that happened.
    pub at: Timestamp,
    /// What it says: a JSON object, as the outbox has it.
    pub detail: String,
    /// How often it was tried.
    pub attempts: usize,
}

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It is tried again.
    Pending,
    /// The endpoint took it.
    Delivered,
    /// It was given up.
    Failed,
}

/// A line of the delivery log.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Delivery {
    /// Its place in the log.
    pub seq: u64,
    /// The id of the message.
    pub id: DeliveryId,
    /// What it is about.
    pub event_type: Occasion,
    /// Which connection.
    pub connection_id: ConnectionId,
    /// When that happened.
    pub at: Timestamp,
    /// Where it stands.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u64,
    /// What came of the last attempt: the class of the status, `timeout` or `unreachable`.
    pub outcome: Option<String>,
    /// When that was.
    pub attempted_at: Option<Timestamp>,
    /// When it is tried again.
    pub next_attempt_at: Option<Timestamp>,
}
