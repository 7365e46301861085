//! The checkpoints that seal the audit log and the events, and the rows of both as they are stored, whatever they hold.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::domain::Invalid;
use crate::domain::audit::SealedLog;
use crate::domain::time::Timestamp;
use crate::ports::Statement;
use crate::vault::{KeyRing, MacPurpose, Tag, VaultError};

use super::{Query, many, one, optional, statement};

/// Rows that are read at a time. A row of the events may hold 32 KB, which are 64 KB in hex and as much again once read: a part
/// must leave an isolate of 128 MB room for everything else.
pub const PART: usize = 200;
/// Checkpoints that are read at a time.
pub const CHECKPOINTS: usize = 20;
/// Behind every checkpoint.
pub const BEYOND: i64 = 1 << 53;
/// Unsealed rows that are looked at for their keys.
const TAIL: usize = 1_000;

/// A checkpoint as it is stored. Nothing of it is believed before its tag is verified.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Checkpoint {
    /// Its place in the chain of its log, from 1.
    pub number: i64,
    /// The first row that it seals.
    pub first_seq: i64,
    /// The last row that it seals; `first_seq - 1` where it seals none.
    pub last_seq: i64,
    /// The digests of its rows, one after the other.
    pub row_digests: String,
    /// The hash over the range, the hash before and the digests.
    pub hash: String,
    /// When it was sealed, in milliseconds since 1970.
    pub sealed_at: i64,
    /// The tag over hash and range.
    pub tag: String,
}

impl Checkpoint {
    /// The master key that its tag names.
    #[must_use]
    pub fn key_id(&self) -> Option<u32> {
        Tag::try_from(self.tag.clone()).ok().map(|tag| tag.key_id())
    }
}

/// A row as it is stored: its columns in the order in which its tag covers them, the tag last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRow {
    /// Its number.
    pub seq: i64,
    /// Its columns.
    pub cells: Vec<Cell>,
}

impl StoredRow {
    /// When it was written, as far as it tells: nothing of it is believed before its tag is verified.
    #[must_use]
    pub fn written_at(&self, log: SealedLog) -> Option<Timestamp> {
        let place = match log {
            SealedLog::AuditEvents => 1,
            SealedLog::Events => 6,
        };
        let Cell(cell) = self.cells.get(place)?;
        str::from_utf8(cell.strip_prefix(b"integer ")?).ok()?.parse().ok().map(Timestamp::from_millis)
    }

    /// Whether the row is what was tagged.
    ///
    /// # Errors
    /// When the ring has not the master key of its tag.
    pub fn verify(&self, ring: &KeyRing, log: SealedLog) -> Result<bool, VaultError> {
        let Some((Cell(tag), cells)) = self.cells.split_last() else { return Ok(false) };
        let tag = tag.strip_prefix(b"text ").and_then(|tag| String::from_utf8(tag.to_vec()).ok());
        let Some(tag) = tag.and_then(|tag| Tag::try_from(tag).ok()) else { return Ok(false) };
        let parts: Vec<&[u8]> = cells.iter().map(|Cell(cell)| &**cell).collect();
        let purpose = match log {
            SealedLog::AuditEvents => MacPurpose::Audit,
            SealedLog::Events => MacPurpose::Event,
        };
        tag.verify(ring, purpose, &parts)
    }
}

impl<'de> Deserialize<'de> for StoredRow {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (seq, cells) = Deserialize::deserialize(deserializer)?;
        Ok(Self { seq, cells })
    }
}

/// A column of a row as its tag covers it: its type in SQLite, a space, its value.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Cell(pub Vec<u8>);

impl TryFrom<String> for Cell {
    type Error = Invalid;

    /// Reads `<type> <hex of the value>`: JSON holds neither every text nor any blob.
    fn try_from(text: String) -> Result<Self, Invalid> {
        const INVALID: Invalid = Invalid("a type and a value in hex");
        let (kind, hex) = text.split_once(' ').ok_or(INVALID)?;
        let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
        if !rest.is_empty() {
            return Err(INVALID);
        }
        let byte = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
        let value: Option<Vec<u8>> = pairs.iter().map(byte).collect();
        let head = if kind == "null" { "null".to_owned() } else { format!("{kind} ") };
        Ok(Self([head.into_bytes(), value.ok_or(INVALID)?].concat()))
    }
}

