//! What a template does to the connections that stand under it, and what its batches expect of it.

use std::time::Duration;

use crate::domain::id::ConnectionId;
use crate::domain::time::Timestamp;
use crate::ports::Statement;

use super::statement;

/// Aborts its batch unless the template is there in this revision: values were checked against its global ones.
#[must_use]
pub fn expect_revision(template: &ConnectionId, revision: u64) -> Statement {
    const SQL: &str = "update connections set customer_count = null \
                       where id = ?1 and (revision <> ?2 or deleted_at is not null)";
    statement(SQL, [template.as_str().into(), revision.into()])
}

/// Aborts its batch unless no customer has a connection under the template.
#[must_use]
pub fn expect_no_customer(template: &ConnectionId) -> Statement {
    const SQL: &str = "update connections set customer_count = null where id = ?1 and customer_count <> 0";
    statement(SQL, [template.as_str().into()])
}

/// Marks what is known of every connection under the template as stale, and lets them be tested again within a span, one after
/// the other. A valid one says why it is stale; the others have a reason already.
#[must_use]
pub fn mark_stale(template: &ConnectionId, now: Timestamp, span: Duration) -> Statement {
    const SQL: &str = "update connections set stale = 1, reason = coalesce(reason, 'template_changed'), \
        test_put_off = ?2 + abs(connections.rowid * 48271 % ?3) \
        where template_id = ?1 and deleted_at is null and verdict <> 'unknown' and not must_reenter";
    let span = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    statement(SQL, [template.as_str().into(), now.into(), span.max(1).into()])
}

/// Takes every connection under the template that has secrets of its own out of use, until they are entered again.
#[must_use]
pub fn require_reentry(template: &ConnectionId, now: Timestamp) -> Statement {
    const SQL: &str = "update connections set reenter_through = revision, verdict = 'unknown', reason = 'destination_changed', \
        checked_at = ?2, verdict_source = null, stale = 0, last_attempt = null \
        where template_id = ?1 and deleted_at is null and secrets_revision is not null";
    statement(SQL, [template.as_str().into(), now.into()])
}
