//! Tests connections again that were not tested for a day, those that wait longest first. When each is due follows from its
//! row (see the schema); what one tick may do is here.

use std::time::Duration;

use crate::api::connections::effective::{Purpose, to_test};
use crate::api::connections::layers::Edits;
use crate::api::connections::tested::Tested;
use crate::api::connections::tokens;
use crate::api::connections::values::{check_key, find_key_check, type_of};
use crate::api::error::ApiError;
use crate::api::limits;
use crate::app::App;
use crate::domain::connection::{Connection, Kind};
use crate::domain::health::Source;
use crate::domain::id::ConnectionId;
use crate::domain::reason::Reason;
use crate::domain::time::Timestamp;
use crate::store::{self, retests, sources};
use crate::vault::KeyRing;

use super::{Done, Work, alarm, seconds_since, side_by_side, statements_left};

/// So many a tick: 86,400 a day. Fewer where the jobs before it have asked much.
const PER_TICK: u64 = 60;
/// So many statements the test of one connection asks at most: its sources, a counter for each of its hosts, the result.
const STATEMENTS_EACH: u64 = 9;
/// No test begins later in a tick than this.
const BEGINNING: Duration = Duration::from_secs(30);
/// How long a tick keeps what it took: longer than the platform lets it live.
const LEASE: Duration = Duration::from_mins(15);
/// When a test is tried again that a host had no room for.
const BUSY: Duration = Duration::from_mins(10);
/// When one is tried again whose values cannot be tested as they are.
const UNFIT: Duration = Duration::from_hours(24);
/// When a type without a test is looked at again: its provider file may have got one.
const UNTESTED: Duration = Duration::from_hours(7 * 24);

/// What became of one connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// It was tested, and the result is stored.
    Tested,
    /// It waits for another tick.
    PutOff,
}

/// Tests some of them. Without the right master key nothing is taken, and no health is touched.
///
/// # Errors
/// When the storage failed, or the master key is missing or another one.
pub(super) async fn run(app: &App) -> Result<Done, ApiError> {
    let (ring, now) = (app.ring()?, app.now());
    let known = find_key_check(app).and(retests::find_longest_waiting(now));
    let (known, waiting) = known.run(&*app.database).await?;
    check_key(ring, ring.primary_id(), known.as_deref())?;
    let room = PER_TICK.min(statements_left(app) / STATEMENTS_EACH);
    let taken = retests::claim(now, now + LEASE, room).run(&*app.database).await?;
    let each = taken.iter().map(|id| -> Work<'_, Outcome> { Box::pin(retest(app, ring, id, now + BEGINNING)) });
    let outcomes = side_by_side(each.collect()).await;
    let tested = outcomes.iter().filter(|outcome| **outcome == Outcome::Tested).count();
    Ok(Done::from_iter([
        ("tested".to_owned(), tested.into()),
        ("put_off".to_owned(), (taken.len() - tested).into()),
        ("behind_seconds".to_owned(), seconds_since(waiting, now).into()),
    ]))
}

/// Tests one, unless the tick has lasted long enough. What goes wrong with it stays with it.
async fn retest(app: &App, ring: &KeyRing, id: &ConnectionId, end: Timestamp) -> Outcome {
    if app.now() > end {
        return Outcome::PutOff;
    }
    match test(app, ring, id).await {
        Ok(outcome) => outcome,
        Err(error) => {
            let unfit = matches!(error, ApiError::InvalidBody(_) | ApiError::Internal(_));
            alarm(app, "retest", id.as_str(), &error);
            // Anything else passes: the lease is pause enough.
            if unfit {
                let _ = put_off(app, id, UNFIT).await;
            }
            Outcome::PutOff
        }
    }
}

async fn test(app: &App, ring: &KeyRing, id: &ConnectionId) -> Result<Outcome, ApiError> {
    let found = sources::find(id).run(&*app.database).await?;
    // Whoever changed it meanwhile decides: its row is due by itself again, or not.
    let Some(sources) = found.filter(|sources| may_be_tested(app, &sources.connection)) else {
        return Ok(Outcome::PutOff);
    };
    if !type_of(&sources.connection)?.has_harmless_test() {
        return put_off(app, id, UNTESTED).await;
    }
    let mut draft = to_test(app, ring, &sources, (Purpose::Run, Edits::default())).await?;
    if !limits::may_retest(app, draft.hosts()).await? {
        return put_off(app, id, BUSY).await;
    }
    tokens::attach(app, ring, &sources, &mut draft).await?;
    let tested = Tested::run(app, &draft, sources.basis(), Source::Schedule).await;
    if tested.finding.reason == Some(Reason::NoTest) {
        return put_off(app, id, UNTESTED).await;
    }
    tested.keep(app, id).await?;
    Ok(Outcome::Tested)
}

/// What the row said when it was taken, asked again of what is there now.
fn may_be_tested(app: &App, connection: &Connection) -> bool {
    connection.switches.enabled
        && connection.owner.kind != Kind::Template
        && !connection.values.must_reenter()
        && connection.dates.expires_at.is_none_or(|end| end > app.now())
}

async fn put_off(app: &App, id: &ConnectionId, by: Duration) -> Result<Outcome, ApiError> {
    store::run(&*app.database, vec![retests::put_off(id, app.now() + by)]).await?;
    Ok(Outcome::PutOff)
}
