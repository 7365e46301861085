//! The audit log: who did what to which resource, when. Never a value, never a secret. And what may be wrong with a log.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::actor::Actor;
use super::environment::Environment;
use super::id::OperationId;
use super::time::Timestamp;

/// Defines the actions, each with the word that the log uses: `resource.verb`.
macro_rules! actions {
    ($(#[doc = $doc:literal] $name:ident = $word:tt;)+) => {
        /// What was done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
        pub enum AuditAction {
            $(#[doc = $doc] #[serde(rename = $word)] $name,)+
        }

        impl AuditAction {
            /// The word that the log uses.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                }
            }
        }
    };
}

actions! {
    /// A connection was created.
    ConnectionCreated = "connection.created";
    /// A connection was changed.
    ConnectionUpdated = "connection.updated";
    /// Somebody asked for a person's consent at the provider.
    AuthorizationStarted = "connection.authorization_started";
    /// A person consented at the provider: the connection has new tokens.
    ConnectionAuthorized = "connection.authorized";
    /// An older revision was restored.
    ConnectionRestored = "connection.restored";
    /// A connection was deleted.
    ConnectionDeleted = "connection.deleted";
    /// Secrets were revealed to a person.
    SecretsRevealed = "connection.secrets_revealed";
    /// A workflow engine resolved the credentials: one entry for each caller and hour.
    CredentialsResolved = "connection.credentials_resolved";
    /// A message with a visible effect was sent.
    MessageSent = "connection.message_sent";
    /// Definitions were imported: what became of each connection stands in entries of its own.
    DefinitionsImported = "definitions.imported";
    /// An API key was created.
    ApiKeyCreated = "api_key.created";
    /// An API key was revoked.
    ApiKeyRevoked = "api_key.revoked";
    /// An embedded session was minted.
    SessionCreated = "embedded_session.created";
    /// All sessions of a customer were ended.
    SessionsRevoked = "embedded_session.revoked";
    /// Somebody signed in to the dashboard.
    SignedIn = "session.created";
    /// Somebody signed out of the dashboard.
    SignedOut = "session.ended";
    /// A signing key was registered.
    SigningKeyCreated = "signing_key.created";
    /// A signing key was deleted.
    SigningKeyDeleted = "signing_key.deleted";
    /// A connect link was created.
    ConnectLinkCreated = "connect_link.created";
    /// A connect link was revoked.
    ConnectLinkDeleted = "connect_link.deleted";
    /// An origin was registered.
    OriginCreated = "embedded_origin.created";
    /// An origin was removed.
    OriginDeleted = "embedded_origin.deleted";
    /// A step came to use a connection.
    UsageRegistered = "usage.registered";
    /// A step uses no connection any more.
    UsageRemoved = "usage.removed";
    /// Steps came to use another connection.
    UsagesReplaced = "usage.replaced";
    /// All connections of a customer were deleted, and its sessions ended.
    CustomerDeleted = "customer.deleted";
    /// Data keys were wrapped anew under the primary master key.
    KeysRewrapped = "master_key.rewrapped";
    /// A webhook was registered.
    WebhookCreated = "webhook.created";
    /// A webhook was deleted.
    WebhookDeleted = "webhook.deleted";
    /// A webhook was disabled, because its endpoint said that it is gone.
    WebhookDisabled = "webhook.disabled";
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

/// One entry as the log tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordedEntry {
    /// Its place in the log: without gaps, in the order of the commits.
    pub seq: i64,
    /// The id of the commit that wrote it.
    pub id: OperationId,
    /// When.
    pub at: Timestamp,
    /// Where; null where it concerns the whole deployment.
    pub environment: Option<Environment>,
    /// What was done. A text, not one of those known here: a newer version may have written it.
    #[schema(example = "connection.secrets_revealed")]
    pub action: String,
    /// To which resource.
    pub resource_id: String,
    /// Who.
    pub actor: Actor,
    /// The request that did it.
    pub request_id: String,
    /// What else is worth knowing; never a value.
    #[schema(value_type = Object)]
    pub detail: Value,
}

/// A log whose rows are tagged and sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SealedLog {
    /// The audit log.
    AuditEvents,
    /// The events of all connections: their history.
    Events,
}

impl SealedLog {
    /// The name of its table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuditEvents => "audit_events",
            Self::Events => "events",
        }
    }
}

/// What is wrong at a place of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The row is not what was written.
    RowChanged,
    /// There is no such row any more.
    RowMissing,
    /// The row is one of its neighbours, moved here.
    RowReordered,
    /// The row was put where none can be.
    RowInserted,
    /// The checkpoint that seals this row is not what was written.
    CheckpointChanged,
    /// The checkpoint that sealed this row is not there any more.
    CheckpointMissing,
    /// The ring has not the master key that this row, or the newest checkpoint that seals it, is tagged under.
    UnknownKey,
}

/// The first place where a log is not what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Break {
    /// The log.
    pub log: SealedLog,
    /// The row.
    pub seq: i64,
    /// What is wrong.
    pub fault: Fault,
}
