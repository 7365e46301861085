//! What the cron trigger does, some of it at each tick: deletes what has served its time.

use std::time::Duration;

use crate::app::App;
use crate::store::{StoreError, access, garbage, idempotency, rates, tests};

const DAY: Duration = Duration::from_hours(24);
/// How long the tests of a connection are kept.
const TESTS_KEPT: Duration = Duration::from_hours(90 * 24);

/// Runs one tick and writes one log line.
pub async fn run(app: &App) {
    let app = app.for_request();
    let line = match sweep(&app).await {
        Ok(blobs) => serde_json::json!({ "scheduled": "sweep", "blobs_deleted": blobs }),
        Err(error) => serde_json::json!({ "scheduled": "sweep", "failure": error.to_string() }),
    };
    app.log.line(&line.to_string());
}

/// Deletes blobs that no row names any more and are due, old answers, counters, sessions and tests. Each tick does a bounded
/// part; what is left waits for the next.
///
/// # Errors
/// When the storage failed.
pub async fn sweep(app: &App) -> Result<usize, StoreError> {
    let now = app.now();
    let due = garbage::list_due(now).run(&*app.database).await?;
    let mut deleted = Vec::new();
    for reference in due {
        // A blob that could not be deleted keeps its row, and waits for the next tick.
        if app.blobs.delete(&reference.to_string()).await.is_ok() {
            deleted.push(garbage::delete(&reference));
        }
    }
    let count = deleted.len();
    let expired = [
        idempotency::delete_before(now - DAY),
        rates::delete_before(now - DAY * 2),
        access::delete_sessions_before(now - DAY),
        tests::delete_before(now - TESTS_KEPT),
    ];
    app.database.batch(deleted.into_iter().chain(expired).collect()).await?;
    Ok(count)
}
