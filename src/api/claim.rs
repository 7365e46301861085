//! Who asks, and may they? A [`Claim`] is what a request says of itself; [`Claim::load`] proves it in the same round trip
//! that reads what the handler needs; [`authorize`] decides.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use futures_util::future::BoxFuture;
use http::request::Parts;
use http::{HeaderMap, HeaderName, Uri, header};

use crate::app::App;
use crate::config::Config;
use crate::domain::actor::Actor;
use crate::domain::caller::{Caller, KeyCaller, PersonCaller, SessionCaller};
use crate::domain::connection::Connection;
use crate::domain::environment::Environment;
use crate::domain::grants::Grants;
use crate::domain::scope::Scope;
use crate::ports::Statement;
use crate::store::access::Found;
use crate::store::sign_ins::SignedIn;
use crate::store::sources::Sources;
use crate::store::{Query, RowsOf, access, nothing, run, sign_ins};
use crate::token::{Token, TokenHash};

use super::error::ApiError;
use super::extract::{Parsed, header_text};

/// Whom an engine acts for, as it says.
const ACTOR: HeaderName = HeaderName::from_static("keyfob-actor");
/// The address of the client, as the platform tells it.
const ADDRESS: HeaderName = HeaderName::from_static("cf-connecting-ip");

/// The cookie with the session of the dashboard. `__Host-`: of this host alone, over TLS alone (RFC 6265bis, section 4.1.3.2).
pub const SESSION_COOKIE: &str = "__Host-keyfob_session";

/// What a request says of itself, not yet proved.
pub struct Claim {
    token: Option<Token>,
    /// Whether it names itself in `Authorization`; then a cookie, which a browser adds unasked, does not count.
    is_explicit: bool,
    is_safe: bool,
    actor: Option<String>,
    address: String,
    origin: Option<String>,
    own_origin: Option<String>,
}

/// A proved caller, and how history names it.
pub struct Identity {
    /// The caller.
    pub caller: Caller,
    /// As history and audit name it.
    pub actor: Actor,
    /// The session of the dashboard, where the caller is signed in to it.
    pub session: Option<SignedIn>,
}

impl<S: Send + Sync> FromRequestParts<S> for Claim {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let text = |name: HeaderName| header_text(&parts.headers, &name);
        let is_explicit = parts.headers.contains_key(header::AUTHORIZATION);
        let bearer = text(header::AUTHORIZATION).and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        });
        let token = if is_explicit { bearer } else { cookie(&parts.headers, SESSION_COOKIE) }.and_then(Token::parse);
        // A session of the dashboard is valid in its cookie alone, and nothing else is valid there.
        let token = token.filter(|token| matches!(token, Token::Dashboard(_)) != is_explicit);
        let claimed = |actor: &str| actor.chars().filter(|c| !c.is_control()).take(200).collect();
        let actor = text(ACTOR).map(claimed);
        Ok(Self {
            token,
            is_explicit,
            is_safe: parts.method.is_safe(),
            actor,
            address: text(ADDRESS).unwrap_or("unknown").to_owned(),
            origin: text(header::ORIGIN).map(str::to_owned),
            own_origin: own_origin(&parts.uri),
        })
    }
}

/// The value of a cookie; none where it is sent twice, for then one of them is somebody else's.
#[must_use]
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let pairs = header_text(headers, &header::COOKIE)?.split(';').filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value);
    values.next().filter(|_| values.next().is_none())
}

