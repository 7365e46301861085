//! The rows of what is sealed: wrapped keys and the references of blobs. Takes what is sealed, never plaintext.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer};

use crate::domain::environment::Environment;
use crate::domain::id::{ConnectionId, WebhookId};
use crate::domain::origin::Origin;
use crate::domain::time::Timestamp;
use crate::ports::Statement;
use crate::vault::{Context, Entry, KeyRing, Purpose, Sealed, VaultRef};

use super::{Query, json, optional, statement};

#[derive(Deserialize)]
struct Row {
    owner_id: String,
    purpose: Purpose,
    number: u64,
    environment: Environment,
    vault_ref: VaultRef,
    wrapped_key: String,
    key_id: u32,
    destinations: BTreeSet<Origin>,
    created_at: Timestamp,
}

impl From<Row> for Entry {
    fn from(row: Row) -> Self {
        Self {
            context: Context {
                environment: row.environment,
                owner_id: row.owner_id,
                purpose: row.purpose,
                number: row.number,
                destinations: row.destinations,
            },
            vault_ref: row.vault_ref,
            wrapped_key: row.wrapped_key,
            key_id: row.key_id,
            created_at: row.created_at,
        }
    }
}

macro_rules! entry_json {
    () => {
        "json_object('owner_id', v.owner_id, 'purpose', v.purpose, 'number', v.number, \
         'environment', v.environment, 'vault_ref', v.vault_ref, 'wrapped_key', v.wrapped_key, 'key_id', v.key_id, 'destinations', json(v.destinations), \
         'created_at', v.created_at)"
    };
}

pub(super) use entry_json;

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Row::deserialize(deserializer).map(Self::from)
    }
}

/// The entry that a row of JSON says; none when it is no entry.
pub(super) fn entry(row: serde_json::Value) -> Option<Entry> {
    serde_json::from_value(row).ok()
}

/// Finds the entry that holds the secrets of a given revision.
#[must_use]
pub fn find_of_revision(id: &ConnectionId, number: u64) -> Query<Option<Entry>> {
    const SQL: &str = concat!(
        "select ",
        entry_json!(),
        " as row from revisions r cross join vault_entries v \
         on v.owner_id = r.connection_id and v.purpose = 'values' and v.number = r.secrets_revision \
         where r.connection_id = ?1 and r.number = ?2"
    );
    optional(statement(SQL, [id.as_str().into(), number.into()]))
}

/// Finds the entry that holds the secret of a webhook.
#[must_use]
pub fn find_of_webhook(id: &WebhookId) -> Query<Option<Entry>> {
    const SQL: &str = concat!(
        "select ",
        entry_json!(),
        " as row from vault_entries v where v.owner_id = ?1 and v.purpose = 'webhook' and v.number = 1"
    );
    optional(statement(SQL, [id.as_str().into()]))
}

/// Inserts what was sealed.
#[must_use]
pub fn insert(sealed: &Sealed, now: Timestamp) -> Statement {
    const SQL: &str = "insert into vault_entries (owner_id, purpose, number, environment, vault_ref, wrapped_key, key_id, \
                       destinations, created_at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let context = &sealed.context;
    let params = [
        context.owner_id.as_str().into(),
        context.purpose.as_str().into(),
        context.number.into(),
        context.environment.as_str().into(),
        sealed.vault_ref.to_string().into(),
        sealed.wrapped_key.as_str().into(),
        sealed.key_id.into(),
        json(&context.destinations),
        now.into(),
    ];
    statement(SQL, params)
}

/// Aborts its batch when the ring's primary key is not the one that the database knows by its number, and makes the number
/// known where it is new: nothing may be sealed or tagged under a mistyped key.
#[must_use]
pub fn check_key(ring: &KeyRing) -> Statement {
    const SQL: &str = "insert into key_checks (key_id, check_value) values (?1, ?2) \
                       on conflict do update set check_value = null where check_value <> excluded.check_value";
    statement(SQL, [ring.primary_id().into(), ring.check_value(ring.primary_id()).into()])
}

/// Finds the check value that the database knows for a key; none before anything was sealed under it.
#[must_use]
pub fn find_key_check(key_id: u32) -> Query<Option<String>> {
    const SQL: &str = "select json_quote(check_value) as row from key_checks where key_id = ?1";
    optional(statement(SQL, [key_id.into()]))
}

/// Deletes every wrapped key of an owner, which makes its secrets unreadable at once, and leaves the blobs to the
/// scheduled handler, due when no copy of the database can name them any more.
#[must_use]
pub fn delete_all(owner: &str, due: Timestamp) -> [Statement; 2] {
    const GARBAGE: &str = "insert into garbage (vault_ref, due_at) select vault_ref, ?2 from vault_entries \
                           where owner_id = ?1 on conflict do nothing";
    const DELETE: &str = "delete from vault_entries where owner_id = ?1";
    [statement(GARBAGE, [owner.into(), due.into()]), statement(DELETE, [owner.into()])]
}

/// Deletes the wrapped keys of the values of an owner, and leaves its tokens; see [`delete_all`].
#[must_use]
pub fn delete_values(owner: &str, due: Timestamp) -> [Statement; 2] {
    const GARBAGE: &str = "insert into garbage (vault_ref, due_at) select vault_ref, ?2 from vault_entries \
                           where owner_id = ?1 and purpose = 'values' on conflict do nothing";
    const DELETE: &str = "delete from vault_entries where owner_id = ?1 and purpose = 'values'";
    [statement(GARBAGE, [owner.into(), due.into()]), statement(DELETE, [owner.into()])]
}

/// Deletes every wrapped key of several owners; see [`delete_all`].
#[must_use]
pub fn delete_all_of(owners: &[&str], due: Timestamp) -> [Statement; 2] {
    const GARBAGE: &str = "insert into garbage (vault_ref, due_at) select v.vault_ref, ?2 from json_each(?1) o \
                           cross join vault_entries v on v.owner_id = o.value where true on conflict do nothing";
    const DELETE: &str = "delete from vault_entries where owner_id in (select value from json_each(?1))";
    [statement(GARBAGE, [json(&owners), due.into()]), statement(DELETE, [json(&owners)])]
}

/// Leaves a blob that no row came to name to the scheduled handler. Should a batch that seemed to fail be done later, its
/// entry takes the blob back: see the schema.
#[must_use]
pub fn insert_garbage(reference: &VaultRef, due: Timestamp) -> Statement {
    const SQL: &str = "insert into garbage (vault_ref, due_at) select ?1, ?2 \
                       where not exists (select 1 from vault_entries where vault_ref = ?1) on conflict do nothing";
    statement(SQL, [reference.to_string().into(), due.into()])
}
