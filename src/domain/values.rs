//! The values of a connection: settings, which are shown, and secrets, which are not.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};
use subtle::ConstantTimeEq;

/// Settings by field key. A value is a text, an integer or a boolean, as its field says.
pub type Settings = BTreeMap<String, serde_json::Value>;

/// One secret value. It has no `Debug`, `Display`, `Serialize` or `Clone`, and is wiped when dropped.
pub struct Secret(SecretString);

impl Secret {
    /// Takes a text as a secret.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(SecretString::from(text))
    }

    /// The same secret once more. Deliberately no `Clone`: a copy of a secret is to be seen where it is made.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self::new(self.0.expose_secret().to_owned())
    }

    /// Whether two secrets are the same, compared in constant time.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.0.expose_secret().as_bytes().ct_eq(other.0.expose_secret().as_bytes()).into()
    }

    /// The secret itself. A test keeps the list of the files that may call this.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// Secrets by field key.
#[derive(Default, Deserialize)]
#[serde(transparent)]
pub struct Secrets(pub BTreeMap<String, Secret>);

impl Secrets {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys of the fields that have a secret.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl FromIterator<(String, Secret)> for Secrets {
    fn from_iter<I: IntoIterator<Item = (String, Secret)>>(secrets: I) -> Self {
        Self(secrets.into_iter().collect())
    }
}
