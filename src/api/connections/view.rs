//! A connection as the API shows it: everything but its secrets.

use std::collections::BTreeSet;

use axum::response::Response;
use http::{StatusCode, header};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::api::answer;
use crate::api::extract::etag;
use crate::app::App;
use crate::domain::actor::Actor;
use crate::domain::attention::{Attention, Radar};
use crate::domain::connection::{Connection, Kind, SuppliedBy};
use crate::domain::environment::Environment;
use crate::domain::health::{Attempt, Facts, Health, Source, Status, Verdict};
use crate::domain::id::ConnectionId;
use crate::domain::reason::{Action, Reason};
use crate::domain::text::{Customer, Description, Name, StableKey, Tag};
use crate::domain::time::Timestamp;
use crate::domain::values::Settings;
use crate::store::row::ConnectionRow;

/// A connection without its secrets.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Connection)]
pub struct ConnectionView<'a> {
    /// Its id.
    #[schema(value_type = ConnectionId)]
    pub id: &'a str,
    /// The environment that it belongs to.
    pub environment: Environment,
    /// The key of its provider.
    pub provider: &'a str,
    /// The key of its connection type.
    pub connection_type: &'a str,
    /// Whose credentials it holds.
    pub kind: Kind,
    /// The template that a customer's connection stands under.
    #[schema(value_type = Option<ConnectionId>)]
    pub template: Option<&'a str>,
    /// The customer.
    #[schema(value_type = Option<Customer>)]
    pub customer: Option<&'a str>,
    /// Who enters the customer-specific values.
    pub supplied_by: Option<SuppliedBy>,
    /// Of a template: the fields of which each customer has values of its own.
    #[schema(value_type = Option<BTreeSet<String>>)]
    pub customer_fields: Option<Part<'a, BTreeSet<String>>>,
    /// Of a template: how many connections of customers stand under it.
    pub customer_count: Option<u64>,
    /// Its name.
    #[schema(value_type = Name)]
    pub name: &'a str,
    /// Its description, possibly empty.
    #[schema(value_type = Description)]
    pub description: &'a str,
    /// The name under which workflows find it in every environment.
    #[schema(value_type = StableKey)]
    pub stable_key: &'a str,
    /// Its tags.
    #[schema(value_type = BTreeSet<Tag>)]
    pub tags: Part<'a, BTreeSet<Tag>>,
    /// Its settings.
    #[schema(value_type = Object)]
    pub settings: Part<'a, Settings>,
    /// The fields that have a secret; the secrets themselves are never shown here.
    #[schema(value_type = BTreeSet<String>)]
    pub secret_fields: Part<'a, BTreeSet<String>>,
    /// Whether the secrets have to be entered again: the template sends them elsewhere now.
    pub must_reenter: bool,
    /// What test runs of the builder use in the place of the values, or of a customer's; null where there is nothing.
    #[schema(value_type = Option<TestCredentialsView>)]
    pub test_credentials: Option<TestPart<'a>>,
    /// Whether it is resolved and exposed at all.
    pub enabled: bool,
    /// Whether embedded workflows may use it.
    pub embedded: bool,
    /// `active` when it is enabled and its verdict is `valid` or `limited`.
    pub status: Status,
    /// The last definitive verdict of the current revision.
    pub health: HealthView,
    /// The newest attempt at the current revision, whatever came of it.
    pub last_attempt: Option<AttemptView>,
    /// What a test learned: account, team, channel …
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub facts: Part<'a, Facts>,
    /// Scopes that the provider granted.
    #[schema(value_type = Vec<String>)]
    pub granted_scopes: Part<'a, Vec<String>>,
    /// Scopes that were asked for and not granted.
    #[schema(value_type = Vec<String>)]
    pub missing_scopes: Part<'a, Vec<String>>,
    /// When the credential expires.
    pub expires_at: Option<Timestamp>,
    /// By when a person wants it rotated.
    pub rotate_by: Option<Timestamp>,
    /// What these dates call for now: `expiring` and `rotation_due` within the configured horizon (14 days), `expired` and
    /// `rotation_overdue` from the date on.
    pub attention: Vec<Attention>,
    /// Steps that use it.
    pub usage_count: u64,
    /// When its credentials were last resolved, to the hour.
    pub last_used_at: Option<Timestamp>,
    /// Raised by every change that a person makes; its ETag.
    pub version: u64,
    /// Raised by every change of values.
    pub revision: u64,
    /// When it was created.
    pub created_at: Timestamp,
    /// Who created it.
    #[schema(value_type = Actor)]
    pub created_by: Part<'a, Actor>,
    /// When it was last changed.
    pub modified_at: Timestamp,
    /// Who last changed it.
    #[schema(value_type = Actor)]
    pub modified_by: Part<'a, Actor>,
}

