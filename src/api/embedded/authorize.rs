//! `POST /v1/embedded/connections/{id}/authorizations`, and how one is doing: a customer authorizes a connection of their own, the
//! organization's designer one that was just created.

use axum::response::Response;

use crate::api::claim::{Claim, Identity};
use crate::api::connections::authorize::{self, AuthorizationView, CreateAuthorization, find_return};
use crate::api::error::ApiError;
use crate::api::extract::{Body, InPath, Parsed};
use crate::api::idempotency::Idempotency;
use crate::api::openapi::{ChangeProblems, Problems};
use crate::app::App;
use crate::domain::connection::Kind;
use crate::domain::id::{AuthorizationId, ConnectionId};
use crate::store::authorizations;
use crate::store::sources::{self, Sources};

use super::own::{own, sees};

/// POST /v1/embedded/connections/{id}/authorizations
///
/// Begins to authorize an own connection: answers where the person's browser is to be sent, in a popup. The credential that is in
/// use stays until the new one is there. In a builder session: a connection of the organization that nobody authorized yet.
#[utoipa::path(
    post, path = "/v1/embedded/connections/{id}/authorizations", tag = "Embedded", request_body = CreateAuthorization,
    operation_id = "create_embedded_authorization",
    params(
        ("id" = ConnectionId, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated request safe.")
    ),
    responses((status = 201, description = "The attempt", body = AuthorizationView), ChangeProblems)
)]
pub async fn create_authorization(
    app: App,
    claim: Claim,
    id: Parsed<InPath<ConnectionId>>,
    idempotency: Parsed<Idempotency>,
    body: Parsed<Body<CreateAuthorization>>,
) -> Result<Response, ApiError> {
    let InPath(id) = claim.accept(&app, id).await?;
    let idempotency = claim.accept(&app, idempotency).await?;
    let Body { value: body, bytes } = claim.accept(&app, body).await?;
    let wanted = idempotency.find(&claim).and(sources::find(&id)).and(find_return(&body));
    let (who, ((answered, found), is_registered)) = claim.load(&app, wanted).await?;
    let sources = authorizable(&who, found)?;
    if let Some(response) = idempotency.replay(app.ring()?, &bytes, answered)? {
        return Ok(response);
    }
    authorize::begin((&app, &claim, &who), &sources, (body, is_registered), (&idempotency, &bytes)).await
}

/// GET /v1/embedded/connections/{id}/authorizations/{authorization}
///
/// Tells how an attempt is doing: the page asks every second or two while the popup is open.
#[utoipa::path(
    get, path = "/v1/embedded/connections/{id}/authorizations/{authorization}", tag = "Embedded",
    operation_id = "find_embedded_authorization",
    params(("id" = ConnectionId, Path), ("authorization" = AuthorizationId, Path)),
    responses((status = 200, description = "The attempt", body = AuthorizationView), Problems)
)]
pub async fn find_authorization(
    app: App,
    claim: Claim,
    path: Parsed<InPath<(ConnectionId, AuthorizationId)>>,
) -> Result<Response, ApiError> {
    let InPath((id, authorization)) = claim.accept(&app, path).await?;
    let (who, (found, attempt)) =
        claim.load(&app, sources::find(&id).and(authorizations::find(&id, &authorization))).await?;
    let session = who.session()?;
    if session.is_builder() {
        found.filter(|found| sees(session, &found.connection)).ok_or(ApiError::NotFound)?;
    } else {
        own(&who, found)?;
    }
    authorize::show(&app, attempt)
}

/// The connection, if the caller may authorize it. A designer finishes what is new, and renews nothing that others rely on.
///
/// # Errors
/// 404 where the session does not see it; 403 where it sees it and may not authorize it.
fn authorizable(who: &Identity, found: Option<Sources>) -> Result<Sources, ApiError> {
    let session = who.session()?;
    if !session.is_builder() {
        return own(who, found).map(|(_, sources)| sources);
    }
    let sources = found.filter(|found| sees(session, &found.connection)).ok_or(ApiError::NotFound)?;
    let is_new = sources.tokens.as_ref().is_none_or(|tokens| tokens.held.generation == 0);
    if sources.connection.owner.kind == Kind::Organization && is_new { Ok(sources) } else { Err(ApiError::NotOwn) }
}
