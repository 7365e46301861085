//! Blobs that no row names any more, waiting to be deleted.

use serde::Deserialize;

use crate::domain::time::Timestamp;
use crate::ports::{Param, Statement};
use crate::vault::VaultRef;

use super::{Query, json, one, optional, statement};

/// Lists some references that are due, oldest first. One that a row names after all is never listed: the answer to its
/// commit was lost, and the commit was done.
#[must_use]
pub fn list_due(now: Timestamp) -> Query<Vec<VaultRef>> {
    const SQL: &str = "select json_group_array(vault_ref) as row from \
                       (select vault_ref from garbage g where due_at <= ?1 and not exists \
                       (select 1 from vault_entries v where v.vault_ref = g.vault_ref) order by due_at limit 100)";
    one(statement(SQL, [now.into()]))
}

/// Forgets references whose blobs are deleted.
#[must_use]
pub fn delete(references: &[VaultRef]) -> Statement {
    const SQL: &str = "delete from garbage where vault_ref in (select value from json_each(?1))";
    statement(SQL, [texts(references)])
}

/// How far the walk over the blob store has come.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Walk {
    /// When it began.
    pub began_at: Timestamp,
    /// Where its next page begins; none when it is over.
    pub cursor: Option<String>,
}

/// Finds the walk that is under way, or the last one.
#[must_use]
pub fn find_walk() -> Query<Option<Walk>> {
    const SQL: &str =
        "select json_object('began_at', w.began_at, 'cursor', w.cursor) as row from orphan_walk w where w.id = 1";
    optional(statement(SQL, []))
}

/// Notes how far the walk has come.
#[must_use]
pub fn note_walk(began_at: Timestamp, cursor: Option<&str>) -> Statement {
    const SQL: &str = "insert into orphan_walk (id, began_at, cursor) values (1, ?1, ?2) \
                       on conflict do update set began_at = excluded.began_at, cursor = excluded.cursor";
    statement(SQL, [began_at.into(), cursor.into()])
}

/// Makes garbage of those blobs that no row names, and returns a row for each. One whose commit is still under way is taken
/// back by it: see the schema.
#[must_use]
pub fn insert_unnamed(references: &[VaultRef], due: Timestamp) -> Statement {
    const SQL: &str = "insert into garbage (vault_ref, due_at) select value, ?2 from json_each(?1) where not exists \
                       (select 1 from vault_entries where vault_ref = value) on conflict do nothing returning 1 as row";
    statement(SQL, [texts(references), due.into()])
}

fn texts(references: &[VaultRef]) -> Param {
    json(&references.iter().map(VaultRef::to_string).collect::<Vec<_>>())
}
