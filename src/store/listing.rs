//! Pages of connections.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::ports::{Param, Statement};

use super::filter::{Filter, Sql};
use super::row::{ConnectionRow, connection_json};
use super::walk::{LIST_CANDIDATES, SortKey, Walk};
use super::{Query, StoreError, text};

/// What a list sorts by, and which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// The key.
    pub key: SortKey,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// A place in a sorted list: the sort key of a connection and its row number, which breaks ties.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position(pub PositionKey, pub i64);

impl Position {
    /// Whether it is a position of a list with this sort key.
    #[must_use]
    pub const fn fits(&self, key: SortKey) -> bool {
        match self.0 {
            PositionKey::Name(_) => matches!(key, SortKey::Name),
            PositionKey::Time(_) => !matches!(key, SortKey::Name),
        }
    }
}

/// A sort key: a folded name, or a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
pub enum PositionKey {
    /// Milliseconds since 1970.
    Time(i64),
    /// A folded name.
    Name(String),
}

impl PositionKey {
    fn param(&self) -> Param {
        match self {
            Self::Time(millis) => Param::Integer(*millis),
            Self::Name(name) => Param::Text(name.clone()),
        }
    }
}

/// What the derived code would buffer first, and copy: it stands before every connection of a list.
impl<'de> Deserialize<'de> for PositionKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Key;
        impl Visitor<'_> for Key {
            type Value = PositionKey;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a name or a time")
            }

            fn visit_i64<E: Error>(self, millis: i64) -> Result<PositionKey, E> {
                Ok(PositionKey::Time(millis))
            }

            fn visit_u64<E: Error>(self, millis: u64) -> Result<PositionKey, E> {
                i64::try_from(millis).map(PositionKey::Time).map_err(E::custom)
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<PositionKey, E> {
                Ok(PositionKey::Name(name.to_owned()))
            }
        }
        deserializer.deserialize_any(Key)
    }
}

/// One connection with its place.
#[derive(Debug, Deserialize)]
pub struct Item<'a> {
    /// The place.
    pub at: Position,
    /// The connection.
    #[serde(borrow)]
    pub connection: ConnectionRow<'a>,
}

/// One page. It may be shorter than asked for; only `next: None` ends the list.
#[derive(Debug)]
pub struct Page<'a> {
    /// The connections.
    pub items: Vec<Item<'a>>,
    /// Where the next page begins.
    pub next: Option<Position>,
}

/// What a bounded walk returned: where it stopped, if it did, and what it found.
#[derive(Deserialize)]
struct Row<'a> {
    stop: Option<Position>,
    #[serde(borrow)]
    items: Vec<Item<'a>>,
}

/// A page as the database told it, which the page borrows from.
#[derive(Debug)]
pub struct Listed {
    /// What each walk found.
    pub(super) walks: Vec<String>,
    /// The most connections of the page.
    pub(super) limit: usize,
}

impl Listed {
    /// Reads the page; several walks, all ascending, are merged into one.
    ///
    /// # Errors
    /// When a row does not parse.
    pub fn page(&self) -> Result<Page<'_>, StoreError> {
        let mut page: Option<Page<'_>> = None;
        for walk in &self.walks {
            let walked = walked(serde_json::from_str(walk)?, self.limit);
            page = Some(match page {
                Some(page) => merge(page, walked, self.limit),
                None => walked,
            });
        }
        page.ok_or(StoreError::Missing)
    }
}

/// One row more than asked for tells whether there is a next one.
fn walked(mut row: Row<'_>, limit: usize) -> Page<'_> {
    let has_more = row.items.len() > limit;
    row.items.truncate(limit);
    let last = row.items.last().map(|item| item.at.clone());
    Page { next: if has_more { last } else { row.stop }, items: row.items }
}

/// Merges two pages: what lies beyond the place where one of them ended is left to the next page.
fn merge<'a>(left: Page<'a>, right: Page<'a>, limit: usize) -> Page<'a> {
    let end = [left.next, right.next].into_iter().flatten().min();
    let mut items: Vec<Item<'_>> = left.items.into_iter().chain(right.items).collect();
    items.sort_by(|a, b| a.at.cmp(&b.at));
    items.retain(|item| end.as_ref().is_none_or(|end| item.at <= *end));
    if items.len() > limit {
        items.truncate(limit);
        return Page { next: items.last().map(|item| item.at.clone()), items };
    }
    Page { items, next: end }
}

/// Lists the connections of a filter after a position.
#[must_use]
pub fn list(filter: &Filter, sort: Sort, after: Option<&Position>, limit: usize) -> Query<Listed> {
    text(select(filter, sort, after, limit)).map(move |walk| Listed { walks: vec![walk], limit })
}

fn select(filter: &Filter, sort: Sort, after: Option<&Position>, limit: usize) -> Statement {
    let mut sql = Sql::default();
    let walk = Walk::choose(filter, sort.key, None, &mut sql);
    let (Walk { key, row, .. }, order) = (&walk, if sort.descending { "desc" } else { "asc" });
    let mut taken = walk.taken.clone();
    if let Some(Position(after_key, after_row)) = after {
        let beyond = if sort.descending { "<" } else { ">" };
        let (after_key, after_row) = (sql.bind(after_key.param()), sql.bind(*after_row));
        taken.push(format!("({key}, {row}) {beyond} ({after_key}, {after_row})"));
    }
    let limit = sql.bind(u64::try_from(limit).unwrap_or(0) + 1);
    let text = if walk.residual.is_empty() || walk.is_search {
        let conditions: Vec<String> = taken.into_iter().chain(walk.residual.iter().cloned()).collect();
        let from = format!("{} where {}", walk.from, conditions.join(" and "));
        format!(
            "select format('[null,[%s]]', group_concat(item)) as row from \
             (select {item} as item from {from} order by {key} {order}, {row} {order} limit {limit})",
            item = item(key, row),
        )
    } else {
        let candidates = format!("{} where {}", walk.ahead, taken.join(" and "));
        bounded(&candidates, (key, row, order), (CONNECTION, &item("w.k", "w.r")), &walk.residual.join(" and "), &limit)
    };
    Statement { sql: text.into(), params: sql.params }
}

/// The connection `c` of a candidate.
pub(super) const CONNECTION: &str = "connections c on c.rowid = w.r";

/// A page of those among the first candidates of a walk that meet some conditions. It ends with whichever comes first: a
/// full page, or the last candidate, whose place is then told.
///
/// The candidates are walked in their order and no further than the page needs; an `order by` around the join would have
/// SQLite look at all of them first.
pub(super) fn bounded(
    candidates: &str,
    (key, row, order): (&str, &str, &str),
    (table, item): (&str, &str),
    residual: &str,
    limit: &str,
) -> String {
    let walk = format!("select {key} as k, {row} as r from {candidates} order by {key} {order}, {row} {order} limit");
    format!(
        "select format('[%s,[%s]]', iif(n < {limit}, coalesce((select json_array(k, r) from ({walk} 1 offset {last})), 'null'), \
         'null'), items) as row from (select count(*) as n, group_concat(item) as items from \
         (select {item} as item from ({walk} {LIST_CANDIDATES}) w cross join {table} \
         where {residual} limit {limit}))",
        last = LIST_CANDIDATES - 1,
    )
}

/// One connection `c` with its place.
pub(super) fn item(key: &str, row: &str) -> String {
    format!("format('[%s,%s]', json_array({key}, {row}), {})", connection_json!())
}