/// Test credentials without their secrets.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TestCredentials)]
pub struct TestCredentialsView<'a> {
    /// The settings.
    #[schema(value_type = Object)]
    pub settings: &'a Settings,
    /// The fields that have a secret.
    pub secret_fields: &'a BTreeSet<String>,
}

/// Test credentials: as the domain has them, or as their row has them, which is the same JSON.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum TestPart<'a> {
    /// As the domain has them.
    Value(TestCredentialsView<'a>),
    /// As their row has them.
    Text(&'a RawValue),
}

/// A part of a connection: as the domain has it, or as its row has it, which is the same JSON.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Part<'a, T> {
    /// As the domain has it.
    Value(&'a T),
    /// As its row has it.
    Text(&'a RawValue),
}

/// The last definitive verdict of the current revision; `unknown` while there is none.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Health)]
pub struct HealthView {
    /// What was found.
    pub verdict: Verdict,
    /// Why, unless the verdict is `valid`.
    pub reason: Option<Reason>,
    /// What a person can do about it.
    pub action: Action,
    /// One sentence for the person who looks at it.
    pub message: Option<&'static str>,
    /// When it was found.
    pub checked_at: Option<Timestamp>,
    /// Who found it.
    pub source: Option<Source>,
    /// Whether something that the verdict rests on changed since.
    pub stale: bool,
}

/// An attempt to find a verdict.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Attempt)]
pub struct AttemptView {
    /// What was found.
    pub verdict: Verdict,
    /// Why, unless the verdict is `valid`.
    pub reason: Option<Reason>,
    /// What a person can do about it.
    pub action: Action,
    /// One sentence for the person who looks at it.
    pub message: Option<&'static str>,
    /// When it ended.
    pub at: Timestamp,
    /// Who asked.
    pub source: Source,
}

impl From<&Health> for HealthView {
    fn from(health: &Health) -> Self {
        Self {
            verdict: health.verdict,
            reason: health.reason,
            action: health.reason.map_or(Action::None, Reason::action),
            message: health.reason.map(Reason::sentence),
            checked_at: health.checked_at,
            source: health.source,
            stale: health.stale,
        }
    }
}

impl From<&Attempt> for AttemptView {
    fn from(attempt: &Attempt) -> Self {
        Self {
            verdict: attempt.verdict,
            reason: attempt.reason,
            action: attempt.reason.map_or(Action::None, Reason::action),
            message: attempt.reason.map(Reason::sentence),
            at: attempt.at,
            source: attempt.source,
        }
    }
}

impl<'a> ConnectionView<'a> {
    /// Shows a connection as it stands at the moment of the radar.
    #[must_use]
    pub fn new(connection: &'a Connection, radar: Radar) -> Self {
        let Connection { owner, label, values, found, history, .. } = connection;
        Self {
            id: connection.id.as_str(),
            environment: connection.environment,
            provider: &connection.provider,
            connection_type: &connection.connection_type,
            kind: owner.kind,
            template: owner.template.as_ref().map(ConnectionId::as_str),
            customer: owner.customer.as_ref().map(Customer::as_str),
            supplied_by: owner.supplied_by,
            customer_fields: connection.definition.as_ref().map(|definition| Part::Value(&definition.customer_fields)),
            customer_count: connection.definition.as_ref().map(|definition| definition.customer_count),
            name: label.name.as_str(),
            description: label.description.as_str(),
            stable_key: label.stable_key.as_str(),
            tags: Part::Value(&label.tags),
            settings: Part::Value(&values.settings),
            secret_fields: Part::Value(&values.secret_fields),
            must_reenter: values.must_reenter(),
            test_credentials: connection.test_credentials.as_ref().map(|test| {
                TestPart::Value(TestCredentialsView { settings: &test.settings, secret_fields: &test.secret_fields })
            }),
            enabled: connection.switches.enabled,
            embedded: connection.switches.embedded,
            status: connection.status(),
            health: (&connection.health).into(),
            last_attempt: connection.last_attempt.as_ref().map(Into::into),
            facts: Part::Value(&found.facts),
            granted_scopes: Part::Value(&found.granted_scopes),
            missing_scopes: Part::Value(&found.missing_scopes),
            expires_at: connection.dates.expires_at,
            rotate_by: connection.dates.rotate_by,
            attention: radar.attention(connection.dates),
            usage_count: connection.usage.count,
            last_used_at: connection.usage.last_used_at,
            version: history.version,
            revision: history.revision,
            created_at: history.created_at,
            created_by: Part::Value(&history.created_by),
            modified_at: history.modified_at,
            modified_by: Part::Value(&history.modified_by),
        }
    }
}

impl<'a> ConnectionView<'a> {
    /// Shows a connection of a list in the same way.
    #[must_use]
    pub fn listed(row: &'a ConnectionRow<'a>, radar: Radar) -> Self {
        let columns = &row.columns;
        Self {
            id: columns.id,
            environment: columns.environment,
            provider: columns.provider,
            connection_type: columns.connection_type,
            kind: columns.kind,
            template: columns.template,
            customer: columns.customer.as_ref().map(|customer| &*customer.0),
            supplied_by: columns.supplied_by,
            customer_fields: row.customer_fields.map(Part::Text),
            customer_count: row.customer_fields.map(|_| columns.customer_count),
            name: &columns.name,
            description: &columns.description,
            stable_key: columns.stable_key,
            tags: Part::Text(row.tags),
            settings: Part::Text(row.settings),
            secret_fields: Part::Text(row.secret_fields),
            must_reenter: columns.must_reenter(),
            test_credentials: row.test_credentials.map(TestPart::Text),
            enabled: columns.enabled,
            embedded: columns.embedded,
            status: columns.status(),
            health: (&columns.health()).into(),
            last_attempt: row.last_attempt.as_ref().map(Into::into),
            facts: Part::Text(row.facts),
            granted_scopes: Part::Text(row.granted_scopes),
            missing_scopes: Part::Text(row.missing_scopes),
            expires_at: columns.expires_at,
            rotate_by: columns.rotate_by,
            attention: radar.attention(columns.dates()),
            usage_count: columns.usage_count,
            last_used_at: columns.last_used_at,
            version: columns.version,
            revision: columns.revision,
            created_at: columns.created_at,
            created_by: Part::Text(row.created_by),
            modified_at: columns.modified_at,
            modified_by: Part::Text(row.modified_by),
        }
    }
}

/// How a connection is shown to who asks.
pub type Show<'a> = &'a (dyn Fn(&Connection) -> Response + Send + Sync);

/// Answers with a connection and its version as ETag.
#[must_use]
pub fn answer(app: &App, connection: &Connection) -> Response {
    let response = answer::json(StatusCode::OK, &ConnectionView::new(connection, app.radar()));
    with_version(response, connection.history.version)
}

/// Sets the ETag of a version.
pub fn with_version(mut response: Response, version: u64) -> Response {
    answer::set(&mut response, header::ETAG, &etag(version));
    response
}
