//! Turns what isolates counted in an hour that is over into one audit row for each connection and caller.

use std::time::Duration;

use serde_json::json;

use crate::api::audited::{self, Entry};
use crate::api::error::ApiError;
use crate::app::App;
use crate::domain::actor::Actor;
use crate::domain::audit::AuditAction;
use crate::domain::resolves::{HOUR, Resolves};
use crate::store::resolves;

use super::Done;

/// How long after its end an hour is summarised: isolates may write until a little before.
const LATE: Duration = Duration::from_mins(10);
/// Rows that one commit writes, and commits that one tick does.
const ROWS: u64 = 200;
const COMMITS: usize = 5;

/// Summarises some of it, the oldest first.
///
/// # Errors
/// When the database failed, or the master key is missing.
pub(super) async fn run(app: &App) -> Result<Done, ApiError> {
    let mut summarised = 0;
    for _ in 0..COMMITS {
        let counted = resolves::list_before(app.now() - LATE - HOUR, ROWS).run(&*app.database).await?;
        let Some(last) = counted.last() else { break };
        let mut commit = audited::begin_all(app, counted.iter().map(entry).collect())?;
        commit.push(resolves::delete_up_to(last));
        commit.run(&*app.database).await?;
        summarised += counted.len();
    }
    Ok(Done::from_iter([("rows_written".to_owned(), summarised.into())]))
}

fn entry(counted: &Resolves) -> (Actor, Entry) {
    let Resolves { hour, count, first_at, last_at, .. } = counted;
    let entry = Entry {
        environment: Some(counted.environment),
        action: AuditAction::CredentialsResolved,
        resource_id: counted.connection_id.to_string(),
        detail: json!({ "hour": hour, "count": count, "first_at": first_at, "last_at": last_at }),
    };
    (counted.actor.clone(), entry)
}
