//! What may be done, where, and until when: the one shape for keys and people.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::environment::Environment;
use super::scope::Scope;
use super::time::Timestamp;

/// Scopes in environments, up to a moment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Grants {
    /// What may be done.
    pub scopes: BTreeSet<Scope>,
    /// Where.
    pub environments: BTreeSet<Environment>,
    /// Until when; for ever, where there is none.
    pub expires_at: Option<Timestamp>,
}

impl Grants {
    /// Everything, everywhere, for ever.
    #[must_use]
    pub fn everything() -> Self {
        Self {
            scopes: Scope::ALL.into_iter().collect(),
            environments: Environment::ALL.into_iter().collect(),
            expires_at: None,
        }
    }

    /// Whether all of these scopes and environments are among them: nobody grants, sees or revokes more than they have.
    #[must_use]
    pub fn covers(&self, scopes: &BTreeSet<Scope>, environments: &BTreeSet<Environment>) -> bool {
        scopes.is_subset(&self.scopes) && environments.is_subset(&self.environments)
    }

    /// Whether they last as long as something with this end.
    #[must_use]
    pub fn outlive(&self, expires_at: Option<Timestamp>) -> bool {
        self.expires_at.is_none_or(|own| expires_at.is_some_and(|other| other <= own))
    }
}
