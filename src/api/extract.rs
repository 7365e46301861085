//! Requests parsed at the door: ids, queries, bodies, headers. Unknown parameters and fields are errors.
//!
//! Handlers take each part as a [`Parsed`], not yet propagated: whoever has no valid key learns nothing of what else is
//! wrong with the request.

use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::response::IntoResponse;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, StatusCode, header};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::domain::time::Timestamp;

use super::error::{ApiError, ValueError};

/// A part of a request, or what is wrong with it.
pub type Parsed<T> = Result<T, ApiError>;

/// The parameters of the path. An id that is none leads nowhere.
pub struct InPath<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for InPath<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Path::<T>::from_request_parts(parts, state).await.map(|Path(path)| Self(path)).map_err(|_| ApiError::NotFound)
    }
}

/// The parameters of the query.
pub struct InQuery<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for InQuery<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let query = parts.uri.query().unwrap_or_default();
        let deserializer = serde_html_form::Deserializer::from_bytes(query.as_bytes());
        match serde_path_to_error::deserialize(deserializer) {
            Ok(query) => Ok(Self(query)),
            Err(error) => {
                let pointer = pointer(error.path());
                Err(ApiError::InvalidQuery(value_error(pointer, &error.into_inner().to_string())))
            }
        }
    }
}

/// A JSON body, and its bytes for comparing it with an earlier request.
pub struct Body<T> {
    /// The parsed body.
    pub value: T,
    /// Its bytes.
    pub bytes: Bytes,
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if !is_json(request.headers()) {
            return Err(ApiError::UnsupportedMediaType);
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            let is_large = rejection.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE;
            if is_large { ApiError::BodyTooLarge } else { ApiError::InvalidJson }
        })?;
        parse(&bytes).map(|value| Self { value, bytes })
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    media_type.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let pointer = pointer(error.path());
        let error = error.into_inner();
        if error.is_data() {
            ApiError::InvalidBody(vec![value_error(pointer, &error.to_string())])
        } else if is_misplaced(&error, bytes) {
            ApiError::InvalidBody(vec![value_error(pointer, "invalid type")])
        } else {
            ApiError::InvalidJson
        }
    })?;
    deserializer.end().map_err(|_| ApiError::InvalidJson)?;
    Ok(value)
}

/// Whether the fault is one of a value, although `serde_json` calls it one of syntax: a number where a word belongs.
fn is_misplaced(error: &serde_json::Error, bytes: &[u8]) -> bool {
    error.to_string().starts_with("expected value") && serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

/// What serde says is wrong, without the value that serde would quote.
fn value_error(mut pointer: String, message: &str) -> ValueError {
    let message = message.rsplit_once(" at line ").map_or(message, |(message, _)| message);
    let expected = message.rsplit_once(", expected ").map(|(_, expected)| format!("Expected {expected}."));
    let (code, detail) = if let Some(field) = quoted(message, "missing field ") {
        pointer = format!("{pointer}/{}", escape(field));
        ("missing", "This field is required.".to_owned())
    } else if message.starts_with("unknown field ") {
        ("unknown_field", expected.unwrap_or_else(|| "There is no such field.".to_owned()))
    } else if message.starts_with("duplicate field ") {
        ("duplicate", "This field stands twice.".to_owned())
    } else if message.starts_with("invalid ") || message.starts_with("unknown variant ") {
        ("invalid", expected.unwrap_or_else(|| "This is not what the field holds.".to_owned()))
    } else {
        // The sentence of a domain type: it says what is expected and never holds the value.
        ("invalid", format!("Expected {message}."))
    };
    ValueError::new(pointer, code, detail)
}

/// The name in backquotes after a beginning.
fn quoted<'a>(message: &'a str, beginning: &str) -> Option<&'a str> {
    message.strip_prefix(beginning)?.strip_prefix('`')?.split_once('`').map(|(name, _)| name)
}

