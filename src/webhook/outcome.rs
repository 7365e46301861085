//! What an answer means for a message, and when it is tried again.

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};

use crate::domain::time::Timestamp;
use crate::egress::{Answer, EgressError, UNREACHED};

/// The pauses before the second and every further attempt: seven attempts in a day and a half.
const PAUSES: [Duration; 6] = [
    Duration::from_mins(1),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(8),
    Duration::from_hours(24),
];
/// The longest pause that an endpoint may ask for.
const LONGEST: Duration = Duration::from_hours(24);

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// The class of the status, `timeout` or `unreachable`.
    pub word: &'static str,
    /// What follows.
    pub then: Then,
}

/// What follows from an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Nothing: the endpoint took the message.
    Delivered,
    /// The endpoint is told nothing any more (410).
    Gone,
    /// The message is tried again, not before so long; other messages may fare better.
    Again(Option<Duration>),
    /// Likewise; the endpoint as a whole is in trouble, and is left alone for a while.
    Pause(Option<Duration>),
}

impl Outcome {
    /// Nobody answered, or nobody could be asked: refused, filtered and absent hosts look the same.
    pub(super) const UNREACHABLE: Self = Self { word: "unreachable", then: Then::Pause(None) };

    pub(super) fn of(answer: &Answer, now: Timestamp) -> Self {
        Self::of_status(answer.status, &answer.headers, now)
    }

    /// A redirect is not followed: it fails like any other answer that is not a success.
    fn of_status(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Self {
        if UNREACHED.contains(&status.as_u16()) {
            return Self::UNREACHABLE;
        }
        let word = match status.as_u16() {
            200..300 => "2xx",
            300..400 => "3xx",
            400..500 => "4xx",
            500.. => "5xx",
            _ => "1xx",
        };
        let then = match status {
            StatusCode::GONE => Then::Gone,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Then::Pause(retry_after(headers, now)),
            status if status.is_success() => Then::Delivered,
            status if status.is_server_error() => Then::Pause(None),
            _ => Then::Again(None),
        };
        Self { word, then }
    }
}

impl From<EgressError> for Outcome {
    fn from(error: EgressError) -> Self {
        match error {
            EgressError::Timeout => Self { word: "timeout", then: Then::Pause(None) },
            _ => Self::UNREACHABLE,
        }
    }
}

/// How long an endpoint asks to wait (RFC 9110, section 10.2.3: seconds, or a date).
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let pause = if let Ok(seconds) = text.parse() {
        Duration::from_secs(seconds)
    } else {
        let until = http_date(text)?;
        Duration::from_millis(u64::try_from(until.millis() - now.millis()).unwrap_or(0))
    };
    Some(pause.min(LONGEST))
}

/// The date of a header (RFC 9110, section 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`), read as the RFC 3339 time that it says: a
/// second parser of dates would be an eightieth of the bundle.
fn http_date(text: &str) -> Option<Timestamp> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let mut words = text.split_once(", ")?.1.split(' ');
    let [day, month, year, time] = [words.next()?, words.next()?, words.next()?, words.next()?];
    let month = MONTHS.find(month).filter(|at| month.len() == 3 && at % 3 == 0)? / 3 + 1;
    Timestamp::parse(&format!("{year}-{month:02}-{day}T{time}Z")).ok()
}

/// When a message is tried again of which `attempts` failed; none when it is given up. Up to a fifth later than the pause says,
/// by chance, so that what failed together does not come back together.
#[must_use]
pub fn next_attempt(attempts: usize, asked: Option<Duration>, now: Timestamp, chance: u8) -> Option<Timestamp> {
    let pause = *PAUSES.get(attempts.checked_sub(1)?)?;
    let pause = pause + pause * u32::from(chance) / (5 * 256);
    Some(now + asked.map_or(pause, |asked| asked.max(pause)))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_168_800_000);

    fn after(text: &str) -> Option<Duration> {
        retry_after(&HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_str(text).unwrap())]), NOW)
    }

    #[test]
    fn what_cloudflare_answers_in_the_place_of_a_host_is_no_answer() {
        let of = |status| Outcome::of_status(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), NOW);
        for status in 520..=530 {
            assert_eq!(of(status), Outcome::UNREACHABLE, "{status}");
        }
        for status in [500, 519, 531, 599] {
            assert_eq!(of(status), Outcome { word: "5xx", then: Then::Pause(None) }, "{status}");
        }
    }

    #[test]
    fn a_retry_after_that_is_none_is_ignored() {
        for text in [
            "",
            "soon",
            "-1",
            "1.5",
            "99999999999999999999999",
            "2026-11-20T10:00:00Z",
            "Fri, 20 anF 2026 10:05:00 GMT",
            "Fri, 20 Novem 2026 10:05:00 GMT",
            "Fri, 31 Feb 2026 10:05:00 GMT",
        ] {
            assert_eq!(after(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_retry_after_is_seconds_or_a_date_and_a_day_at_most() {
        assert_eq!(after("120"), Some(Duration::from_mins(2)));
        assert_eq!(after("Fri, 20 Nov 2026 10:05:00 GMT"), Some(Duration::from_mins(5)));
        assert_eq!(after("Fri, 20 Nov 2026 09:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(after("99999999"), Some(LONGEST));
    }

    #[test]
    fn the_seventh_failure_is_the_last() {
        let pauses: Vec<Option<i64>> = (0..8)
            .map(|attempts| next_attempt(attempts, None, NOW, 0).map(|at| (at.millis() - NOW.millis()) / 60_000))
            .collect();
        assert_eq!(pauses, [None, Some(1), Some(5), Some(30), Some(120), Some(480), Some(1440), None]);
    }

    #[test]
    fn chance_adds_a_fifth_at_most_and_a_longer_wish_is_kept() {
        let late = next_attempt(1, None, NOW, 255).unwrap();
        assert!(late > NOW + Duration::from_mins(1) && late < NOW + Duration::from_secs(72));
        let asked = Some(Duration::from_hours(1));
        assert_eq!(next_attempt(1, asked, NOW, 255), Some(NOW + Duration::from_hours(1)));
        assert_eq!(next_attempt(1, Some(Duration::ZERO), NOW, 0), Some(NOW + Duration::from_mins(1)));
    }
}
