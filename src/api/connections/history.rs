//! The history of a connection: revisions, restoring one, and events.

use std::collections::{BTreeMap, BTreeSet};

use axum::response::Response;
use futures_util::future;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::answer::{self, Page};
use crate::api::claim::Claim;
use crate::api::cursor::{self, PageQuery};
use crate::api::error::ApiError;
use crate::api::extract::{Body, IfMatch, InPath, InQuery, Parsed};
use crate::api::openapi::{ChangeProblems, Problems};
use crate::app::App;
use crate::domain::actor::Actor;
use crate::domain::connection::Basis;
use crate::domain::event::{Event, EventType};
use crate::domain::health::Verdict;
use crate::domain::id::ConnectionId;
use crate::domain::reason::Reason;
use crate::domain::revision::{Revision, SecretChange};
use crate::domain::scope::Scope;
use crate::domain::text::Note;
use crate::domain::time::Timestamp;
use crate::domain::values::Settings;
use crate::store::connections::DatesChanged;
use crate::store::{connections, history, sources, tests, vault_entries};

use super::consequence::Consequence;
use super::effective;
use super::layers::Edited;
use super::record;
use super::tested::test_before_save;
use super::tokens;
use super::update::ChangeQuery;
use super::values::{self, check_key, find_key_check};
use super::view::{self, ConnectionView};

/// One version of the values of a connection; secrets only as changed or unchanged.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Revision)]
pub struct RevisionView {
    /// Its number, from 1 without gaps.
    pub number: u64,
    /// The settings.
    #[schema(value_type = Object)]
    pub settings: Settings,
    /// The settings of the revision before; null for the first.
    #[schema(value_type = Option<Object>)]
    pub settings_before: Option<Settings>,
    /// The fields that have a secret.
    pub secret_fields: BTreeSet<String>,
    /// What became of each secret.
    pub secret_changes: BTreeMap<String, SecretChange>,
    /// The revision that was restored into this one.
    pub restored_from: Option<u64>,
    /// Why, in the author's words.
    pub note: Option<Note>,
    /// Who made it.
    pub author: Actor,
    /// When.
    pub created_at: Timestamp,
    /// Its last definitive verdict; `unknown` while there is none.
    pub verdict: Verdict,
    /// Why, unless the verdict is `valid`.
    pub reason: Option<Reason>,
}

impl From<Revision> for RevisionView {
    fn from(revision: Revision) -> Self {
        Self {
            number: revision.number,
            settings: revision.settings,
            settings_before: revision.settings_before,
            secret_fields: revision.secret_fields,
            secret_changes: revision.secret_changes,
            restored_from: revision.restored_from,
            note: revision.note,
            author: revision.author,
            created_at: revision.created_at,
            verdict: revision.verdict,
            reason: revision.reason,
        }
    }
}

/// GET /v1/connections/{id}/revisions
///
/// Lists the revisions of a connection, the newest first.
#[utoipa::path(
    get, path = "/v1/connections/{id}/revisions", tag = "History", params(("id" = ConnectionId, Path), PageQuery),
    responses((status = 200, description = "A page", body = Page<RevisionView>), Problems)
)]
pub async fn list_revisions(
    app: App,
    claim: Claim,
    id: Parsed<InPath<ConnectionId>>,
    query: Parsed<InQuery<PageQuery>>,
) -> Result<Response, ApiError> {
    let InPath(id) = claim.accept(&app, id).await?;
    let InQuery(query) = claim.accept(&app, query).await?;
    let (below, limit) = claim.accept(&app, query.parse::<u64>()).await?;
    let wanted = connections::find_connection(&id).and(history::list_revisions(&id, below, one_more(limit)));
    let (who, (found, revisions)) = claim.load(&app, wanted).await?;
    who.authorize(Scope::ConnectionsRead, found)?;
    let page = Page::cut(revisions, limit, |last| cursor::encode(&last.number), RevisionView::from);
    Ok(answer::json(StatusCode::OK, &page))
}

/// GET /v1/connections/{id}/revisions/{number}
///
/// Finds one revision.
#[utoipa::path(
    get, path = "/v1/connections/{id}/revisions/{number}", tag = "History",
    params(("id" = ConnectionId, Path), ("number" = u64, Path)),
    responses((status = 200, description = "The revision", body = RevisionView), Problems)
)]
pub async fn find_revision(
    app: App,
    claim: Claim,
    path: Parsed<InPath<(ConnectionId, u64)>>,
) -> Result<Response, ApiError> {
    let InPath((id, number)) = claim.accept(&app, path).await?;
    let wanted = connections::find_connection(&id).and(history::find_revision(&id, number));
    let (who, (found, revision)) = claim.load(&app, wanted).await?;
    who.authorize(Scope::ConnectionsRead, found)?;
    Ok(answer::json(StatusCode::OK, &RevisionView::from(revision.ok_or(ApiError::NotFound)?)))
}

/// How to restore.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreRevision {
    /// Why, for the history.
    note: Option<Note>,
}

