//! `GET`, `POST` and `DELETE /v1/session`: who is signed in to the dashboard.
//!
//! A session grants nothing of its own: it names the key or the person that signed in, and both are judged anew at each
//! request. Its token is in a cookie that no script reads and no other site sends (`HttpOnly`, `SameSite=Strict`).

use std::collections::BTreeSet;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderName, StatusCode, header};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::app::App;
use crate::domain::audit::AuditAction;
use crate::domain::caller::{Caller, PersonCaller};
use crate::domain::environment::Environment;
use crate::domain::id::DashboardSessionId;
use crate::domain::scope::Scope;
use crate::domain::time::Timestamp;
use crate::people::Refused;
use crate::store::nothing;
use crate::store::sign_ins::{self, SignedIn};
use crate::token::{Token, TokenHash};

use super::answer;
use super::audited;
use super::claim::{Claim, Identity, SESSION_COOKIE, cookie};
use super::error::ApiError;
use super::extract::header_text;
use super::openapi::{ChangeProblems, Problems};

/// How long a session lives at most: a working day.
const LIFETIME: Duration = Duration::from_hours(8);

/// How the caller is known.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallerKind {
    /// By an API key.
    Key,
    /// As a person, by Cloudflare Access.
    Person,
}

/// Who asks, and what they may do.
#[derive(Debug, Serialize, ToSchema)]
pub struct WhoAmI {
    /// How the caller is known.
    kind: CallerKind,
    /// The id that history and audit name.
    #[schema(example = "person:ann@example.com")]
    id: String,
    /// The name that history and audit show.
    #[schema(example = "ann@example.com")]
    name: String,
    /// What the caller may do.
    scopes: BTreeSet<Scope>,
    /// Where.
    environments: BTreeSet<Environment>,
    /// When the session ends; without one, when the key ends, if ever.
    expires_at: Option<Timestamp>,
}

impl WhoAmI {
    fn of(who: &Identity) -> Result<Self, ApiError> {
        let grants = who.grants()?.clone();
        Ok(Self {
            kind: if matches!(who.caller, Caller::Person(_)) { CallerKind::Person } else { CallerKind::Key },
            id: who.actor.id.clone(),
            name: who.actor.name.clone(),
            scopes: grants.scopes,
            environments: grants.environments,
            expires_at: who.session.as_ref().map(|session| session.expires_at).or(grants.expires_at),
        })
    }
}

/// The token of Cloudflare Access that came with a request: the header that Access adds, or its cookie (developers.cloudflare.com,
/// "Validate JWTs").
pub struct Assertion(Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for Assertion {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        const NAME: HeaderName = HeaderName::from_static("cf-access-jwt-assertion");
        let token = header_text(&parts.headers, &NAME).or_else(|| cookie(&parts.headers, "CF_Authorization"));
        Ok(Self(token.map(str::to_owned)))
    }
}

/// GET /v1/session
///
/// Tells who asks: name, scopes, environments, and until when.
#[utoipa::path(
    get, path = "/v1/session", tag = "People",
    responses((status = 200, description = "Who asks", body = WhoAmI), Problems)
)]
pub async fn find_dashboard_session(app: App, claim: Claim) -> Result<Response, ApiError> {
    let (who, ()) = claim.load(&app, nothing()).await?;
    Ok(answer::json(StatusCode::OK, &WhoAmI::of(&who)?))
}

