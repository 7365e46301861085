//! `POST /v1/embedded/sessions/exchange`: a page has a token that the organization's server signed, and gets a session for it.
//!
//! Nobody without the token learns anything: whatever is wrong with it, the answer is the same 401, and the log has the reason.
//! What is wrong with the claims of a token that holds is told, for then its signer asks.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::api::answer;
use crate::api::audited;
use crate::api::claim::Claim;
use crate::api::error::{ApiError, ValueError};
use crate::api::extract::{Body, Parsed};
use crate::api::openapi::ExchangeProblems;
use crate::app::App;
use crate::domain::actor::Actor;
use crate::domain::audit::AuditAction;
use crate::domain::caller::SessionCaller;
use crate::domain::environment::Environment;
use crate::domain::id::{ConnectionId, SessionId, SigningKeyId};
use crate::domain::text::{Customer, TokenId};
use crate::domain::time::Timestamp;
use crate::jwt::{self, Claims, Expected, Jws, JwtError, LEEWAY};
use crate::store::access::Voucher;
use crate::store::signing_keys::{self, SigningKey, UsedToken};
use crate::store::{access, nothing};
use crate::token::Token;

use super::limits::Limits;
use super::sessions::{CreatedSession, MAX_SECONDS};

/// How far ahead a token may end.
const MAX_AHEAD: Duration = Duration::from_hours(1);

/// A token to exchange.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExchangeToken {
    /// The token that the organization's server signed: a JWT as compact JWS.
    #[schema(example = "eyJhbGciOiJFUzI1NiIsImtpZCI6InNna18…")]
    jwt: String,
}

/// POST /v1/embedded/sessions/exchange
///
/// Exchanges a token that the organization's server signed for an embedded session. It needs no key, and answers pages of
/// registered origins. A token is good for once; the session lives half an hour at most, and no longer than its token.
#[utoipa::path(
    post, path = "/v1/embedded/sessions/exchange", tag = "Embedded", request_body = ExchangeToken, security(()),
    responses((status = 201, description = "The session with its token", body = CreatedSession), ExchangeProblems)
)]
pub async fn exchange_token(app: App, claim: Claim, body: Parsed<Body<ExchangeToken>>) -> Result<Response, ApiError> {
    let Body { value: ExchangeToken { jwt }, .. } = match body {
        Ok(body) => body,
        // Its page shall be able to read what is wrong.
        Err(problem) => return Err(claim.load_unproved(&app, nothing()).await.err().unwrap_or(problem)),
    };
    let jws = Jws::parse(&jwt);
    let kid = jws.as_ref().ok().and_then(Jws::kid).and_then(|kid| kid.parse::<SigningKeyId>().ok());
    let wanted = kid.as_ref().map_or_else(|| nothing().map(|()| None), signing_keys::find);
    let found = claim.load_unproved(&app, wanted).await?;
    let proved = match (jws, found) {
        (Ok(jws), Some(key)) => prove(&app, &claim, &jws, key).await,
        (Ok(_), None) => Err(JwtError::UnknownKey),
        (Err(error), _) => Err(error),
    };
    let (key, claims) = match proved {
        Ok(proved) => proved,
        Err(error) => return Err(refuse(&app, &claim, &error.to_string()).await),
    };
    let grant = Grant::read(&app, &key, claims)?;
    match mint(&app, &key, &grant).await {
        Err(ApiError::Unauthorized) => {
            Err(refuse(&app, &claim, "the key is gone, or the customer's sessions ended").await)
        }
        answer => answer,
    }
}

/// Counts a token that does not hold, and leaves the reason to the log.
async fn refuse(app: &App, claim: &Claim, reason: &str) -> ApiError {
    let _ = app.trace.refusal.set(reason.to_owned());
    claim.refused(app).await
}

async fn prove(app: &App, claim: &Claim, jws: &Jws<'_>, key: SigningKey) -> Result<(SigningKey, Claims), JwtError> {
    let public_key = serde_json::from_str(&key.public_key).ok().and_then(jwt::from_jwk).ok_or(JwtError::UnknownKey)?;
    // Meant for this deployment, by the address under which its page reached it.
    let audience = claim.own_origin().ok_or(JwtError::Audience)?;
    let claims = jws.verify(&*app.sign, &public_key, &Expected { issuer: None, audience }, app.now()).await?;
    // Clocks that are off get no session that is over.
    if claims.expires_at <= app.now() { Err(JwtError::Expired) } else { Ok((key, claims)) }
}

/// What the organization says in its own claim, `keyfob`. Unknown members are refused: one that is mistyped must not widen
/// what the session may do.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    environment: Option<Environment>,
    purpose: Option<Purpose>,
    providers: Option<Vec<String>>,
    connection_types: Option<Vec<String>>,
    templates: Option<Vec<ConnectionId>>,
}

/// What the session is for, where it is for no customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Purpose {
    /// The organization's own designer.
    Build,
}

