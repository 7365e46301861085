//! `PATCH /v1/connections/{id}`.

use std::collections::{BTreeMap, BTreeSet};

use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::api::claim::{Claim, Identity};
use crate::api::error::ApiError;
use crate::api::extract::{Body, Field, IfMatch, InPath, InQuery, Parsed};
use crate::api::openapi::ChangeProblems;
use crate::app::App;
use crate::domain::connection::{Basis, Connection, Kind};
use crate::domain::event::EventType;
use crate::domain::id::ConnectionId;
use crate::domain::revision::SecretChange;
use crate::domain::scope::Scope;
use crate::domain::text::{Description, Name, Note, StableKey, Tag};
use crate::domain::time::Timestamp;
use crate::domain::values::Secret;
use crate::store::connections::DatesChanged;
use crate::store::sources::{self, Sources};
use crate::store::{self, connections, vault_entries};
use crate::vault::{KeyRing, Sealed};

use super::consequence::Consequence;
use super::create::{check_tags, yes};
use super::effective::{self, Purpose};
use super::layers::{Edited, Edits};
use super::tested::{Tested, test_before_save};
use super::tokens;
use super::values::{Draft, check_key, find_key_check};
use super::view::{self, ConnectionView, Show};
use super::{record, values};

/// How values are changed.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ChangeQuery {
    /// Whether the values are tested before they are saved.
    #[serde(default = "yes")]
    #[param(default = true)]
    pub test: bool,
    /// `true`: send the secrets of a template's customers elsewhere, although they have to enter them again.
    #[serde(default)]
    pub force: bool,
}

/// What to change. What is left out stays; identity (environment, provider, connection type) always stays.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateConnection {
    /// Its name.
    pub name: Option<Name>,
    /// Its description.
    pub description: Option<Description>,
    /// The name under which workflows find it: changing it breaks those that use the old one.
    pub stable_key: Option<StableKey>,
    /// Its tags, at most 20; replaces all of them.
    #[schema(max_items = 20)]
    pub tags: Option<BTreeSet<Tag>>,
    /// Settings by field; null clears one.
    #[schema(value_type = Option<Object>)]
    pub settings: Option<BTreeMap<String, Option<Value>>>,
    /// Secrets by field; null clears one, what is left out is kept.
    #[schema(value_type = Option<BTreeMap<String, Option<String>>>, write_only)]
    pub secrets: Option<BTreeMap<String, Option<Secret>>>,
    /// Whether it is resolved and exposed at all.
    pub enabled: Option<bool>,
    /// Whether embedded workflows may use it.
    pub embedded: Option<bool>,
    /// When the credential expires; null for not known.
    #[serde(default, deserialize_with = "crate::api::extract::time_field")]
    #[schema(value_type = Option<Timestamp>)]
    pub expires_at: Field<Timestamp>,
    /// By when it should be rotated; null for no such date.
    #[serde(default, deserialize_with = "crate::api::extract::time_field")]
    #[schema(value_type = Option<Timestamp>)]
    pub rotate_by: Field<Timestamp>,
    /// Why: kept with the revision that new values make.
    pub note: Option<Note>,
}

/// PATCH /v1/connections/{id}
///
/// Changes a connection. New values make a new revision and are tested first; saving the same values again tests and makes
/// none. When the address where secrets are sent changes, every secret must be sent again.
#[utoipa::path(
    patch, path = "/v1/connections/{id}", tag = "Connections", request_body = UpdateConnection,
    params(("id" = ConnectionId, Path), ChangeQuery, ("If-Match" = String, Header, description = "The ETag that you read.")),
    responses((status = 200, description = "The connection", body = ConnectionView), ChangeProblems)
)]
pub async fn update_connection(
    app: App,
    claim: Claim,
    id: Parsed<InPath<ConnectionId>>,
    query: Parsed<InQuery<ChangeQuery>>,
    if_match: IfMatch,
    body: Parsed<Body<UpdateConnection>>,
) -> Result<Response, ApiError> {
    let InPath(id) = claim.accept(&app, id).await?;
    let InQuery(query) = claim.accept(&app, query).await?;
    let Body { value: body, .. } = claim.accept(&app, body).await?;
    let (who, (found, key_check)) = claim.load(&app, sources::find(&id).and(find_key_check(&app))).await?;
    let sources = who.authorize(Scope::ConnectionsWrite, found)?;
    let before = &sources.connection;
    if_match.check(before.history.version)?;
    let ring = app.ring()?;
    check_key(ring, ring.primary_id(), key_check.as_deref())?;

    change(&app, &who, ring, &sources, (body, query), &|after| view::answer(&app, after)).await
}

