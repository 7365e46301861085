//! What an API key may do.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One permission of an API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub enum Scope {
    /// List and read connections, their history and tests.
    #[serde(rename = "connections:read")]
    ConnectionsRead,
    /// Create and change connections.
    #[serde(rename = "connections:write")]
    ConnectionsWrite,
    /// Delete connections.
    #[serde(rename = "connections:delete")]
    ConnectionsDelete,
    /// Test connections and drafts.
    #[serde(rename = "connections:test")]
    ConnectionsTest,
    /// Resolve credentials for a workflow, and report refused ones.
    #[serde(rename = "credentials:use")]
    CredentialsUse,
    /// Reveal secrets to a person.
    #[serde(rename = "credentials:reveal")]
    CredentialsReveal,
    /// Register which steps use which connection, and give them another one.
    #[serde(rename = "usages:write")]
    UsagesWrite,
    /// Manage customers. No route asks for it yet.
    #[serde(rename = "customers:manage")]
    CustomersManage,
    /// Export and import definitions.
    #[serde(rename = "transfer")]
    Transfer,
    /// Mint embedded sessions, register origins and signing keys.
    #[serde(rename = "embedded:manage")]
    EmbeddedManage,
    /// Register, read and delete webhooks, and read their deliveries.
    #[serde(rename = "webhooks:manage")]
    WebhooksManage,
    /// Manage API keys.
    #[serde(rename = "api-keys:manage")]
    ApiKeysManage,
    /// See what rests under which master key, and wrap it anew.
    #[serde(rename = "master-keys:manage")]
    MasterKeysManage,
    /// Read and verify the audit log.
    #[serde(rename = "audit:read")]
    AuditRead,
}

impl Scope {
    /// Every scope there is.
    pub const ALL: [Self; 14] = [
        Self::ConnectionsRead,
        Self::ConnectionsWrite,
        Self::ConnectionsDelete,
        Self::ConnectionsTest,
        Self::CredentialsUse,
        Self::CredentialsReveal,
        Self::UsagesWrite,
        Self::CustomersManage,
        Self::Transfer,
        Self::EmbeddedManage,
        Self::WebhooksManage,
        Self::ApiKeysManage,
        Self::MasterKeysManage,
        Self::AuditRead,
    ];
}