/// The origin under which the caller reached this Keyfob.
fn own_origin(uri: &Uri) -> Option<String> {
    Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?))
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

    /// Whether the request names itself in `Authorization`.
    #[must_use]
    pub const fn is_explicit(&self) -> bool {
        self.is_explicit
    }

    /// Refuses what a page of another site makes a browser send.
    ///
    /// # Errors
    /// 403 when the request comes from such a page; also when it says nothing of where it comes from, unless that is enough.
    pub fn refuse_foreign(&self, is_silence_enough: bool) -> Result<(), ApiError> {
        let is_own = match &self.origin {
            None => is_silence_enough,
            Some(origin) => self.own_origin.as_ref() == Some(origin),
        };
        if is_own { Ok(()) } else { Err(ApiError::ForeignOrigin) }
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

    /// Reads, in one round trip, for a request that proves itself by something else than its claim, and learns whether it comes
    /// from a registered page.
    ///
    /// # Errors
    /// 403 when it comes from a page that is not registered, and none of this Keyfob.
    pub async fn load_unproved<T: Send + 'static>(&self, app: &App, wanted: Query<T>) -> Result<T, ApiError> {
        let (read, is_registered) = wanted.and(self.find_registered()).run(&*app.database).await?;
        self.note_origin(app, is_registered);
        let is_welcome = is_registered || self.origin.is_none() || self.origin == self.own_origin;
        if is_welcome { Ok(read) } else { Err(ApiError::OriginNotRegistered) }
    }

    /// The origin under which the caller reached this Keyfob.
    #[must_use]
    pub fn own_origin(&self) -> Option<&str> {
        self.own_origin.as_deref()
    }

    fn find_registered(&self) -> Query<bool> {
        self.origin.as_deref().map_or_else(|| nothing().map(|()| false), access::is_registered)
    }

    fn note_origin(&self, app: &App, is_registered: bool) {
        if let Some(origin) = self.origin.clone().filter(|_| is_registered) {
            let _ = app.trace.registered_origin.set(origin);
        }
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
            if matches!(self.token, Some(Token::Dashboard(_))) && !self.is_safe {
                self.refuse_foreign(false)?;
            }
            let (mut statements, read) = self.find_caller(app).and(self.find_registered()).into_parts();
            // Without a token nothing is read for anybody.
            if self.token.is_some() {
                statements.extend(wanted);
            }
            let mut rows = run(&*app.database, statements).await?;
            let (found, is_registered) = read(&mut rows)?;
            self.note_origin(app, is_registered);
            let Some((caller, session)) = found else { return Err(self.refused(app).await) };
            Ok((self.identity(app, caller, session), rows))
        })
    }

    fn find_caller(&self, app: &App) -> Query<Option<(Caller, Option<SignedIn>)>> {
        match self.token.clone() {
            // A link proves nothing of itself, it is redeemed for a session; neither does what an authorization is made of.
            None | Some(Token::Link(_) | Token::Authorization(_)) => nothing().map(|()| None),
            Some(Token::ApiKey(hash))
                if app.config.root_key.as_ref().is_some_and(|root| root.matches(hash.as_str())) =>
            {
                nothing().map(|()| Some((Caller::Key(KeyCaller::root()), None)))
            }
            Some(Token::ApiKey(hash)) => access::find_key_caller(hash.as_str(), app.now())
                .map(move |found| matching(found, &hash).map(|key| (Caller::Key(key), None))),
            Some(Token::Session(hash)) => access::find_session_caller(hash.as_str(), app.now())
                .map(move |found| matching(found, &hash).map(|session| (Caller::Session(session), None))),
            Some(Token::Dashboard(hash)) => {
                let config = Arc::clone(&app.config);
                sign_ins::find(hash.as_str(), app.now()).map(move |found| {
                    let session = matching(found, &hash)?;
                    Some((signed_in(&config, &session)?, Some(session)))
                })
            }
        }
    }

    /// Counts a failed authentication, and tells what to answer.
    pub async fn refused(&self, app: &App) -> ApiError {
        if app.throttle.too_many_failures(&self.address).await {
            ApiError::TooManyFailures
        } else {
            ApiError::Unauthorized
        }
    }

    /// The identity of a caller that was proved.
    #[must_use]
    pub fn identity(&self, app: &App, caller: Caller, session: Option<SignedIn>) -> Identity {
        let (id, name) = (caller.id().to_owned(), caller.name().to_owned());
        let _ = app.trace.caller.set(id.clone());
        Identity { caller, actor: Actor { id, name, claimed: self.actor.clone() }, session }
    }
}

/// Who is signed in: the key while it holds, or the person as the roles of today name them.
fn signed_in(config: &Config, session: &SignedIn) -> Option<Caller> {
    if let Some(email) = &session.email {
        let grants = config.access.as_ref()?.roles.of(email, &session.groups)?;
        return Some(Caller::Person(PersonCaller::new(email.clone(), grants.clone())));
    }
    let is_root = |hash: &String| config.root_key.as_ref().is_some_and(|root| root.matches(hash));
    let root = session.key_hash.as_ref().filter(|hash| is_root(hash)).map(|_| KeyCaller::root());
    root.or_else(|| session.key.clone()).map(Caller::Key)
}

fn matching<T>(found: Option<Found<T>>, hash: &TokenHash) -> Option<T> {
    found.filter(|found| hash.matches(&found.token_hash)).map(|found| found.caller)
}

/// Something that belongs to an environment.
pub trait Resource {
    /// The environment that a caller must be allowed.
    fn environment(&self) -> Environment;
}

impl Resource for Connection {
    fn environment(&self) -> Environment {
        self.environment
    }
}

impl Resource for Sources {
    fn environment(&self) -> Environment {
        self.connection.environment
    }
}

impl Identity {
    /// Decides whether the caller may do something to a resource, and hands the resource over if so.
    ///
    /// The scope is asked first, so that what a caller lacks reveals nothing of what there is; then a resource that is absent
    /// and one of another environment look the same.
    ///
    /// # Errors
    /// 403 without the scope, 404 where there is nothing that the caller may see.
    pub fn authorize<R: Resource>(&self, scope: Scope, resource: Option<R>) -> Result<R, ApiError> {
        let grants = self.require(scope)?;
        resource.filter(|resource| grants.environments.contains(&resource.environment())).ok_or(ApiError::NotFound)
    }

    /// Decides whether the caller may do something in an environment as a whole.
    ///
    /// # Errors
    /// 403 without the scope or for another environment: that an environment exists is no secret.
    pub fn authorize_in(&self, scope: Scope, environment: Environment) -> Result<(), ApiError> {
        let is_allowed = self.require(scope)?.environments.contains(&environment);
        if is_allowed { Ok(()) } else { Err(ApiError::EnvironmentNotAllowed(environment)) }
    }

    /// Decides whether the caller may do something that concerns the whole deployment; gives what else it may do.
    ///
    /// # Errors
    /// 403 without the scope.
    pub fn require(&self, scope: Scope) -> Result<&Grants, ApiError> {
        let grants = self.grants()?;
        if grants.scopes.contains(&scope) { Ok(grants) } else { Err(ApiError::MissingScope(scope)) }
    }

    /// What the caller may do.
    ///
    /// # Errors
    /// 403 for an embedded session.
    pub fn grants(&self) -> Result<&Grants, ApiError> {
        self.caller.grants().ok_or(ApiError::KeyRequired)
    }

    /// The embedded session behind the caller.
    ///
    /// # Errors
    /// 403 for an API key or a person.
    pub fn session(&self) -> Result<&SessionCaller, ApiError> {
        match &self.caller {
            Caller::Session(session) => Ok(session),
            Caller::Key(_) | Caller::Person(_) => Err(ApiError::SessionRequired),
        }
    }
}
