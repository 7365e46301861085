//! `GET /oauth/start/{ticket}`: sends a person's browser to the provider.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode, header};

use crate::api::answer;
use crate::api::claim::Claim;
use crate::api::connections::authorize::{LIFETIME, draft, subject};
use crate::api::error::ApiError;
use crate::api::extract::{InPath, Parsed};
use crate::app::App;
use crate::domain::authorization::Authorization;
use crate::domain::values::Secret;
use crate::oauth::{self, Pkce, authorize_url};
use crate::store::{self, authorizations, sources};
use crate::token::{NewToken, Token};

use super::page::{Page, Say};
use super::{is_prefetch, is_shown, set_cookie};

/// GET /oauth/start/{ticket}
///
/// Sends a person's browser to the provider's consent, and remembers in a cookie that it was this browser. The ticket, from
/// `start_url`, opens once and within ten minutes.
#[utoipa::path(
    get, path = "/oauth/start/{ticket}", tag = "Authorization", security(()),
    params(("ticket" = String, Path, description = "From `start_url`.")),
    responses(
        (status = 303, description = "To the provider"),
        (status = 403, description = "Not shown to a person: a page", body = String, content_type = "text/html"),
        (status = 409, description = "The connection cannot be authorized as it is: a page", body = String, content_type = "text/html"),
        (status = 410, description = "Used, or too old: a page", body = String, content_type = "text/html"),
        (status = 429, description = "Too many that are none: a page", body = String, content_type = "text/html"),
        (status = 503, description = "Not now: a page", body = String, content_type = "text/html")
    )
)]
pub async fn start_authorization(
    app: App,
    claim: Claim,
    method: Method,
    headers: HeaderMap,
    ticket: Parsed<InPath<String>>,
) -> Response {
    match start(&app, &claim, (&method, &headers), ticket).await {
        Ok(response) => response,
        Err(error) => Page::of_error(error).into_response(),
    }
}

async fn start(
    app: &App,
    claim: &Claim,
    (method, headers): (&Method, &HeaderMap),
    ticket: Parsed<InPath<String>>,
) -> Result<Response, ApiError> {
    // A look ahead must not use the ticket up.
    if is_prefetch(headers) || !is_shown(method, headers) {
        return Ok(Page::new(StatusCode::FORBIDDEN, Say::NotShown).into_response());
    }
    let token = ticket.ok().and_then(|InPath(ticket)| Token::parse(&ticket));
    let Some(Token::Authorization(ticket)) = token else { return Err(claim.refused(app).await) };
    let (state, browser) = (Token::new_authorization(&*app.random), Token::new_authorization(&*app.random));
    let hashes = (state.hash.as_str(), browser.hash.as_str());
    let started = authorizations::start(ticket.as_str(), hashes, app.now()).run(&*app.database).await?;
    let Some(attempt) = started else {
        return Ok(Page::new(StatusCode::GONE, Say::Used).into_response());
    };
    match send(app, &attempt, &state, &browser).await {
        Ok(response) => Ok(response),
        Err(Unfit::Error(error)) => Err(error),
        Err(Unfit::Code(code)) => {
            store::run(&*app.database, vec![authorizations::fail(&attempt.id, code)]).await?;
            Ok(Page::new(StatusCode::CONFLICT, Say::Failed(code.to_owned(), None)).of(&attempt).into_response())
        }
    }
}

/// Why an attempt cannot begin.
enum Unfit {
    /// With this code.
    Code(&'static str),
    /// A fault of ours.
    Error(ApiError),
}

impl From<ApiError> for Unfit {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::NotResolvable(..) | ApiError::InvalidBody(_) => Self::Code("incomplete"),
            error => Self::Error(error),
        }
    }
}

/// Sends the browser to where the person consents.
async fn send(app: &App, attempt: &Authorization, state: &NewToken, browser: &NewToken) -> Result<Response, Unfit> {
    let found = sources::find(&attempt.connection_id).run(&*app.database).await.map_err(ApiError::from)?;
    let sources = found.ok_or(Unfit::Code("connection_changed"))?;
    let ring = app.ring().map_err(|_| ApiError::KeyUnavailable)?;
    let draft = draft(app, ring, &sources).await?;
    let subject = subject((app, ring), &sources, &draft)?;
    if subject.basis() != attempt.basis {
        return Err(Unfit::Code("connection_changed"));
    }
    let allowed = subject.allowed()?;
    let found = oauth::addresses(&app.egress, subject.client(), &allowed, &mut app.egress.deadline()).await;
    let at = found.map_err(|failed| Unfit::Code(failed.as_str()))?.authorize.ok_or(Unfit::Code("discovery_failed"))?;
    let pkce = Pkce::of(&Secret::new(browser.token.as_str().to_owned()));
    let state = Secret::new(state.token.as_str().to_owned());
    let url = authorize_url(subject.client(), &at, &attempt.redirect_uri, (&state, &pkce));
    let mut response = StatusCode::SEE_OTHER.into_response();
    answer::set(&mut response, header::LOCATION, url.as_str());
    answer::set(&mut response, header::SET_COOKIE, &set_cookie(attempt, &browser.token, LIFETIME.as_secs()));
    answer::set(&mut response, header::CACHE_CONTROL, "no-store");
    answer::set(&mut response, header::REFERRER_POLICY, "no-referrer");
    Ok(response)
}
