//! `GET /v1/embedded/session`: what a page's own session is for, so that the page offers nothing that is refused.

use std::collections::BTreeSet;

use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::answer;
use crate::api::claim::Claim;
use crate::api::error::ApiError;
use crate::api::openapi::Problems;
use crate::app::App;
use crate::domain::caller::SessionCaller;
use crate::domain::environment::Environment;
use crate::domain::id::{ConnectionId, SessionId};
use crate::domain::text::Customer;
use crate::domain::time::Timestamp;
use crate::store::nothing;

/// The session of a page. It holds nothing that its page could not learn by asking.
#[derive(Debug, Serialize, ToSchema)]
pub struct EmbeddedSession<'a> {
    /// Its id.
    id: &'a SessionId,
    /// Its environment.
    environment: Environment,
    /// Its customer; null for a builder session.
    customer: Option<&'a Customer>,
    /// The keys of the providers that it is limited to; null for all.
    providers: Option<&'a BTreeSet<String>>,
    /// The keys of the connection types that it is limited to; null for all.
    connection_types: Option<&'a BTreeSet<String>>,
    /// The templates that it is limited to, with the connections under them; null for all.
    templates: Option<&'a BTreeSet<ConnectionId>>,
    /// The one connection that it is limited to; null for all that the other limits allow.
    connection: Option<&'a ConnectionId>,
    /// When it ends.
    expires_at: Timestamp,
}

impl<'a> From<&'a SessionCaller> for EmbeddedSession<'a> {
    fn from(session: &'a SessionCaller) -> Self {
        Self {
            id: &session.id,
            environment: session.environment,
            customer: session.customer.as_ref(),
            providers: session.providers.as_ref(),
            connection_types: session.connection_types.as_ref(),
            templates: session.templates.as_ref(),
            connection: session.connection.as_ref(),
            expires_at: session.expires_at,
        }
    }
}

/// GET /v1/embedded/session
///
/// Tells what the session is for, and what it is limited to.
#[utoipa::path(
    get, path = "/v1/embedded/session", tag = "Embedded", operation_id = "find_embedded_session",
    responses((status = 200, description = "The session", body = EmbeddedSession), Problems)
)]
pub async fn find_session(app: App, claim: Claim) -> Result<Response, ApiError> {
    let (who, ()) = claim.load(&app, nothing()).await?;
    Ok(answer::json(StatusCode::OK, &EmbeddedSession::from(who.session()?)))
}
