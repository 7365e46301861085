//! Rate limits: counted exactly, in the database.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::app::App;
use crate::store::{nothing, rates};

use super::error::ApiError;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// Counts a test of a connection (or of a caller's draft), and of each host that it calls. A test that its own limit
/// refuses does not count for the host: one loop must not keep everybody else away.
///
/// # Errors
/// 429 when one of them had too many.
pub async fn count_test(app: &App, bucket: &str, hosts: BTreeSet<&str>) -> Result<(), ApiError> {
    let limits = &app.config.limits;
    let (own, limit, per_host) = (format!("test:{bucket}"), limits.tests_per_minute, limits.tests_per_minute_per_host);
    let own_count = rates::count(&own, MINUTE, app.now()).map(move |count| count <= limit);
    let all = hosts.into_iter().fold(own_count, |all, host| {
        let within = rates::count_while(&format!("host:{host}"), (&own, limit), MINUTE, app.now());
        all.and(within.map(move |count| count.is_some_and(|count| count <= per_host))).map(|(all, one)| all && one)
    });
    if all.run(&*app.database).await? { Ok(()) } else { Err(exceeded(app, MINUTE)) }
}

/// Counts a scheduled test at each host that it calls and tells whether it may run. It leaves half of what a host takes to
/// people: nobody's save is refused because of tests that can wait.
///
/// # Errors
/// When the storage failed.
pub async fn may_retest(app: &App, hosts: BTreeSet<&str>) -> Result<bool, ApiError> {
    let share = (app.config.limits.tests_per_minute_per_host / 2).max(1);
    let all = hosts.into_iter().fold(nothing().map(|()| true), |all, host| {
        let within = rates::count_up_to(&format!("host:{host}"), share, MINUTE, app.now());
        all.and(within).map(|(all, one)| all && one)
    });
    Ok(all.run(&*app.database).await?)
}

/// Counts an attempt to authorize a connection.
///
/// # Errors
/// 429 when there were too many.
pub async fn count_authorization(app: &App, connection: &str) -> Result<(), ApiError> {
    require(app, &format!("authorization:{connection}"), MINUTE, app.config.limits.tests_per_minute).await
}

/// Counts a message sent for a connection (or for a caller's draft).
///
/// # Errors
/// 429 when there were too many.
pub async fn count_message(app: &App, bucket: &str) -> Result<(), ApiError> {
    require(app, &format!("message:{bucket}"), HOUR, app.config.limits.messages_per_hour).await
}

/// Counts a reveal by a caller.
///
/// # Errors
/// 429 when there were too many.
pub async fn count_reveal(app: &App, caller: &str) -> Result<(), ApiError> {
    require(app, &format!("reveal:{caller}"), HOUR, app.config.limits.reveals_per_hour).await
}

/// Counts a report and tells whether it may start a test.
///
/// # Errors
/// When the storage failed.
pub async fn may_report_test(app: &App, connection: &str) -> Result<bool, ApiError> {
    count(app, &format!("report:{connection}"), MINUTE, app.config.limits.reports_per_minute).await
}

/// Counts the reports of a revision that has no test, within a day.
///
/// # Errors
/// When the storage failed.
pub async fn count_reports(app: &App, connection: &str, revision: u64) -> Result<u64, ApiError> {
    let bucket = format!("reported:{connection}:{revision}");
    Ok(rates::count(&bucket, HOUR * 24, app.now()).run(&*app.database).await?)
}

async fn require(app: &App, bucket: &str, window: Duration, limit: u64) -> Result<(), ApiError> {
    if count(app, bucket, window, limit).await? { Ok(()) } else { Err(exceeded(app, window)) }
}

async fn count(app: &App, bucket: &str, window: Duration, limit: u64) -> Result<bool, ApiError> {
    Ok(rates::count(bucket, window, app.now()).run(&*app.database).await? <= limit)
}

fn exceeded(app: &App, window: Duration) -> ApiError {
    let now = app.now();
    let rest = rates::window_end(window, now).millis() - now.millis();
    ApiError::RateLimited(u64::try_from(rest / 1000 + 1).unwrap_or(1))
}
