//! `GET /oauth/callback`: where a provider sends a person's browser back.

use std::collections::BTreeMap;

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::json;
use url::form_urlencoded;

use crate::api::audited;
use crate::api::claim::Claim;
use crate::api::connections::authorize::{draft, subject};
use crate::api::connections::tested::Tested;
use crate::api::connections::tokens::Subject;
use crate::api::connections::values::{check_key, find_key_check};
use crate::api::error::ApiError;
use crate::app::App;
use crate::domain::audit::AuditAction;
use crate::domain::authorization::{Authorization, Stage};
use crate::domain::health::Source;
use crate::domain::reason::Reason;
use crate::domain::values::Secret;
use crate::oauth::{self, Code, Pkce, Tokens};
use crate::store::sources::{self, Sources};
use crate::store::{self, authorizations, tokens};
use crate::token::Token;

use super::page::{Page, Say};
use super::{browser, is_prefetch, is_shown, set_cookie};

/// How often tokens are numbered anew, because a renewal of the old ones took the number.
const NUMBERING: usize = 5;

/// GET /oauth/callback
///
/// Takes the answer of a provider: in the browser that was sent there, once, and within ten minutes. Exchanges the code, stores
/// the tokens, tests them, and shows a page that says what happened.
#[utoipa::path(
    get, path = "/oauth/callback", tag = "Authorization", security(()),
    params(
        ("state" = Option<String>, Query, description = "What the provider was sent."),
        ("code" = Option<String>, Query, description = "What is exchanged for tokens."),
        ("iss" = Option<String>, Query, description = "The issuer (RFC 9207)."),
        ("error" = Option<String>, Query, description = "Why there is no code."),
        ("error_description" = Option<String>, Query, description = "The same in the provider's words: shown as text.")
    ),
    responses(
        (status = 200, description = "Connected: a page", body = String, content_type = "text/html"),
        (status = 403, description = "Of another browser: a page", body = String, content_type = "text/html"),
        (status = 409, description = "Not connected: a page that says why", body = String, content_type = "text/html"),
        (status = 410, description = "Used, or too old: a page", body = String, content_type = "text/html"),
        (status = 429, description = "Too many that are none: a page", body = String, content_type = "text/html"),
        (status = 503, description = "Not now: a page", body = String, content_type = "text/html")
    )
)]
pub async fn finish_authorization(app: App, claim: Claim, method: Method, headers: HeaderMap, uri: Uri) -> Response {
    let answer = match Answer::parse(uri.query().unwrap_or_default()) {
        Some(answer) => finish(&app, &claim, (&method, &headers), &answer).await,
        None => Err(claim.refused(&app).await),
    };
    answer.unwrap_or_else(Page::of_error).into_response()
}

/// What a provider answered.
struct Answer {
    state: Secret,
    code: Option<Secret>,
    issuer: Option<String>,
    error: Option<String>,
    words: Option<String>,
}

impl Answer {
    /// Reads a query; none where a parameter stands twice (RFC 6749, section 3.1), or there is no state.
    fn parse(query: &str) -> Option<Self> {
        let mut all = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if all.insert(name.into_owned(), value.into_owned()).is_some() {
                return None;
            }
        }
        let mut take = |name: &str| all.remove(name).filter(|value| !value.is_empty());
        Some(Self {
            state: Secret::new(take("state")?),
            code: take("code").map(Secret::new),
            issuer: take("iss"),
            error: take("error"),
            words: take("error_description"),
        })
    }

    /// Why there is no code: the codes of RFC 6749, section 4.1.2.1, and one for all others.
    fn refusal(&self) -> Option<&'static str> {
        const KNOWN: [&str; 5] =
            ["access_denied", "invalid_scope", "server_error", "temporarily_unavailable", "client_refused"];
        let error = self.error.as_deref()?;
        if error == "unauthorized_client" {
            return Some("client_refused");
        }
        Some(KNOWN.into_iter().find(|known| *known == error).unwrap_or("provider_refused"))
    }
}

async fn finish(
    app: &App,
    claim: &Claim,
    (method, headers): (&Method, &HeaderMap),
    answer: &Answer,
) -> Result<Page, ApiError> {
    if is_prefetch(headers) || !is_shown(method, headers) {
        return Ok(Page::new(StatusCode::FORBIDDEN, Say::NotShown));
    }
    let Some(Token::Authorization(state)) = Token::parse(answer.state.expose_secret()) else {
        return Err(claim.refused(app).await);
    };
    let found = authorizations::find_by_state(state.as_str()).run(&*app.database).await?;
    let Some(attempt) = found else { return Err(claim.refused(app).await) };
    // Somebody else's browser does not end the attempt of this one.
    let Some(browser) = browser(headers, &attempt) else {
        return Ok(Page::new(StatusCode::FORBIDDEN, Say::OtherBrowser));
    };
    let is_open = attempt.state == Stage::Started && attempt.expires_at > app.now();
    if !is_open || !authorizations::answer(&attempt.id, app.now()).run(&*app.database).await? {
        return Ok(Page::new(StatusCode::GONE, Say::Used));
    }
    let page = match take(app, &attempt, answer, &browser).await {
        Ok(say) => Page::new(StatusCode::OK, say),
        Err(code) => {
            let words = answer.words.clone().filter(|_| answer.error.is_some());
            store::run(&*app.database, vec![authorizations::fail(&attempt.id, code)]).await?;
            Page::new(StatusCode::CONFLICT, Say::Failed(code.to_owned(), words))
        }
    };
    Ok(page.of(&attempt).clearing(set_cookie(&attempt, "", 0)))
}

