//! What an embedded session may be limited to, whoever mints it.

use std::collections::BTreeSet;

use crate::api::error::ValueError;
use crate::catalog::Catalog;
use crate::domain::id::ConnectionId;

/// What a session may use; everything, where nothing is said.
#[derive(Debug, Default)]
pub struct Limits {
    /// The keys of providers.
    pub providers: Option<Vec<String>>,
    /// The keys of connection types.
    pub connection_types: Option<Vec<String>>,
    /// The ids of templates. Those that are not there limit it to nothing.
    pub templates: Option<Vec<ConnectionId>>,
}

impl Limits {
    /// What is unknown of them, under a pointer: a word that is mistyped must not limit a session to nothing.
    #[must_use]
    pub fn errors(&self, under: &str) -> Vec<ValueError> {
        let unknown = |name: &str, index: usize, detail: &str| {
            ValueError::new(format!("{under}/{name}/{index}"), "unknown", detail)
        };
        let catalog = Catalog::embedded();
        let types = catalog.providers().iter().flat_map(|provider| &provider.connection_types);
        let types: BTreeSet<&str> = types.map(|of| of.key.as_str()).collect();
        let providers = self.providers.iter().flatten().enumerate();
        let providers = providers.filter(|(_, key)| catalog.provider(key).is_none());
        let connection_types = self.connection_types.iter().flatten().enumerate();
        let connection_types = connection_types.filter(|(_, key)| !types.contains(key.as_str()));
        providers
            .map(|(index, _)| unknown("providers", index, "There is no such provider."))
            .chain(
                connection_types.map(|(index, _)| unknown("connection_types", index, "No provider has such a type.")),
            )
            .collect()
    }
}
