//! `GET /v1/usages`, `GET /v1/connections/{id}/usages`, `PUT` and `DELETE /v1/connections/{id}/usages/{workflow}/{step}`:
//! which steps of workflows use which connection.

use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

use crate::app::App;
use crate::domain::audit::AuditAction;
use crate::domain::environment::Environment;
use crate::domain::id::ConnectionId;
use crate::domain::scope::Scope;
use crate::domain::text::{Step, Workflow};
use crate::domain::usage::{MAX_USAGES, Place, Usage, UsageState, Used};
use crate::store::{connections, usages};

use super::answer::{self, Page};
use super::audited;
use super::claim::{Claim, Resource};
use super::cursor::{self, PageQuery};
use super::error::ApiError;
use super::extract::{InPath, InQuery, Parsed};
use super::openapi::{ChangeProblems, Problems};

const READ: Scope = Scope::ConnectionsRead;
/// What it takes to say which step uses which connection.
pub const WRITE: Scope = Scope::UsagesWrite;

impl Resource for Used {
    fn environment(&self) -> Environment {
        self.environment
    }
}

/// Which usages.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UsagesQuery {
    /// The environment. Required.
    environment: Environment,
    /// Those of this workflow.
    workflow: Option<Workflow>,
    /// Those whose connection is there, or was deleted.
    #[param(inline)]
    state: Option<UsageState>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// The most entries of a page.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u8>,
}

/// GET /v1/usages
///
/// Lists which steps use which connection in an environment, by workflow and step.
#[utoipa::path(
    get, path = "/v1/usages", tag = "Usages", params(UsagesQuery),
    responses((status = 200, description = "A page", body = Page<Usage>), Problems)
)]
pub async fn list_usages(app: App, claim: Claim, query: Parsed<InQuery<UsagesQuery>>) -> Result<Response, ApiError> {
    let InQuery(UsagesQuery { environment, workflow, state, cursor, limit }) = claim.accept(&app, query).await?;
    let (after, limit) = claim.accept(&app, PageQuery { cursor, limit }.parse::<Place>()).await?;
    let wanted = usages::list(environment, workflow.as_ref(), state, after.as_ref(), rows(limit));
    let (who, found) = claim.load(&app, wanted).await?;
    who.authorize_in(READ, environment)?;
    Ok(page(found, limit))
}

/// GET /v1/connections/{id}/usages
///
/// Lists the steps that use a connection, by workflow and step. Those of a deleted one are listed as long as they name it.
#[utoipa::path(
    get, path = "/v1/connections/{id}/usages", tag = "Usages", params(("id" = ConnectionId, Path), PageQuery),
    responses((status = 200, description = "A page", body = Page<Usage>), Problems)
)]
pub async fn list_connection_usages(
    app: App,
    claim: Claim,
    id: Parsed<InPath<ConnectionId>>,
    query: Parsed<InQuery<PageQuery>>,
) -> Result<Response, ApiError> {
    let InPath(id) = claim.accept(&app, id).await?;
    let InQuery(query) = claim.accept(&app, query).await?;
    let (after, limit) = claim.accept(&app, query.parse::<Place>()).await?;
    let wanted = usages::find_used(&id).and(usages::list_of(&id, after.as_ref(), rows(limit)));
    let (who, (used, found)) = claim.load(&app, wanted).await?;
    who.authorize(READ, used)?;
    Ok(page(found, limit))
}

fn rows(limit: usize) -> u64 {
    u64::try_from(limit).unwrap_or(0) + 1
}

fn page(found: Vec<Usage>, limit: usize) -> Response {
    let page = Page::cut(found, limit, |usage: &Usage| cursor::encode(&usage.place()), |usage| usage);
    answer::json(StatusCode::OK, &page)
}

/// PUT /v1/connections/{id}/usages/{workflow}/{step}
///
/// Registers that a step uses a connection: 201. A step uses one connection of an environment; where it used another one, it
/// comes to use this one instead: 200. Saying the same again changes nothing: 200.
#[utoipa::path(
    put, path = "/v1/connections/{id}/usages/{workflow}/{step}", tag = "Usages",
    params(
        ("id" = ConnectionId, Path),
        ("workflow" = String, Path, description = "Your own id of the workflow."),
        ("step" = String, Path, description = "Your own id of the step."),
    ),
    responses(
        (status = 200, description = "The usage, of a step that was registered before", body = Usage),
        (status = 201, description = "The usage", body = Usage),
        ChangeProblems
    )
)]
pub async fn put_usage(
    app: App,
    claim: Claim,
    path: Parsed<InPath<(ConnectionId, Workflow, Step)>>,
) -> Result<Response, ApiError> {
    let InPath((id, workflow, step)) = claim.accept(&app, path).await?;
    let place = Place { workflow, step };
    let wanted = connections::find_connection(&id).and(usages::find_beside(&id, &place));
    let (who, (found, before)) = claim.load(&app, wanted).await?;
    let connection = who.authorize(WRITE, found)?;
    if let Some(same) = before.as_ref().filter(|usage| usage.connection_id == id) {
        return Ok(answer::json(StatusCode::OK, same));
    }
    if connection.usage.count >= MAX_USAGES {
        return Err(ApiError::TooManyUsages);
    }
    let usage = Usage {
        environment: connection.environment,
        workflow: place.workflow,
        step: place.step,
        connection_id: id,
        state: UsageState::Registered,
        registered_at: app.now(),
        registered_by: who.actor.clone(),
    };
    let instead_of = before.as_ref().map(|usage| &usage.connection_id);
    let entry = audited::Entry {
        environment: Some(usage.environment),
        action: AuditAction::UsageRegistered,
        resource_id: usage.connection_id.to_string(),
        detail: json!({ "workflow": usage.workflow, "step": usage.step, "instead_of": instead_of }),
    };
    let mut commit = audited::begin(&app, &who.actor, entry)?;
    commit.push(usages::put(&usage));
    commit.run(&*app.database).await?;
    Ok(answer::json(if before.is_some() { StatusCode::OK } else { StatusCode::CREATED }, &usage))
}

/// DELETE /v1/connections/{id}/usages/{workflow}/{step}
///
/// Says that a step uses the connection no more.
#[utoipa::path(
    delete, path = "/v1/connections/{id}/usages/{workflow}/{step}", tag = "Usages",
    params(
        ("id" = ConnectionId, Path),
        ("workflow" = String, Path, description = "Your own id of the workflow."),
        ("step" = String, Path, description = "Your own id of the step."),
    ),
    responses((status = 204, description = "Removed"), ChangeProblems)
)]
pub async fn delete_usage(
    app: App,
    claim: Claim,
    path: Parsed<InPath<(ConnectionId, Workflow, Step)>>,
) -> Result<Response, ApiError> {
    let InPath((id, workflow, step)) = claim.accept(&app, path).await?;
    let place = Place { workflow, step };
    let wanted = usages::find_used(&id).and(usages::find_beside(&id, &place));
    let (who, (used, found)) = claim.load(&app, wanted).await?;
    let environment = who.authorize(WRITE, used)?.environment;
    found.filter(|usage| usage.connection_id == id).ok_or(ApiError::NotFound)?;
    let entry = audited::Entry {
        environment: Some(environment),
        action: AuditAction::UsageRemoved,
        resource_id: id.to_string(),
        detail: json!(place),
    };
    let mut commit = audited::begin(&app, &who.actor, entry)?;
    commit.push(usages::delete(environment, &place, &id));
    commit.run(&*app.database).await?;
    Ok(answer::no_content())
}
