//! Seals what was logged since the last tick: the audit log and the events, each in a chain of checkpoints of its own. So
//! no writer waits for another.

use crate::api::error::ApiError;
use crate::app::App;
use crate::domain::audit::SealedLog;
use crate::ports::DatabaseError;
use crate::store::checkpoints::PART;
use crate::store::{StoreError, chain, checkpoints, vault_entries};

use super::{Done, LONGEST, seconds_since};

/// Parts that one tick seals of a log; what is more waits for the next.
const PARTS: usize = 15;

/// Seals some of a log, part by part. Behind a break nothing is sealed: that is an alarm, until the log is again what was
/// written.
///
/// # Errors
/// When the database failed, or the master key is missing.
pub(super) async fn run(app: &App, log: SealedLog) -> Result<Done, ApiError> {
    let (ring, now, mut done) = (app.ring()?, app.now(), Done::new());
    let unsealed = checkpoints::find_unsealed(log, None);
    let (mut head, mut rows) = checkpoints::find_head(log).and(unsealed).run(&*app.database).await?;
    let oldest = rows.first().and_then(|row| row.written_at(log));
    done.insert("behind_seconds".to_owned(), seconds_since(oldest, now).into());
    for _ in 0..PARTS {
        let sealed = chain::seal((ring, log), head.as_ref(), &rows, app.now());
        let (mut sealed, broken) = sealed.map_err(|_| ApiError::KeyUnavailable)?;
        if let Some(broken) = &broken {
            let what = serde_json::to_string(&broken.fault).unwrap_or_default();
            let failure = format!("ALARM: {} is not what was written at seq {}: {what}", log.as_str(), broken.seq);
            done.insert("failure".to_owned(), failure.into());
        }
        let inserts = sealed.iter().map(|checkpoint| checkpoints::insert(log, checkpoint));
        let batch = [vault_entries::check_key(ring)].into_iter().chain(inserts).collect();
        let Some(newest) = sealed.pop() else { break };
        match app.database.batch(batch).await {
            Ok(_) => {
                // Whoever keeps the log lines elsewhere has an anchor that not even the master keys can forge.
                done.insert("checkpoint".to_owned(), newest.number.into());
                done.insert("sealed_up_to".to_owned(), newest.last_seq.into());
                done.insert("head".to_owned(), newest.hash.clone().into());
            }
            // Another tick was faster.
            Err(DatabaseError::Unique(_)) => break,
            Err(error) => return Err(StoreError::from(error).into()),
        }
        if broken.is_some() || rows.len() < PART || app.now() > now + LONGEST {
            break;
        }
        rows = checkpoints::find_unsealed(log, Some(newest.last_seq)).run(&*app.database).await?;
        if rows.is_empty() {
            break;
        }
        head = Some(newest);
    }
    Ok(done)
}
