//! What providers are: the shape of a provider file, the embedded catalogue, values checked against it, templates
//! filled. No network, no storage.

#[cfg(test)]
mod check;
pub mod destinations;
pub mod file;
pub mod fill;
pub mod json_schema;
pub mod key_file;
pub mod oauth;
mod pattern;
mod placeholder;
pub mod provider;
pub mod reach;
#[cfg(test)]
mod read;
pub mod request;
pub mod rsa_key;
pub mod server;
mod shape;
pub mod signing;
pub mod statuses;
pub mod template;
mod text;
pub mod values;
pub mod view;

use std::sync::OnceLock;

use file::{RequestTemplate, SideEffect, Test};
use provider::{ConnectionType, Provider};
use reach::Reach;

/// Every provider that there is, sorted by key: as far as the Worker's logic needs it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Catalog {
    providers: Vec<Provider>,
}

impl Catalog {
    /// The providers of the folder `providers`, checked when the crate was built, parsed once.
    #[must_use]
    pub fn embedded() -> &'static Self {
        static EMBEDDED: OnceLock<Catalog> = OnceLock::new();
        // The build script read the same text back with the same types: there is no other outcome.
        EMBEDDED.get_or_init(|| {
            Self::from_json(include_str!(concat!(env!("OUT_DIR"), "/catalog.json"))).unwrap_or_default()
        })
    }

    /// Parses a catalogue from the JSON of its providers, unchecked: for tests, whose providers are on loopback.
    ///
    /// # Errors
    /// When the text is no array of providers.
    pub fn from_json(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<Vec<Provider>>(json).map(Self::from_iter)
    }

    /// The providers, sorted by key.
    #[must_use]
    pub fn providers(&self) -> &[Provider] {
        &self.providers
    }

    /// The provider with this key.
    #[must_use]
    pub fn provider(&self, key: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.key == key)
    }

    /// The connection type with this key of the provider with that key.
    #[must_use]
    pub fn connection_type(&self, provider: &str, key: &str) -> Option<&ConnectionType> {
        let types = &self.provider(provider)?.connection_types;
        types.iter().find(|connection_type| connection_type.key == key)
    }
}

impl ConnectionType {
    /// How requests reach the provider, where it is reached by HTTP.
    #[must_use]
    pub const fn request(&self) -> Option<&RequestTemplate> {
        match &self.reach {
            Reach::Request(request) => Some(request),
            Reach::Server(_) => None,
        }
    }

    /// Whether it has a test that nobody at the provider sees. A server always has: that of its protocol.
    #[must_use]
    pub fn has_harmless_test(&self) -> bool {
        matches!(self.reach, Reach::Server(_)) || self.harmless_test().is_some()
    }

    /// The test of its file, where it has one that nobody at the provider sees.
    #[must_use]
    pub fn harmless_test(&self) -> Option<&Test> {
        self.test.as_ref().filter(|test| test.side_effect != SideEffect::Visible)
    }
}

impl FromIterator<Provider> for Catalog {
    fn from_iter<I: IntoIterator<Item = Provider>>(providers: I) -> Self {
        let mut providers: Vec<_> = providers.into_iter().collect();
        providers.sort_by(|a, b| a.key.cmp(&b.key));
        Self { providers }
    }
}

#[cfg(test)]
mod tests;
