//! Who did something, as history and audit record it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The author of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Actor {
    /// Id of the API key or session; `key_root` for the key in the Workers secret, `person:` and the e-mail address for a
    /// person.
    pub id: String,
    /// The name that the key had then; the e-mail address of a person.
    pub name: String,
    /// Whom the caller claimed to act for (`Keyfob-Actor`); recorded, not verified.
    pub claimed: Option<String>,
}

impl Actor {
    /// Keyfob itself, in what the cron trigger does.
    #[must_use]
    pub fn system() -> Self {
        Self { id: "system".to_owned(), name: "Keyfob".to_owned(), claimed: None }
    }
}
