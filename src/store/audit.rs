//! The audit log: one row a change or reveal, each with an HMAC over what it says.

use crate::domain::audit::AuditEntry;
use crate::domain::environment::Environment;
use crate::domain::id::OperationId;
use crate::ports::{Param, Statement};
use crate::vault::{KeyRing, MacPurpose, Tag, VaultError};

use super::json;

/// Inserts an entry with its tag.
///
/// # Errors
/// When the ring has no key to tag it with.
pub fn insert(ring: &KeyRing, operation: &OperationId, entry: &AuditEntry) -> Result<Statement, VaultError> {
    const SQL: &str = "insert into audit_events (operation_id, at, environment, action, resource_id, actor, request_id, \
                       detail, tag) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let row = vec![
        operation.as_str().into(),
        entry.at.into(),
        entry.environment.map(Environment::as_str).into(),
        entry.action.as_str().into(),
        entry.resource_id.as_str().into(),
        json(&entry.actor),
        entry.request_id.as_str().into(),
        json(&entry.detail),
    ];
    tagged(SQL, row, ring, MacPurpose::Audit)
}

/// An insert whose last parameter is the tag over all the others, in their order.
pub(super) fn tagged(
    sql: &'static str,
    mut row: Vec<Param>,
    ring: &KeyRing,
    purpose: MacPurpose,
) -> Result<Statement, VaultError> {
    let parts: Vec<String> = row.iter().map(text).collect();
    let parts: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
    row.push(Tag::make(ring, purpose, &parts)?.to_string().into());
    Ok(Statement { sql: sql.into(), params: row })
}

/// A value as the tag covers it: absent and empty differ.
fn text(param: &Param) -> String {
    match param {
        Param::Null => "null".to_owned(),
        Param::Integer(number) => format!("integer {number}"),
        Param::Text(text) => format!("text {text}"),
    }
}
