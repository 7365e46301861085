//! `DELETE /v1/connections/{id}`.

use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::answer;
use crate::api::claim::Claim;
use crate::api::error::ApiError;
use crate::api::extract::{IfMatch, InPath, InQuery, Parsed};
use crate::api::openapi::ChangeProblems;
use crate::app::App;
use crate::domain::connection::Connection;
use crate::domain::event::EventType;
use crate::domain::id::ConnectionId;
use crate::domain::scope::Scope;
use crate::domain::time::Timestamp;
use crate::domain::usage::Usage;
use crate::ports::Statement;
use crate::store::many::many;
use crate::store::sources::{self, test_owner};
use crate::store::{connections, history, nothing, secrets, templates, tokens, usages, vault_entries};

use super::record;
use super::replace::{fitting, seen};
use super::revoke;

/// The most steps that a refusal names.
const NAMED: u64 = 100;

/// What becomes of the steps that use it.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeleteQuery {
    /// `true`: delete it although steps use it. They stay listed as `orphaned`, and can be given another connection later.
    #[serde(default)]
    force: bool,
    /// The connection that its steps use from now on: of the same provider and environment. Needs `usages:write`.
    replace_with: Option<ConnectionId>,
    /// `true`: revoke its tokens at the provider first. Where that fails nothing is deleted.
    #[serde(default)]
    revoke: bool,
}

/// DELETE /v1/connections/{id}
///
/// Deletes a connection: its secrets are unreadable at once. Nothing is deleted at the provider, but its tokens are revoked
/// there where that is asked for. Refused while steps use it,
/// with the steps, unless forced or given a replacement; a template is refused while customers have connections under it, with
/// their number.
#[utoipa::path(
    delete, path = "/v1/connections/{id}", tag = "Connections",
    params(("id" = ConnectionId, Path), DeleteQuery, ("If-Match" = String, Header, description = "The ETag that you read.")),
    responses((status = 204, description = "Deleted"), ChangeProblems)
)]
pub async fn delete_connection(
    app: App,
    claim: Claim,
    id: Parsed<InPath<ConnectionId>>,
    query: Parsed<InQuery<DeleteQuery>>,
    if_match: IfMatch,
) -> Result<Response, ApiError> {
    let InPath(id) = claim.accept(&app, id).await?;
    let InQuery(DeleteQuery { force, replace_with, revoke }) = claim.accept(&app, query).await?;
    let other = replace_with.as_ref().map_or_else(|| nothing().map(|()| None), connections::find_connection);
    let wanted = sources::find(&id).and(usages::find_used(&id)).and(usages::list_of(&id, None, NAMED)).and(other);
    let (who, (((found, used), steps), other)) = claim.load(&app, wanted).await?;
    let sources = who.authorize(Scope::ConnectionsDelete, found)?;
    let before = &sources.connection;
    let used = used.ok_or(ApiError::NotFound)?;
    if force && replace_with.is_some() {
        return Err(ApiError::invalid_query("/force", "Pass `force` or `replace_with`, not both."));
    }
    let to = replace_with
        .map(|_| fitting(&used, seen(&who, other)?, |detail| ApiError::invalid_query("/replace_with", detail)))
        .transpose()?;
    if_match.check(before.history.version)?;
    if used.count > 0 && !force && to.is_none() {
        return Err(ApiError::InUse(used.count, steps.iter().map(Usage::place).collect()));
    }
    check(before, true)?;
    if revoke {
        revoke::revoke(&app, &sources).await?;
    }
    let after = deleted(&app, before);
    let mut commit = record::begin((&app, &who), EventType::Deleted, (Some(before), &after), None)?;
    match to {
        Some(to) => commit.extend(usages::replace_all(&id, &to.id, used.count)),
        None if force => {}
        None => commit.push(usages::expect(&id, 0)),
    }
    commit.extend(gone(&after));
    commit.run(&*app.database).await?;
    Ok(answer::no_content())
}

/// Whether a connection may be deleted as it stands.
///
/// # Errors
/// 409 where steps use it and nobody forces it, or where customers have connections under it.
pub fn check(before: &Connection, is_forced: bool) -> Result<(), ApiError> {
    if before.usage.count > 0 && !is_forced {
        return Err(ApiError::InUse(before.usage.count, Vec::new()));
    }
    match before.definition.as_ref().map_or(0, |definition| definition.customer_count) {
        0 => Ok(()),
        customers => Err(ApiError::TemplateInUse(customers)),
    }
}

/// A connection as its deletion leaves it.
#[must_use]
pub fn deleted(app: &App, before: &Connection) -> Connection {
    let mut after = before.clone();
    after.history.version += 1;
    after.history.modified_at = app.now();
    after
}

/// The statements that delete several connections, whose events the same batch has.
#[must_use]
pub fn gone_all(gone: &[&Connection], at: Timestamp) -> Vec<Statement> {
    let ids: Vec<&ConnectionId> = gone.iter().map(|connection| &connection.id).collect();
    let owners: Vec<String> = ids.iter().flat_map(|id| [id.to_string(), test_owner(id)]).collect();
    let owners: Vec<&str> = owners.iter().map(String::as_str).collect();
    let templates = gone.iter().filter(|connection| connection.definition.is_some());
    let guards = many(templates.map(|template| templates::expect_no_customer(&template.id)));
    let rows = [connections::delete_all(&ids, at), history::forget_settings_of(&ids)];
    let keys = vault_entries::delete_all_of(&owners, secrets::garbage_due(at));
    let ids: Vec<&str> = ids.into_iter().map(ConnectionId::as_str).collect();
    guards.into_iter().chain(rows).chain(keys).chain(tokens::forget(&ids)).collect()
}

/// The statements that delete a connection, as its last version has it.
#[must_use]
pub fn gone(after: &Connection) -> Vec<Statement> {
    let (id, at) = (&after.id, after.history.modified_at);
    let due = secrets::garbage_due(at);
    let guard = after.definition.as_ref().map(|_| templates::expect_no_customer(id));
    let rows = [connections::delete(id, after.history.version, at), history::forget_settings(id)];
    let keys =
        vault_entries::delete_all(id.as_str(), due).into_iter().chain(vault_entries::delete_all(&test_owner(id), due));
    guard.into_iter().chain(rows).chain(keys).chain(tokens::forget(&[id.as_str()])).collect()
}
