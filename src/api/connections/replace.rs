//! `POST /v1/connections/{id}/replace`: steps come to use another connection, all or nothing.

use std::collections::BTreeSet;

use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::api::answer;
use crate::api::audited;
use crate::api::claim::{Claim, Identity};
use crate::api::error::ApiError;
use crate::api::extract::{Body, InPath, Parsed};
use crate::api::openapi::ChangeProblems;
use crate::api::usages::WRITE;
use crate::app::App;
use crate::domain::audit::AuditAction;
use crate::domain::connection::Connection;
use crate::domain::id::ConnectionId;
use crate::domain::usage::{MAX_USAGES, Place, Usage, Used};
use crate::ports::Statement;
use crate::store::{connections, usages};

/// The most steps that one request names, and that its answer names.
const MAX_NAMED: usize = 500;
/// The first steps of a connection that are told.
pub const FIRST: u64 = 500;

/// What to use instead.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Replace {
    /// The connection to use instead: of the same provider and environment.
    pub replacement: ConnectionId,
    /// The steps, at most 500; left out: all of them.
    #[schema(max_items = 500, min_items = 1)]
    pub usages: Option<BTreeSet<Place>>,
}

/// What was replaced.
#[derive(Serialize, ToSchema)]
pub struct Replaced {
    /// How many steps use the other connection now.
    moved: u64,
    /// Which, by workflow and step; the first 500.
    usages: Vec<Place>,
}

/// POST /v1/connections/{id}/replace
///
/// Gives all steps of a connection, or some, another one of the same provider, all or nothing. Works for a deleted connection,
/// too, as long as steps name it.
#[utoipa::path(
    post, path = "/v1/connections/{id}/replace", tag = "Usages", request_body = Replace,
    params(("id" = ConnectionId, Path)),
    responses((status = 200, description = "What was replaced", body = Replaced), ChangeProblems)
)]
pub async fn replace_usages(
    app: App,
    claim: Claim,
    id: Parsed<InPath<ConnectionId>>,
    body: Parsed<Body<Replace>>,
) -> Result<Response, ApiError> {
    let InPath(id) = claim.accept(&app, id).await?;
    let Body { value: Replace { replacement, usages: places }, .. } = claim.accept(&app, body).await?;
    let wanted =
        usages::find_used(&id).and(connections::find_connection(&replacement)).and(usages::list_of(&id, None, FIRST));
    let (who, ((used, other), first)) = claim.load(&app, wanted).await?;
    let used = who.authorize(WRITE, used)?;
    let other = seen(&who, other)?;
    replace(&app, &who, (&used, other), (first, places)).await
}

/// Gives steps of a connection another one, for a caller who may; of these first ones are told where all are moved.
///
/// # Errors
/// When the other one may not take its place, the steps use another one meanwhile, or the storage failed.
pub async fn replace(
    app: &App,
    who: &Identity,
    (used, other): (&Used, Option<Connection>),
    (first, places): (Vec<Usage>, Option<BTreeSet<Place>>),
) -> Result<Response, ApiError> {
    let to = fitting(used, other, |detail| ApiError::invalid("/replacement", detail))?;
    let (statements, replaced) = match places {
        None => {
            let first = first.iter().map(Usage::place).collect();
            (usages::replace_all(&used.id, &to.id, used.count), Replaced { moved: used.count, usages: first })
        }
        Some(places) if (1..=MAX_NAMED).contains(&places.len()) => {
            let places: Vec<Place> = places.into_iter().collect();
            let moved = u64::try_from(places.len()).unwrap_or(0);
            (usages::replace_some(used, &to.id, &places), Replaced { moved, usages: places })
        }
        Some(_) => return Err(ApiError::invalid("/usages", "Name 1 to 500 steps, or leave it out for all of them.")),
    };
    if replaced.moved > 0 {
        commit(app, who, (used, &to), (statements, replaced.moved)).await?;
    }
    Ok(answer::json(StatusCode::OK, &replaced))
}

async fn commit(
    app: &App,
    who: &Identity,
    (used, to): (&Used, &Connection),
    (statements, moved): ([Statement; 2], u64),
) -> Result<(), ApiError> {
    let entry = audited::Entry {
        environment: Some(used.environment),
        action: AuditAction::UsagesReplaced,
        resource_id: used.id.to_string(),
        detail: json!({ "replacement": to.id, "usages": moved }),
    };
    let mut commit = audited::begin(app, &who.actor, entry)?;
    commit.extend(statements);
    Ok(commit.run(&*app.database).await?)
}

/// The connection that is to take the place of another, if the caller may give it steps.
///
/// # Errors
/// 403 without the scope.
pub fn seen(who: &Identity, other: Option<Connection>) -> Result<Option<Connection>, ApiError> {
    match who.authorize(WRITE, other) {
        Ok(other) => Ok(Some(other)),
        Err(ApiError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The connection, if it may take the place of another; `refuse` makes the error of a sentence.
///
/// # Errors
/// Where it is not there, is the same, or is of another provider or environment; 409 where it would have too many usages.
pub fn fitting(
    used: &Used,
    other: Option<Connection>,
    refuse: impl Fn(&str) -> ApiError,
) -> Result<Connection, ApiError> {
    let other = other.ok_or_else(|| refuse("There is no such connection that you may see."))?;
    if other.id == used.id {
        return Err(refuse("Name another connection than the one that is replaced."));
    }
    if (other.environment, &other.provider) != (used.environment, &used.provider) {
        return Err(refuse("Name a connection of the same provider in the same environment."));
    }
    if other.usage.count + used.count > MAX_USAGES {
        return Err(ApiError::TooManyUsages);
    }
    Ok(other)
}
