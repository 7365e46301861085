//! What a text looks like when it is a URL, a path or a list of statuses, and how it is spelled then. It knows field
//! types, no fields.

use std::borrow::Cow;

use url::Url;

use super::file::FieldType;
use super::statuses::Statuses;

/// The most bytes that one text may have.
pub(crate) const MAX_BYTES: usize = 8 * 1024;

/// Why a text is not what its field's type says: a stable code and a sentence.
pub(crate) type Misshapen = (&'static str, &'static str);

const NO_URL: Misshapen = ("invalid_url", "must be a complete address such as https://api.example.com");
const NO_PATH: Misshapen = ("invalid_path", "must be a path such as /v1/me: beginning with one slash, without .. or #");
const NO_STATUSES: Misshapen = ("invalid_statuses", "must be a list of statuses such as 200-299, 304");

/// Checks a text against the type of its field, and spells it in the one way in which it is kept.
///
/// # Errors
/// When the text is not what the type says.
pub(crate) fn shape(field_type: FieldType, text: &str, allow_http: bool) -> Result<Cow<'_, str>, Misshapen> {
    match field_type {
        FieldType::Url => url(text, allow_http).map(Cow::Owned),
        FieldType::Path if is_path(text) => Ok(Cow::Borrowed(text)),
        FieldType::Path => Err(NO_PATH),
        FieldType::Statuses => Statuses::parse(text).map(|list| Cow::Owned(list.into())).map_err(|_| NO_STATUSES),
        FieldType::Text | FieldType::Multiline | FieldType::Integer | FieldType::Boolean => Ok(Cow::Borrowed(text)),
    }
}

/// The spelling of a URL is that of the URL standard, without the slash of an empty path.
fn url(text: &str, allow_http: bool) -> Result<String, Misshapen> {
    // What the parser would silently mend is a typing mistake or a trick: neither is kept.
    if text.contains(|c: char| c.is_whitespace() || c == '\\') {
        return Err(NO_URL);
    }
    let url = Url::parse(text).map_err(|_| NO_URL)?;
    match url.scheme() {
        "https" => {}
        "http" if allow_http => {}
        "http" => return Err(("insecure_url", "must begin with https://")),
        _ => return Err(NO_URL),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(("url_with_user", "must not hold a user name or password"));
    }
    if url.fragment().is_some() {
        return Err(("url_with_fragment", "must not hold a fragment (#)"));
    }
    let bare = url.path() == "/" && url.query().is_none();
    let spelled = if bare { url.as_str().trim_end_matches('/') } else { url.as_str() };
    Ok(spelled.to_owned())
}

/// A path, possibly with a query, that stays below the base URL that it is appended to.
fn is_path(text: &str) -> bool {
    if !text.starts_with('/')
        || text.starts_with("//")
        || text.contains(|c: char| c.is_whitespace() || c == '\\' || c == '#')
    {
        return false;
    }
    let path = text.split('?').next().unwrap_or_default();
    let climbs = |segment: &str| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
    !path.split('/').any(climbs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(field_type: FieldType, text: &str) -> &'static str {
        shape(field_type, text, false).map_or_else(|(code, _)| code, |_| "ok")
    }

    #[test]
    fn what_is_no_https_url_is_refused() {
        for (text, refused) in [
            ("", "invalid_url"),
            ("api.example.com", "invalid_url"),
            ("//api.example.com", "invalid_url"),
            ("https://", "invalid_url"),
            ("https://a b.example", "invalid_url"),
            ("https:\\\\a.example", "invalid_url"),
            ("ht\ntps://a.example", "invalid_url"),
            ("https://a.example:99999", "invalid_url"),
            ("ftp://a.example", "invalid_url"),
            ("javascript:alert(1)", "invalid_url"),
            ("file:///etc/passwd", "invalid_url"),
            ("http://a.example", "insecure_url"),
            ("https://user@a.example", "url_with_user"),
            ("https://:pass@a.example", "url_with_user"),
            ("https://a.example/#x", "url_with_fragment"),
        ] {
            assert_eq!(code(FieldType::Url, text), refused, "{text:?}");
        }
    }

    #[test]
    fn http_is_a_switch_of_development() {
        assert_eq!(shape(FieldType::Url, "http://127.0.0.1:8080/x", true).as_deref(), Ok("http://127.0.0.1:8080/x"));
    }

    #[test]
    fn a_url_has_one_spelling() {
        for (text, spelled) in [
            ("HTTPS://API.Example.com:443", "https://api.example.com"),
            ("https://api.example.com/", "https://api.example.com"),
            ("https://a.example/x/../y/", "https://a.example/y/"),
            ("https://xn--bcher-kva.example/ä", "https://xn--bcher-kva.example/%C3%A4"),
            ("https://0x7f.1/", "https://127.0.0.1"),
            ("https://a.example?q=1", "https://a.example/?q=1"),
        ] {
            let once = shape(FieldType::Url, text, false).unwrap();
            assert_eq!(once, spelled, "{text}");
            assert_eq!(shape(FieldType::Url, &once, false).unwrap(), spelled, "{text}");
        }
    }

    #[test]
    fn a_path_that_leaves_its_base_is_refused() {
        for text in [
            "",
            "me",
            "//evil.example",
            "/a/../b",
            "/..",
            "/.",
            "/%2E%2e/x",
            "/a#b",
            "/a b",
            "/\\evil",
            "https://a.example",
        ] {
            assert_eq!(code(FieldType::Path, text), "invalid_path", "{text}");
        }
        for text in ["/", "/v1/me", "/v1/me?x=../y&z=1", "/.well-known/x", "/a//b"] {
            assert_eq!(code(FieldType::Path, text), "ok", "{text}");
        }
    }

    #[test]
    fn what_is_no_list_of_statuses_is_refused() {
        assert_eq!(code(FieldType::Statuses, "200 OK"), "invalid_statuses");
        assert_eq!(shape(FieldType::Statuses, "200-299,304", false).unwrap(), "200-299, 304");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_spelled_or_refused_without_a_panic(text in r"\PC{0,30}|https?://[a-z.:@/?#\\\[\]%0-9]{0,20}") {
            for field_type in [FieldType::Url, FieldType::Path, FieldType::Statuses] {
                if let Ok(once) = shape(field_type, &text, true) {
                    let twice = shape(field_type, &once, true);
                    proptest::prop_assert_eq!(twice.as_deref(), Ok(&*once));
                }
            }
        }
    }
}
