//! `POST /v1/connections/{id}/authorizations`, and how one is doing: tokens by a person's consent. What the person's browser asks
//! is in `api::oauth`.

use std::time::Duration;

use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;
use utoipa::ToSchema;

use crate::api::claim::{Claim, Identity};
use crate::api::error::ApiError;
use crate::api::extract::{Body, InPath, Parsed};
use crate::api::idempotency::{Created, Idempotency};
use crate::api::openapi::{ChangeProblems, Problems};
use crate::api::{answer, audited, limits};
use crate::app::App;
use crate::domain::audit::AuditAction;
use crate::domain::authorization::{Authorization, AuthorizationState, Stage};
use crate::domain::caller::SessionCaller;
use crate::domain::connection::Connection;
use crate::domain::id::{AuthorizationId, ConnectionId};
use crate::domain::origin::Origin;
use crate::domain::scope::Scope;
use crate::domain::time::Timestamp;
use crate::oauth;
use crate::store::sources::{self, Sources};
use crate::store::{access, authorizations, connections, nothing};
use crate::token::Token;
use crate::vault::KeyRing;

use super::effective::{self, Purpose};
use super::layers::Edits;
use super::tokens::Subject;
use super::values::Draft;

/// How long an attempt may take.
pub const LIFETIME: Duration = Duration::from_mins(10);

/// How the person comes back.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateAuthorization {
    /// Where the person goes afterwards, unless it is a popup, which closes: a page of a registered origin, or of this Keyfob.
    #[schema(max_length = 2048, example = "https://app.example/settings")]
    pub return_to: Option<String>,
}

/// An attempt to authorize a connection.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuthorizationView {
    /// Its id.
    id: AuthorizationId,
    /// How far it is.
    state: AuthorizationState,
    /// Where the person's browser is sent, as a popup or a page of its own; opens once. Shown this once, then null.
    start_url: Option<String>,
    /// The redirect URI to register with the provider, to the letter.
    redirect_uri: String,
    /// Why it failed; null otherwise.
    error: Option<AuthorizationError>,
    /// When it began.
    created_at: Timestamp,
    /// When it is too late.
    expires_at: Timestamp,
}

/// Why an attempt failed.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuthorizationError {
    /// A stable code.
    #[schema(example = "access_denied")]
    code: String,
    /// A sentence for the person.
    message: &'static str,
}

impl AuthorizationView {
    fn new(attempt: &Authorization, now: Timestamp, start_url: Option<String>) -> Self {
        Self {
            id: attempt.id.clone(),
            state: attempt.seen_at(now),
            start_url,
            redirect_uri: attempt.redirect_uri.clone(),
            error: attempt
                .error
                .as_ref()
                .map(|code| AuthorizationError { message: sentence(code), code: code.clone() }),
            created_at: attempt.created_at,
            expires_at: attempt.expires_at,
        }
    }
}

/// What each code of a failed attempt says to the person.
#[must_use]
pub fn sentence(code: &str) -> &'static str {
    match code {
        "access_denied" => "The consent was not given.",
        "connection_changed" => "The connection was changed or deleted meanwhile.",
        "issuer_mismatch" => "The answer came from another server than the one that was asked.",
        "grant_refused" => "The provider does not accept its own answer any more: it was used before, or is too old.",
        "client_refused" => "The provider does not accept the client: its id, its secret or the redirect URI is wrong.",
        "scope_refused" | "invalid_scope" => "The provider does not grant the scopes that were asked for.",
        "discovery_failed" => "The issuer does not tell where to ask for consent.",
        "unreachable" | "timeout" | "rate_limited" | "temporarily_unavailable" | "server_error" => {
            "The provider could not be reached, or asks for a pause."
        }
        "incomplete" => "Values of the connection are missing.",
        "storage_failed" => "The tokens could not be stored.",
        _ => "The provider refused the request.",
    }
}

/// POST /v1/connections/{id}/authorizations
///
/// Begins to authorize a connection whose type asks for a person's consent: answers where the person's browser is to be sent. The
/// credential that is in use stays until the new one is there. Of a template it is the test credentials that are authorized.
#[utoipa::path(
    post, path = "/v1/connections/{id}/authorizations", tag = "Connections", request_body = CreateAuthorization,
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
    let sources = who.authorize(Scope::ConnectionsWrite, found)?;
    if let Some(response) = idempotency.replay(app.ring()?, &bytes, answered)? {
        return Ok(response);
    }
    begin((&app, &claim, &who), &sources, (body, is_registered), (&idempotency, &bytes)).await
}

/// The query that tells whether the person may be sent back where the body says.
#[must_use]
pub fn find_return(body: &CreateAuthorization) -> crate::store::Query<bool> {
    let origin = body.return_to.as_deref().and_then(|text| Url::parse(text).ok()).and_then(|url| Origin::of(&url).ok());
    origin.map_or_else(|| nothing().map(|()| false), |origin| access::is_registered(origin.as_str()))
}

