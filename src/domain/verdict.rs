//! The four verdicts. A file of its own, because the build script reads it too.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a test found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The credential works.
    Valid,
    /// The credential is authenticated and usable in part.
    Limited,
    /// The credential is definitely refused, or what it should reach definitely is not there.
    Invalid,
    /// Nothing definitive is known.
    Unknown,
}

impl Verdict {
    /// The word that the API and the database use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Limited => "limited",
            Self::Invalid => "invalid",
            Self::Unknown => "unknown",
        }
    }

    /// Whether a connection with this verdict can be used.
    #[must_use]
    pub const fn is_usable(self) -> bool {
        matches!(self, Self::Valid | Self::Limited)
    }
}
