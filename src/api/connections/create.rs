//! `POST /v1/connections`.

use std::collections::{BTreeMap, BTreeSet};

use axum::response::Response;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::api::claim::{Claim, Identity};
use crate::api::error::ApiError;
use crate::api::extract::{Body, InQuery, Parsed};
use crate::api::idempotency::{self, Created, Idempotency};
use crate::api::openapi::ChangeProblems;
use crate::app::App;
use crate::domain::connection::{Connection, Dates, Found, History, Label, Owner, Switches, UsageSummary, Values};
use crate::domain::environment::Environment;
use crate::domain::event::EventType;
use crate::domain::health::Health;
use crate::domain::id::ConnectionId;
use crate::domain::revision::{Revision, SecretChange};
use crate::domain::scope::Scope;
use crate::domain::text::{Description, MAX_TAGS, Name, Note, StableKey, Tag};
use crate::domain::time::Timestamp;
use crate::domain::values::{Secrets, Settings};
use crate::store::{self, connections};
use crate::vault::{KeyRing, Sealed};

use super::tested::{Tested, test_before_save};
use super::values::{Draft, check_key, find_key_check, find_type};
use super::view::{ConnectionView, with_version};
use super::{record, values};

/// How values are saved.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SaveQuery {
    /// Whether the values are tested before they are saved.
    #[serde(default = "yes")]
    #[param(default = true)]
    pub test: bool,
}

const fn yes() -> bool {
    true
}

/// A new connection.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateConnection {
    /// The environment that it belongs to.
    environment: Environment,
    /// The key of its provider.
    #[schema(example = "slack")]
    provider: String,
    /// The key of its connection type.
    #[schema(example = "incoming_webhook")]
    connection_type: String,
    /// Its name.
    #[schema(example = "Alerts")]
    name: Name,
    /// Its description.
    description: Option<Description>,
    /// The name under which workflows find it in every environment; suggested from the name where left out.
    stable_key: Option<StableKey>,
    /// Its tags, at most 20.
    #[serde(default)]
    #[schema(max_items = 20)]
    tags: BTreeSet<Tag>,
    /// Its settings, by field.
    #[serde(default)]
    #[schema(value_type = Object)]
    settings: Settings,
    /// Its secrets, by field. They are never shown again but by reveal and to workflows.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>, write_only)]
    secrets: Secrets,
    /// Whether it is resolved and exposed at all.
    #[serde(default = "yes")]
    #[schema(default = true)]
    enabled: bool,
    /// Whether embedded workflows may use it.
    #[serde(default)]
    embedded: bool,
    /// When the credential expires.
    #[serde(default, deserialize_with = "crate::api::extract::time")]
    expires_at: Option<Timestamp>,
    /// By when it should be rotated.
    #[serde(default, deserialize_with = "crate::api::extract::time")]
    rotate_by: Option<Timestamp>,
    /// Why, for its history.
    note: Option<Note>,
}

/// POST /v1/connections
///
/// Creates a connection of the organization. Its values are tested first, for 10 seconds at most; failing ones are saved
/// all the same, and the answer tells the reason.
#[utoipa::path(
    post, path = "/v1/connections", tag = "Connections", request_body = CreateConnection,
    params(SaveQuery, ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated request safe.")),
    responses((status = 201, description = "The connection", body = ConnectionView), ChangeProblems)
)]
pub async fn create_connection(
    app: App,
    claim: Claim,
    query: Parsed<InQuery<SaveQuery>>,
    idempotency: Parsed<Idempotency>,
    body: Parsed<Body<CreateConnection>>,
) -> Result<Response, ApiError> {
    let InQuery(query) = claim.accept(&app, query).await?;
    let idempotency = claim.accept(&app, idempotency).await?;
    let Body { value: body, bytes } = claim.accept(&app, body).await?;
    let stable_key = body.stable_key.clone().unwrap_or_else(|| StableKey::suggest(&body.name));
    let taken = connections::is_stable_key_taken(body.environment, "", &stable_key);
    let wanted = idempotency.find(&claim).and(taken).and(find_key_check(&app));
    let (who, ((answered, is_taken), key_check)) = claim.load(&app, wanted).await?;
    who.authorize_in(Scope::ConnectionsWrite, body.environment)?;
    let ring = app.ring()?;
    if let Some(response) = idempotency.replay(ring, &bytes, answered)? {
        return Ok(with_version(response, 1));
    }
    let stable_key = match (is_taken, &body.stable_key) {
        (false, _) => stable_key,
        (true, None) => suffixed(&app, &stable_key),
        (true, Some(_)) => return Err(ApiError::StableKeyTaken),
    };
    check_tags(&body.tags)?;
    check_key(ring, ring.primary_id(), key_check.as_deref())?;

    let id = ConnectionId::new(app.now(), app.random());
    let connection_type = find_type(&body.provider, &body.connection_type)?;
    let (note, is_chosen) = (body.note.clone(), body.stable_key.is_some());
    let mut connection = new_connection(&app, &who, id, stable_key, &body);
    let draft = Draft::check(&app, connection_type, body.settings, body.secrets).map_err(ApiError::InvalidBody)?;
    let tested = test_before_save(&app, &draft, (connection.id.as_str(), 1), query.test).await?;
    values::set_values(&mut connection, &draft, tested.as_ref());

    let sealed = draft.seal(&app, ring, (&connection.id, connection.environment, 1)).await?;
    connection.values.secrets_revision = sealed.as_ref().map(|sealed| sealed.context.number);
    let mut new = New { connection, note, sealed, tested };
    let mut answer = new.commit((&app, &claim, ring, &who), &idempotency, &bytes).await;
    if matches!(answer, Err(ApiError::StableKeyTaken)) && !is_chosen {
        // Somebody took the suggested key meanwhile.
        new.connection.label.stable_key = suffixed(&app, &new.connection.label.stable_key);
        answer = new.commit((&app, &claim, ring, &who), &idempotency, &bytes).await;
    }
    if answer.as_ref().map_or(true, idempotency::is_replayed) {
        values::leave_blob(&app, new.sealed.as_ref()).await;
    }
    Ok(with_version(answer?, 1))
}

