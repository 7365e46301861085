//! What tests found: verdicts, the health of a revision, and the last attempt. `status` is derived here and nowhere else.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::reason::Reason;
use super::time::Timestamp;
pub use super::verdict::Verdict;

/// Who found a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The test that runs when values are saved.
    Save,
    /// A test that somebody asked for.
    Test,
    /// A message sent to prove delivery.
    Message,
    /// A test that a workflow engine's report started, or repeated reports where no test exists.
    Report,
    /// A scheduled test.
    Schedule,
    /// A person's consent, or the renewal of tokens.
    Authorization,
}

impl Source {
    /// The word that the API and the database use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Save => "save",
            Self::Test => "test",
            Self::Message => "message",
            Self::Report => "report",
            Self::Schedule => "schedule",
            Self::Authorization => "authorization",
        }
    }
}

/// The last definitive verdict of the current revision; `unknown` while there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// What was found.
    pub verdict: Verdict,
    /// Why, unless the verdict is `valid`.
    pub reason: Option<Reason>,
    /// When it was found; none before the first attempt.
    pub checked_at: Option<Timestamp>,
    /// Who found it.
    pub source: Option<Source>,
    /// Whether something that the verdict rests on changed since.
    pub stale: bool,
}

impl Health {
    /// The health of a new revision: it inherits nothing.
    #[must_use]
    pub const fn never_tested() -> Self {
        Self {
            verdict: Verdict::Unknown,
            reason: Some(Reason::NeverTested),
            checked_at: None,
            source: None,
            stale: false,
        }
    }

    /// The health of a new revision that lacks what it cannot be tested without.
    #[must_use]
    pub const fn missing() -> Self {
        Self { reason: Some(Reason::Missing), ..Self::never_tested() }
    }

    /// The health of a new revision that waits for a person's consent.
    #[must_use]
    pub const fn not_authorized() -> Self {
        Self { reason: Some(Reason::NotAuthorized), ..Self::never_tested() }
    }

    /// The health of a new revision whose first test was this one.
    #[must_use]
    pub const fn first(attempt: &Attempt) -> Self {
        Self {
            verdict: attempt.verdict,
            reason: attempt.reason,
            checked_at: Some(attempt.at),
            source: Some(attempt.source),
            stale: false,
        }
    }
}

/// The newest attempt to find a verdict, whatever came of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Attempt {
    /// What was found.
    pub verdict: Verdict,
    /// Why, unless the verdict is `valid`.
    pub reason: Option<Reason>,
    /// When it ended.
    pub at: Timestamp,
    /// Who asked.
    pub source: Source,
}

/// What a test learned for free: account, team, channel … Never a secret.
pub type Facts = BTreeMap<String, String>;

/// Whether a connection can be used: `active` when it is enabled and its verdict is `valid` or `limited`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Shown as Connected.
    Active,
    /// Shown as Not connected.
    NotActive,
}

impl Status {
    /// Derives the status. The column `active` of the schema states the same rule for the database's indexes.
    #[must_use]
    pub const fn derive(enabled: bool, verdict: Verdict) -> Self {
        if enabled && verdict.is_usable() { Self::Active } else { Self::NotActive }
    }
}
