//! Who resolved which connection in which hour, as isolates count it, until the audit log tells it.

use serde::Deserialize;

use crate::domain::environment::Environment;
use crate::domain::resolves::{HOUR, Resolves};
use crate::domain::time::Timestamp;
use crate::ports::{Param, Statement};

use super::{Query, json, many, optional, statement};

/// Puts the count of an isolate in place of what it wrote before.
#[must_use]
pub fn put(isolate: &str, resolves: &Resolves) -> Statement {
    const SQL: &str = "insert into resolves (hour, connection_id, caller_id, isolate, environment, actor, count, first_at, \
        last_at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) on conflict do update set \
        count = max(count, excluded.count), last_at = max(last_at, excluded.last_at)";
    statement(
        SQL,
        [
            resolves.hour.into(),
            resolves.connection_id.as_str().into(),
            resolves.actor.id.as_str().into(),
            isolate.into(),
            Environment::as_str(resolves.environment).into(),
            json(&resolves.actor),
            resolves.count.into(),
            resolves.first_at.into(),
            resolves.last_at.into(),
        ],
    )
}

/// Finds the oldest hour, of those that began before a moment, of which something is counted.
#[must_use]
pub fn find_oldest_before(hour: Timestamp) -> Query<Option<Timestamp>> {
    optional(statement("select hour as row from resolves where hour < ?1 order by hour limit 1", [hour.into()]))
}

/// Lists what all isolates counted in an hour, and in `more` hours after it that began before a moment, for those connections
/// and callers that were counted in the first; some of them.
#[must_use]
pub fn list_from(hour: Timestamp, more: u64, before: Timestamp, limit: u64) -> Query<Vec<Summary>> {
    const SQL: &str = "select json_object('counted', json_object('hour', min(r.hour), 'connection_id', walked.connection_id, \
        'environment', max(r.environment), 'actor', json(max(r.actor)), 'count', sum(r.count), \
        'first_at', min(r.first_at), 'last_at', max(r.last_at)), 'last_hour', max(r.hour)) as row \
        from (select distinct w.connection_id, w.caller_id from resolves w where w.hour = ?1 \
        order by w.connection_id, w.caller_id limit ?2) walked cross join json_each(?3) h cross join resolves r \
        on r.hour = h.value and r.connection_id = walked.connection_id and r.caller_id = walked.caller_id \
        group by walked.connection_id, walked.caller_id order by walked.connection_id, walked.caller_id";
    many(statement(SQL, [hour.into(), limit.into(), hours(hour, more, before)]))
}

/// What is told in one entry.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Summary {
    /// What was counted, from its hour on.
    pub counted: Resolves,
    /// The beginning of the last hour in which something was.
    pub last_hour: Timestamp,
}

/// Aborts its batch when the first of these is not there any more: another tick was faster, and told them all.
#[must_use]
pub fn require(first: &Resolves) -> Statement {
    const SQL: &str = "insert into resolves (hour, connection_id, caller_id, isolate, environment, actor, count, first_at, \
        last_at) select null, '', '', '', '', '', 0, 0, 0 where not exists \
        (select 1 from resolves where hour = ?1 and connection_id = ?2 and caller_id = ?3)";
    statement(SQL, [first.hour.into(), first.connection_id.as_str().into(), first.actor.id.as_str().into()])
}

/// Deletes what was listed.
#[must_use]
pub fn delete(hour: Timestamp, more: u64, before: Timestamp, listed: &[Summary]) -> Statement {
    const SQL: &str = "delete from resolves where (hour, connection_id, caller_id) in \
        (select h.value, k.value ->> 0, k.value ->> 1 from json_each(?1) k, json_each(?2) h)";
    let keys: Vec<_> = listed.iter().map(|it| (it.counted.connection_id.as_str(), &*it.counted.actor.id)).collect();
    statement(SQL, [json(&keys), hours(hour, more, before)])
}

/// The beginnings of an hour, and of `more` after it that began before a moment.
fn hours(hour: Timestamp, more: u64, before: Timestamp) -> Param {
    let hours = (1..=more).scan(hour, |at, _| {
        *at = *at + HOUR;
        Some(*at)
    });
    let hours = hours.take_while(|at| *at < before).map(Timestamp::millis);
    json(&std::iter::once(hour.millis()).chain(hours).collect::<Vec<_>>())
}
