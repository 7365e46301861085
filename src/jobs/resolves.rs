//! Turns what isolates counted in an hour that is over into one audit row for each connection and caller. Far behind, one row
//! tells of the rest of a day: the log says less then, and it is said at all.

use std::time::Duration;

use serde_json::json;

use crate::api::audited::{self, Entry};
use crate::api::error::ApiError;
use crate::app::App;
use crate::domain::actor::Actor;
use crate::domain::audit::AuditAction;
use crate::domain::resolves::{HOUR, Resolves};
use crate::domain::time::Timestamp;
use crate::store::commit::{CommitError, Conflict};
use crate::store::resolves::{self, Summary};

use super::{Done, LONGEST, seconds_since};

/// How long after its end an hour is summarised: isolates may write until a little before.
const LATE: Duration = Duration::from_mins(10);
/// Entries that one commit writes, and commits that one tick does.
const ROWS: u64 = 500;
const COMMITS: usize = 5;
/// From here on a day is told in one entry.
const FAR_BEHIND: Duration = Duration::from_hours(6);

/// Summarises some of it, the oldest first.
///
/// # Errors
/// When the database failed, or the master key is missing.
pub(super) async fn run(app: &App) -> Result<Done, ApiError> {
    let (now, mut written, mut behind) = (app.now(), 0, None);
    // Hours that began before this one are over.
    let before = now - LATE - HOUR;
    for commit in 0..COMMITS {
        let Some(hour) = resolves::find_oldest_before(before).run(&*app.database).await? else { break };
        let due = hour + HOUR + LATE;
        if commit == 0 {
            behind = Some(due);
        }
        let more = if now > due + FAR_BEHIND { hours_left_of_day(hour) } else { 0 };
        let listed = resolves::list_from(hour, more, before, ROWS).run(&*app.database).await?;
        let Some(first) = listed.first() else { break };
        let mut commit = audited::begin_all(app, listed.iter().map(entry).collect())?;
        commit.put_first(resolves::require(&first.counted));
        commit.push(resolves::delete(hour, more, before, &listed));
        match commit.run(&*app.database).await {
            Ok(()) => written += listed.len(),
            Err(CommitError::Conflict(Conflict::Resolves)) => break,
            Err(error) => return Err(error.into()),
        }
        if app.now() > now + LONGEST {
            break;
        }
    }
    Ok(Done::from_iter([
        ("rows_written".to_owned(), written.into()),
        ("behind_seconds".to_owned(), seconds_since(behind, now).into()),
    ]))
}

fn hours_left_of_day(hour: Timestamp) -> u64 {
    let of_day = hour.millis().rem_euclid(24 * 3_600_000) / 3_600_000;
    u64::try_from(23 - of_day).unwrap_or(0)
}

fn entry(summary: &Summary) -> (Actor, Entry) {
    let Resolves { hour, count, first_at, last_at, .. } = &summary.counted;
    let mut detail = json!({ "hour": hour, "count": count, "first_at": first_at, "last_at": last_at });
    if summary.last_hour > *hour
        && let Some(detail) = detail.as_object_mut()
    {
        detail.insert("until".to_owned(), json!(summary.last_hour + HOUR));
    }
    let entry = Entry {
        environment: Some(summary.counted.environment),
        action: AuditAction::CredentialsResolved,
        resource_id: summary.counted.connection_id.to_string(),
        detail,
    };
    (summary.counted.actor.clone(), entry)
}
