//! A moment, to the millisecond. Rows hold it as an integer; the API shows it as RFC 3339 in UTC.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use chrono::{DateTime, Datelike, Timelike};
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

use super::Invalid;

/// Milliseconds since 1970-01-01T00:00:00Z.
///
/// Deserializes from an integer (a row) and serializes as RFC 3339 text (the API); a time that a caller
/// sends is parsed by [`Timestamp::parse`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, ToSchema)]
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
    /// When the text is no RFC 3339 time, or not one from 1970 to 9999 in UTC, which is what can be shown.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        const INVALID: Invalid = Invalid("an RFC 3339 time such as 2030-01-31T12:00:00Z");
        let millis = DateTime::parse_from_rfc3339(text).map_err(|_| INVALID)?.timestamp_millis();
        if (0..=LAST).contains(&millis) { Ok(Self(millis)) } else { Err(INVALID) }
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

/// The last moment that RFC 3339 can write: its years have four digits.
const LAST: i64 = 253_402_300_799_999;

impl Timestamp {
    /// RFC 3339 in UTC, digit by digit: a list shows hundreds of times, and a formatter takes ten times as long.
    fn rfc_3339(self) -> [u8; 24] {
        let time = DateTime::from_timestamp_millis(self.0.clamp(0, LAST)).unwrap_or_default();
        let year = time.year().unsigned_abs();
        let [y1, y2, y3, y4] = [digit(year / 1000), digit(year / 100), digit(year / 10), digit(year)];
        let [[o1, o2], [d1, d2]] = [two(time.month()), two(time.day())];
        let [[h1, h2], [m1, m2], [s1, s2]] = [two(time.hour()), two(time.minute()), two(time.second())];
        let millis = time.timestamp_subsec_millis();
        let (f1, [f2, f3]) = (digit(millis / 100), two(millis));
        [y1, y2, y3, y4, b'-', o1, o2, b'-', d1, d2, b'T', h1, h2, b':', m1, m2, b':', s1, s2, b'.', f1, f2, f3, b'Z']
    }
}

fn two(number: u32) -> [u8; 2] {
    [digit(number / 10), digit(number)]
}

const fn digit(number: u32) -> u8 {
    b'0' + (number % 10) as u8
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str::from_utf8(&self.rfc_3339()).unwrap_or_default())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(str::from_utf8(&self.rfc_3339()).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_refuses_what_is_not_rfc_3339() {
        for text in [
            "",
            "2026-11-20",
            "2026-11-20 10:00",
            "1790000000000",
            "2026-13-01T00:00:00Z",
            "9999-12-31T23:00:00-02:00",
            "1969-12-31T23:59:59Z",
        ] {
            assert!(Timestamp::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_is_written_as_the_library_writes_it() {
        for millis in [0, 1, 951_782_400_000, 1_790_000_000_123, 4_107_542_399_999, LAST] {
            let time = DateTime::from_timestamp_millis(millis).unwrap();
            let expected = time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
            assert_eq!(Timestamp::from_millis(millis).to_string(), expected);
        }
    }

    #[test]
    fn a_time_with_an_offset_is_shown_in_utc() {
        let time = Timestamp::parse("2026-11-20T12:00:00.5+02:00").unwrap();
        assert_eq!(time.to_string(), "2026-11-20T10:00:00.500Z");
    }
}
