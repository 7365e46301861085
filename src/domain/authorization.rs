//! An attempt to obtain tokens with a person's consent.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::actor::Actor;
use super::environment::Environment;
use super::id::{AuthorizationId, ConnectionId};
use super::time::Timestamp;

/// An attempt, as its row has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Authorization {
    /// Its id.
    pub id: AuthorizationId,
    /// The connection that it is for.
    pub connection_id: ConnectionId,
    /// Whose tokens they will be: the connection's, or those of a template's test credentials.
    pub owner_id: String,
    /// Its environment.
    pub environment: Environment,
    /// The hash of the secret that the browser holds, once it has started.
    pub browser_hash: Option<String>,
    /// Where the provider sends the answer, to the letter.
    pub redirect_uri: String,
    /// Where the person goes afterwards.
    pub return_to: Option<String>,
    /// What the tokens are asked for with; see [`HeldTokens`](super::tokens::HeldTokens).
    pub basis: String,
    /// Whether its tokens are stored only where there are none yet.
    pub first_only: bool,
    /// Who asked.
    pub actor: Actor,
    /// How far it is.
    pub state: Stage,
    /// Why it failed: a word of a closed list.
    pub error: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it is too late.
    pub expires_at: Timestamp,
}

/// How far an attempt is, as its row has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Nobody opened it yet.
    Pending,
    /// Somebody was sent to the provider.
    Started,
    /// The provider answered; the code is being exchanged.
    Answered,
    /// The tokens are stored.
    Succeeded,
    /// It came to nothing.
    Failed,
}

/// How far an attempt is, as callers see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthorizationState {
    /// It is under way.
    Pending,
    /// The connection is authorized.
    Succeeded,
    /// It came to nothing: `error` tells why.
    Failed,
    /// It was not finished in time.
    Expired,
}

impl Authorization {
    /// How far it is, as callers see it.
    #[must_use]
    pub fn seen_at(&self, now: Timestamp) -> AuthorizationState {
        match self.state {
            Stage::Succeeded => AuthorizationState::Succeeded,
            Stage::Failed => AuthorizationState::Failed,
            _ if self.expires_at <= now => AuthorizationState::Expired,
            _ => AuthorizationState::Pending,
        }
    }
}
