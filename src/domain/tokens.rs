//! What is known of the OAuth tokens of a connection. The tokens themselves rest in the vault.

use serde::Deserialize;

use super::time::Timestamp;

/// The tokens of a connection, without the tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct HeldTokens {
    /// Which ones: raised by every renewal; 0 before there are any.
    pub generation: u64,
    /// A hash over the client, the server and the destinations that they were obtained with. Where it is another now, they are
    /// of no use.
    pub basis: String,
    /// The type of the access token.
    pub token_type: String,
    /// The scopes that were granted.
    pub granted_scopes: Vec<String>,
    /// The scopes that were asked for and not granted.
    pub missing_scopes: Vec<String>,
    /// Whether they can be renewed without a person.
    pub is_renewable: bool,
    /// When they were obtained.
    pub obtained_at: Timestamp,
    /// When the access token ends, where that is known.
    pub expires_at: Option<Timestamp>,
    /// Until when those that they renewed may be used in their place, where they are not visible yet.
    pub previous_until: Option<Timestamp>,
    /// When they are due to be renewed.
    pub renew_at: Option<Timestamp>,
    /// Until when somebody else is about to renew them.
    pub leased_until: Timestamp,
    /// How often in a row nobody answered usefully.
    pub failures: u32,
    /// No attempt before this.
    pub paused_until: Timestamp,
    /// Why the last of these attempts came to nothing: a word of the API.
    pub failure: Option<String>,
    /// When the provider said that the consent has ended.
    pub ended_at: Option<Timestamp>,
}

impl HeldTokens {
    /// Whether the access token lives at a moment.
    #[must_use]
    pub fn live_at(&self, moment: Timestamp) -> bool {
        self.generation > 0 && self.ended_at.is_none() && self.expires_at.is_none_or(|end| end > moment)
    }

    /// Whether they should be renewed before they are used.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.renew_at.is_some_and(|due| due <= now)
    }
}
