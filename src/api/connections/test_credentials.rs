//! `PATCH` and `DELETE /v1/connections/{id}/test-credentials`: what test runs of the builder use in the place of the values of
//! the organization, or of a customer's. Never for a customer.

use std::collections::BTreeMap;

use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::claim::{Claim, Identity};
use crate::api::error::ApiError;
use crate::api::extract::{Body, IfMatch, InPath, InQuery, Parsed};
use crate::api::openapi::ChangeProblems;
use crate::app::App;
use crate::domain::connection::{Basis, Connection, Kind, TestCredentials};
use crate::domain::event::EventType;
use crate::domain::id::ConnectionId;
use crate::domain::scope::Scope;
use crate::domain::values::Secret;
use crate::store::sources::{self, Sources, test_owner};
use crate::store::{self, connections, secrets, vault_entries};
use crate::vault::Sealed;

use super::create::SaveQuery;
use super::effective::edited_test;
use super::layers::{Edited, Edits};
use super::record;
use super::tested::{Tested, test_before_save};
use super::tokens;
use super::update::advance;
use super::values::{self, check_key, find_key_check, type_of};
use super::view::{self, ConnectionView, Show};

/// Which test credentials to change.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateTestCredentials {
    /// Settings by field; null clears one.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub settings: BTreeMap<String, Option<Value>>,
    /// Secrets by field; null clears one, what is left out is kept.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, Option<String>>, write_only)]
    pub secrets: BTreeMap<String, Option<Secret>>,
}

/// PATCH /v1/connections/{id}/test-credentials
///
/// Changes the test credentials of a template, or of a connection of the organization. They are used from the next test run on,
/// and for nothing else. With them a template is tested, and its health is what they are worth.
#[utoipa::path(
    patch, path = "/v1/connections/{id}/test-credentials", tag = "Connections", request_body = UpdateTestCredentials,
    params(("id" = ConnectionId, Path), SaveQuery, ("If-Match" = String, Header, description = "The ETag that you read.")),
    responses((status = 200, description = "The connection", body = ConnectionView), ChangeProblems)
)]
pub async fn update_test_credentials(
    app: App,
    claim: Claim,
    id: Parsed<InPath<ConnectionId>>,
    query: Parsed<InQuery<SaveQuery>>,
    if_match: IfMatch,
    body: Parsed<Body<UpdateTestCredentials>>,
) -> Result<Response, ApiError> {
    let InPath(id) = claim.accept(&app, id).await?;
    let InQuery(query) = claim.accept(&app, query).await?;
    let Body { value: UpdateTestCredentials { settings, secrets }, .. } = claim.accept(&app, body).await?;
    let (who, sources) = load(&app, &claim, &id, if_match).await?;
    let change = (Edits { settings, secrets }, query.test);
    set(&app, &who, &sources, change, &|after| view::answer(&app, after)).await
}

/// Changes the test credentials of a connection for a caller who may.
///
/// # Errors
/// When they do not fit, somebody else changed it, or the storage failed.
pub async fn set(
    app: &App,
    who: &Identity,
    sources: &Sources,
    (edits, test): (Edits, bool),
    show: Show<'_>,
) -> Result<Response, ApiError> {
    let (before, ring) = (&sources.connection, app.ring()?);
    if before.definition.is_none() && type_of(before)?.oauth.is_some() {
        return Err(ApiError::NotResolvable(
            "no_test_credentials",
            "A connection of the organization has one set of tokens: make a connection of its own for test runs.",
        ));
    }
    let Edited { mut draft, .. } = edited_test(app, ring, sources, edits).await?;
    if test && before.definition.is_some() {
        tokens::attach(app, ring, sources, &mut draft).await?;
    }
    let version = before.history.version + 1;
    let is_template = before.definition.is_some();
    let basis = Basis { test_version: is_template.then_some(version), ..sources.basis() };
    let tested = test_before_save(app, &draft, (before.id.as_str(), basis), test && is_template).await?;
    let mut after = before.clone();
    advance(app, who, &mut after);
    after.test_credentials =
        Some(TestCredentials { settings: draft.own_settings(), secret_fields: draft.own_secret_fields(), version });
    if is_template {
        values::set_health(&mut after, tested.as_ref());
    }
    let sealed = draft.seal(app, ring, (&test_owner(&before.id), before.environment, version)).await?;
    let saved = save(app, who, (before, &after), (sealed.as_ref(), tested)).await;
    if saved.is_err() {
        values::leave_blob(app, sealed.as_ref()).await;
    }
    saved.map(|()| show(&after))
}

/// DELETE /v1/connections/{id}/test-credentials
///
/// Deletes the test credentials of a connection: they are unreadable at once. Test runs of a template are refused from then on.
#[utoipa::path(
    delete, path = "/v1/connections/{id}/test-credentials", tag = "Connections",
    params(("id" = ConnectionId, Path), ("If-Match" = String, Header, description = "The ETag that you read.")),
    responses((status = 200, description = "The connection", body = ConnectionView), ChangeProblems)
)]
pub async fn delete_test_credentials(
    app: App,
    claim: Claim,
    id: Parsed<InPath<ConnectionId>>,
    if_match: IfMatch,
) -> Result<Response, ApiError> {
    let InPath(id) = claim.accept(&app, id).await?;
    let (who, sources) = load(&app, &claim, &id, if_match).await?;
    clear(&app, &who, &sources.connection, &|after| view::answer(&app, after)).await
}

/// Deletes the test credentials of a connection for a caller who may.
///
/// # Errors
/// When somebody else changed it, or the storage failed.
pub async fn clear(app: &App, who: &Identity, before: &Connection, show: Show<'_>) -> Result<Response, ApiError> {
    if before.test_credentials.is_none() {
        return Ok(show(before));
    }
    let mut after = before.clone();
    advance(app, who, &mut after);
    after.test_credentials = None;
    if before.definition.is_some() {
        values::set_health(&mut after, None);
    }
    save(app, who, (before, &after), (None, None)).await?;
    Ok(show(&after))
}

/// Loads what may have test credentials.
async fn load(app: &App, claim: &Claim, id: &ConnectionId, if_match: IfMatch) -> Result<(Identity, Sources), ApiError> {
    let (who, (found, key_check)) = claim.load(app, sources::find(id).and(find_key_check(app))).await?;
    let sources = who.authorize(Scope::ConnectionsWrite, found)?;
    if_match.check(sources.connection.history.version)?;
    if sources.connection.owner.kind == Kind::Customer {
        let detail = "A customer's connection has no test credentials: those of its template are used in test runs.";
        return Err(ApiError::invalid("", detail));
    }
    let ring = app.ring()?;
    check_key(ring, ring.primary_id(), key_check.as_deref())?;
    Ok((who, sources))
}

/// Commits the change: what was sealed before is gone with it.
async fn save(
    app: &App,
    who: &Identity,
    (before, after): (&Connection, &Connection),
    (sealed, tested): (Option<&Sealed>, Option<Tested>),
) -> Result<(), ApiError> {
    let mut commit = record::begin((app, who), EventType::Updated, (Some(before), after), None)?;
    commit.extend(vault_entries::delete_values(&test_owner(&before.id), secrets::garbage_due(app.now())));
    commit.push(connections::update_test_credentials(after));
    commit.extend(tokens::resumed([after]));
    commit.extend(sealed.map(|sealed| vault_entries::insert(sealed, app.now())));
    commit.extend(tested.map(|tested| store::tests::insert(&before.id, &tested.test)));
    Ok(commit.run(&*app.database).await?)
}
