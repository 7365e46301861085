//! Where an entry belongs. Authenticated with the secrets, so that a blob moved elsewhere does not open. Knows no key.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::parts;
use crate::domain::environment::Environment;
use crate::domain::origin::Origin;

/// What is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// The secret values of a connection; the number is the revision.
    Values,
    /// The OAuth tokens of a connection; the number is the generation.
    Tokens,
    /// The PKCE verifier of an authorization under way.
    Verifier,
    /// The signing secret of a webhook.
    Webhook,
    /// Secrets that were entered but are not part of a connection yet.
    Draft,
}

impl Purpose {
    /// The word that the database uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Values => "values",
            Self::Tokens => "tokens",
            Self::Verifier => "verifier",
            Self::Webhook => "webhook",
            Self::Draft => "draft",
        }
    }
}

/// Whose secrets an entry holds, what for, and where they may be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The environment of the owner.
    pub environment: Environment,
    /// The id of the owner: a connection, a webhook, an authorization.
    pub owner_id: String,
    /// What is sealed.
    pub purpose: Purpose,
    /// Which one, among those of the same owner and purpose.
    pub number: u64,
    /// The only places that these secrets may be sent to.
    pub destinations: BTreeSet<Origin>,
}

impl Context {
    /// The one spelling of this context in bytes.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let number = self.number.to_be_bytes();
        // As with the length of a part: a set of 2^32 origins does not fit into memory.
        let count = u32::try_from(self.destinations.len()).unwrap_or(u32::MAX).to_be_bytes();
        let head: [&[u8]; 5] = [
            self.environment.as_str().as_bytes(),
            self.owner_id.as_bytes(),
            self.purpose.as_str().as_bytes(),
            &number,
            &count,
        ];
        let destinations = self.destinations.iter().map(|origin| origin.as_str().as_bytes());
        parts::join(&head.into_iter().chain(destinations).collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::fixtures;

    #[test]
    fn no_two_contexts_have_the_same_bytes() {
        let mut contexts = fixtures::other_contexts();
        contexts.push(fixtures::context());
        let distinct: BTreeSet<_> = contexts.iter().map(Context::to_bytes).collect();
        assert_eq!(distinct.len(), contexts.len());
    }

    #[test]
    fn the_bytes_are_those_of_the_wire_format() {
        let expected =
            b"\0\0\0\x0aproduction\0\0\0\x05con_1\0\0\0\x06values\0\0\0\x08\0\0\0\0\0\0\0\x07\0\0\0\x04\0\0\0\x02\
            \0\0\0\x11https://a.example\0\0\0\x16https://b.example:8443";
        assert_eq!(fixtures::context().to_bytes(), expected);
    }

    #[test]
    fn the_database_and_the_context_call_a_purpose_the_same() {
        for purpose in [Purpose::Values, Purpose::Tokens, Purpose::Verifier, Purpose::Webhook, Purpose::Draft] {
            assert_eq!(serde_json::from_value::<Purpose>(purpose.as_str().into()).unwrap(), purpose);
        }
    }
}
