//! Problems as the API tells them (RFC 9457): the only place that chooses a status code.
//!
//! A problem tells what to do and holds nothing internal, nothing of a provider's body, and never a value. What failed
//! inside goes to the log, once, through the request's trace.

mod problem;
mod stored;
mod words;

pub use problem::{Problem, ValueError};

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use crate::domain::environment::Environment;
use crate::domain::scope::Scope;
use crate::domain::usage::Place;

/// Why a request is not answered as asked.
#[derive(Debug)]
pub enum ApiError {
    /// No key, or one that is unknown, revoked or expired.
    Unauthorized,
    /// Too many failed authentications from one address.
    TooManyFailures,
    /// The key lacks a scope.
    MissingScope(Scope),
    /// The key may not use this environment.
    EnvironmentNotAllowed(Environment),
    /// The route is for API keys.
    KeyRequired,
    /// The route is for embedded sessions.
    SessionRequired,
    /// The route is for sessions of the organization's own designer.
    BuilderRequired,
    /// The connection is not the customer's to change.
    NotOwn,
    /// A request with a cookie comes from somewhere else than a page of this Keyfob.
    ForeignOrigin,
    /// A key would grant what it lacks.
    GrantExceeded,
    /// There is no such thing, or none that the caller may see.
    NotFound,
    /// No connection of the environment has the stable key.
    StableKeyUnknown,
    /// The step is not registered with a connection.
    StepUnknown,
    /// The customer has no connection under the template.
    CustomerNotConnected,
    /// The route exists, the method does not.
    MethodNotAllowed,
    /// The query does not parse.
    InvalidQuery(ValueError),
    /// The cursor is not one of this list.
    InvalidCursor,
    /// A header does not parse.
    InvalidHeader(&'static str),
    /// The body is no JSON.
    InvalidJson,
    /// The body is not announced as JSON.
    UnsupportedMediaType,
    /// The body is too large.
    BodyTooLarge,
    /// Values of the body are wrong.
    InvalidBody(Vec<ValueError>),
    /// The change needs `If-Match`.
    PreconditionRequired,
    /// Somebody else changed it.
    PreconditionFailed,
    /// The stable key is taken.
    StableKeyTaken,
    /// The origin is registered already.
    OriginTaken,
    /// A page of an origin that is not registered asks for a session.
    OriginNotRegistered,
    /// The token was exchanged before.
    TokenUsed,
    /// Steps of workflows use the connection: how many, and the first of them.
    InUse(u64, Vec<Place>),
    /// The usages became others while the request was under way.
    UsagesChanged,
    /// Some of the connections that are changed together were changed meanwhile.
    ConnectionsChanged,
    /// Customers have connections under the template: how many.
    TemplateInUse(u64),
    /// Customers would have to enter their secrets again: how many.
    CustomersAffected(u64),
    /// The template became another one while the request was under way.
    TemplateChanged,
    /// The customer has a connection under the template already.
    CustomerConnected,
    /// The customer has as many connections as one may have.
    TooManyOfCustomer,
    /// The connections of the customer became others while the request was under way.
    CustomerChanged,
    /// The connection has as many usages as one may have.
    TooManyUsages,
    /// The first answer showed a secret once; here is what it created.
    AlreadyCreated(String),
    /// The idempotency key came with another request before.
    IdempotencyKeyReused,
    /// The older revision does not fit today's catalogue.
    RevisionIncompatible(Vec<ValueError>),
    /// Definitions say what connections that exist cannot become.
    ImportConflicts(Vec<ValueError>),
    /// The connection cannot be resolved; the word says why.
    NotResolvable(&'static str, &'static str),
    /// The connection type sends no message.
    NoMessage,
    /// Too often; try again after so many seconds.
    RateLimited(u64),
    /// The secret was written a moment ago and is not visible here yet.
    SecretPending,
    /// The provider did not revoke the tokens of a connection that was to be deleted.
    NotRevoked,
    /// The provider gives no tokens now, and those that there are have ended.
    TokensUnavailable,
    /// The master key is missing or wrong.
    KeyUnavailable,
    /// The keys of Cloudflare Access cannot be read.
    AccessUnavailable,
    /// The Worker is configured such that it must not run.
    Misconfigured,
    /// The storage failed; nothing was done as far as it tells.
    StorageUnavailable(String),
    /// A fault of ours.
    Internal(String),
}

struct Shape {
    status: StatusCode,
    code: &'static str,
    detail: String,
    errors: Vec<ValueError>,
    usages: Vec<Place>,
    retry_after: Option<u64>,
}

impl ApiError {
    /// One value of the body is wrong.
    #[must_use]
    pub fn invalid(pointer: &str, detail: &str) -> Self {
        Self::InvalidBody(vec![ValueError::new(pointer, "invalid", detail)])
    }

    /// A parameter of the query is wrong.
    #[must_use]
    pub fn invalid_query(pointer: &str, detail: &str) -> Self {
        Self::InvalidQuery(ValueError::new(pointer, "invalid", detail))
    }

    /// Refuses values that are wrong.
    ///
    /// # Errors
    /// When there are any.
    pub fn refuse(errors: Vec<ValueError>) -> Result<(), Self> {
        if errors.is_empty() { Ok(()) } else { Err(Self::InvalidBody(errors)) }
    }

    /// What failed inside, for the log.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        match self {
            Self::StorageUnavailable(failure) | Self::Internal(failure) => Some(failure),
            _ => None,
        }
    }

    fn shape(self) -> Shape {
        let retry_after = match &self {
            Self::RateLimited(seconds) => Some(*seconds),
            Self::TooManyFailures => Some(60),
            Self::SecretPending | Self::AccessUnavailable | Self::TokensUnavailable => Some(5),
            Self::StorageUnavailable(_) => Some(1),
            _ => None,
        };
        let (status, code, detail) = self.words();
        let (errors, usages) = match self {
            Self::InvalidQuery(error) => (vec![error], Vec::new()),
            Self::InvalidBody(errors) | Self::RevisionIncompatible(errors) | Self::ImportConflicts(errors) => {
                (errors, Vec::new())
            }
            Self::InUse(_, usages) => (Vec::new(), usages),
            _ => (Vec::new(), Vec::new()),
        };
        Shape { status, code, detail, errors, usages, retry_after }
    }
}

impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Self {
        let Shape { status, code, detail, errors, usages, .. } = error.shape();
        let title = status.canonical_reason().unwrap_or_default().to_owned();
        Self { status: status.as_u16(), title, code: code.to_owned(), detail, errors, usages }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let failure = self.failure().map(|text| Failure(text.to_owned()));
        let Shape { status, code, detail, errors, usages, retry_after } = self.shape();
        let title = status.canonical_reason().unwrap_or_default().to_owned();
        let problem = Problem { status: status.as_u16(), title, code: code.to_owned(), detail, errors, usages };
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(failure) = failure {
            response.extensions_mut().insert(failure);
        }
        response
    }
}

/// What failed inside: travels with the answer to the log line, never to the caller.
#[derive(Debug, Clone)]
pub struct Failure(pub String);
