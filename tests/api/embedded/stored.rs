//! Rows of connections of any kind, written as no API writes them yet: customers' and templates.

use keyfob::domain::text::fold;

use crate::support::Keyfob;

/// What a test cares about in a row.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) id: String,
    pub(super) environment: &'static str,
    pub(super) customer: &'static str,
    pub(super) kind: &'static str,
    pub(super) provider: &'static str,
    pub(super) connection_type: &'static str,
    pub(super) name: String,
    pub(super) enabled: bool,
    pub(super) embedded: bool,
    pub(super) deleted: bool,
}

impl Stored {
    /// An enabled bearer connection of a customer in development.
    pub(super) fn of_customer(number: usize, customer: &'static str, name: &str) -> Self {
        Self {
            id: format!("con_01kag3p3g0{number:016}"),
            environment: "development",
            customer,
            kind: "customer",
            provider: "http",
            connection_type: "bearer",
            name: name.to_owned(),
            enabled: true,
            embedded: false,
            deleted: false,
        }
    }

    /// The same of the organization, exposed.
    pub(super) fn exposed(number: usize, name: &str) -> Self {
        Self { customer: "", kind: "organization", embedded: true, ..Self::of_customer(number, "", name) }
    }

    pub(super) fn insert(&self, keyfob: &Keyfob) {
        let Self { id, environment, customer, kind, provider, connection_type, name, enabled, embedded, deleted } =
            self;
        let deleted = if *deleted { "1" } else { "null" };
        let sql = format!(
            "insert into connections (id, environment, provider, connection_type, kind, customer, name, name_key, \
             description, stable_key, tags, settings, secret_fields, secrets_revision, enabled, embedded, version, \
             revision, verdict, created_at, created_by, modified_at, modified_by, deleted_at, search_text, search_scope) \
             values ('{id}', '{environment}', '{provider}', '{connection_type}', '{kind}', '{customer}', '{name}', \
             '{key}', 'Private description', '{id}', '[\"private-tag\"]', '{{\"base_url\":\"https://private.dev\"}}', \
             '[\"token\"]', 1, {enabled}, {embedded}, 3, 2, 'valid', 1, '{{\"id\":\"key_root\",\"name\":\"Ann\"}}', 2, \
             '{{\"id\":\"key_root\",\"name\":\"Ann\"}}', {deleted}, '', 'deo')",
            key = fold(name),
        );
        keyfob.database.execute(&sql).unwrap();
    }
}
