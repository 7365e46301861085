//! The pages that a person sees: what happened, and back. No script and no style stand in them; nothing of a provider is shown
//! but as text.

use axum::response::{IntoResponse, Response};
use html_escape::{encode_double_quoted_attribute, encode_text};
use http::{HeaderValue, StatusCode, header};

use crate::api::connections::authorize::sentence;
use crate::api::error::ApiError;
use crate::domain::authorization::Authorization;

/// What is loaded: the page's own style and script, and nothing from elsewhere. It stays in touch with the page that opened it,
/// so no `Cross-Origin-Opener-Policy`.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// The longest that a provider's own words are shown.
const LONGEST: usize = 300;

/// What a page says.
pub(super) enum Say {
    /// The connection of this name is authorized, and works, or what its test found.
    Connected(String, Option<&'static str>),
    /// It came to nothing: the code, and the provider's own words.
    Failed(String, Option<String>),
    /// The link was used before, or is too old.
    Used,
    /// The answer belongs to another browser.
    OtherBrowser,
    /// A page that is loaded without being shown.
    NotShown,
    /// A fault of ours, or too many attempts.
    Unavailable,
}

/// A page.
pub(super) struct Page {
    status: StatusCode,
    say: Say,
    /// The attempt, the word for how it ended, and where the person goes.
    attempt: Option<(String, Option<String>)>,
    cookie: Option<String>,
    failure: Option<Response>,
}

impl Page {
    pub(super) const fn new(status: StatusCode, say: Say) -> Self {
        Self { status, say, attempt: None, cookie: None, failure: None }
    }

    /// The page for what the API would tell as a problem. What failed inside goes to the log as it does there.
    pub(super) fn of_error(error: ApiError) -> Self {
        let say = if matches!(error, ApiError::Unauthorized) { Say::Used } else { Say::Unavailable };
        let problem = error.into_response();
        let status = if problem.status() == StatusCode::UNAUTHORIZED { StatusCode::GONE } else { problem.status() };
        Self { failure: Some(problem), ..Self::new(status, say) }
    }

    /// The page of an attempt, which the page that opened it is told of.
    pub(super) fn of(self, attempt: &Authorization) -> Self {
        Self { attempt: Some((attempt.id.to_string(), attempt.return_to.clone())), ..self }
    }

    /// Takes the cookie of the attempt away.
    pub(super) fn clearing(self, cookie: String) -> Self {
        Self { cookie: Some(cookie), ..self }
    }

    fn words(&self) -> (&'static str, &'static str, String) {
        match &self.say {
            Say::Connected(name, None) => ("succeeded", "Connected", format!("{name} is connected. You can close this page.")),
            Say::Connected(name, Some(found)) => ("succeeded", "Authorized", format!("{name} is authorized. {found}")),
            Say::Failed(code, None) => ("failed", "Not connected", sentence(code).to_owned()),
            Say::Failed(code, Some(words)) => {
                ("failed", "Not connected", format!("{} The provider says: {}", sentence(code), shown(words)))
            }
            Say::Used => {
                ("failed", "Start again", "This link was used before, or is too old. Go back and press the button again.".to_owned())
            }
            Say::OtherBrowser => (
                "failed",
                "Start again",
                "This answer belongs to another browser. If somebody sent you a link, do not use it; if not, go back and press \
                 the button again."
                    .to_owned(),
            ),
            Say::NotShown => ("failed", "Open the link yourself", "This page is opened by a person.".to_owned()),
            Say::Unavailable => ("failed", "Try again", "That did not work now. Try again in a moment.".to_owned()),
        }
    }
}

/// A provider's own words as text: on one line, without what could be mistaken for something else, and not too long.
fn shown(words: &str) -> String {
    let visible = words.chars().map(|c| if c.is_control() || c.is_whitespace() { ' ' } else { c });
    let harmless = visible.filter(
        |c| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'),
    );
    harmless.take(LONGEST).collect()
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let (state, title, text) = self.words();
        let (id, back) = self.attempt.unwrap_or_default();
        let link = back
            .as_deref()
            .map(|back| format!("<p><a id=\"back\" href=\"{}\">Go back</a></p>", encode_double_quoted_attribute(back)));
        let html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
             <link rel=\"stylesheet\" href=\"/authorization.css\">\n<script src=\"/authorization.js\" defer></script>\n</head>\n\
             <body data-authorization=\"{id}\" data-state=\"{state}\">\n<main>\n<h1>{title}</h1>\n<p>{}</p>\n{}\n</main>\n\
             </body>\n</html>\n",
            encode_text(&text),
            link.unwrap_or_default(),
        );
        let mut response = self.failure.unwrap_or_else(|| StatusCode::OK.into_response());
        *response.status_mut() = self.status;
        *response.body_mut() = html.into();
        let headers = response.headers_mut();
        headers.remove(header::WWW_AUTHENTICATE);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Some(cookie) = self.cookie.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
            headers.insert(header::SET_COOKIE, cookie);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_provider_are_text_and_nothing_else() {
        let words = "<script>alert(1)</script>\u{202e}\n".to_owned() + &"x".repeat(1000);
        let page = Page::new(StatusCode::OK, Say::Failed("access_denied".to_owned(), Some(words)));
        let (_, _, text) = page.words();
        assert!(!text.contains(['\n', '\u{202e}']) && text.chars().count() < 400);
        assert!(!encode_text(&text).contains('<'));
    }
}
