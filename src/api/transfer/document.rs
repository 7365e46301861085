//! The document that an export writes and an import reads. Its format has a version: what cannot be read is refused, not guessed.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::connections::create::{organization, yes};
use crate::domain::connection::{Connection, Kind, SuppliedBy};
use crate::domain::environment::Environment;
use crate::domain::text::{Customer, Description, Name, StableKey, Tag};
use crate::domain::values::{Secrets, Settings};

/// The version of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Format {
    /// The first.
    #[serde(rename = "keyfob/definitions/1")]
    One,
}

/// Definitions of one environment, without any secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Export)]
pub struct ExportDocument<'a> {
    /// The version of the format.
    pub format: Format,
    /// Where they are from.
    pub environment: Environment,
    /// The definitions, by stable key.
    pub connections: Vec<DefinitionView<'a>>,
    /// Pass it as `cursor` for the next document; null where there is none.
    pub next_cursor: Option<String>,
}

/// A connection without its credentials.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Definition)]
pub struct DefinitionView<'a> {
    /// What it is matched by.
    stable_key: &'a StableKey,
    /// Whose credentials it holds.
    kind: Kind,
    /// The key of its provider.
    provider: &'a str,
    /// The key of its connection type.
    connection_type: &'a str,
    /// Its name.
    name: &'a Name,
    /// Its description, possibly empty.
    description: &'a Description,
    /// Its tags.
    tags: &'a BTreeSet<Tag>,
    /// Its settings.
    #[schema(value_type = Object)]
    settings: &'a Settings,
    /// The fields that have a secret there.
    secret_fields: &'a BTreeSet<String>,
    /// Of a template: who enters what each customer has of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    supplied_by: Option<SuppliedBy>,
    /// Of a template: the fields of which each customer has values of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_fields: Option<&'a BTreeSet<String>>,
    /// Whether it is resolved and exposed at all.
    enabled: bool,
    /// Whether embedded workflows may use it.
    embedded: bool,
}

impl<'a> From<&'a Connection> for DefinitionView<'a> {
    fn from(connection: &'a Connection) -> Self {
        Self {
            stable_key: &connection.label.stable_key,
            kind: connection.owner.kind,
            provider: &connection.provider,
            connection_type: &connection.connection_type,
            name: &connection.label.name,
            description: &connection.label.description,
            tags: &connection.label.tags,
            settings: &connection.values.settings,
            secret_fields: &connection.values.secret_fields,
            supplied_by: connection.owner.supplied_by,
            customer_fields: connection.definition.as_ref().map(|definition| &definition.customer_fields),
            enabled: connection.switches.enabled,
            embedded: connection.switches.embedded,
        }
    }
}

/// Definitions to import: an export as it is, or one that another system wrote.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Import)]
pub struct ImportDocument {
    /// The version of the format.
    pub format: Format,
    /// Where they are from; told for people, and not read.
    pub environment: Option<Environment>,
    /// The definitions, at most 10,000.
    #[schema(max_items = 10000)]
    pub connections: Vec<Given>,
    /// Of an export: told for people, and not read.
    pub next_cursor: Option<String>,
}

/// A definition to import, or a customer's connection when moving in. What is left out is kept where the connection exists, and has
/// its default where it does not.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ImportedDefinition)]
pub struct Given {
    /// What it is matched by; a customer's connection by this and the customer.
    pub stable_key: StableKey,
    /// Whose credentials it holds.
    #[serde(default = "organization")]
    #[schema(default = "organization")]
    pub kind: Kind,
    /// Of a customer's connection: whose it is.
    pub customer: Option<Customer>,
    /// Of a customer's connection: the stable key of the template that it stands under, which has to be there already. Left out
    /// where it stands alone.
    pub template: Option<StableKey>,
    /// The key of its provider.
    pub provider: String,
    /// The key of its connection type.
    pub connection_type: String,
    /// Of a template: who enters what each customer has of its own; the customer, where left out.
    pub supplied_by: Option<SuppliedBy>,
    /// Of a template: the fields of which each customer has values of its own; as the provider file says, where left out.
    pub customer_fields: Option<BTreeSet<String>>,
    /// Its name.
    pub name: Name,
    /// Its description.
    pub description: Option<Description>,
    /// Its tags, at most 20.
    pub tags: Option<BTreeSet<Tag>>,
    /// Its settings, all of them.
    #[schema(value_type = Option<Object>)]
    pub settings: Option<Settings>,
    /// The fields that had a secret where it is from: told for people, and not read.
    pub secret_fields: Option<BTreeSet<String>>,
    /// For moving in from another system: its secrets, all of them.
    #[schema(value_type = Option<std::collections::BTreeMap<String, String>>, write_only)]
    pub secrets: Option<Secrets>,
    /// Whether it is resolved and exposed at all. Heeded where it is created; a switch that exists is a person's.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub enabled: bool,
    /// Whether embedded workflows may use it. Heeded where it is created.
    #[serde(default)]
    pub embedded: bool,
}
