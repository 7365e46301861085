//! Which connections are to be tested again by themselves. When follows from their other columns: see the schema.

use crate::domain::id::ConnectionId;
use crate::domain::time::Timestamp;
use crate::ports::Statement;

use super::{Query, many, optional, statement};

/// Finds since when the connection has been waiting that waits longest.
#[must_use]
pub fn find_longest_waiting(now: Timestamp) -> Query<Option<Timestamp>> {
    const SQL: &str = "select test_due_at as row from connections indexed by connections_test_due \
                       where test_due_at <= ?1 order by test_due_at limit 1";
    optional(statement(SQL, [now.into()]))
}

/// Takes those that wait longest, so that no other tick does before `until`.
#[must_use]
pub fn claim(now: Timestamp, until: Timestamp, limit: u64) -> Query<Vec<ConnectionId>> {
    const SQL: &str = "update connections set test_put_off = ?2 where rowid in (select rowid from connections \
        indexed by connections_test_due where test_due_at <= ?1 order by test_due_at limit ?3) \
        returning json_quote(id) as row";
    many(statement(SQL, [now.into(), until.into(), limit.into()]))
}

/// Puts the test of a connection off.
#[must_use]
pub fn put_off(id: &ConnectionId, until: Timestamp) -> Statement {
    statement("update connections set test_put_off = ?2 where id = ?1", [id.as_str().into(), until.into()])
}