/// A JSON pointer (RFC 6901) from the path that serde took.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        let name = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => escape(key),
            Segment::Enum { .. } | Segment::Unknown => continue,
        };
        pointer.push('/');
        pointer.push_str(&name);
    }
    pointer
}

fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The value of a header, where it is sent and text.
pub fn header_text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Parses a time that a caller sends, or null.
///
/// # Errors
/// When it is no RFC 3339 time.
pub fn time<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text: Option<String> = Option::deserialize(deserializer)?;
    text.map(|text| Timestamp::parse(&text).map_err(serde::de::Error::custom)).transpose()
}

/// A field of a change: left out, set to null, or set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Field<T> {
    /// Left as it is.
    #[default]
    Kept,
    /// Cleared.
    Cleared,
    /// Set.
    Set(T),
}

/// Parses a time of a change: null clears it.
///
/// # Errors
/// When it is no RFC 3339 time.
pub fn time_field<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Field<Timestamp>, D::Error> {
    time(deserializer).map(|time| time.map_or(Field::Cleared, Field::Set))
}

impl<T> Field<T> {
    /// The value after the change.
    pub fn apply(self, before: Option<T>) -> Option<T> {
        match self {
            Self::Kept => before,
            Self::Cleared => None,
            Self::Set(value) => Some(value),
        }
    }
}

/// The `If-Match` of a request (RFC 9110, section 13.1.1).
pub struct IfMatch(Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(header_text(&parts.headers, &header::IF_MATCH).map(str::to_owned)))
    }
}

impl IfMatch {
    /// Checks that the caller has seen this version.
    ///
    /// # Errors
    /// When the header is missing, or names other versions.
    pub fn check(&self, version: u64) -> Result<(), ApiError> {
        let tags = self.0.as_deref().ok_or(ApiError::PreconditionRequired)?;
        let current = etag(version);
        // A front that compresses an answer makes its ETag weak; the version is what counts, and the commit guards it.
        let is_current = |tag: &str| tag.trim().trim_start_matches("W/") == current;
        let matches = tags.split(',').any(is_current);
        if matches { Ok(()) } else { Err(ApiError::PreconditionFailed) }
    }
}

/// The entity tag of a version (RFC 9110, section 8.8.3).
#[must_use]
pub fn etag(version: u64) -> String {
    format!("\"{version}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::text::Name;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[expect(dead_code, reason = "parsed, not read")]
        name: Name,
        #[serde(default)]
        #[expect(dead_code, reason = "parsed, not read")]
        list: Vec<u8>,
    }

    fn error(body: &str) -> ApiError {
        parse::<Sample>(body.as_bytes()).unwrap_err()
    }

    fn value(body: &str) -> (String, String, String) {
        let ApiError::InvalidBody(errors) = error(body) else { panic!("{body}") };
        let error = errors.into_iter().next().unwrap();
        (error.pointer, error.code, error.detail)
    }

    fn words(pointer: &str, code: &str, detail: &str) -> (String, String, String) {
        (pointer.to_owned(), code.to_owned(), detail.to_owned())
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for body in ["", "{", "{\"name\":\"a\"} x", &"[".repeat(100_000)] {
            assert!(matches!(error(body), ApiError::InvalidJson | ApiError::InvalidBody(_)), "{body:.20}");
        }
        assert!(matches!(error("{\"name\":\"a\"}}"), ApiError::InvalidJson));
    }

    #[test]
    fn an_error_names_the_place_and_never_the_value() {
        assert_eq!(value("{}"), words("/name", "missing", "This field is required."));
        assert_eq!(value("{\"nme\":1}").1, "unknown_field");
        let (pointer, code, detail) = value("{\"name\":\"a\",\"list\":[1,\"hush, expected hush\"]}");
        assert_eq!((pointer.as_str(), code.as_str(), detail.as_str()), ("/list/1", "invalid", "Expected u8."));
        let name = format!("{{\"name\":\"{}\"}}", "hush".repeat(100));
        assert_eq!(
            value(&name),
            words("/name", "invalid", "Expected 1 to 200 characters on one line, no control characters.")
        );
    }
}
