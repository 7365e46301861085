//! `POST` and `DELETE /v1/embedded/sessions`: what a page of the organization's product may see, for half an hour at most.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use crate::api::answer;
use crate::api::audited;
use crate::api::claim::Claim;
use crate::api::error::{ApiError, ValueError};
use crate::api::extract::{Body, InQuery, Parsed};
use crate::api::idempotency::{Created, Idempotency};
use crate::api::openapi::ChangeProblems;
use crate::app::App;
use crate::domain::audit::AuditAction;
use crate::domain::caller::SessionCaller;
use crate::domain::environment::Environment;
use crate::domain::id::{ConnectionId, SessionId};
use crate::domain::scope::Scope;
use crate::domain::text::Customer;
use crate::domain::time::Timestamp;
use crate::store::{access, connect_links};
use crate::token::Token;

use super::limits::Limits;

const MANAGE: Scope = Scope::EmbeddedManage;
/// How long a session lives at most.
pub const MAX_SECONDS: u16 = 1_800;
const MIN_SECONDS: u16 = 60;

/// A new embedded session.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateSession {
    /// Its environment.
    environment: Environment,
    /// The customer that it is for; left out for a session of the organization's own designer.
    customer: Option<Customer>,
    /// The providers that it is limited to; all, where left out.
    providers: Option<Vec<String>>,
    /// The connection types that it is limited to; all, where left out.
    connection_types: Option<Vec<String>>,
    /// The templates that it is limited to, with the connections under them; all, where left out.
    templates: Option<Vec<ConnectionId>>,
    /// How long it lives, in seconds.
    #[schema(minimum = 60, maximum = 1800, default = 1800)]
    expires_in: Option<u16>,
}

/// An embedded session with its token, shown this once.
#[derive(Serialize, ToSchema)]
pub struct CreatedSession {
    /// Its id.
    pub id: SessionId,
    /// What the page sends as `Authorization: Bearer …`; shown this once.
    pub token: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// POST /v1/embedded/sessions
///
/// Mints a session for an embedded builder. The token goes to the page, never into a URL.
#[utoipa::path(
    post, path = "/v1/embedded/sessions", tag = "Embedded", request_body = CreateSession,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated request safe.")),
    responses((status = 201, description = "The session with its token", body = CreatedSession), ChangeProblems)
)]
pub async fn create_session(
    app: App,
    claim: Claim,
    idempotency: Parsed<Idempotency>,
    body: Parsed<Body<CreateSession>>,
) -> Result<Response, ApiError> {
    let idempotency = claim.accept(&app, idempotency).await?;
    let Body { value: body, bytes } = claim.accept(&app, body).await?;
    let (who, answered) = claim.load(&app, idempotency.find(&claim)).await?;
    who.authorize_in(MANAGE, body.environment)?;
    let ring = app.ring()?;
    if let Some(response) = idempotency.replay(ring, &bytes, answered)? {
        return Ok(response);
    }
    let limits =
        Limits { providers: body.providers, connection_types: body.connection_types, templates: body.templates };
    check(body.expires_in, &limits)?;
    let now = app.now();
    let seconds = body.expires_in.unwrap_or(MAX_SECONDS);
    let session = SessionCaller {
        id: SessionId::new(now, app.random()),
        environment: body.environment,
        customer: body.customer,
        providers: limits.providers.map(BTreeSet::from_iter),
        connection_types: limits.connection_types.map(BTreeSet::from_iter),
        templates: limits.templates.map(BTreeSet::from_iter),
        connection: None,
        expires_at: now + Duration::from_secs(seconds.into()),
    };
    let token = Token::new_session(&*app.random);
    let entry = audited::Entry {
        environment: Some(session.environment),
        action: AuditAction::SessionCreated,
        resource_id: session.id.to_string(),
        detail: json!({ "customer": session.customer, "providers": session.providers }),
    };
    let mut commit = audited::begin(&app, &who.actor, entry)?;
    commit.push(access::insert_session(&session, token.hash.as_str(), (now, &who.actor), None));
    let id = session.id.to_string();
    let created =
        CreatedSession { id: session.id, token: token.token.as_str().to_owned(), expires_at: session.expires_at };
    let body = serde_json::to_string(&created).unwrap_or_default();
    idempotency.commit((&app, &claim, ring), &bytes, commit, Created { id, body, shows_secret: true }).await
}

fn check(expires_in: Option<u16>, limits: &Limits) -> Result<(), ApiError> {
    let is_too_long = expires_in.is_some_and(|seconds| !(MIN_SECONDS..=MAX_SECONDS).contains(&seconds));
    let too_long = ValueError::new("/expires_in", "invalid", "Expected 60 to 1800 seconds.");
    ApiError::refuse(is_too_long.then_some(too_long).into_iter().chain(limits.errors("")).collect())
}

/// Whose sessions to end.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EndQuery {
    /// The environment.
    environment: Environment,
    /// The customer.
    customer: Customer,
}

/// DELETE /v1/embedded/sessions
///
/// Ends every session of a customer at once, and their connect links.
#[utoipa::path(
    delete, path = "/v1/embedded/sessions", tag = "Embedded", params(EndQuery),
    responses((status = 204, description = "Ended"), ChangeProblems)
)]
pub async fn end_sessions(app: App, claim: Claim, query: Parsed<InQuery<EndQuery>>) -> Result<Response, ApiError> {
    let InQuery(EndQuery { environment, customer }) = claim.accept(&app, query).await?;
    let (who, ()) = claim.load(&app, crate::store::nothing()).await?;
    who.authorize_in(MANAGE, environment)?;
    let entry = audited::Entry {
        environment: Some(environment),
        action: AuditAction::SessionsRevoked,
        resource_id: customer.to_string(),
        detail: json!({}),
    };
    let mut commit = audited::begin(&app, &who.actor, entry)?;
    commit.push(access::end_sessions(environment, &customer, app.now()));
    commit.push(connect_links::delete_of(environment, &customer));
    commit.run(&*app.database).await?;
    Ok(answer::no_content())
}
