//! Blobs that no row names any more, waiting to be deleted.

use crate::domain::time::Timestamp;
use crate::ports::Statement;
use crate::vault::VaultRef;

use super::{Query, one, statement};

/// Lists some references that are due, oldest first. One that a row names after all is never listed: the answer to its
/// commit was lost, and the commit was done.
#[must_use]
pub fn list_due(now: Timestamp) -> Query<Vec<VaultRef>> {
    const SQL: &str = "select json_group_array(vault_ref) as row from \
                       (select vault_ref from garbage g where due_at <= ?1 and not exists \
                       (select 1 from vault_entries v where v.vault_ref = g.vault_ref) order by due_at limit 100)";
    one(statement(SQL, [now.into()]))
}

/// Forgets a reference whose blob is deleted.
#[must_use]
pub fn delete(reference: &VaultRef) -> Statement {
    statement("delete from garbage where vault_ref = ?1", [reference.to_string().into()])
}