/// Changes a connection for a caller who may.
///
/// # Errors
/// When the values do not fit, somebody else changed it, or the storage failed.
pub async fn change(
    app: &App,
    who: &Identity,
    ring: &KeyRing,
    sources: &Sources,
    (mut body, query): (UpdateConnection, ChangeQuery),
    show: Show<'_>,
) -> Result<Response, ApiError> {
    let before = &sources.connection;
    let (settings, secrets, note) = (body.settings.take(), body.secrets.take(), body.note.take());
    let dates = DatesChanged { expires_at: body.expires_at != Field::Kept, rotate_by: body.rotate_by != Field::Kept };
    let mut after = relabeled(before, body)?;
    if settings.is_none() && secrets.is_none() {
        return save(app, who, (sources, after), Update::of(dates), show).await;
    }
    let edits = Edits { settings: settings.unwrap_or_default(), secrets: secrets.unwrap_or_default() };
    let revalued = revalue(app, ring, sources, edits, query).await?;
    let Revalued { draft, tested, secret_changes, is_changed, must_seal, consequence } = revalued;
    if !is_changed {
        return save(app, who, (sources, after), Update { tested, ..Update::of(dates) }, show).await;
    }
    after.history.revision += 1;
    let dates = values::set_dates(&mut after, dates, &secret_changes, tested.as_ref());
    values::set_values(&mut after, &draft, tested.as_ref());
    consequence.apply(&mut after);
    let sealed = if must_seal {
        let sealed = draft.seal(app, ring, (before.id.as_str(), before.environment, after.history.revision)).await?;
        after.values.secrets_revision = sealed.as_ref().map(|sealed| sealed.context.number);
        sealed
    } else {
        None
    };
    let update = Update { dates, tested, revision: Some((secret_changes, note, consequence)), sealed };
    save(app, who, (sources, after), update, show).await
}

/// What the values become.
struct Revalued {
    draft: Draft,
    tested: Option<Tested>,
    secret_changes: BTreeMap<String, SecretChange>,
    is_changed: bool,
    must_seal: bool,
    consequence: Consequence,
}

async fn revalue(
    app: &App,
    ring: &KeyRing,
    sources: &Sources,
    edits: Edits,
    query: ChangeQuery,
) -> Result<Revalued, ApiError> {
    let before = &sources.connection;
    let of_template = before.definition.as_ref().map(|_| edits.copy());
    let Edited { mut draft, secret_changes, sealed_for } = effective::edited(app, ring, sources, edits).await?;
    let secrets_changed = values::is_any_changed(&secret_changes);
    let has_secrets = !draft.own_secret_fields().is_empty();
    let must_seal = secrets_changed || (has_secrets && !draft.destinations.is_subset(&sealed_for));
    let is_changed = secrets_changed || draft.own_settings() != before.values.settings;
    let consequence = if is_changed {
        Consequence::of(before, (draft.connection_type, &draft.own_settings()), query.force)?
    } else {
        Consequence::default()
    };
    let revision = before.history.revision + u64::from(is_changed);
    let basis = Basis { revision, ..sources.basis() };
    let tested = match of_template {
        None if query.test => {
            tokens::attach(app, ring, sources, &mut draft).await?;
            test_before_save(app, &draft, (before.id.as_str(), basis), true).await?
        }
        Some(edits) if query.test && consequence.keeps_test_credentials(before) => {
            test_template(app, ring, sources, (basis, edits)).await?
        }
        None | Some(_) => None,
    };
    Ok(Revalued { draft, tested, secret_changes, is_changed, must_seal, consequence })
}

