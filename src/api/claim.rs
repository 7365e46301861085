//! Who asks, and may they? A [`Claim`] is what a request says of itself; [`Claim::load`] proves it in the same round trip
//! that reads what the handler needs; [`authorize`] decides.

use axum::extract::FromRequestParts;
use futures_util::future::BoxFuture;
use http::request::Parts;
use http::{HeaderName, header};

use crate::app::App;
use crate::domain::actor::Actor;
use crate::domain::caller::{Caller, KeyCaller, SessionCaller};
use crate::domain::connection::Connection;
use crate::domain::environment::Environment;
use crate::domain::scope::Scope;
use crate::ports::Statement;
use crate::store::access::Found;
use crate::store::{Query, RowsOf, access, nothing, run};
use crate::token::{Token, TokenHash};

use super::error::ApiError;
use super::extract::{Parsed, header_text};

/// Whom an engine acts for, as it says.
const ACTOR: HeaderName = HeaderName::from_static("keyfob-actor");
/// The address of the client, as the platform tells it.
const ADDRESS: HeaderName = HeaderName::from_static("cf-connecting-ip");

/// What a request says of itself, not yet proved.
pub struct Claim {
    token: Option<Token>,
    actor: Option<String>,
    address: String,
    origin: Option<String>,
}

/// A proved caller, and how history names it.
pub struct Identity {
    /// The caller.
    pub caller: Caller,
    /// As history and audit name it.
    pub actor: Actor,
}

impl<S: Send + Sync> FromRequestParts<S> for Claim {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let text = |name: HeaderName| header_text(&parts.headers, &name);
        let bearer = text(header::AUTHORIZATION).and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        });
        let claimed = |actor: &str| actor.chars().filter(|c| !c.is_control()).take(200).collect();
        let actor = text(ACTOR).map(claimed);
        Ok(Self {
            token: bearer.and_then(Token::parse),
            actor,
            address: text(ADDRESS).unwrap_or("unknown").to_owned(),
            origin: text(header::ORIGIN).map(str::to_owned),
        })
    }
}

impl Claim {
    /// Names the caller before it is known: the hash of its token.
    #[must_use]
    pub fn token_hash(&self) -> Option<&TokenHash> {
        self.token.as_ref().map(Token::hash)
    }

    /// The hash of the token of an embedded session, where that is what the request carries.
    #[must_use]
    pub fn session_hash(&self) -> Option<&str> {
        match &self.token {
            Some(Token::Session(hash)) => Some(hash.as_str()),
            _ => None,
        }
    }

    /// Proves the claim and reads what the handler needs, in one round trip.
    ///
    /// # Errors
    /// 401 when the claim does not hold.
    pub async fn load<T: Send + 'static>(&self, app: &App, wanted: Query<T>) -> Result<(Identity, T), ApiError> {
        let (statements, read) = wanted.into_parts();
        let (identity, mut rows) = self.prove(app, statements).await?;
        Ok((identity, read(&mut rows)?))
    }

    /// Hands on a part of the request; what is wrong with it is told to a proved caller only.
    ///
    /// # Errors
    /// 401 when the claim does not hold, else what is wrong with the part.
    pub async fn accept<T>(&self, app: &App, part: Parsed<T>) -> Result<T, ApiError> {
        match part {
            Ok(part) => Ok(part),
            Err(problem) => Err(self.prove(app, Vec::new()).await.err().unwrap_or(problem)),
        }
    }

    /// Proves the claim in one round trip with other statements, and gives their rows. Boxed and not generic: every handler
    /// awaits it, and each kind of future is code of its own.
    fn prove<'a>(
        &'a self,
        app: &'a App,
        wanted: Vec<Statement>,
    ) -> BoxFuture<'a, Result<(Identity, RowsOf), ApiError>> {
        Box::pin(async move {
            let registered = self.origin.as_deref().map_or_else(|| nothing().map(|()| false), access::is_registered);
            let (mut statements, read) = self.find_caller(app).and(registered).into_parts();
            // Without a token nothing is read for anybody.
            if self.token.is_some() {
                statements.extend(wanted);
            }
            let mut rows = run(&*app.database, statements).await?;
            let (caller, is_registered) = read(&mut rows)?;
            if let Some(origin) = self.origin.clone().filter(|_| is_registered) {
                let _ = app.trace.registered_origin.set(origin);
            }
            let Some(caller) = caller else { return Err(self.refused(app).await) };
            let _ = app.trace.caller.set(caller.id().to_owned());
            Ok((self.identity(caller), rows))
        })
    }

    fn find_caller(&self, app: &App) -> Query<Option<Caller>> {
        match self.token.clone() {
            None => nothing().map(|()| None),
            Some(Token::ApiKey(hash))
                if app.config.root_key.as_ref().is_some_and(|root| root.matches(hash.as_str())) =>
            {
                nothing().map(|()| Some(Caller::Key(KeyCaller::root())))
            }
            Some(Token::ApiKey(hash)) => access::find_key_caller(hash.as_str(), app.now())
                .map(move |found| matching(found, &hash).map(Caller::Key)),
            Some(Token::Session(hash)) => access::find_session_caller(hash.as_str(), app.now())
                .map(move |found| matching(found, &hash).map(Caller::Session)),
        }
    }

    async fn refused(&self, app: &App) -> ApiError {
        if app.throttle.too_many_failures(&self.address).await {
            ApiError::TooManyFailures
        } else {
            ApiError::Unauthorized
        }
    }

    fn identity(&self, caller: Caller) -> Identity {
        let (id, name) = match &caller {
            Caller::Key(key) => (key.id.clone(), key.name.clone()),
            Caller::Session(session) => {
                let customer = session.customer.as_ref().map(ToString::to_string);
                (session.id.to_string(), customer.unwrap_or_else(|| "Builder".to_owned()))
            }
        };
        Identity { caller, actor: Actor { id, name, claimed: self.actor.clone() } }
    }
}

