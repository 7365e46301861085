//! A change of a connection as history records it: its event, and what differs.

use serde::Serialize;
use serde_json::{Value, json};

use crate::api::audited;
use crate::api::claim::Identity;
use crate::api::error::ApiError;
use crate::app::App;
use crate::domain::audit::AuditAction;
use crate::domain::connection::Connection;
use crate::domain::event::{Change, Changes, Event, EventType};
use crate::store::commit::Commit;
use crate::store::history;
use crate::store::many::many;

/// Begins the commit of a change of a connection: its event, which is the compare-and-set, and its audit row.
///
/// # Errors
/// When the master key is missing.
pub fn begin(
    (app, who): (&App, &Identity),
    event_type: EventType,
    (before, after): (Option<&Connection>, &Connection),
    revision: Option<u64>,
) -> Result<Commit, ApiError> {
    let (entry, event) = describe(who, event_type, (before, after), revision);
    let mut commit = audited::begin(app, &who.actor, entry)?;
    commit.push(history::insert_event(app.ring()?, &after.id, &event).map_err(|_| ApiError::KeyUnavailable)?);
    Ok(commit)
}

/// One change among several: what it is, before and after it, and the revision that it makes.
pub type Recorded<'a> = (EventType, (Option<&'a Connection>, &'a Connection), Option<u64>);

/// Begins the commit of several changes, all or nothing: further audit rows first, then the audit row and the event of each.
///
/// # Errors
/// When the master key is missing.
pub fn begin_all<'a>(
    (app, who): (&App, &Identity),
    first: Option<audited::Entry>,
    changes: impl Iterator<Item = Recorded<'a>>,
) -> Result<Commit, ApiError> {
    let mut entries: Vec<_> = first.into_iter().map(|entry| (who.actor.clone(), entry)).collect();
    let mut events = Vec::new();
    for (event_type, (before, after), revision) in changes {
        let (entry, event) = describe(who, event_type, (before, after), revision);
        entries.push((who.actor.clone(), entry));
        let event = history::insert_event(app.ring()?, &after.id, &event);
        events.push(event.map_err(|_| ApiError::KeyUnavailable)?);
    }
    let mut commit = audited::begin_all(app, entries)?;
    commit.extend(many(events));
    Ok(commit)
}

/// A change as the audit log and as the history of the connection tell it.
fn describe(
    who: &Identity,
    event_type: EventType,
    (before, after): (Option<&Connection>, &Connection),
    revision: Option<u64>,
) -> (audited::Entry, Event) {
    let changes = before.map(|before| changes(before, after)).unwrap_or_default();
    let fields: Vec<&String> = changes.keys().collect();
    let entry = audited::Entry {
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
    let event = Event {
        version: after.history.version,
        event_type,
        revision,
        changes,
        actor: who.actor.clone(),
        at: after.history.modified_at,
    };
    (entry, event)
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
    let test = |connection: &Connection| {
        let test = connection.test_credentials.as_ref();
        value(&test.map(
            |test| json!({ "settings": test.settings, "secret_fields": test.secret_fields, "version": test.version }),
        ))
    };
    compare("test_credentials", test(before), test(after));
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
