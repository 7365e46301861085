//! Pages of connections.

use serde::{Deserialize, Serialize};

use crate::domain::connection::Connection;
use crate::ports::{Param, Statement};

use super::connections::connection_json;
use super::filter::{Filter, Sql};
use super::walk::{LIST_CANDIDATES, SortKey, Walk};
use super::{Query, one};

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
        matches!((&self.0, key), (PositionKey::Name(_), SortKey::Name))
            || matches!((&self.0, key), (PositionKey::Time(_), SortKey::Created | SortKey::Modified))
    }
}

/// A sort key: a folded name, or a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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

/// One connection with its place.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Item {
    /// The place.
    pub at: Position,
    /// The connection.
    pub connection: Connection,
}

/// One page. It may be shorter than asked for; only `next: None` ends the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The connections.
    pub items: Vec<Item>,
    /// Where the next page begins.
    pub next: Option<Position>,
}

/// What a bounded walk returned: where it stopped, if it did, and what it found.
#[derive(Deserialize)]
pub(super) struct Row {
    pub(super) stop: Option<Position>,
    pub(super) items: Vec<Item>,
}

/// Lists the connections of a filter after a position.
#[must_use]
pub fn list(filter: &Filter, sort: Sort, after: Option<&Position>, limit: usize) -> Query<Page> {
    one(select(filter, sort, after, limit)).map(move |row: Row| page(row, limit))
}

/// One row more than asked for tells whether there is a next one.
pub(super) fn page(mut row: Row, limit: usize) -> Page {
    let has_more = row.items.len() > limit;
    row.items.truncate(limit);
    let last = row.items.last().map(|item| item.at.clone());
    Page { next: if has_more { last } else { row.stop }, items: row.items }
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
            "select json_object('stop', null, 'items', json((select json_group_array(json(item)) from \
             (select {item} as item from {from} order by {key} {order}, {row} {order} limit {limit})))) as row",
            item = item(key, row),
        )
    } else {
        let candidates = format!("{} where {}", walk.ahead, taken.join(" and "));
        bounded(&candidates, (key, row, order), &walk.residual.join(" and "), &limit)
    };
    Statement { sql: text.into(), params: sql.params }
}

/// A page of those among the first candidates of a walk that meet some conditions. It ends with whichever comes first: a
/// full page, or the last candidate, whose place is then told.
///
/// The candidates are walked in their order and no further than the page needs; an `order by` around the join would have
/// SQLite look at all of them first.
pub(super) fn bounded(candidates: &str, (key, row, order): (&str, &str, &str), residual: &str, limit: &str) -> String {
    let walk = format!("select {key} as k, {row} as r from {candidates} order by {key} {order}, {row} {order} limit");
    format!(
        "select json_object('stop', json(iif(n < {limit}, (select json_array(k, r) from ({walk} 1 offset {last})), null)), \
         'items', json(items)) as row from (select count(*) as n, json_group_array(json(item)) as items from \
         (select {item} as item from ({walk} {LIST_CANDIDATES}) w cross join connections c on c.rowid = w.r \
         where {residual} limit {limit}))",
        last = LIST_CANDIDATES - 1,
        item = item("w.k", "w.r"),
    )
}

/// One connection `c` with its place.
pub(super) fn item(key: &str, row: &str) -> String {
    format!("json_object('at', json_array({key}, {row}), 'connection', {})", connection_json!())
}
