//! Does a connection work? Asks the provider as its file, or its protocol, says, and tells the verdict.
//!
//! It knows calls, answers and what they mean. What a provider answered never leaves this module: only a verdict from
//! a closed list and the facts that the file names do.

pub mod aws_sigv4;
mod facts;
mod http;
mod jwt;
mod message;
mod mysql;
mod postgresql;
mod scram;
mod server;
mod signed;
mod verdict;
mod wire;
mod xml;

pub use message::send_message;

use std::collections::BTreeSet;

use crate::catalog::provider::ConnectionType;
use crate::catalog::reach::Reach;
use crate::domain::health::Facts;
use crate::domain::origin::Origin;
use crate::domain::reason::Reason;
use crate::domain::time::Timestamp;
use crate::domain::values::{Secrets, Settings};
use crate::domain::verdict::Verdict;
use crate::egress::Egress;
use crate::ports::{Random, Sign, Unicode};
use verdict::Ruling;

/// What a test needs of the world.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    /// The guarded network.
    pub egress: &'a Egress,
    /// For what must never repeat.
    pub random: &'a dyn Random,
    /// For what is hashed after it was brought into one spelling.
    pub unicode: &'a dyn Unicode,
    /// For keys that sign.
    pub sign: &'a dyn Sign,
}

/// Tests a connection without any visible effect at the provider. The whole test takes no longer than one exchange may, and
/// just as long where nobody answers.
///
/// `unknown` / `no_test` where the type has no test, or a field that its test needs has no value.
pub async fn test(
    means: Means<'_>,
    connection_type: &ConnectionType,
    settings: &Settings,
    secrets: &Secrets,
    destinations: &BTreeSet<Origin>,
) -> Finding {
    match &connection_type.reach {
        Reach::Request(_) => http::test(means, connection_type, settings, secrets, destinations).await,
        Reach::Server(template) => server::test(means, template, settings, secrets, destinations).await,
    }
}

/// What a test found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The verdict.
    pub verdict: Verdict,
    /// Why, unless the verdict is `valid`.
    pub reason: Option<Reason>,
    /// What a valid answer told for free.
    pub facts: Facts,
    /// Scopes that the provider says it granted.
    pub granted_scopes: Vec<String>,
    /// Scopes that were asked for and not granted.
    pub missing_scopes: Vec<String>,
    /// When the credential expires, if the provider says so.
    pub expires_at: Option<Timestamp>,
}

impl Finding {
    /// A verdict, and nothing beside it.
    #[must_use]
    pub const fn bare(verdict: Verdict, reason: Option<Reason>) -> Self {
        Self {
            verdict,
            reason,
            facts: Facts::new(),
            granted_scopes: Vec::new(),
            missing_scopes: Vec::new(),
            expires_at: None,
        }
    }
}

impl From<Ruling> for Finding {
    fn from(Ruling { verdict, reason }: Ruling) -> Self {
        Self::bare(verdict, reason)
    }
}
