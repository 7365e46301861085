//! What the cron trigger does each minute. A job does a bounded part and leaves the rest to the next tick; one that fails
//! takes no other with it. Each writes one log line.

mod announce;
mod deliver;
mod merge;
mod orphans;
mod renew;
mod resolves;
mod retest;
mod rewrap;
mod seal;
mod sweep;

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream};
use serde_json::{Map, Value, json};

use crate::api::error::ApiError;
use crate::app::App;
use crate::domain::audit::SealedLog;
use crate::domain::time::Timestamp;

/// What a job did, for its log line; never a value.
type Done = Map<String, Value>;

/// A part of a job, beside others.
type Work<'a, T> = BoxFuture<'a, T>;

/// So many statements a tick may ask: it is one invocation, and the platform executes 1,000 for one. What is kept back is for
/// the job that comes last, which takes no more than what is left.
const STATEMENTS: u64 = 950;

/// So long a job goes on with what waits.
const LONGEST: Duration = Duration::from_secs(10);

/// So many parts at once: the platform waits for six answers.
const AT_ONCE: usize = 6;

/// Runs one tick.
pub async fn run(app: &App) {
    let app = app.for_request();
    report(&app, "sweep", sweep::run(&app).await);
    report(&app, "orphans", orphans::run(&app).await);
    report(&app, "announce", announce::run(&app).await);
    report(&app, "rewrap", rewrap::run(&app).await);
    report(&app, "merge_search", merge::run(&app).await);
    report(&app, "summarise_resolves", resolves::run(&app).await);
    report(&app, "seal_audit_events", seal::run(&app, SealedLog::AuditEvents).await);
    report(&app, "seal_events", seal::run(&app, SealedLog::Events).await);
    // These wait for strangers, up to half a minute each: nothing of ours waits for them.
    report(&app, "renew_tokens", renew::run(&app).await);
    report(&app, "deliver", deliver::run(&app).await);
    report(&app, "retest", retest::run(&app).await);
}

/// Does the parts of a job side by side, some at a time, and gives what came of them, in no order. Not generic in the futures:
/// each kind would be code of its own.
async fn side_by_side<T>(work: Vec<Work<'_, T>>) -> Vec<T> {
    stream::iter(work).buffer_unordered(AT_ONCE).collect().await
}

/// How many statements this tick may still ask.
fn statements_left(app: &App) -> u64 {
    STATEMENTS.saturating_sub(app.trace.statements.load(Ordering::Relaxed))
}

/// How long something has been waiting, in seconds; 0 where nothing is.
fn seconds_since(since: Option<Timestamp>, now: Timestamp) -> i64 {
    since.map_or(0, |since| (now.millis() - since.millis()).max(0) / 1000)
}

/// Writes a line about one thing that a job could not do because of a fault of ours; everything else is counted only.
fn alarm(app: &App, job: &str, id: &str, error: &ApiError) {
    if let Some(failure) = error.failure() {
        app.log.line(&json!({ "scheduled": job, "id": id, "failure": failure }).to_string());
    }
}

fn report(app: &App, job: &str, outcome: Result<Done, ApiError>) {
    let mut line = Map::from_iter([("scheduled".to_owned(), job.into())]);
    match outcome {
        Ok(done) => line.extend(done),
        Err(error) => {
            let failure = error.failure().map_or_else(|| format!("{error:?}"), str::to_owned);
            line.insert("failure".to_owned(), failure.into());
        }
    }
    app.log.line(&Value::Object(line).to_string());
}
