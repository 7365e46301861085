//! A moment, to the millisecond. Rows hold it as an integer; the API shows it as RFC 3339 in UTC.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

use super::Invalid;

/// Milliseconds since 1970-01-01T00:00:00Z.
///
/// Deserializes from an integer (a row) and serializes as RFC 3339 text (the API); a time that a caller
/// sends is parsed by [`Timestamp::parse`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, format = DateTime, example = "2026-11-20T10:00:00.000Z")]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment so many milliseconds after 1970.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Parses RFC 3339 text with any offset.
    ///
    /// # Errors
    /// When the text is no RFC 3339 time, or its year has not four digits.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let time =
            DateTime::parse_from_rfc3339(text).map_err(|_| Invalid("an RFC 3339 time such as 2030-01-31T12:00:00Z"))?;
        Ok(Self(time.timestamp_millis()))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = DateTime::<Utc>::from_timestamp_millis(self.0).unwrap_or_default();
        f.write_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_refuses_what_is_not_rfc_3339() {
        for text in ["", "2026-11-20", "2026-11-20 10:00", "1790000000000", "2026-13-01T00:00:00Z"] {
            assert!(Timestamp::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_with_an_offset_is_shown_in_utc() {
        let time = Timestamp::parse("2026-11-20T12:00:00.5+02:00").unwrap();
        assert_eq!(time.to_string(), "2026-11-20T10:00:00.500Z");
    }
}