/// POST /v1/connections/{id}/revisions/{number}/restore
///
/// Restores an older revision as a new one. Its values must fit what the provider needs today.
#[utoipa::path(
    post, path = "/v1/connections/{id}/revisions/{number}/restore", tag = "History", request_body = RestoreRevision,
    params(
        ("id" = ConnectionId, Path), ("number" = u64, Path), ChangeQuery,
        ("If-Match" = String, Header, description = "The ETag that you read."),
    ),
    responses((status = 200, description = "The connection", body = ConnectionView), ChangeProblems)
)]
pub async fn restore_revision(
    app: App,
    claim: Claim,
    path: Parsed<InPath<(ConnectionId, u64)>>,
    query: Parsed<InQuery<ChangeQuery>>,
    if_match: IfMatch,
    body: Parsed<Body<RestoreRevision>>,
) -> Result<Response, ApiError> {
    let InPath((id, number)) = claim.accept(&app, path).await?;
    let InQuery(query) = claim.accept(&app, query).await?;
    let Body { value: body, .. } = claim.accept(&app, body).await?;
    let old = history::find_revision(&id, number).and(vault_entries::find_of_revision(&id, number));
    let (who, ((found, (revision, old_entry)), key_check)) =
        claim.load(&app, sources::find(&id).and(old).and(find_key_check(&app))).await?;
    let sources = who.authorize(Scope::ConnectionsWrite, found)?;
    let before = &sources.connection;
    let revision = revision.ok_or(ApiError::NotFound)?;
    if_match.check(before.history.version)?;
    let ring = app.ring()?;
    check_key(ring, ring.primary_id(), key_check.as_deref())?;

    let current = values::open(&app, ring, before.values.secrets_revision, sources.entry.as_ref());
    let old = effective::restored(&app, ring, &sources, (&revision, old_entry.as_ref()));
    // The current secrets are only compared: where they do not open, a restore is what helps.
    let (current, old) = future::join(current, old).await;
    let current = current.map(|opened| opened.secrets).ok();
    let Edited { mut draft, .. } = old?;
    let consequence =
        Consequence::of(&sources.connection, (draft.connection_type, &draft.own_settings()), query.force)?;
    let changes = draft.compare(&before.values.secret_fields, current.as_ref());
    let number_now = before.history.revision + 1;
    let basis = Basis { revision: number_now, ..sources.basis() };
    if query.test && before.definition.is_none() {
        tokens::attach(&app, ring, &sources, &mut draft).await?;
    }
    let tested =
        test_before_save(&app, &draft, (id.as_str(), basis), query.test && before.definition.is_none()).await?;
    let mut after = before.clone();
    after.history.version += 1;
    after.history.revision = number_now;
    after.history.modified_at = app.now();
    after.history.modified_by = who.actor.clone();
    let dates = values::set_dates(&mut after, DatesChanged::default(), &changes, tested.as_ref());
    values::set_values(&mut after, &draft, tested.as_ref());
    consequence.apply(&mut after);
    let sealed = draft.seal(&app, ring, (id.as_str(), before.environment, number_now)).await?;
    after.values.secrets_revision = sealed.as_ref().map(|sealed| sealed.context.number);

    let mut commit = record::begin((&app, &who), EventType::Restored, (Some(before), &after), Some(number_now))?;
    commit.extend(consequence.statements(&app, &sources.connection, sources.template_basis()));
    commit.push(connections::update(&after, dates));
    commit.extend(tokens::resumed([&after]));
    let restored = values::revision(&after, changes, body.note, Some(number));
    commit.push(history::insert_revision(&id, &restored));
    commit.extend(sealed.iter().map(|sealed| vault_entries::insert(sealed, app.now())));
    commit.extend(tested.map(|tested| tests::insert(&id, &tested.test)));
    let committed = commit.run(&*app.database).await;
    if committed.is_err() {
        values::leave_blob(&app, sealed.as_ref()).await;
    }
    committed?;
    Ok(view::answer(&app, &after))
}

/// GET /v1/connections/{id}/events
///
/// Lists what people changed of a connection, the newest first.
#[utoipa::path(
    get, path = "/v1/connections/{id}/events", tag = "History", params(("id" = ConnectionId, Path), PageQuery),
    responses((status = 200, description = "A page", body = Page<Event>), Problems)
)]
pub async fn list_events(
    app: App,
    claim: Claim,
    id: Parsed<InPath<ConnectionId>>,
    query: Parsed<InQuery<PageQuery>>,
) -> Result<Response, ApiError> {
    let InPath(id) = claim.accept(&app, id).await?;
    let InQuery(query) = claim.accept(&app, query).await?;
    let (below, limit) = claim.accept(&app, query.parse::<u64>()).await?;
    let wanted = connections::find_connection(&id).and(history::list_events(&id, below, one_more(limit)));
    let (who, (found, events)) = claim.load(&app, wanted).await?;
    who.authorize(Scope::ConnectionsRead, found)?;
    let page = Page::cut(events, limit, |last| cursor::encode(&last.version), |event| event);
    Ok(answer::json(StatusCode::OK, &page))
}

/// One row more than a page tells whether there is a next one.
fn one_more(limit: usize) -> u64 {
    u64::try_from(limit).unwrap_or(0) + 1
}
