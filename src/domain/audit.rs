//! An entry of the audit log: who did what to which resource, when. Never a value, never a secret.

use serde_json::Value;

use super::actor::Actor;
use super::environment::Environment;
use super::time::Timestamp;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditAction {
    /// A connection was created.
    ConnectionCreated,
    /// A connection was changed.
    ConnectionUpdated,
    /// An older revision was restored.
    ConnectionRestored,
    /// A connection was deleted.
    ConnectionDeleted,
    /// Secrets were revealed to a person.
    SecretsRevealed,
    /// A message with a visible effect was sent.
    MessageSent,
    /// An API key was created.
    ApiKeyCreated,
    /// An API key was revoked.
    ApiKeyRevoked,
    /// An embedded session was minted.
    SessionCreated,
    /// All sessions of a customer were ended.
    SessionsRevoked,
    /// An origin was registered.
    OriginCreated,
    /// An origin was removed.
    OriginDeleted,
}

impl AuditAction {
    /// The word that the log uses: `resource.verb`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConnectionCreated => "connection.created",
            Self::ConnectionUpdated => "connection.updated",
            Self::ConnectionRestored => "connection.restored",
            Self::ConnectionDeleted => "connection.deleted",
            Self::SecretsRevealed => "connection.secrets_revealed",
            Self::MessageSent => "connection.message_sent",
            Self::ApiKeyCreated => "api_key.created",
            Self::ApiKeyRevoked => "api_key.revoked",
            Self::SessionCreated => "embedded_session.created",
            Self::SessionsRevoked => "embedded_session.revoked",
            Self::OriginCreated => "embedded_origin.created",
            Self::OriginDeleted => "embedded_origin.deleted",
        }
    }
}

/// One entry, not yet authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Where, unless it concerns the whole deployment.
    pub environment: Option<Environment>,
    /// What was done.
    pub action: AuditAction,
    /// To which resource.
    pub resource_id: String,
    /// Who.
    pub actor: Actor,
    /// The request that did it.
    pub request_id: String,
    /// What else is worth knowing, as JSON.
    pub detail: Value,
}
