//! `DELETE /v1/connections/{id}`.

use axum::response::Response;

use crate::api::answer;
use crate::api::claim::{Action, Claim};
use crate::api::error::ApiError;
use crate::api::extract::{IfMatch, InPath, Parsed};
use crate::api::openapi::ChangeProblems;
use crate::app::App;
use crate::domain::event::EventType;
use crate::domain::id::ConnectionId;
use crate::domain::scope::Scope;
use crate::store::{connections, history, secrets, vault_entries};

use super::record;

/// DELETE /v1/connections/{id}
///
/// Deletes a connection: its secrets are unreadable at once. Nothing is deleted at the provider.
#[utoipa::path(
    delete, path = "/v1/connections/{id}", tag = "Connections",
    params(("id" = ConnectionId, Path), ("If-Match" = String, Header, description = "The ETag that you read.")),
    responses((status = 204, description = "Deleted"), ChangeProblems)
)]
pub async fn delete_connection(
    app: App,
    claim: Claim,
    id: Parsed<InPath<ConnectionId>>,
    if_match: IfMatch,
) -> Result<Response, ApiError> {
    let InPath(id) = claim.accept(&app, id).await?;
    let (who, found) = claim.load(&app, connections::find_connection(&id)).await?;
    let before = who.authorize(Action::With(Scope::ConnectionsDelete), found)?;
    if_match.check(before.history.version)?;
    let mut after = before.clone();
    after.history.version += 1;
    after.history.modified_at = app.now();
    let mut commit = record::begin((&app, &who), EventType::Deleted, (Some(&before), &after), None)?;
    commit.push(connections::delete(&id, after.history.version, after.history.modified_at));
    commit.push(history::forget_settings(&id));
    commit.extend(vault_entries::delete_all(id.as_str(), secrets::garbage_due(app.now())));
    commit.run(&*app.database).await?;
    Ok(answer::no_content())
}