/// Begins to authorize a connection for a caller who may.
///
/// # Errors
/// When its type asks for no consent, values are missing, or there were too many attempts.
pub async fn begin(
    (app, claim, who): (&App, &Claim, &Identity),
    sources: &Sources,
    (body, is_registered): (CreateAuthorization, bool),
    (idempotency, bytes): (&Idempotency, &[u8]),
) -> Result<Response, ApiError> {
    let (ring, now) = (app.ring()?, app.now());
    let own_origin = claim.own_origin().ok_or_else(|| ApiError::Internal("a request without an origin".to_owned()))?;
    let return_to = check_return(body.return_to, is_registered, own_origin)?;
    let draft = draft(app, ring, sources).await?;
    let subject = subject((app, ring), sources, &draft)?;
    limits::count_authorization(app, sources.connection.id.as_str()).await?;
    let allowed = subject.allowed()?;
    let found = oauth::addresses(&app.egress, subject.client(), &allowed, &mut app.egress.deadline()).await;
    if found.ok().and_then(|found| found.authorize).is_none() {
        return Err(ApiError::NotResolvable(
            "discovery_failed",
            "The issuer does not tell where to ask for consent: check its address, or try again later.",
        ));
    }
    let ticket = Token::new_authorization(&*app.random);
    let attempt = Authorization {
        id: AuthorizationId::new(now, app.random()),
        connection_id: sources.connection.id.clone(),
        owner_id: sources.tokens_owner(),
        environment: sources.connection.environment,
        browser_hash: None,
        redirect_uri: format!("{own_origin}/oauth/callback"),
        return_to,
        basis: subject.basis().to_owned(),
        // A designer's session sees to what is new.
        first_only: who.session().is_ok_and(SessionCaller::is_builder),
        actor: who.actor.clone(),
        state: Stage::Pending,
        error: None,
        created_at: now,
        expires_at: now + LIFETIME,
    };
    let entry = audited::Entry {
        environment: Some(attempt.environment),
        action: AuditAction::AuthorizationStarted,
        resource_id: attempt.connection_id.to_string(),
        detail: json!({ "authorization": attempt.id }),
    };
    let mut commit = audited::begin(app, &who.actor, entry)?;
    commit.push(authorizations::insert(&attempt, ticket.hash.as_str()));
    let start_url = format!("{own_origin}/oauth/start/{}", ticket.token.as_str());
    let body = serde_json::to_string(&AuthorizationView::new(&attempt, now, Some(start_url))).unwrap_or_default();
    let created = Created { id: attempt.id.to_string(), body, shows_secret: true };
    idempotency.commit((app, claim, ring), bytes, commit, created).await
}

/// The values with which a connection is authorized: of a template, with its test credentials.
///
/// # Errors
/// 409 where some are missing.
pub async fn draft(app: &App, ring: &KeyRing, sources: &Sources) -> Result<Draft, ApiError> {
    if sources.connection.values.must_reenter() {
        return Err(effective::DESTINATION_CHANGED);
    }
    let draft = effective::to_test(app, ring, sources, (Purpose::Run, Edits::default())).await;
    draft.map_err(|error| match error {
        ApiError::InvalidBody(_) => effective::INCOMPLETE,
        error => error,
    })
}

/// What is authorized.
///
/// # Errors
/// 409 where the type asks for no consent.
pub fn subject<'a>(
    at: (&'a App, &'a KeyRing),
    sources: &'a Sources,
    draft: &'a Draft,
) -> Result<Subject<'a>, ApiError> {
    let subject = Subject::new(at, sources, (&draft.settings, &draft.secrets))?;
    subject.filter(|_| draft.waits_for_consent()).ok_or(ApiError::NotResolvable(
        "no_authorization",
        "Connections of this type are not authorized by consent: enter their values.",
    ))
}

fn check_return(text: Option<String>, is_registered: bool, own_origin: &str) -> Result<Option<String>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    let url = Url::parse(&text).ok().filter(|url| text.len() <= 2048 && matches!(url.scheme(), "https" | "http"));
    let is_own = url.as_ref().is_some_and(|url| url.origin().ascii_serialization() == own_origin);
    match url {
        Some(url) if is_own || is_registered => Ok(Some(url.into())),
        _ => Err(ApiError::invalid(
            "/return_to",
            "Expected a page of a registered origin: register it with POST /v1/embedded/origins.",
        )),
    }
}

/// GET /v1/connections/{id}/authorizations/{authorization}
///
/// Tells how an attempt is doing: pages ask every second or two while the popup is open.
#[utoipa::path(
    get, path = "/v1/connections/{id}/authorizations/{authorization}", tag = "Connections",
    params(("id" = ConnectionId, Path), ("authorization" = AuthorizationId, Path)),
    responses((status = 200, description = "The attempt", body = AuthorizationView), Problems)
)]
pub async fn find_authorization(
    app: App,
    claim: Claim,
    path: Parsed<InPath<(ConnectionId, AuthorizationId)>>,
) -> Result<Response, ApiError> {
    let InPath((id, authorization)) = claim.accept(&app, path).await?;
    let wanted = connections::find_connection(&id).and(authorizations::find(&id, &authorization));
    let (who, (found, attempt)) = claim.load(&app, wanted).await?;
    let _: Connection = who.authorize(Scope::ConnectionsRead, found)?;
    show(&app, attempt)
}

/// Answers with an attempt.
///
/// # Errors
/// 404 where there is none.
pub fn show(app: &App, attempt: Option<Authorization>) -> Result<Response, ApiError> {
    let attempt = attempt.ok_or(ApiError::NotFound)?;
    Ok(answer::json(StatusCode::OK, &AuthorizationView::new(&attempt, app.now(), None)))
}
