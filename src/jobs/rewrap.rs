//! Goes on wrapping data keys anew, under the primary master key, until nothing waits that the ring can open.

use crate::api::error::ApiError;
use crate::api::keys::rewrap;
use crate::app::App;
use crate::domain::actor::Actor;
use crate::store::keys;

use super::Done;

/// How many batches one tick does.
const BATCHES: usize = 4;

/// Does some of it.
///
/// # Errors
/// When the master keys are missing or wrong, or the storage failed.
pub(super) async fn run(app: &App) -> Result<Done, ApiError> {
    let mut all = rewrap::Done::default();
    for _ in 0..BATCHES {
        let known = keys::list().run(&*app.database).await?;
        let done = rewrap::some(app, &Actor::system(), &known).await?;
        if done.taken == 0 && done.unopenable.is_empty() {
            break;
        }
        all.taken += done.taken;
        all.unopenable.extend(done.unopenable);
    }
    let mut line = Done::from_iter([("entries".to_owned(), all.taken.into())]);
    line.extend(all.alarm().map(|alarm| ("failure".to_owned(), alarm.into())));
    Ok(line)
}
