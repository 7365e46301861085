//! Does a connection work? Asks the provider as its file says, and tells the verdict.
//!
//! It knows calls, answers and what they mean. What a provider answered never leaves this module: only a verdict from
//! a closed list and the facts that the file names do.

mod facts;
mod http;
mod message;
mod verdict;

pub use http::test;
pub use message::send_message;

use crate::domain::health::Facts;
use crate::domain::reason::Reason;
use crate::domain::time::Timestamp;
use crate::domain::verdict::Verdict;
use verdict::Ruling;

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
    /// When the credential expires, if the provider says so.
    pub expires_at: Option<Timestamp>,
}

impl From<Ruling> for Finding {
    fn from(Ruling { verdict, reason }: Ruling) -> Self {
        Self { verdict, reason, facts: Facts::new(), granted_scopes: Vec::new(), expires_at: None }
    }
}