/// POST /v1/session
///
/// Signs in to the dashboard: with an API key in `Authorization`, or as the person whom Cloudflare Access vouches for. The
/// session is in a cookie, ends after eight hours at most, and never outlives what it was made with.
#[utoipa::path(
    post, path = "/v1/session", tag = "People",
    params(("Cf-Access-Jwt-Assertion" = Option<String>, Header, description = "The token that Cloudflare Access adds.")),
    responses((status = 201, description = "Who signed in, with the session in `Set-Cookie`", body = WhoAmI), ChangeProblems)
)]
pub async fn create_dashboard_session(app: App, claim: Claim, assertion: Assertion) -> Result<Response, ApiError> {
    // A foreign page must not sign anybody in: what they then enter would be in the hands of whoever owns the key.
    let assertion = assertion.0.filter(|_| !claim.is_explicit());
    claim.refuse_foreign(assertion.is_none())?;
    let mut who = match assertion {
        Some(token) => prove_person(&app, &claim, &token).await?,
        None => prove_key(&app, &claim).await?,
    };
    let token = Token::new_dashboard(&*app.random);
    let session = who.session.take().ok_or(ApiError::KeyRequired)?;
    let entry = audited::Entry {
        environment: None,
        action: AuditAction::SignedIn,
        resource_id: session.id.to_string(),
        detail: json!({ "expires_at": session.expires_at }),
    };
    let mut commit = audited::begin(&app, &who.actor, entry)?;
    commit.push(sign_ins::insert(&session, token.hash.as_str(), app.now()));
    commit.run(&*app.database).await?;
    let seconds = (session.expires_at.millis() - app.now().millis()) / 1000;
    who.session = Some(session);
    let mut response = answer::json(StatusCode::CREATED, &WhoAmI::of(&who)?);
    set_cookie(&mut response, &token.token, seconds);
    Ok(response)
}

/// The caller behind an API key, with the session that it would have. A session makes no session.
async fn prove_key(app: &App, claim: &Claim) -> Result<Identity, ApiError> {
    let (mut who, ()) = claim.load(app, nothing()).await?;
    let ends = who.grants()?.expires_at;
    let key_hash = claim.token_hash().filter(|_| who.session.is_none()).map(TokenHash::as_str);
    who.session = key_hash.map(|hash| SignedIn { key_hash: Some(hash.to_owned()), ..new_session(app, ends) });
    Ok(who)
}

/// The person behind a token of Access, with the session that they would have.
async fn prove_person(app: &App, claim: &Claim, token: &str) -> Result<Identity, ApiError> {
    let proved = match &app.sign_in {
        None => Err(Refused::Unproved),
        Some(sign_in) => sign_in.prove(token, app.now()).await,
    };
    let proved = match proved {
        Ok(proved) => proved,
        Err(Refused::Unavailable) => return Err(ApiError::AccessUnavailable),
        Err(Refused::Unproved) => return Err(claim.refused(app).await),
    };
    let session = SignedIn {
        email: Some(proved.email.clone()),
        groups: proved.groups,
        ..new_session(app, Some(proved.expires_at))
    };
    let person = PersonCaller::new(proved.email, proved.grants);
    Ok(claim.identity(app, Caller::Person(person), Some(session)))
}

fn new_session(app: &App, ends: Option<Timestamp>) -> SignedIn {
    let latest = app.now() + LIFETIME;
    SignedIn {
        id: DashboardSessionId::new(app.now(), app.random()),
        key_hash: None,
        key: None,
        email: None,
        groups: Vec::new(),
        expires_at: ends.map_or(latest, |ends| ends.min(latest)),
    }
}

/// DELETE /v1/session
///
/// Signs out: the session works nowhere at the next request, and the cookie is gone.
#[utoipa::path(
    delete, path = "/v1/session", tag = "People",
    responses((status = 204, description = "Signed out"), ChangeProblems)
)]
pub async fn delete_dashboard_session(app: App, claim: Claim) -> Result<Response, ApiError> {
    let (who, ()) = claim.load(&app, nothing()).await?;
    who.grants()?;
    let session = who.session.as_ref().ok_or(ApiError::NotFound)?;
    let entry = audited::Entry {
        environment: None,
        action: AuditAction::SignedOut,
        resource_id: session.id.to_string(),
        detail: json!({}),
    };
    let mut commit = audited::begin(&app, &who.actor, entry)?;
    commit.push(sign_ins::delete(&session.id));
    commit.run(&*app.database).await?;
    let mut response = answer::no_content();
    set_cookie(&mut response, "", 0);
    Ok(response)
}

fn set_cookie(response: &mut Response, value: &str, seconds: i64) {
    let attributes = "Path=/; Secure; HttpOnly; SameSite=Strict";
    let cookie = format!("{SESSION_COOKIE}={value}; {attributes}; Max-Age={seconds}");
    answer::set(response, header::SET_COOKIE, &cookie);
}