/// What a token that holds grants.
struct Grant {
    subject: Customer,
    is_builder: bool,
    limits: Limits,
    token: TokenId,
    issued_at: Timestamp,
    expires_at: Timestamp,
}

impl Grant {
    /// Reads the claims.
    ///
    /// # Errors
    /// 422 with everything that is wrong with them, each in its words.
    fn read(app: &App, key: &SigningKey, mut claims: Claims) -> Result<Self, ApiError> {
        let mut errors = Errors(Vec::new());
        let mut text = |name: &str| claims.all.remove(name).and_then(|value| value.as_str().map(str::to_owned));
        let subject = text("sub").and_then(|sub| Customer::try_from(sub).ok());
        let subject = errors.need(subject, "`sub` names the customer, in 1 to 200 characters on one line.");
        let token = text("jti").and_then(|jti| TokenId::try_from(jti).ok());
        let token = errors.need(token, "`jti` is the token's own id, 1 to 200 characters on one line, used once.");
        let issued_at = errors.need(claims.issued_at, "`iat` is the time at which it was signed.");
        let is_near = claims.expires_at <= app.now() + MAX_AHEAD + LEEWAY;
        errors.need(is_near.then_some(()), "`exp` is an hour ahead at most.");
        let own = match claims.all.remove("keyfob") {
            None => Some(Own::default()),
            Some(own) => serde_json::from_value::<Own>(own).ok(),
        };
        let own = errors.need(
            own,
            "`keyfob` is an object of `environment`, `purpose` (`build`), `providers` and `connection_types`.",
        );
        let own = own.unwrap_or_default();
        let is_here = own.environment.is_none_or(|environment| environment == key.environment);
        errors.need(is_here.then_some(()), "`keyfob.environment` is that of the key.");
        let limits =
            Limits { providers: own.providers, connection_types: own.connection_types, templates: own.templates };
        let unknown =
            limits.errors("/keyfob").into_iter().map(|error| format!("`{}`: {}", error.pointer, error.detail));
        errors.0.extend(unknown);
        match (subject, token, issued_at) {
            (Some(subject), Some(token), Some(issued_at)) if errors.0.is_empty() => {
                let is_builder = own.purpose == Some(Purpose::Build);
                Ok(Self { subject, is_builder, limits, token, issued_at, expires_at: claims.expires_at })
            }
            _ => Err(errors.into()),
        }
    }
}

/// What is wrong with the claims of a token that holds.
struct Errors(Vec<String>);

impl Errors {
    fn need<T>(&mut self, value: Option<T>, expected: &str) -> Option<T> {
        if value.is_none() {
            self.0.push(expected.to_owned());
        }
        value
    }
}

impl From<Errors> for ApiError {
    fn from(errors: Errors) -> Self {
        Self::InvalidBody(errors.0.into_iter().map(|detail| ValueError::new("/jwt", "claim", detail)).collect())
    }
}

async fn mint(app: &App, key: &SigningKey, grant: &Grant) -> Result<Response, ApiError> {
    let now = app.now();
    let latest = now + Duration::from_secs(MAX_SECONDS.into());
    let customer = (!grant.is_builder).then(|| grant.subject.clone());
    let set = |keys: &Option<Vec<String>>| keys.as_ref().map(|keys| keys.iter().cloned().collect::<BTreeSet<_>>());
    let session = SessionCaller {
        id: SessionId::new(now, app.random()),
        environment: key.environment,
        customer: customer.clone(),
        providers: set(&grant.limits.providers),
        connection_types: set(&grant.limits.connection_types),
        templates: grant.limits.templates.as_ref().map(|ids| ids.iter().cloned().collect()),
        connection: None,
        expires_at: latest.min(grant.expires_at),
    };
    // Who works in the designer is known by the organization alone.
    let claimed = grant.is_builder.then(|| grant.subject.to_string());
    let actor = Actor { id: key.id.to_string(), name: key.name.to_string(), claimed };
    let _ = app.trace.caller.set(actor.id.clone());
    let token = Token::new_session(&*app.random);
    let entry = audited::Entry {
        environment: Some(session.environment),
        action: AuditAction::SessionCreated,
        resource_id: session.id.to_string(),
        detail: json!({ "customer": session.customer, "providers": session.providers, "token_id": grant.token }),
    };
    let used = UsedToken {
        signing_key: key,
        id: &grant.token,
        issued_at: grant.issued_at,
        forget_at: grant.expires_at + LEEWAY,
    };
    let mut commit = audited::begin(app, &actor, entry)?;
    commit.push(signing_keys::insert_used(&used, customer.as_ref()));
    commit.push(access::insert_session(
        &session,
        token.hash.as_str(),
        (now, &actor),
        Some(Voucher::SigningKey(&key.id)),
    ));
    commit.run(&*app.database).await?;
    let created =
        CreatedSession { id: session.id, token: token.token.as_str().to_owned(), expires_at: session.expires_at };
    Ok(answer::json(StatusCode::CREATED, &created))
}
