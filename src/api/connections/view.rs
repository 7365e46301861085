//! A connection as the API shows it: everything but its secrets.

use std::collections::BTreeSet;

use axum::response::Response;
use http::{StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::answer;
use crate::api::extract::etag;
use crate::domain::actor::Actor;
use crate::domain::connection::{Connection, Kind, SuppliedBy};
use crate::domain::environment::Environment;
use crate::domain::health::{Attempt, Facts, Health, Source, Status, Verdict};
use crate::domain::id::ConnectionId;
use crate::domain::reason::{Action, Reason};
use crate::domain::text::{Customer, Description, Name, StableKey, Tag};
use crate::domain::time::Timestamp;
use crate::domain::values::Settings;

/// A connection without its secrets.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Connection)]
pub struct ConnectionView<'a> {
    /// Its id.
    pub id: &'a ConnectionId,
    /// The environment that it belongs to.
    pub environment: Environment,
    /// The key of its provider.
    pub provider: &'a str,
    /// The key of its connection type.
    pub connection_type: &'a str,
    /// Whose credentials it holds.
    pub kind: Kind,
    /// The template that a customer's connection stands under.
    pub template: Option<&'a ConnectionId>,
    /// The customer.
    pub customer: Option<&'a Customer>,
    /// Who enters the customer-specific values.
    pub supplied_by: Option<SuppliedBy>,
    /// Its name.
    pub name: &'a Name,
    /// Its description, possibly empty.
    pub description: &'a Description,
    /// The name under which workflows find it in every environment.
    pub stable_key: &'a StableKey,
    /// Its tags.
    pub tags: &'a BTreeSet<Tag>,
    /// Its settings.
    #[schema(value_type = Object)]
    pub settings: &'a Settings,
    /// The fields that have a secret; the secrets themselves are never shown here.
    pub secret_fields: &'a BTreeSet<String>,
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
    pub facts: &'a Facts,
    /// Scopes that the provider granted.
    pub granted_scopes: &'a [String],
    /// Scopes that were asked for and not granted.
    pub missing_scopes: &'a [String],
    /// When the credential expires.
    pub expires_at: Option<Timestamp>,
    /// By when a person wants it rotated.
    pub rotate_by: Option<Timestamp>,
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
    pub created_by: &'a Actor,
    /// When it was last changed.
    pub modified_at: Timestamp,
    /// Who last changed it.
    pub modified_by: &'a Actor,
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

impl<'a> From<&'a Connection> for ConnectionView<'a> {
    fn from(connection: &'a Connection) -> Self {
        let Connection { owner, label, values, found, history, .. } = connection;
        Self {
            id: &connection.id,
            environment: connection.environment,
            provider: &connection.provider,
            connection_type: &connection.connection_type,
            kind: owner.kind,
            template: owner.template.as_ref(),
            customer: owner.customer.as_ref(),
            supplied_by: owner.supplied_by,
            name: &label.name,
            description: &label.description,
            stable_key: &label.stable_key,
            tags: &label.tags,
            settings: &values.settings,
            secret_fields: &values.secret_fields,
            enabled: connection.switches.enabled,
            embedded: connection.switches.embedded,
            status: connection.status(),
            health: (&connection.health).into(),
            last_attempt: connection.last_attempt.as_ref().map(Into::into),
            facts: &found.facts,
            granted_scopes: &found.granted_scopes,
            missing_scopes: &found.missing_scopes,
            expires_at: connection.dates.expires_at,
            rotate_by: connection.dates.rotate_by,
            usage_count: connection.usage.count,
            last_used_at: connection.usage.last_used_at,
            version: history.version,
            revision: history.revision,
            created_at: history.created_at,
            created_by: &history.created_by,
            modified_at: history.modified_at,
            modified_by: &history.modified_by,
        }
    }
}

/// Answers with a connection and its version as ETag.
#[must_use]
pub fn answer(connection: &Connection) -> Response {
    let response = answer::json(StatusCode::OK, &ConnectionView::from(connection));
    with_version(response, connection.history.version)
}

/// Sets the ETag of a version.
pub fn with_version(mut response: Response, version: u64) -> Response {
    answer::set(&mut response, header::ETAG, &etag(version));
    response
}
