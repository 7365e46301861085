//! Renews OAuth tokens that are about to end, those that wait longest first, so that no workflow waits for it.

use std::time::Duration;

use crate::api::connections::effective::{Purpose, resolved};
use crate::api::connections::lacking::Lacking;
use crate::api::connections::tokens::{Renew, Subject};
use crate::api::error::ApiError;
use crate::app::App;
use crate::domain::connection::Connection;
use crate::domain::id::ConnectionId;
use crate::domain::time::Timestamp;
use crate::store::{self, sources, tokens};

use super::{Done, Work, alarm, side_by_side, statements_left};

/// So many a tick: 86,400 a day. What is asked for is renewed then, too.
const PER_TICK: u64 = 60;
/// So many statements one renewal asks at most: its sources, the lease, a look, what is stored.
const STATEMENTS_EACH: u64 = 12;
/// No renewal begins later in a tick than this.
const BEGINNING: Duration = Duration::from_secs(20);
/// When one is tried again that cannot be made as the connection is: disabled, incomplete, of another client.
const UNFIT: Duration = Duration::from_hours(24);

/// Renews some of them.
///
/// # Errors
/// When the storage failed.
pub(super) async fn run(app: &App) -> Result<Done, ApiError> {
    let now = app.now();
    let room = PER_TICK.min(statements_left(app) / STATEMENTS_EACH);
    let due = tokens::list_due(now, room).run(&*app.database).await?;
    let each = due.iter().map(|id| -> Work<'_, bool> { Box::pin(renew(app, id, now + BEGINNING)) });
    let renewed = side_by_side(each.collect()).await.into_iter().filter(|renewed| *renewed).count();
    Ok(Done::from_iter([
        ("renewed".to_owned(), renewed.into()),
        ("not_renewed".to_owned(), (due.len() - renewed).into()),
    ]))
}

/// Renews those of one connection, and tells whether they can be used. What goes wrong with it stays with it.
async fn renew(app: &App, id: &ConnectionId, end: Timestamp) -> bool {
    if app.now() > end {
        return false;
    }
    match attempt(app, id).await {
        Ok(renewed) => renewed,
        Err(error) => {
            alarm(app, "renew_tokens", id.as_str(), &error);
            if matches!(error, ApiError::NotResolvable(..) | ApiError::InvalidBody(_) | ApiError::Internal(_)) {
                let _ = store::run(&*app.database, vec![tokens::put_off(id, app.now() + UNFIT)]).await;
            }
            false
        }
    }
}

async fn attempt(app: &App, id: &ConnectionId) -> Result<bool, ApiError> {
    let found = sources::find(id).run(&*app.database).await?;
    let Some(sources) = found.filter(|sources| may_be_renewed(&sources.connection)) else {
        store::run(&*app.database, vec![tokens::put_off(id, app.now() + UNFIT)]).await?;
        return Ok(false);
    };
    let (settings, secrets) = resolved(app, &sources, Purpose::Run).await?;
    let subject = Subject::new((app, app.ring()?), &sources, (&settings, &secrets))?;
    let Some(subject) = subject else { return Ok(false) };
    match subject.fresh(Renew::Due).await? {
        Ok(_) => Ok(true),
        // It waits by itself, before the next attempt.
        Err(Lacking::Pending | Lacking::Failed(_) | Lacking::Paused(_)) => Ok(false),
        // Nothing is to be had before a person consents: others must not wait behind it.
        Err(Lacking::NotAuthorized | Lacking::Other | Lacking::Ended) => {
            store::run(&*app.database, vec![tokens::put_off(id, app.now() + UNFIT)]).await?;
            Ok(false)
        }
    }
}

/// What is disabled is left alone.
const fn may_be_renewed(connection: &Connection) -> bool {
    connection.switches.enabled
}
