//! Revisions and events of a connection.

use serde::de::DeserializeOwned;

use crate::domain::event::Event;
use crate::domain::health::Attempt;
use crate::domain::id::ConnectionId;
use crate::domain::reason::Reason;
use crate::domain::revision::Revision;
use crate::ports::Statement;
use crate::vault::{KeyRing, MacPurpose, VaultError};

use super::audit::tag;
use super::{Query, json, one, optional, statement};

/// The JSON object of a revision `r`, in the shape of [`Revision`].
macro_rules! revision_json {
    () => {
        "json_object('number', r.number, 'settings', json(r.settings), \
         'settings_before', json((select b.settings from revisions b \
         where b.connection_id = r.connection_id and b.number = r.number - 1)), \
         'secret_fields', json(r.secret_fields), 'secrets_revision', r.secrets_revision, \
         'secret_changes', json(r.secret_changes), 'restored_from', r.restored_from, 'note', r.note, \
         'author', json(r.author), 'created_at', r.created_at, 'verdict', r.verdict, 'reason', r.reason)"
    };
}

/// Lists revisions below a number, newest first.
#[must_use]
pub fn list_revisions(id: &ConnectionId, below: Option<u64>, limit: u64) -> Query<Vec<Revision>> {
    const SQL: &str = concat!(
        "select json_group_array(json(revision)) as row from (select ",
        revision_json!(),
        " as revision from revisions r where r.connection_id = ?1 and r.number < ?2 order by r.number desc limit ?3)"
    );
    page(SQL, id, below, limit)
}

/// Finds one revision.
#[must_use]
pub fn find_revision(id: &ConnectionId, number: u64) -> Query<Option<Revision>> {
    const SQL: &str =
        concat!("select ", revision_json!(), " as row from revisions r where r.connection_id = ?1 and r.number = ?2");
    optional(statement(SQL, [id.as_str().into(), number.into()]))
}

/// Inserts a revision.
#[must_use]
pub fn insert_revision(id: &ConnectionId, revision: &Revision) -> Statement {
    const SQL: &str = "insert into revisions (connection_id, number, settings, secret_fields, secrets_revision, \
        secret_changes, restored_from, note, author, created_at, verdict, reason) \
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    statement(
        SQL,
        [
            id.as_str().into(),
            revision.number.into(),
            json(&revision.settings),
            json(&revision.secret_fields),
            revision.secrets_revision.into(),
            json(&revision.secret_changes),
            revision.restored_from.into(),
            revision.note.as_ref().map(crate::domain::text::Note::as_str).into(),
            json(&revision.author),
            revision.created_at.into(),
            revision.verdict.as_str().into(),
            revision.reason.map(Reason::as_str).into(),
        ],
    )
}

/// Stores what a test found of a revision. The current one has the verdict of its connection, where the same batch stored the
/// attempt before; for an older one, `unknown` never takes the place of a definitive verdict.
#[must_use]
pub fn store_attempt(id: &ConnectionId, number: u64, attempt: &Attempt) -> Statement {
    const SQL: &str = "update revisions set (verdict, reason) = (select \
        iif(c.revision = ?2, c.verdict, iif(?3 <> 'unknown' or revisions.verdict = 'unknown', ?3, revisions.verdict)), \
        iif(c.revision = ?2, c.reason, iif(?3 <> 'unknown' or revisions.verdict = 'unknown', ?4, revisions.reason)) \
        from connections c where c.id = ?1) where connection_id = ?1 and number = ?2";
    let reason = attempt.reason.map(Reason::as_str).into();
    statement(SQL, [id.as_str().into(), number.into(), attempt.verdict.as_str().into(), reason])
}

/// Empties the settings of every revision of a deleted connection: its history says when and who, not what.
#[must_use]
pub fn forget_settings(id: &ConnectionId) -> Statement {
    statement("update revisions set settings = '{}' where connection_id = ?1", [id.as_str().into()])
}

/// Empties the settings of every revision of several deleted connections; see [`forget_settings`].
#[must_use]
pub fn forget_settings_of(ids: &[&ConnectionId]) -> Statement {
    const SQL: &str = "update revisions set settings = '{}' where connection_id in (select value from json_each(?1))";
    statement(SQL, [json(&ids)])
}

/// Lists events below a version, newest first.
#[must_use]
pub fn list_events(id: &ConnectionId, below: Option<u64>, limit: u64) -> Query<Vec<Event>> {
    const SQL: &str = "select json_group_array(json(event)) as row from (select json_object('version', e.version, \
        'type', e.event_type, 'revision', e.revision, 'changes', json(e.changes), 'actor', json(e.actor), 'at', e.at) \
        as event from events e where e.connection_id = ?1 and e.version < ?2 order by e.version desc limit ?3)";
    page(SQL, id, below, limit)
}

/// Inserts an event with its tag. Its unique version is the compare-and-set of the batch.
///
/// # Errors
/// When the ring has no key to tag it with.
pub fn insert_event(ring: &KeyRing, id: &ConnectionId, event: &Event) -> Result<Statement, VaultError> {
    const SQL: &str = "insert into events (connection_id, version, event_type, revision, changes, actor, at, tag) \
                       values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let mut row = vec![
        id.as_str().into(),
        event.version.into(),
        event.event_type.as_str().into(),
        event.revision.into(),
        json(&event.changes),
        json(&event.actor),
        event.at.into(),
    ];
    row.push(tag(&row, ring, MacPurpose::Event)?);
    Ok(Statement { sql: SQL.into(), params: row })
}

fn page<T: DeserializeOwned + Send + 'static>(
    sql: &'static str,
    id: &ConnectionId,
    below: Option<u64>,
    limit: u64,
) -> Query<Vec<T>> {
    const NO_BOUND: u64 = 1 << 53;
    one(statement(sql, [id.as_str().into(), below.unwrap_or(NO_BOUND).into(), limit.into()]))
}
