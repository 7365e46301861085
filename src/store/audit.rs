//! The audit log: one row a change or reveal, each with an HMAC over what it says.

use serde::Deserialize;
use serde_json::Value;

use crate::domain::audit::{AuditAction, AuditEntry, RecordedEntry};
use crate::domain::environment::Environment;
use crate::domain::id::OperationId;
use crate::domain::time::Timestamp;
use crate::ports::{Param, Statement};
use crate::vault::{KeyRing, MacPurpose, Tag, VaultError};

use super::filter::Sql;
use super::listing::bounded;
use super::{Query, json, one, statement};

/// Inserts entries, each with its tag, in their order.
///
/// # Errors
/// When the ring has no key to tag them with.
pub fn insert(ring: &KeyRing, entries: &[(OperationId, AuditEntry)]) -> Result<Statement, VaultError> {
    const SQL: &str = "insert into audit_events (operation_id, at, environment, action, resource_id, actor, request_id, \
        detail, tag) select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, \
        value ->> 7, value ->> 8 from json_each(?1) order by key";
    let rows: Result<Vec<_>, _> = entries.iter().map(|(operation, entry)| row(ring, operation, entry)).collect();
    Ok(statement(SQL, [json(&rows?)]))
}

fn row(ring: &KeyRing, operation: &OperationId, entry: &AuditEntry) -> Result<Vec<Value>, VaultError> {
    let mut row = vec![
        operation.as_str().into(),
        entry.at.into(),
        entry.environment.map(Environment::as_str).into(),
        entry.action.as_str().into(),
        entry.resource_id.as_str().into(),
        json(&entry.actor),
        entry.request_id.as_str().into(),
        json(&entry.detail),
    ];
    row.push(tag(&row, ring, MacPurpose::Audit)?);
    Ok(row.into_iter().map(value).collect())
}

fn value(param: Param) -> Value {
    match param {
        Param::Null => Value::Null,
        Param::Integer(number) => number.into(),
        Param::Text(text) => text.into(),
    }
}

/// The tag over the columns of a row, in their order.
pub(super) fn tag(row: &[Param], ring: &KeyRing, purpose: MacPurpose) -> Result<Param, VaultError> {
    let parts: Vec<String> = row.iter().map(text).collect();
    let parts: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
    Ok(Tag::make(ring, purpose, &parts)?.to_string().into())
}

/// A value as the tag covers it: absent and empty differ.
fn text(param: &Param) -> String {
    match param {
        Param::Null => "null".to_owned(),
        Param::Integer(number) => format!("integer {number}"),
        Param::Text(text) => format!("text {text}"),
    }
}

/// Which entries are wanted. Every field narrows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Of this environment.
    pub environment: Option<Environment>,
    /// Of this action.
    pub action: Option<AuditAction>,
    /// By the caller with this id.
    pub actor_id: Option<String>,
    /// Of this resource.
    pub resource_id: Option<String>,
    /// From this moment on.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub to: Option<Timestamp>,
}

impl AuditFilter {
    /// The index that walks, what it takes over, and what is checked row by row. Any of them narrows by time.
    fn walk(&self, sql: &mut Sql) -> (&'static str, Option<String>, Vec<String>) {
        let mut narrow = |column: &str, value: Option<&str>| value.map(|value| sql.equals(column, value));
        let dimensions = [
            ("audit_events_resource_at", narrow("a.resource_id", self.resource_id.as_deref())),
            ("audit_events_actor", narrow("a.actor_id", self.actor_id.as_deref())),
            ("audit_events_action", narrow("a.action", self.action.map(AuditAction::as_str))),
            ("audit_events_environment", narrow("a.environment", self.environment.map(Environment::as_str))),
        ];
        let mut conditions = dimensions.into_iter().filter_map(|(index, sql)| sql.map(|sql| (index, sql)));
        match conditions.next() {
            Some((index, taken)) => (index, Some(taken), conditions.map(|(_, sql)| sql).collect()),
            None => ("audit_events_at", None, Vec::new()),
        }
    }
}

/// A place in the log, newest first: time, then number.
pub type AuditPosition = (i64, i64);

/// One page. It may be shorter than asked for; only `next: None` ends the list.
pub struct AuditPage {
    /// The entries.
    pub entries: Vec<RecordedEntry>,
    /// Where the next page begins.
    pub next: Option<AuditPosition>,
}

/// What a bounded walk returned: where it stopped, if it did, and what it found.
#[derive(Deserialize)]
struct Row(Option<AuditPosition>, Vec<RecordedEntry>);

/// Lists entries, the newest first, below a position.
#[must_use]
pub fn list(filter: &AuditFilter, below: Option<AuditPosition>, limit: usize) -> Query<AuditPage> {
    const ENTRY: &str = "json_object('seq', a.seq, 'id', a.operation_id, 'at', a.at, 'environment', a.environment, \
        'action', a.action, 'resource_id', a.resource_id, 'actor', json(a.actor), 'request_id', a.request_id, \
        'detail', json(a.detail))";
    let mut sql = Sql::default();
    let (index, taken, residual) = filter.walk(&mut sql);
    let mut taken: Vec<String> = taken.into_iter().collect();
    taken.extend(filter.from.map(|from| format!("a.at >= {}", sql.bind(from))));
    taken.push(match (below, filter.to) {
        (Some((at, seq)), _) => format!("(a.at, a.seq) < ({}, {})", sql.bind(at), sql.bind(seq)),
        (None, Some(to)) => format!("a.at < {}", sql.bind(to)),
        (None, None) => "true".to_owned(),
    });
    let candidates = format!("audit_events a indexed by {index} where {}", taken.join(" and "));
    let residual = if residual.is_empty() { "true".to_owned() } else { residual.join(" and ") };
    let rows = sql.bind(u64::try_from(limit).unwrap_or(0) + 1);
    let text =
        bounded(&candidates, ("a.at", "a.seq", "desc"), ("audit_events a on a.seq = w.r", ENTRY), &residual, &rows);
    one(Statement { sql: text.into(), params: sql.params }).map(move |row: Row| page(row, limit))
}

/// One row more than asked for tells whether there is a next one.
fn page(Row(stop, mut entries): Row, limit: usize) -> AuditPage {
    let has_more = entries.len() > limit;
    entries.truncate(limit);
    let last = entries.last().map(|entry| (entry.at.millis(), entry.seq));
    AuditPage { next: if has_more { last } else { stop }, entries }
}
