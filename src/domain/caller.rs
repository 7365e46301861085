//! Who asks: an API key of the organization, or a session of an embedded builder.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::environment::Environment;
use super::id::SessionId;
use super::scope::Scope;
use super::text::Customer;
use super::time::Timestamp;

/// An authenticated caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// A server of the organization.
    Key(KeyCaller),
    /// A page of the organization's product, for one customer or for its own designer.
    Session(SessionCaller),
}

/// What an API key may do, and where.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct KeyCaller {
    /// `key_…`, or `key_root` for the key in the Workers secret.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
    /// Where.
    pub environments: BTreeSet<Environment>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

impl KeyCaller {
    /// The id of the key in the Workers secret `ROOT_API_KEY`.
    pub const ROOT_ID: &'static str = "key_root";

    /// The caller behind `ROOT_API_KEY`: everything, everywhere.
    #[must_use]
    pub fn root() -> Self {
        Self {
            id: Self::ROOT_ID.to_owned(),
            name: "Root key".to_owned(),
            scopes: Scope::ALL.into_iter().collect(),
            environments: Environment::ALL.into_iter().collect(),
            expires_at: None,
        }
    }

    /// Whether it has all that a key with these scopes and environments has: nobody grants, sees or revokes more.
    #[must_use]
    pub fn covers(&self, scopes: &BTreeSet<Scope>, environments: &BTreeSet<Environment>) -> bool {
        scopes.is_subset(&self.scopes) && environments.is_subset(&self.environments)
    }

    /// Whether it lives as long as a key with this end.
    #[must_use]
    pub fn outlives(&self, expires_at: Option<Timestamp>) -> bool {
        self.expires_at.is_none_or(|own| expires_at.is_some_and(|other| other <= own))
    }
}

/// What an embedded session may see.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SessionCaller {
    /// Its id.
    pub id: SessionId,
    /// Its environment.
    pub environment: Environment,
    /// Its customer; none for a builder session.
    pub customer: Option<Customer>,
    /// The providers that it is limited to; none for all.
    pub providers: Option<BTreeSet<String>>,
    /// The connection types that it is limited to; none for all.
    pub connection_types: Option<BTreeSet<String>>,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl SessionCaller {
    /// Whether it may use this provider.
    #[must_use]
    pub fn allows_provider(&self, key: &str) -> bool {
        self.providers.as_ref().is_none_or(|providers| providers.contains(key))
    }

    /// Whether it may use this connection type.
    #[must_use]
    pub fn allows_type(&self, key: &str) -> bool {
        self.connection_types.as_ref().is_none_or(|types| types.contains(key))
    }
}

impl Caller {
    /// The id that logs, history and audit name.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Key(key) => &key.id,
            Self::Session(session) => session.id.as_str(),
        }
    }
}