/// Tests what the test credentials of a template make with its new global values; nothing where they do not go together.
async fn test_template(
    app: &App,
    ring: &KeyRing,
    sources: &Sources,
    (basis, edits): (Basis, Edits),
) -> Result<Option<Tested>, ApiError> {
    match effective::to_test(app, ring, sources, (Purpose::Test, edits)).await {
        Ok(mut draft) => {
            tokens::attach(app, ring, sources, &mut draft).await?;
            test_before_save(app, &draft, (sources.connection.id.as_str(), basis), true).await
        }
        Err(ApiError::InvalidBody(_) | ApiError::NotResolvable(..)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The connection with what a person changed beside the values.
///
/// # Errors
/// 422 when it has too many tags, or is a customer's and would be exposed.
pub fn relabeled(before: &Connection, body: UpdateConnection) -> Result<Connection, ApiError> {
    let mut after = before.clone();
    if before.owner.kind == Kind::Customer && body.embedded == Some(true) {
        return Err(ApiError::invalid(
            "/embedded",
            "A customer's connection is seen by that customer alone: leave it out.",
        ));
    }
    if let Some(tags) = body.tags {
        check_tags(&tags)?;
        after.label.tags = tags;
    }
    after.label.name = body.name.unwrap_or(after.label.name);
    after.label.description = body.description.unwrap_or(after.label.description);
    after.label.stable_key = body.stable_key.unwrap_or(after.label.stable_key);
    after.switches.enabled = body.enabled.unwrap_or(after.switches.enabled);
    after.switches.embedded = body.embedded.unwrap_or(after.switches.embedded);
    after.dates.expires_at = body.expires_at.apply(after.dates.expires_at);
    after.dates.rotate_by = body.rotate_by.apply(after.dates.rotate_by);
    Ok(after)
}

/// What is stored beside the label.
struct Update {
    dates: DatesChanged,
    tested: Option<Tested>,
    revision: Option<(BTreeMap<String, SecretChange>, Option<Note>, Consequence)>,
    sealed: Option<Sealed>,
}

impl Update {
    /// No new values.
    const fn of(dates: DatesChanged) -> Self {
        Self { dates, tested: None, revision: None, sealed: None }
    }
}

/// Commits the change and answers with the connection; where nothing changed, stores the test alone.
async fn save(
    app: &App,
    who: &Identity,
    (sources, mut after): (&Sources, Connection),
    update: Update,
    show: Show<'_>,
) -> Result<Response, ApiError> {
    let before = &sources.connection;
    let is_relabeled = (&before.label, before.switches, before.dates) != (&after.label, after.switches, after.dates);
    if !is_relabeled && update.revision.is_none() {
        return store_test(app, before, update.tested, show).await;
    }
    advance(app, who, &mut after);
    let number = update.revision.as_ref().map(|_| after.history.revision);
    let mut commit = record::begin((app, who), EventType::Updated, (Some(before), &after), number)?;
    let Some((changes, note, consequence)) = update.revision else {
        commit.push(connections::update_label(&after, update.dates));
        commit.extend(update.tested.iter().flat_map(|tested| tested.store(&after.id)));
        commit.run(&*app.database).await?;
        return if update.tested.is_some() { reread(app, &after.id, show).await } else { Ok(show(&after)) };
    };
    commit.extend(consequence.statements(app, before, sources.template_basis()));
    commit.push(connections::update(&after, update.dates));
    commit.extend(tokens::resumed([&after]));
    commit.push(store::history::insert_revision(&after.id, &values::revision(&after, changes, note, None)));
    commit.extend(update.sealed.iter().map(|sealed| vault_entries::insert(sealed, app.now())));
    commit.extend(update.tested.map(|tested| store::tests::insert(&after.id, &tested.test)));
    let committed = commit.run(&*app.database).await;
    if committed.is_err() {
        values::leave_blob(app, update.sealed.as_ref()).await;
    }
    committed?;
    Ok(show(&after))
}

/// Gives a changed connection its next version.
pub fn advance(app: &App, who: &Identity, after: &mut Connection) {
    after.history.version += 1;
    after.history.modified_at = app.now();
    after.history.modified_by = who.actor.clone();
}

/// Stores the test of values that are the current ones already.
async fn store_test(
    app: &App,
    connection: &Connection,
    tested: Option<Tested>,
    show: Show<'_>,
) -> Result<Response, ApiError> {
    let Some(tested) = tested else { return Ok(show(connection)) };
    tested.keep(app, &connection.id).await?;
    reread(app, &connection.id, show).await
}

/// Answers with the connection as it is now: the database alone knows what a test made of its health.
async fn reread(app: &App, id: &ConnectionId, show: Show<'_>) -> Result<Response, ApiError> {
    let found = connections::find_connection(id).run(&*app.database).await?;
    Ok(show(&found.ok_or(ApiError::NotFound)?))
}
