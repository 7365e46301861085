//! Why a connection has no tokens that could be used now: as a test tells it, and as a workflow engine is told.

use crate::api::error::ApiError;
use crate::domain::health::Verdict;
use crate::domain::reason::Reason;
use crate::oauth::Failed;
use crate::probe::Finding;

/// Why there are no tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lacking {
    /// Nobody consented yet.
    NotAuthorized,
    /// The consent was to another client, server or destination: it is of no use here.
    Other,
    /// The consent has ended.
    Ended,
    /// Somebody else is renewing them and takes long.
    Pending,
    /// The provider gave none.
    Failed(Failed),
    /// The provider gave none a while ago, and is not asked again yet.
    Paused(Failed),
}

impl Lacking {
    /// What a test finds.
    #[must_use]
    pub fn finding(self) -> Finding {
        let (verdict, reason) = match self {
            Self::NotAuthorized => (Verdict::Unknown, Reason::NotAuthorized),
            Self::Other => (Verdict::Invalid, Reason::NotAuthorized),
            Self::Ended => Failed::Grant.verdict(),
            Self::Pending => (Verdict::Unknown, Reason::Timeout),
            Self::Failed(failed) => failed.verdict(),
            // Nobody was asked now, and the values may be others than those that were refused.
            Self::Paused(_) => Failed::Unreachable.verdict(),
        };
        Finding::bare(verdict, Some(reason))
    }
}

impl From<Lacking> for ApiError {
    fn from(lacking: Lacking) -> Self {
        match lacking {
            Lacking::NotAuthorized => Self::NotResolvable(
                "connection_unauthorized",
                "Nobody has consented at the provider yet: authorize it with POST /v1/connections/{id}/authorizations.",
            ),
            Lacking::Other => Self::NotResolvable(
                "connection_unauthorized",
                "The consent was given to another client or address than there is now: authorize it again with POST \
                 /v1/connections/{id}/authorizations.",
            ),
            Lacking::Ended => Self::NotResolvable(
                "connection_unauthorized",
                "The consent at the provider has ended: authorize it again with POST /v1/connections/{id}/authorizations.",
            ),
            Lacking::Failed(Failed::Client) | Lacking::Paused(Failed::Client) => Self::NotResolvable(
                "client_refused",
                "The provider does not accept the client: check the client id and the client secret.",
            ),
            Lacking::Failed(Failed::Scope) | Lacking::Paused(Failed::Scope) => {
                Self::NotResolvable("scope_refused", "The provider does not grant the scopes: ask for others.")
            }
            Lacking::Pending | Lacking::Failed(_) | Lacking::Paused(_) => Self::TokensUnavailable,
        }
    }
}
