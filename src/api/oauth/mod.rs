//! What a person's browser asks while it authorizes a connection: our start page, which sends it to the provider, and the page
//! that the provider sends it back to. Their answers are pages for people, not JSON.

pub mod callback;
mod page;
pub mod start;

use http::{HeaderMap, Method};

use crate::api::claim::cookie;
use crate::domain::authorization::Authorization;
use crate::domain::values::Secret;
use crate::token::Token;

/// The name of the cookie of an attempt: each has its own, so that two tabs do not disturb each other. With the prefix `__Host-`
/// no other host can set it (RFC 6265bis, section 4.1.3.2).
fn cookie_name(attempt: &Authorization) -> String {
    format!("__Host-keyfob-{}", attempt.id)
}

/// The cookie for `Set-Cookie`; with `Lax` it comes along when the provider sends the browser back.
fn set_cookie(attempt: &Authorization, value: &str, seconds: u64) -> String {
    format!("{}={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={seconds}", cookie_name(attempt))
}

/// The secret of the browser that an attempt was started in; none in another browser.
fn browser(headers: &HeaderMap, attempt: &Authorization) -> Option<Secret> {
    let value = cookie(headers, &cookie_name(attempt))?;
    let token = Token::parse(value)?;
    let expected = attempt.browser_hash.as_deref()?;
    matches!(&token, Token::Authorization(hash) if hash.matches(expected)).then(|| Secret::new(value.to_owned()))
}

/// Whether a browser loads the page only in case somebody will want it.
fn is_prefetch(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text("sec-purpose").contains("prefetch") || text("purpose").contains("prefetch")
}

/// Whether a browser says that it shows the page to a person; one that says nothing may. Whoever only looks (`HEAD`) does not.
fn is_shown(method: &Method, headers: &HeaderMap) -> bool {
    let mode = headers.get("sec-fetch-mode").and_then(|value| value.to_str().ok());
    *method == Method::GET && mode.is_none_or(|mode| mode == "navigate")
}
