//! Deletes what has served its time: given-up blobs, old answers, counters, sessions, tests and deliveries.

use std::time::Duration;

use crate::api::error::ApiError;
use crate::app::App;
use crate::store::{
    self, access, authorizations, connect_links, garbage, idempotency, rates, sign_ins, signing_keys, tests, webhooks,
};

use super::Done;

const DAY: Duration = Duration::from_hours(24);
/// How long the tests of a connection are kept.
const TESTS_KEPT: Duration = Duration::from_hours(90 * 24);

/// How long the deliveries of a webhook are kept.
const DELIVERIES_KEPT: Duration = Duration::from_hours(30 * 24);

/// Deletes some of it.
///
/// # Errors
/// When the storage failed.
pub(super) async fn run(app: &App) -> Result<Done, ApiError> {
    let now = app.now();
    let due = garbage::list_due(now).run(&*app.database).await?;
    let mut deleted = Vec::new();
    for reference in due {
        // A blob that could not be deleted keeps its row, and waits for the next tick.
        if app.blobs.delete(&reference.to_string()).await.is_ok() {
            deleted.push(reference);
        }
    }
    let expired = [
        idempotency::delete_before(now - DAY),
        rates::delete_before(now - DAY * 2),
        access::delete_sessions_before(now - DAY),
        authorizations::delete_before(now - DAY),
        signing_keys::delete_used_before(now),
        sign_ins::delete_before(now - DAY),
        tests::delete_before(now - TESTS_KEPT),
        webhooks::delete_deliveries_before(now - DELIVERIES_KEPT),
    ];
    let expired = expired.into_iter().chain(connect_links::forget(now)).chain([garbage::delete(&deleted)]);
    store::run(&*app.database, expired.collect()).await?;
    Ok(Done::from_iter([("blobs_deleted".to_owned(), deleted.len().into())]))
}
