//! The beginning of every commit: its audit row, and the check of the master key that signs it.

use std::iter;

use serde_json::Value;

use crate::app::App;
use crate::domain::actor::Actor;
use crate::domain::audit::{AuditAction, AuditEntry};
use crate::domain::environment::Environment;
use crate::domain::id::OperationId;
use crate::ports::Statement;
use crate::store::commit::Commit;
use crate::store::{audit, vault_entries};

use super::error::ApiError;

/// What an audit row says beside who, when and by which request.
pub struct Entry {
    /// Where, unless it concerns the whole deployment.
    pub environment: Option<Environment>,
    /// What was done.
    pub action: AuditAction,
    /// To which resource.
    pub resource_id: String,
    /// What else is worth knowing; never a value.
    pub detail: Value,
}

/// Begins a commit with its audit row.
///
/// # Errors
/// 503 when the master key is missing.
pub fn begin(app: &App, actor: &Actor, entry: Entry) -> Result<Commit, ApiError> {
    begin_all(app, vec![(actor.clone(), entry)])
}

/// The statements with which a commit begins, for a batch that tells by its own rows whether it was done.
///
/// # Errors
/// 503 when the master key is missing.
pub fn statements(app: &App, actor: &Actor, entry: Entry) -> Result<Vec<Statement>, ApiError> {
    Ok(begin(app, actor, entry)?.into_statements())
}

/// Begins a commit with several audit rows, in their order.
///
/// # Errors
/// 503 when the master key is missing.
pub fn begin_all(app: &App, entries: Vec<(Actor, Entry)>) -> Result<Commit, ApiError> {
    let (now, ring) = (app.now(), app.ring()?);
    let mut commit = Commit::new(OperationId::new(now, app.random()));
    let first = iter::once(commit.operation().clone());
    let operations = first.chain(iter::repeat_with(|| OperationId::new(now, app.random())));
    let rows = entries.into_iter().zip(operations).map(|((actor, entry), operation)| {
        let entry = AuditEntry {
            at: now,
            environment: entry.environment,
            action: entry.action,
            resource_id: entry.resource_id,
            actor,
            request_id: app.trace.id.to_string(),
            detail: entry.detail,
        };
        (operation, entry)
    });
    let rows: Vec<(OperationId, AuditEntry)> = rows.collect();
    commit.push(audit::insert(ring, &rows).map_err(|_| ApiError::KeyUnavailable)?);
    commit.push(vault_entries::check_key(ring));
    Ok(commit)
}
