//! The master keys as the database sees them: what is wrapped under each, what else needs it, what waits to be wrapped anew.
//! Never a key.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::time::Timestamp;
use crate::ports::Statement;
use crate::vault::Entry;

use super::{Query, checkpoints, json, one, statement, vault_entries};

/// What the database knows of one master key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct KeyUse {
    /// Its number.
    pub key_id: u32,
    /// The value by which it is recognized; none before anything was sealed or tagged under it.
    pub check_value: Option<String>,
    /// Entries wrapped under it.
    pub entries: u64,
    /// Those of them that were found not to open.
    pub unopenable: u64,
    /// Whether a kept answer to an idempotent request is tagged under it.
    pub tags_answers: bool,
    /// Whether rows of the logs are vouched for under it, and under no newer key yet.
    #[serde(skip)]
    pub vouches_for_logs: bool,
}

/// Lists the keys that the database knows.
#[must_use]
pub fn list() -> Query<Vec<KeyUse>> {
    known().and(checkpoints::keys_in_use()).map(|(mut known, of_logs)| {
        for key in &mut known {
            key.vouches_for_logs = of_logs.as_ref().is_none_or(|keys| keys.contains(&key.key_id));
        }
        known
    })
}

fn known() -> Query<Vec<KeyUse>> {
    const SQL: &str = "select json_group_array(json_object('key_id', w.key_id, 'check_value', c.check_value, \
        'entries', coalesce(n.entries, 0), 'unopenable', coalesce(n.unopenable, 0), \
        'tags_answers', json(iif(exists (select 1 from idempotency i \
        where i.request_tag >= w.key_id || '.' and i.request_tag < w.key_id || '/'), 'true', 'false')))) as row \
        from (select key_id from key_checks where key_id > 0 union select key_id from key_counts where key_id > 0 \
        order by key_id limit 1000) w \
        left join key_checks c on c.key_id = w.key_id left join key_counts n on n.key_id = w.key_id";
    one(statement(SQL, []))
}

/// An entry that waits to be wrapped anew, as its row stands.
pub struct Waiting {
    /// Where it stands, whatever its row says.
    pub place: Place,
    /// The name of its blob.
    pub vault_ref: String,
    /// The wrapped key as it was read: whoever changed it meanwhile was first.
    pub wrapped_key: String,
    /// The entry; none when the row does not parse, which is no entry that anything here wrote.
    pub entry: Option<Entry>,
}

/// The primary key of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Place {
    /// The id of its owner.
    pub owner_id: String,
    /// What for.
    pub purpose: String,
    /// Which one, among those of the same owner and purpose.
    pub number: i64,
}

#[derive(Deserialize)]
struct WaitingRow {
    #[serde(flatten)]
    place: Place,
    vault_ref: String,
    wrapped_key: String,
    destinations: String,
}

/// Lists entries under a key that wait to be wrapped anew, some at a time.
#[must_use]
pub fn list_waiting(key_id: u32, limit: u64) -> Query<Vec<Waiting>> {
    const SQL: &str = "select json_group_array(json_object('owner_id', owner_id, 'purpose', purpose, 'number', number, \
        'environment', environment, 'vault_ref', vault_ref, 'wrapped_key', wrapped_key, 'key_id', key_id, \
        'destinations', destinations, 'created_at', created_at)) as row from \
        (select owner_id, purpose, cast(number as integer) as number, environment, vault_ref, wrapped_key, \
        key_id, destinations, created_at from vault_entries where key_id = ?1 and unopenable_at is null limit ?2)";
    one::<Vec<Value>>(statement(SQL, [key_id.into(), limit.into()]))
        .map(|rows| rows.into_iter().filter_map(waiting).collect())
}

/// One row. What it says is judged apart from every other: one that is damaged must not hide the rest.
fn waiting(mut row: Value) -> Option<Waiting> {
    let WaitingRow { place, vault_ref, wrapped_key, destinations } = serde_json::from_value(row.clone()).ok()?;
    if let Some(object) = row.as_object_mut() {
        object.insert("destinations".to_owned(), serde_json::from_str(&destinations).unwrap_or_default());
    }
    Some(Waiting { place, vault_ref, wrapped_key, entry: vault_entries::entry(row) })
}

/// A wrapped key in the place of another.
#[derive(Serialize)]
pub struct Replacement {
    /// The name of the blob of its entry.
    pub vault_ref: String,
    /// The wrapped key that is replaced: where it is another by now, nothing is.
    pub before: String,
    /// The new one.
    pub wrapped_key: String,
}

/// Replaces wrapped keys by those under another key, each where it still is what was read.
#[must_use]
pub fn replace(key_id: u32, replacements: &[Replacement]) -> Statement {
    const SQL: &str = "update vault_entries set wrapped_key = n.value ->> 'wrapped_key', key_id = ?2, unopenable_at = null \
        from json_each(?1) n \
        where vault_ref = n.value ->> 'vault_ref' and vault_entries.wrapped_key = n.value ->> 'before'";
    statement(SQL, [json(&replacements), key_id.into()])
}

/// Marks entries that do not open, each where it still is what was read: nothing tries them again.
#[must_use]
pub fn mark_unopenable(entries: &[Waiting], now: Timestamp) -> Statement {
    const SQL: &str = "update vault_entries set unopenable_at = ?2 from json_each(?1) n \
        where vault_ref = n.value ->> 0 and wrapped_key = n.value ->> 1";
    let entries: Vec<[&str; 2]> =
        entries.iter().map(|entry| [entry.vault_ref.as_str(), entry.wrapped_key.as_str()]).collect();
    statement(SQL, [json(&entries), now.into()])
}

/// An entry that was found not to open.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Unopenable {
    /// Where it stands.
    #[serde(flatten)]
    pub place: Place,
    /// The key that it is wrapped under.
    pub key_id: u32,
    /// When it was found.
    pub found_at: Timestamp,
}

/// Lists entries that were found not to open: a hundred, whichever.
#[must_use]
pub fn list_unopenable() -> Query<Vec<Unopenable>> {
    const SQL: &str = "select json_group_array(json_object('owner_id', owner_id, 'purpose', purpose, 'number', number, \
        'key_id', key_id, 'found_at', unopenable_at)) as row from \
        (select v.owner_id, v.purpose, v.number, v.key_id, v.unopenable_at from key_counts c cross join vault_entries v \
        on v.key_id = c.key_id and v.unopenable_at > 0 where c.key_id > 0 and c.unopenable > 0 limit 100)";
    one(statement(SQL, []))
}
