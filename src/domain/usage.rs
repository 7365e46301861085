//! A usage: a registered use of a connection by a step of a workflow.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::actor::Actor;
use super::environment::Environment;
use super::id::ConnectionId;
use super::text::{Step, Workflow};
use super::time::Timestamp;

/// The most usages that a connection may have: so many are moved at once, all or nothing.
pub const MAX_USAGES: u64 = 10_000;

/// A step, by the organization's own ids.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The workflow.
    pub workflow: Workflow,
    /// Its step.
    pub step: Step,
}

/// Whether its connection is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UsageState {
    /// It is.
    Registered,
    /// It was deleted: the step needs another one.
    Orphaned,
}

/// A step and the connection that it uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Usage {
    /// The environment.
    pub environment: Environment,
    /// The workflow.
    pub workflow: Workflow,
    /// Its step.
    pub step: Step,
    /// The connection.
    pub connection_id: ConnectionId,
    /// Whether the connection is there.
    pub state: UsageState,
    /// Since when the step uses it.
    pub registered_at: Timestamp,
    /// Who said so.
    pub registered_by: Actor,
}

impl Usage {
    /// The step.
    #[must_use]
    pub fn place(&self) -> Place {
        Place { workflow: self.workflow.clone(), step: self.step.clone() }
    }
}

/// A connection as far as its usages are concerned; possibly deleted, while steps still name it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Used {
    /// The connection.
    pub id: ConnectionId,
    /// Its environment.
    pub environment: Environment,
    /// The key of its provider.
    pub provider: String,
    /// How many steps use it.
    pub count: u64,
    /// Whether it is there.
    pub state: UsageState,
}