/// What a commit stores.
struct New {
    connection: Connection,
    note: Option<Note>,
    sealed: Option<Sealed>,
    tested: Option<Tested>,
}

impl New {
    async fn commit(
        &self,
        (app, claim, ring, who): (&App, &Claim, &KeyRing, &Identity),
        idempotency: &Idempotency,
        bytes: &[u8],
    ) -> Result<Response, ApiError> {
        let Self { connection, note, sealed, tested } = self;
        let mut commit = record::begin((app, who), EventType::Created, (None, connection), Some(1))?;
        commit.push(connections::insert(connection));
        let revision = first_revision(connection, note.clone());
        commit.push(store::history::insert_revision(&connection.id, &revision));
        commit.extend(sealed.iter().map(|sealed| store::vault_entries::insert(sealed, app.now())));
        commit.extend(tested.iter().map(|tested| store::tests::insert(&connection.id, &tested.test)));
        let body = serde_json::to_string(&ConnectionView::new(connection, app.radar())).unwrap_or_default();
        let created = Created { id: connection.id.to_string(), body, shows_secret: false };
        idempotency.commit((app, claim, ring), bytes, commit, created).await
    }
}

fn suffixed(app: &App, key: &StableKey) -> StableKey {
    key.with_suffix(u16::from_be_bytes(app.random()))
}

/// Refuses too many tags.
///
/// # Errors
/// 422 when there are more than 20.
pub fn check_tags(tags: &BTreeSet<Tag>) -> Result<(), ApiError> {
    if tags.len() <= MAX_TAGS { Ok(()) } else { Err(ApiError::invalid("/tags", "Expected at most 20 tags.")) }
}

fn new_connection(app: &App, who: &Identity, id: ConnectionId, key: StableKey, body: &CreateConnection) -> Connection {
    let now = app.now();
    Connection {
        id,
        environment: body.environment,
        provider: body.provider.clone(),
        connection_type: body.connection_type.clone(),
        owner: Owner::organization(),
        label: Label {
            name: body.name.clone(),
            description: body.description.clone().unwrap_or_else(Description::none),
            stable_key: key,
            tags: body.tags.clone(),
        },
        values: Values { settings: Settings::new(), secret_fields: BTreeSet::new(), secrets_revision: None },
        switches: Switches { enabled: body.enabled, embedded: body.embedded },
        health: Health::never_tested(),
        last_attempt: None,
        found: Found::default(),
        dates: Dates { expires_at: body.expires_at, rotate_by: body.rotate_by },
        usage: UsageSummary::default(),
        history: History {
            version: 1,
            revision: 1,
            created_at: now,
            created_by: who.actor.clone(),
            modified_at: now,
            modified_by: who.actor.clone(),
        },
    }
}

fn first_revision(connection: &Connection, note: Option<Note>) -> Revision {
    let added: BTreeMap<String, SecretChange> =
        connection.values.secret_fields.iter().map(|field| (field.clone(), SecretChange::Added)).collect();
    values::revision(connection, added, note, None)
}
