//! The three environments, each with its own set of connections.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `development`, `staging` or `production`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// Where workflows are built.
    Development,
    /// Where workflows are tried before they go live.
    Staging,
    /// Where workflows run for customers.
    Production,
}

impl Environment {
    /// All three, in the order in which a workflow passes them.
    pub const ALL: [Self; 3] = [Self::Development, Self::Staging, Self::Production];

    /// The word that the API and the database use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }
}