fn matching<T>(found: Option<Found<T>>, hash: &TokenHash) -> Option<T> {
    found.filter(|found| hash.matches(&found.token_hash)).map(|found| found.caller)
}

/// What a caller wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// What any API key may do: read the catalogue.
    Any,
    /// What needs a scope.
    With(Scope),
}

/// Something that belongs to an environment, or to the whole deployment.
pub trait Resource {
    /// The environment that a caller must be allowed, where there is one.
    fn environment(&self) -> Option<Environment>;
}

impl Resource for Connection {
    fn environment(&self) -> Option<Environment> {
        Some(self.environment)
    }
}

/// The whole deployment.
pub struct Deployment;

impl Resource for Deployment {
    fn environment(&self) -> Option<Environment> {
        None
    }
}

/// Decides whether a caller may do something to a resource, and hands the resource over if so.
///
/// The scope is asked first, so that what a caller lacks reveals nothing of what there is; then a resource that is absent
/// and one of another environment look the same.
///
/// # Errors
/// 403 without the scope, 404 where there is nothing that the caller may see.
pub fn authorize<R: Resource>(caller: &Caller, action: Action, resource: Option<R>) -> Result<R, ApiError> {
    let Caller::Key(key) = caller else { return Err(ApiError::KeyRequired) };
    if let Action::With(scope) = action
        && !key.scopes.contains(&scope)
    {
        return Err(ApiError::MissingScope(scope));
    }
    let is_allowed =
        |resource: &R| resource.environment().is_none_or(|environment| key.environments.contains(&environment));
    resource.filter(is_allowed).ok_or(ApiError::NotFound)
}

impl Identity {
    /// [`authorize`] for this caller.
    ///
    /// # Errors
    /// As [`authorize`].
    pub fn authorize<R: Resource>(&self, action: Action, resource: Option<R>) -> Result<R, ApiError> {
        authorize(&self.caller, action, resource)
    }

    /// Decides whether the caller may do something in an environment as a whole.
    ///
    /// # Errors
    /// 403 without the scope or for another environment: that an environment exists is no secret.
    pub fn authorize_in(&self, action: Action, environment: Environment) -> Result<(), ApiError> {
        authorize(&self.caller, action, Some(Deployment))?;
        let Caller::Key(key) = &self.caller else { return Err(ApiError::KeyRequired) };
        let is_allowed = key.environments.contains(&environment);
        if is_allowed { Ok(()) } else { Err(ApiError::EnvironmentNotAllowed(environment)) }
    }

    /// The key behind the caller.
    ///
    /// # Errors
    /// 403 for a session.
    pub fn key(&self) -> Result<&KeyCaller, ApiError> {
        match &self.caller {
            Caller::Key(key) => Ok(key),
            Caller::Session(_) => Err(ApiError::KeyRequired),
        }
    }

    /// The session behind the caller.
    ///
    /// # Errors
    /// 403 for an API key.
    pub fn session(&self) -> Result<&SessionCaller, ApiError> {
        match &self.caller {
            Caller::Session(session) => Ok(session),
            Caller::Key(_) => Err(ApiError::SessionRequired),
        }
    }
}
