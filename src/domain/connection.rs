//! A connection: a named set of values for one connection type of one provider.
//!
//! The fields stand in groups, each a thing of its own.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::actor::Actor;
use super::environment::Environment;
use super::health::{Attempt, Facts, Health, Status};
use super::id::ConnectionId;
use super::text::{Customer, Description, Name, StableKey, Tag};
use super::time::Timestamp;
use super::values::Settings;

/// A connection without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Its id.
    pub id: ConnectionId,
    /// The environment that it belongs to.
    pub environment: Environment,
    /// The key of its provider.
    pub provider: String,
    /// The key of its connection type.
    pub connection_type: String,
    /// Whose credentials it holds.
    pub owner: Owner,
    /// How people and workflows name it.
    pub label: Label,
    /// What customers have of their own under it, where it is a template.
    pub definition: Option<Definition>,
    /// Its values: those of a customer's connection under a template are the customer's own alone.
    pub values: Values,
    /// What test runs use in their place.
    pub test_credentials: Option<TestCredentials>,
    /// What a person switches.
    pub switches: Switches,
    /// The last definitive verdict of the current revision.
    pub health: Health,
    /// The newest attempt at the current revision.
    pub last_attempt: Option<Attempt>,
    /// What tests found beside the verdict.
    pub found: Found,
    /// When it ends.
    pub dates: Dates,
    /// How much it is used.
    pub usage: UsageSummary,
    /// Where it stands in its history.
    pub history: History,
}

impl Connection {
    /// Whether it can be used.
    #[must_use]
    pub const fn status(&self) -> Status {
        Status::derive(self.switches.enabled, self.health.verdict)
    }
}

/// Whose credentials a connection holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The organization's own, used across all customers.
    Organization,
    /// One definition; credentials differ per customer.
    Template,
    /// One customer's.
    Customer,
}

impl Kind {
    /// The word that the API and the database use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Template => "template",
            Self::Customer => "customer",
        }
    }
}

/// Who enters the customer-specific values of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SuppliedBy {
    /// The customer.
    Customer,
    /// The organization, on the customer's behalf.
    Organization,
}

impl SuppliedBy {
    /// The word that the API and the database use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Organization => "organization",
        }
    }
}

/// Whose credentials, under which template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Whose credentials.
    pub kind: Kind,
    /// The template that a customer's connection stands under.
    pub template: Option<ConnectionId>,
    /// The customer.
    pub customer: Option<Customer>,
    /// Who enters the customer-specific values.
    pub supplied_by: Option<SuppliedBy>,
}

impl Owner {
    /// The organization's own.
    #[must_use]
    pub const fn organization() -> Self {
        Self { kind: Kind::Organization, template: None, customer: None, supplied_by: None }
    }

    /// The customer as the database has it: empty for none.
    #[must_use]
    pub fn customer_key(&self) -> &str {
        self.customer.as_ref().map_or("", Customer::as_str)
    }
}

/// What makes a connection a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// The fields of which each customer has values of its own; the others are global.
    pub customer_fields: BTreeSet<String>,
    /// How many connections of customers stand under it.
    pub customer_count: u64,
}

/// What test runs of the builder use, laid over the values: of a template in the place of a customer's. The secrets as field
/// keys only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestCredentials {
    /// The settings.
    pub settings: Settings,
    /// The fields that have a secret.
    pub secret_fields: BTreeSet<String>,
    /// The version of the connection that set them, which is also the number of their vault entry.
    pub version: u64,
}

/// How people and workflows name a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Its name.
    pub name: Name,
    /// Its description, possibly empty.
    pub description: Description,
    /// The name under which workflows find it in every environment.
    pub stable_key: StableKey,
    /// Its tags.
    pub tags: BTreeSet<Tag>,
}

/// The values of a connection, secrets as field keys only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values {
    /// The settings.
    pub settings: Settings,
    /// The fields that have a secret.
    pub secret_fields: BTreeSet<String>,
    /// The revision whose vault entry holds the secrets; none where there is no secret.
    pub secrets_revision: Option<u64>,
    /// Secrets up to this revision were entered for where their template does not send them any more.
    pub reenter_through: u64,
}

impl Values {
    /// Whether the secrets have to be entered again before they are used.
    #[must_use]
    pub fn must_reenter(&self) -> bool {
        self.secrets_revision.is_some_and(|revision| revision <= self.reenter_through)
    }
}

/// Which values a verdict rests on. It is stored only while these are the current ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Basis {
    /// The revision of the connection.
    pub revision: u64,
    /// That of its template, where it stands under one.
    pub template_revision: Option<u64>,
    /// The version that set the test credentials, where they were tested: those of a template.
    pub test_version: Option<u64>,
}

/// What a person switches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switches {
    /// Whether it is resolved and exposed at all.
    pub enabled: bool,
    /// Whether embedded workflows may use it.
    pub embedded: bool,
}

/// What tests found beside the verdict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Account, team, channel …
    pub facts: Facts,
    /// Scopes that the provider granted.
    pub granted_scopes: Vec<String>,
    /// Scopes that were asked for and not granted.
    pub missing_scopes: Vec<String>,
}

/// When a connection ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dates {
    /// When the credential expires.
    pub expires_at: Option<Timestamp>,
    /// By when a person wants it rotated.
    pub rotate_by: Option<Timestamp>,
}

/// How much a connection is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UsageSummary {
    /// Steps that use it.
    pub count: u64,
    /// When its credentials were last resolved, to the hour.
    pub last_used_at: Option<Timestamp>,
}

/// Where a connection stands in its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// Raised by every change that a person makes.
    pub version: u64,
    /// Raised by every change of values.
    pub revision: u64,
    /// When it was created.
    pub created_at: Timestamp,
    /// Who created it.
    pub created_by: Actor,
    /// When it was last changed.
    pub modified_at: Timestamp,
    /// Who last changed it.
    pub modified_by: Actor,
}
