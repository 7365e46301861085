//! Which connections somebody should look at because of a date, as seen from a moment. Knows dates, not where they are kept.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use super::connection::Dates;
use super::time::Timestamp;

/// Why somebody should look at a connection before it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Attention {
    /// Its credential has expired.
    Expired,
    /// Its credential expires within the horizon.
    Expiring,
    /// The day by which it was to be rotated has passed.
    RotationOverdue,
    /// It is to be rotated within the horizon.
    RotationDue,
}

/// How far ahead dates are looked for, and from when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Radar {
    /// The present moment.
    pub now: Timestamp,
    /// What lies within it is told.
    pub horizon: Duration,
}

impl Radar {
    /// What the dates of a connection call for, the more urgent first.
    #[must_use]
    pub fn attention(&self, dates: Dates) -> Vec<Attention> {
        let expiry = self.mark(dates.expires_at, Attention::Expired, Attention::Expiring);
        let rotation = self.mark(dates.rotate_by, Attention::RotationOverdue, Attention::RotationDue);
        [expiry, rotation].into_iter().flatten().collect()
    }

    fn mark(&self, date: Option<Timestamp>, passed: Attention, coming: Attention) -> Option<Attention> {
        match date {
            Some(date) if date <= self.now => Some(passed),
            Some(date) if date <= self.now + self.horizon => Some(coming),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_hours(24);
    const NOW: Timestamp = Timestamp::from_millis(1_795_168_800_000);
    const RADAR: Radar = Radar { now: NOW, horizon: Duration::from_hours(14 * 24) };
    const MOMENT: Duration = Duration::from_millis(1);

    #[test]
    fn a_date_beyond_the_horizon_and_none_at_all_call_for_nothing() {
        let far = Some(NOW + DAY * 14 + MOMENT);
        assert_eq!(RADAR.attention(Dates { expires_at: far, rotate_by: far }), []);
        assert_eq!(RADAR.attention(Dates::default()), []);
    }

    #[test]
    fn a_date_is_coming_from_the_horizon_on_and_passed_at_its_moment() {
        for (date, expected) in [
            (NOW + DAY * 14, [Attention::Expiring, Attention::RotationDue]),
            (NOW + MOMENT, [Attention::Expiring, Attention::RotationDue]),
            (NOW, [Attention::Expired, Attention::RotationOverdue]),
            (NOW - DAY * 400, [Attention::Expired, Attention::RotationOverdue]),
        ] {
            assert_eq!(RADAR.attention(Dates { expires_at: Some(date), rotate_by: Some(date) }), expected);
        }
    }
}
