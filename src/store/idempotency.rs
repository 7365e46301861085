//! Answers to requests with an `Idempotency-Key`, so that a repeated request gets the answer of the first.

use serde::Deserialize;

use crate::domain::time::Timestamp;
use crate::ports::Statement;

use super::{Query, optional, statement};

/// What an idempotency key stands for: the same key of another caller or route is another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// The hash of the caller's token: the row is looked up before the caller is known.
    pub caller: String,
    /// Method and path.
    pub route: String,
    /// The key that the caller chose.
    pub key: String,
}

/// The answer to the first request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Answered {
    /// The tag over the first request: another request must not get its answer.
    pub request_tag: String,
    /// The status of the answer.
    pub status: u16,
    /// What was created.
    pub resource_id: String,
    /// The body; none where it showed a secret once.
    pub body: Option<String>,
}

/// Finds the answer to an earlier request.
///
/// The caller is looked up in the same round trip, so the row is chosen by the hash of the token that the caller sent.
#[must_use]
pub fn find(slot: &Slot) -> Query<Option<Answered>> {
    const SQL: &str = "select json_object('request_tag', i.request_tag, 'status', i.status, 'resource_id', i.resource_id, \
                       'body', i.body) as row from idempotency i where i.caller = ?1 and i.route = ?2 and i.key = ?3";
    optional(statement(SQL, [slot.caller.as_str().into(), slot.route.as_str().into(), slot.key.as_str().into()]))
}

/// Keeps an answer. The first statement of its batch.
#[must_use]
pub fn insert(slot: &Slot, answered: &Answered, now: Timestamp) -> Statement {
    const SQL: &str = "insert into idempotency (caller, route, key, request_tag, status, resource_id, body, created_at) \
                       values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    statement(
        SQL,
        [
            slot.caller.as_str().into(),
            slot.route.as_str().into(),
            slot.key.as_str().into(),
            answered.request_tag.as_str().into(),
            i64::from(answered.status).into(),
            answered.resource_id.as_str().into(),
            answered.body.as_deref().into(),
            now.into(),
        ],
    )
}

/// Deletes answers from before a moment, some at a time.
#[must_use]
pub fn delete_before(moment: Timestamp) -> Statement {
    const SQL: &str = "delete from idempotency where (caller, route, key) in \
                       (select caller, route, key from idempotency where created_at < ?1 order by created_at limit 1000)";
    statement(SQL, [moment.into()])
}
