//! A change as history and audit record it: the beginning of every commit.

use serde::Serialize;
use serde_json::{Value, json};

use crate::api::claim::Identity;
use crate::api::error::ApiError;
use crate::app::App;
use crate::domain::audit::{AuditAction, AuditEntry};
use crate::domain::connection::Connection;
use crate::domain::environment::Environment;
use crate::domain::event::{Change, Changes, Event, EventType};
use crate::domain::id::OperationId;
use crate::store::commit::Commit;
use crate::store::{audit, history, vault_entries};
use crate::vault::KeyRing;

/// Begins the commit of a change of a connection: its event, which is the compare-and-set, and its audit row.
///
/// # Errors
/// When the master key is missing.
pub fn begin(
    (app, ring, who): (&App, &KeyRing, &Identity),
    event_type: EventType,
    (before, after): (Option<&Connection>, &Connection),
    revision: Option<u64>,
) -> Result<Commit, ApiError> {
    let changes = before.map(|before| changes(before, after)).unwrap_or_default();
    let fields: Vec<&String> = changes.keys().collect();
    let entry = Entry {
        environment: Some(after.environment),
        action: match event_type {
            EventType::Created => AuditAction::ConnectionCreated,
            EventType::Updated => AuditAction::ConnectionUpdated,
            EventType::Restored => AuditAction::ConnectionRestored,
            EventType::Deleted => AuditAction::ConnectionDeleted,
        },
        resource_id: after.id.to_string(),
        detail: json!({ "version": after.history.version, "revision": revision, "fields": fields }),
    };
    let mut commit = audited((app, ring, who), entry)?;
    let event = Event {
        version: after.history.version,
        event_type,
        revision,
        changes,
        actor: who.actor.clone(),
        at: after.history.modified_at,
    };
    commit.push(history::insert_event(ring, &after.id, &event).map_err(|_| ApiError::KeyUnavailable)?);
    Ok(commit)
}

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
/// When the master key is missing.
pub fn audited((app, ring, who): (&App, &KeyRing, &Identity), entry: Entry) -> Result<Commit, ApiError> {
    let now = app.now();
    let mut commit = Commit::new(OperationId::new(now, app.random()));
    let entry = AuditEntry {
        at: now,
        environment: entry.environment,
        action: entry.action,
        resource_id: entry.resource_id,
        actor: who.actor.clone(),
        request_id: app.trace.id.to_string(),
        detail: entry.detail,
    };
    let row = audit::insert(ring, commit.operation(), &entry).map_err(|_| ApiError::KeyUnavailable)?;
    commit.push(row);
    commit.push(vault_entries::check_key(ring));
    Ok(commit)
}

/// What differs between two states of a connection, beside its values.
fn changes(before: &Connection, after: &Connection) -> Changes {
    let mut changes = Changes::new();
    let mut compare = |field: &str, before: Value, after: Value| {
        if before != after {
            changes.insert(field.to_owned(), Change { before, after });
        }
    };
    compare("name", value(&before.label.name), value(&after.label.name));
    compare("description", value(&before.label.description), value(&after.label.description));
    compare("stable_key", value(&before.label.stable_key), value(&after.label.stable_key));
    compare("tags", value(&before.label.tags), value(&after.label.tags));
    compare("enabled", value(&before.switches.enabled), value(&after.switches.enabled));
    compare("embedded", value(&before.switches.embedded), value(&after.switches.embedded));
    compare("expires_at", time(before.dates.expires_at), time(after.dates.expires_at));
    compare("rotate_by", time(before.dates.rotate_by), time(after.dates.rotate_by));
    changes
}

fn value(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn time(time: Option<crate::domain::time::Timestamp>) -> Value {
    value(&time)
}
