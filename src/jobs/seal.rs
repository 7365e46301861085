//! Seals what was logged since the last tick: the audit log and the events, each in a chain of checkpoints of its own. So
//! no writer waits for another.

use crate::api::error::ApiError;
use crate::app::App;
use crate::domain::audit::SealedLog;
use crate::ports::DatabaseError;
use crate::store::{StoreError, chain, checkpoints, vault_entries};

use super::Done;

/// Rows that one tick seals of a log; what is more waits for the next.
const ROWS: usize = 2_000;

/// Seals some of a log. Behind a break nothing is sealed: that is an alarm, until the log is again what was written.
///
/// # Errors
/// When the database failed, or the master key is missing.
pub(super) async fn run(app: &App, log: SealedLog) -> Result<Done, ApiError> {
    let ring = app.ring()?;
    let (head, rows) = checkpoints::find_head(log, ROWS).run(&*app.database).await?;
    let sealed = chain::seal((ring, log), head.as_ref(), &rows, app.now());
    let (sealed, broken) = sealed.map_err(|_| ApiError::KeyUnavailable)?;
    let mut done = Done::new();
    if let Some(newest) = sealed.last() {
        let inserts = sealed.iter().map(|checkpoint| checkpoints::insert(log, checkpoint));
        match app.database.batch([vault_entries::check_key(ring)].into_iter().chain(inserts).collect()).await {
            Ok(_) => {
                // Whoever keeps the log lines elsewhere has an anchor that not even the master keys can forge.
                done.insert("checkpoint".to_owned(), newest.number.into());
                done.insert("sealed_up_to".to_owned(), newest.last_seq.into());
                done.insert("head".to_owned(), newest.hash.clone().into());
            }
            // Another tick was faster.
            Err(DatabaseError::Unique(_)) => {}
            Err(error) => return Err(StoreError::from(error).into()),
        }
    }
    if let Some(broken) = broken {
        let what = serde_json::to_string(&broken.fault).unwrap_or_default();
        let failure = format!("ALARM: {} is not what was written at seq {}: {what}", log.as_str(), broken.seq);
        done.insert("failure".to_owned(), failure.into());
    }
    Ok(done)
}