/// The columns of a row `r` as JSON, each as [`Cell`] reads it.
macro_rules! row_json {
    ($($column:literal),+) => {
        concat!("json_array(r.seq, json_array(", row_json!(@ $($column),+), ")) as row")
    };
    (@ $column:literal) => { concat!("typeof(r.", $column, ") || ' ' || hex(r.", $column, ")") };
    (@ $column:literal, $($rest:literal),+) => { concat!(row_json!(@ $column), ", ", row_json!(@ $($rest),+)) };
}

macro_rules! audit_row {
    () => {
        row_json!("operation_id", "at", "environment", "action", "resource_id", "actor", "request_id", "detail", "tag")
    };
}

macro_rules! event_row {
    () => {
        row_json!("connection_id", "version", "event_type", "revision", "changes", "actor", "at", "tag")
    };
}

macro_rules! checkpoint_json {
    () => {
        "json_object('number', p.number, 'first_seq', p.first_seq, 'last_seq', p.last_seq, 'row_digests', p.row_digests, \
         'hash', p.hash, 'sealed_at', p.sealed_at, 'tag', p.tag)"
    };
}

/// Part of a log: checkpoints after a number, and the rows from a place on up to the last of them; without a checkpoint, the
/// rows that none seals.
pub struct Part {
    /// The checkpoints.
    pub checkpoints: Vec<Checkpoint>,
    /// The rows.
    pub rows: Vec<StoredRow>,
    /// The newest row that was ever there.
    pub newest_ever: i64,
}

/// Reads a part of a log. From the first row on, whatever stands before it comes too.
#[must_use]
pub fn find_part(log: SealedLog, after: i64, from_seq: i64) -> Query<Part> {
    const CHECKPOINTS_AFTER: &str = concat!(
        "select ",
        checkpoint_json!(),
        " as row from audit_checkpoints p where p.log = ?1 and p.number > ?2 order by p.number limit ?3"
    );
    const UP_TO: &str = "coalesce((select max(last_seq) from (select p.last_seq from audit_checkpoints p where p.log = ?1 \
                         and p.number > ?2 order by p.number limit ?3) w), 9223372036854775807)";
    let from_seq = if from_seq == 1 { i64::MIN } else { from_seq };
    let bounds = [log.as_str().into(), after.into(), limit(CHECKPOINTS)];
    let rows = Statement {
        sql: format!(
            "select {} from {} r where r.seq >= cast(?4 as integer) and r.seq <= {UP_TO} order by r.seq limit ?5",
            columns(log),
            log.as_str()
        )
        .into(),
        params: bounds.iter().cloned().chain([from_seq.to_string().into(), limit(PART)]).collect(),
    };
    many(statement(CHECKPOINTS_AFTER, bounds))
        .and(many(rows))
        .and(newest_ever(log))
        .map(|((checkpoints, rows), newest_ever)| Part { checkpoints, rows, newest_ever: newest_ever.unwrap_or(0) })
}

/// The newest row that a log ever had, as SQLite remembers it for the next number.
fn newest_ever(log: SealedLog) -> Query<Option<i64>> {
    optional(statement("select seq as row from sqlite_sequence where name = ?1 limit 1", [log.as_str().into()]))
}

/// Finds a part of the rows that no checkpoint seals: those behind a row, or behind the newest checkpoint.
#[must_use]
pub fn find_unsealed(log: SealedLog, behind: Option<i64>) -> Query<Vec<StoredRow>> {
    const BEHIND: &str = "coalesce(cast(?2 as integer), (select p.last_seq from audit_checkpoints p where p.log = ?1 \
                          order by p.number desc limit 1), -9223372036854775807)";
    let sql = format!("select {} from {} r where r.seq > {BEHIND} order by r.seq limit ?3", columns(log), log.as_str());
    let behind = behind.map(|seq| seq.to_string());
    many(Statement { sql: sql.into(), params: vec![log.as_str().into(), behind.into(), limit(PART)] })
}

