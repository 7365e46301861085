//! The segments of the full-text indexes (<https://www.sqlite.org/fts5.html>, "The 'merge' Command"): how many there are, and the
//! statements that make fewer of them. It knows how an index is stored, not when it is worth merging.

use serde::Deserialize;

use crate::domain::time::Timestamp;
use crate::ports::Statement;

use super::{Query, one, statement};

/// A full-text index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchIndex {
    /// Of trigrams: words of three characters and more.
    Trigram,
    /// Of prefixes: shorter words.
    Prefix,
}

impl SearchIndex {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Trigram, Self::Prefix];
}

/// How the indexes are.
#[derive(Debug, Deserialize)]
pub struct Segments {
    trigram: String,
    prefix: String,
    /// When they were last begun to be merged into one segment each.
    pub began_at: Option<Timestamp>,
}

impl Segments {
    /// How many segments an index has; where there are 128 and more, some number above.
    #[must_use]
    pub fn of(&self, index: SearchIndex) -> usize {
        let header = match index {
            SearchIndex::Trigram => &self.trigram,
            SearchIndex::Prefix => &self.prefix,
        };
        // Two integers of variable length, levels and segments: one byte each below 128, as levels always are.
        usize::from(u16::from_str_radix(header, 16).unwrap_or_default() & 0xff)
    }
}

/// Reads how the indexes are: from the structure record of each, which begins with a cookie of four bytes.
#[must_use]
pub fn find() -> Query<Segments> {
    const SQL: &str = "select json_object(\
        'trigram', (select hex(substr(block, 5, 2)) from connections_trigram_data where id = 10), \
        'prefix', (select hex(substr(block, 5, 2)) from connections_prefix_data where id = 10), \
        'began_at', (select began_at from search_merge where id = 1)) as row";
    one(statement(SQL, []))
}

/// Merges so many pages of segments that are alike, or goes on with what was begun; nothing where there is nothing of either.
#[must_use]
pub fn merge(index: SearchIndex, pages: i64) -> Statement {
    const TRIGRAM: &str = "insert into connections_trigram (connections_trigram, rank) values ('merge', ?1)";
    const PREFIX: &str = "insert into connections_prefix (connections_prefix, rank) values ('merge', ?1)";
    let sql = match index {
        SearchIndex::Trigram => TRIGRAM,
        SearchIndex::Prefix => PREFIX,
    };
    statement(sql, [pages.into()])
}

/// Begins to merge all segments into one, with so many pages. What was under way is not lost.
#[must_use]
pub fn begin(index: SearchIndex, pages: i64) -> Statement {
    merge(index, -pages)
}

/// Notes that all was begun to be merged.
#[must_use]
pub fn note(at: Timestamp) -> Statement {
    const SQL: &str = "insert into search_merge (id, began_at) values (1, ?1) \
                       on conflict do update set began_at = excluded.began_at";
    statement(SQL, [at.into()])
}
