//! `PATCH` and `DELETE /v1/embedded/connections/{id}/test-credentials` and `POST …/replace`: what the organization's own designer
//! does beside listing and creating. Its sessions have no customer; whatever they touch is the organization's.

use axum::response::Response;

use crate::api::claim::{Claim, Identity};
use crate::api::connections::create::SaveQuery;
use crate::api::connections::layers::Edits;
use crate::api::connections::replace::{FIRST, Replace, Replaced, replace};
use crate::api::connections::test_credentials::{UpdateTestCredentials, clear, set};
use crate::api::connections::values::{check_key, find_key_check};
use crate::api::error::ApiError;
use crate::api::extract::{Body, IfMatch, InPath, InQuery, Parsed};
use crate::api::openapi::ChangeProblems;
use crate::app::App;
use crate::domain::caller::SessionCaller;
use crate::domain::connection::Connection;
use crate::domain::id::ConnectionId;
use crate::store::sources::{self, Sources};
use crate::store::{connections, usages};

use super::own::sees;
use super::view::{self, EmbeddedConnection};

/// PATCH /v1/embedded/connections/{id}/test-credentials
///
/// Changes the test credentials of a template, or of a connection of the organization, in a builder session. They are used from the
/// next test run on.
#[utoipa::path(
    patch, path = "/v1/embedded/connections/{id}/test-credentials", tag = "Embedded",
    request_body = UpdateTestCredentials, operation_id = "update_embedded_test_credentials",
    params(("id" = ConnectionId, Path), SaveQuery, ("If-Match" = String, Header, description = "The ETag that you read.")),
    responses((status = 200, description = "The connection", body = EmbeddedConnection), ChangeProblems)
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
    let InQuery(SaveQuery { test }) = claim.accept(&app, query).await?;
    let Body { value: UpdateTestCredentials { settings, secrets }, .. } = claim.accept(&app, body).await?;
    let (who, sources) = load(&app, &claim, &id, if_match).await?;
    let session = who.session()?;
    let change = (Edits { settings, secrets }, test);
    set(&app, &who, &sources, change, &|after| view::answer(after, None, session)).await
}

/// DELETE /v1/embedded/connections/{id}/test-credentials
///
/// Deletes the test credentials of a connection in a builder session: they are unreadable at once.
#[utoipa::path(
    delete, path = "/v1/embedded/connections/{id}/test-credentials", tag = "Embedded",
    operation_id = "delete_embedded_test_credentials",
    params(("id" = ConnectionId, Path), ("If-Match" = String, Header, description = "The ETag that you read.")),
    responses((status = 200, description = "The connection", body = EmbeddedConnection), ChangeProblems)
)]
pub async fn delete_test_credentials(
    app: App,
    claim: Claim,
    id: Parsed<InPath<ConnectionId>>,
    if_match: IfMatch,
) -> Result<Response, ApiError> {
    let InPath(id) = claim.accept(&app, id).await?;
    let (who, sources) = load(&app, &claim, &id, if_match).await?;
    let session = who.session()?;
    clear(&app, &who, &sources.connection, &|after| view::answer(after, None, session)).await
}

/// POST /v1/embedded/connections/{id}/replace
///
/// Gives one step, some, or all steps of a connection another one of the same provider, all or nothing, in a builder session.
#[utoipa::path(
    post, path = "/v1/embedded/connections/{id}/replace", tag = "Embedded", request_body = Replace,
    operation_id = "replace_embedded_usages", params(("id" = ConnectionId, Path)),
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
    let wanted = connections::find_connection(&id)
        .and(usages::find_used(&id))
        .and(connections::find_connection(&replacement))
        .and(usages::list_of(&id, None, FIRST));
    let (who, (((found, used), other), first)) = claim.load(&app, wanted).await?;
    let session = builder(&who, found.as_ref())?;
    let used = used.ok_or(ApiError::NotFound)?;
    let other = other.filter(|other| sees(session, other));
    replace(&app, &who, (&used, other), (first, places)).await
}

/// Loads a connection for a builder session that may change it.
async fn load(app: &App, claim: &Claim, id: &ConnectionId, if_match: IfMatch) -> Result<(Identity, Sources), ApiError> {
    let (who, (found, key_check)) = claim.load(app, sources::find(id).and(find_key_check(app))).await?;
    builder(&who, found.as_ref().map(|found| &found.connection))?;
    let sources = found.ok_or(ApiError::NotFound)?;
    if_match.check(sources.connection.history.version)?;
    let ring = app.ring()?;
    check_key(ring, ring.primary_id(), key_check.as_deref())?;
    Ok((who, sources))
}

/// The builder session behind the caller, if the connection is one that it sees. A builder sees the organization's alone.
///
/// # Errors
/// 404 where the session does not see it; 403 where it sees it and is of a customer.
fn builder<'a>(who: &'a Identity, found: Option<&Connection>) -> Result<&'a SessionCaller, ApiError> {
    let session = who.session()?;
    if !found.is_some_and(|found| sees(session, found)) {
        return Err(ApiError::NotFound);
    }
    if session.is_builder() { Ok(session) } else { Err(ApiError::BuilderRequired) }
}