const fn columns(log: SealedLog) -> &'static str {
    match log {
        SealedLog::AuditEvents => audit_row!(),
        SealedLog::Events => event_row!(),
    }
}

fn limit(rows: usize) -> crate::ports::Param {
    u64::try_from(rows).unwrap_or(0).into()
}

/// Inserts a checkpoint.
#[must_use]
pub fn insert(log: SealedLog, checkpoint: &Checkpoint) -> Statement {
    const SQL: &str = "insert into audit_checkpoints (log, number, first_seq, last_seq, row_digests, hash, sealed_at, tag) \
                       values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    statement(
        SQL,
        [
            log.as_str().into(),
            checkpoint.number.into(),
            checkpoint.first_seq.into(),
            checkpoint.last_seq.into(),
            checkpoint.row_digests.as_str().into(),
            checkpoint.hash.as_str().into(),
            checkpoint.sealed_at.into(),
            checkpoint.tag.as_str().into(),
        ],
    )
}

/// How far a log is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extent {
    /// The newest checkpoint.
    pub head: Option<Checkpoint>,
    /// The newest row.
    pub newest: i64,
}

/// Finds how far a log is sealed.
#[must_use]
pub fn find_extent(log: SealedLog) -> Query<Extent> {
    let newest = format!("select coalesce(max(seq), 0) as row from {}", log.as_str());
    let newest = Statement { sql: newest.into(), params: Vec::new() };
    find_head(log).and(one(newest)).map(|(head, newest)| Extent { head, newest })
}

/// Finds the newest checkpoint of a log.
#[must_use]
pub fn find_head(log: SealedLog) -> Query<Option<Checkpoint>> {
    const SQL: &str = concat!(
        "select ",
        checkpoint_json!(),
        " as row from audit_checkpoints p where p.log = ?1 order by p.number desc limit 1"
    );
    optional(statement(SQL, [log.as_str().into()]))
}

/// The master keys without which the logs cannot be verified any more, beside those of entries: those of the newest
/// checkpoints, and of the rows that are not sealed yet. None where too many rows wait to be sealed: then any key may be needed.
#[must_use]
pub fn keys_in_use() -> Query<Option<BTreeSet<u32>>> {
    keys_of(SealedLog::AuditEvents).and(keys_of(SealedLog::Events)).map(|(audit, events)| {
        let all = [audit.as_slice(), events.as_slice()];
        let is_complete = all.iter().all(|keys| keys.len() <= TAIL);
        is_complete.then(|| all.concat().into_iter().collect())
    })
}

fn keys_of(log: SealedLog) -> Query<Vec<u32>> {
    let sql = format!(
        "select cast(substr(w.tag, 1, instr(w.tag, '.') - 1) as integer) as row from \
         (select w.tag from (select p.tag from audit_checkpoints p where p.log = ?1 order by p.number desc limit 1) w \
         union all select w.tag from (select r.tag from {} r where r.seq > coalesce((select p.last_seq \
         from audit_checkpoints p where p.log = ?1 order by p.number desc limit 1), 0) order by r.seq limit ?2) w) w",
        log.as_str()
    );
    many(Statement { sql: sql.into(), params: vec![log.as_str().into(), limit(TAIL + 1)] })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(text: &str) -> Option<Vec<u8>> {
        Cell::try_from(text.to_owned()).ok().map(|cell| cell.0)
    }

    #[test]
    fn a_cell_that_is_not_hex_is_refused() {
        for text in ["", "text", "text 0", "text 0g", "text é0"] {
            assert_eq!(cell(text), None, "{text}");
        }
    }

    #[test]
    fn a_cell_is_read_as_its_tag_covers_it() {
        assert_eq!(cell("null ").unwrap(), b"null");
        assert_eq!(cell("integer 3132").unwrap(), b"integer 12");
        assert_eq!(cell("text C3A9").unwrap(), "text é".as_bytes());
        assert_eq!(cell("blob FF").unwrap(), b"blob \xff");
    }
}
