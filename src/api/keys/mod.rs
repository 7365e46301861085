//! The master keys: `GET /v1/keys`, `POST /v1/keys/rewrap`. Their numbers and what rests under them, never a key.

pub mod rewrap;
pub mod view;

use axum::response::Response;
use http::StatusCode;

use crate::app::App;
use crate::domain::scope::Scope;
use crate::store::keys;

use super::answer;
use super::claim::Claim;
use super::error::{ApiError, Failure};
use super::openapi::{ChangeProblems, Problems};
use view::Keys;

const MANAGE: Scope = Scope::MasterKeysManage;

/// GET /v1/keys
///
/// Tells of each master key what rests under it and whether it may be removed from the ring, and how far the rewrap is.
#[utoipa::path(
    get, path = "/v1/keys", tag = "Master keys",
    responses((status = 200, description = "The keys by their numbers", body = Keys), Problems)
)]
pub async fn list_keys(app: App, claim: Claim) -> Result<Response, ApiError> {
    let (who, (known, unopenable)) = claim.load(&app, keys::list().and(keys::list_unopenable())).await?;
    who.require(MANAGE)?;
    Ok(answer::json(StatusCode::OK, &Keys::of(app.ring(), &known, unopenable)))
}

/// POST /v1/keys/rewrap
///
/// Wraps the data keys of some hundred entries anew, under the primary key, and tells how far it is. Repeat it to be done
/// sooner: the scheduled handler goes on by itself, each minute, until nothing waits.
#[utoipa::path(
    post, path = "/v1/keys/rewrap", tag = "Master keys",
    responses((status = 200, description = "The keys after it", body = Keys), ChangeProblems)
)]
pub async fn rewrap_keys(app: App, claim: Claim) -> Result<Response, ApiError> {
    let (who, known) = claim.load(&app, keys::list()).await?;
    who.require(MANAGE)?;
    let done = rewrap::some(&app, &who.actor, &known).await?;
    let (known, unopenable) = keys::list().and(keys::list_unopenable()).run(&*app.database).await?;
    let mut response = answer::json(StatusCode::OK, &Keys::of(app.ring(), &known, unopenable));
    if let Some(alarm) = done.alarm() {
        response.extensions_mut().insert(Failure(alarm));
    }
    Ok(response)
}