/// Takes the answer: exchanges, stores, tests. An error is the code of the attempt's failure.
async fn take(app: &App, attempt: &Authorization, answer: &Answer, browser: &Secret) -> Result<Say, &'static str> {
    let ring = app.ring().map_err(|_| "storage_failed")?;
    let found = sources::find(&attempt.connection_id).run(&*app.database).await.map_err(|_| "storage_failed")?;
    let sources = found.ok_or("connection_changed")?;
    // Under a wrong key nothing could be stored, and the code would be spent.
    let known = find_key_check(app).run(&*app.database).await.map_err(|_| "storage_failed")?;
    check_key(ring, ring.primary_id(), known.as_deref()).map_err(|_| "storage_failed")?;
    let mut draft = draft(app, ring, &sources).await.map_err(|_| "incomplete")?;
    let obtained = {
        let subject = subject((app, ring), &sources, &draft).map_err(|_| "incomplete")?;
        if subject.basis() != attempt.basis {
            return Err("connection_changed");
        }
        check_issuer(app, &subject, answer).await?;
        if let Some(code) = answer.refusal() {
            return Err(code);
        }
        let code = answer.code.as_ref().ok_or("provider_refused")?;
        let code = Code { code, pkce: &Pkce::of(browser), redirect_uri: &attempt.redirect_uri };
        let obtained = subject.exchange(code).await.map_err(oauth::Failed::as_str)?;
        store(app, &subject, &sources, attempt, obtained).await?
    };
    draft.tokens = Some(Ok(obtained));
    // The tokens are there, whatever the test finds, and whether or not its result can be stored.
    let tested = Tested::run(app, &draft, sources.basis(), Source::Authorization).await;
    let _ = tested.keep(app, &sources.connection.id).await;
    let found = tested.test.reason.filter(|_| !tested.test.verdict.is_usable()).map(Reason::sentence);
    Ok(Say::Connected(sources.connection.label.name.to_string(), found))
}

/// Refuses the answer of another server than the one that was asked (RFC 9207, section 2.4).
async fn check_issuer(app: &App, subject: &Subject<'_>, answer: &Answer) -> Result<(), &'static str> {
    let client = subject.client();
    let is_named = if client.is_discovered() {
        let allowed = subject.allowed().map_err(|_| "incomplete")?;
        let found = oauth::addresses(&app.egress, client, &allowed, &mut app.egress.deadline()).await;
        found.map_err(oauth::Failed::as_str)?.names_issuer
    } else {
        false
    };
    match (&answer.issuer, &client.issuer) {
        // The slash at the end of a bare host, which our spelling of addresses drops, apart.
        (Some(named), Some(asked)) if named.trim_end_matches('/') != asked.trim_end_matches('/') => {
            Err("issuer_mismatch")
        }
        (None, _) if is_named => Err("issuer_mismatch"),
        _ => Ok(()),
    }
}

/// Stores the tokens under the next number, and the end of the attempt with them.
async fn store(
    app: &App,
    subject: &Subject<'_>,
    sources: &Sources,
    attempt: &Authorization,
    obtained: Tokens,
) -> Result<crate::api::connections::tokens::Fresh, &'static str> {
    let mut generation = sources.tokens.as_ref().map_or(0, |row| row.held.generation);
    for _ in 0..NUMBERING {
        if attempt.first_only && generation > 0 {
            return Err("connection_changed");
        }
        let entry = audited::Entry {
            environment: Some(attempt.environment),
            action: AuditAction::ConnectionAuthorized,
            resource_id: attempt.connection_id.to_string(),
            detail: json!({ "authorization": attempt.id, "token_generation": generation + 1 }),
        };
        let audited = audited::statements(app, &attempt.actor, entry).map_err(|_| "storage_failed")?;
        let along = [vec![authorizations::succeed(&attempt.id)], audited].concat();
        match subject.store(&obtained, (generation + 1, None), along).await {
            Ok(Some(fresh)) => return Ok(fresh),
            Ok(None) => {
                let row = tokens::find(&attempt.owner_id).run(&*app.database).await.map_err(|_| "storage_failed")?;
                generation = row.map_or(generation, |row| row.held.generation);
            }
            Err(ApiError::NotFound) => return Err("connection_changed"),
            Err(_) => return Err("storage_failed"),
        }
    }
    Err("storage_failed")
}
