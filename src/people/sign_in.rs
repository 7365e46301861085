//! A token of Access, proved: which person it names, and in which groups.
//!
//! The e-mail address was verified by the identity provider. Groups are in the token where the identity provider of Access
//! is configured to hand a claim `groups` on; it then stands in `custom`, or at the top.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::domain::email::Email;
use crate::domain::grants::Grants;
use crate::domain::time::Timestamp;
use crate::egress::Egress;
use crate::jwt::{Expected, Jws, JwtError};
use crate::ports::{Clock, Sign};

use super::keys::{Keys, NoKey};
use super::settings::Settings;

/// Why nobody is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The token does not hold, names no person, or one who may do nothing.
    Unproved,
    /// The keys of Access could not be read.
    Unavailable,
}

/// A person whom Access vouches for, and who may do something here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proved {
    /// The person's address.
    pub email: Email,
    /// Those of the person's groups that a role names.
    pub groups: Vec<String>,
    /// What they may do.
    pub grants: Grants,
    /// When the token ends.
    pub expires_at: Timestamp,
}

/// Sign-in through Cloudflare Access.
pub struct SignIn {
    settings: Settings,
    keys: Keys,
    sign: Arc<dyn Sign>,
}

impl SignIn {
    /// Makes the sign-in of an isolate.
    #[must_use]
    pub fn new(settings: Settings, egress: Egress, clock: Arc<dyn Clock>, sign: Arc<dyn Sign>) -> Self {
        let keys = Keys::new(settings.team.clone(), egress, clock);
        Self { settings, keys, sign }
    }

    /// Proves a token of Access.
    ///
    /// # Errors
    /// When it does not hold, or its keys cannot be had.
    pub async fn prove(&self, token: &str, now: Timestamp) -> Result<Proved, Refused> {
        let jws = Jws::parse(token)?;
        let key = self.keys.find(jws.kid().ok_or(Refused::Unproved)?).await?;
        let expected = Expected { issuer: Some(self.settings.team.as_str()), audience: &self.settings.audience };
        let claims = jws.verify(&*self.sign, &key, &expected, now).await?;
        // A token of the team (`org`) is for Access itself; one of a service names no person.
        if claims.all.get("type").is_some_and(|kind| kind != "app") {
            return Err(Refused::Unproved);
        }
        let email = claims.all.get("email").and_then(Value::as_str).ok_or(Refused::Unproved)?;
        let email = Email::try_from(email.to_owned()).map_err(|_| Refused::Unproved)?;
        let groups = self.settings.roles.named(groups(&claims.all));
        let grants = self.settings.roles.of(&email, &groups).ok_or(Refused::Unproved)?.clone();
        Ok(Proved { email, groups, grants, expires_at: claims.expires_at })
    }
}

fn groups(claims: &Map<String, Value>) -> Vec<String> {
    let custom = claims.get("custom").and_then(|custom| custom.get("groups"));
    let texts = |claim: &Value| match claim {
        Value::String(group) => vec![group.clone()],
        Value::Array(groups) => groups.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    custom.into_iter().chain(claims.get("groups")).flat_map(texts).collect()
}

impl From<JwtError> for Refused {
    fn from(_: JwtError) -> Self {
        Self::Unproved
    }
}

impl From<NoKey> for Refused {
    fn from(error: NoKey) -> Self {
        match error {
            NoKey::Unknown => Self::Unproved,
            NoKey::Unavailable => Self::Unavailable,
        }
    }
}
