//! Who resolved which connection in which hour, as isolates count it, until the audit log tells it.

use crate::domain::environment::Environment;
use crate::domain::resolves::Resolves;
use crate::domain::time::Timestamp;
use crate::ports::Statement;

use super::{Query, json, one, statement};

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

/// Lists what all isolates counted in hours that began before a moment, the oldest first.
#[must_use]
pub fn list_before(hour: Timestamp, limit: u64) -> Query<Vec<Resolves>> {
    const SQL: &str = "select json_group_array(json(resolves)) as row from (select json_object('hour', r.hour, \
        'connection_id', r.connection_id, 'environment', r.environment, 'actor', json(max(r.actor)), \
        'count', sum(r.count), 'first_at', min(r.first_at), 'last_at', max(r.last_at)) as resolves from resolves r \
        where r.hour < ?1 group by r.hour, r.connection_id, r.caller_id \
        order by r.hour, r.connection_id, r.caller_id limit ?2)";
    one(statement(SQL, [hour.into(), limit.into()]))
}

/// Deletes what was counted up to these, in the order in which they are listed.
#[must_use]
pub fn delete_up_to(last: &Resolves) -> Statement {
    const SQL: &str = "delete from resolves where (hour, connection_id, caller_id) <= (?1, ?2, ?3)";
    statement(SQL, [last.hour.into(), last.connection_id.as_str().into(), last.actor.id.as_str().into()])
}
