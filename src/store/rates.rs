//! Exact rate limits: one counter a bucket and window.

use std::time::Duration;

use crate::domain::time::Timestamp;
use crate::ports::Statement;

use super::{Query, one, optional, statement};

/// Counts one more in the bucket's current window and tells how many that makes.
#[must_use]
pub fn count(bucket: &str, window: Duration, now: Timestamp) -> Query<u64> {
    const SQL: &str = "insert into rate_counters (bucket, window, count) values (?1, ?2, 1) \
                       on conflict do update set count = count + 1 returning count as row";
    one(statement(SQL, [bucket.into(), window_start(window, now).into()]))
}

/// Counts one more in the bucket's current window while another bucket is within its limit, and tells how many that makes;
/// none where the other is beyond it.
#[must_use]
pub fn count_while(bucket: &str, while_within: (&str, u64), window: Duration, now: Timestamp) -> Query<Option<u64>> {
    const SQL: &str = "insert into rate_counters (bucket, window, count) select ?1, ?2, 1 \
        where coalesce((select count from rate_counters where bucket = ?3 and window = ?2), 0) <= ?4 \
        on conflict do update set count = count + 1 returning count as row";
    let (other, limit) = while_within;
    optional(statement(SQL, [bucket.into(), window_start(window, now).into(), other.into(), limit.into()]))
}

/// Counts one more in the bucket's current window where that makes no more than `limit`, and tells whether it did.
#[must_use]
pub fn count_up_to(bucket: &str, limit: u64, window: Duration, now: Timestamp) -> Query<bool> {
    const SQL: &str = "insert into rate_counters (bucket, window, count) select ?1, ?2, 1 \
        where coalesce((select count from rate_counters where bucket = ?1 and window = ?2), 0) < ?3 \
        on conflict do update set count = count + 1 returning count as row";
    let params = [bucket.into(), window_start(window, now).into(), limit.into()];
    optional::<u64>(statement(SQL, params)).map(|count| count.is_some())
}

/// The end of the window that a moment is in.
#[must_use]
pub fn window_end(window: Duration, now: Timestamp) -> Timestamp {
    window_start(window, now) + window
}

/// Deletes counters of windows that began before a moment, some at a time.
#[must_use]
pub fn delete_before(moment: Timestamp) -> Statement {
    const SQL: &str = "delete from rate_counters where (bucket, window) in \
                       (select bucket, window from rate_counters where window < ?1 order by window limit 1000)";
    statement(SQL, [moment.into()])
}

fn window_start(window: Duration, now: Timestamp) -> Timestamp {
    let length = i64::try_from(window.as_millis()).unwrap_or(i64::MAX).max(1);
    Timestamp::from_millis(now.millis() - now.millis().rem_euclid(length))
}
