//! The sidebar: how many connections each provider, tag and status has.
//!
//! Each facet counts under every filter but its own. Without a filter the counters that triggers keep answer; under
//! filters a bounded number of candidates is counted, and the answer says whether that was all.

use serde::Deserialize;

use crate::ports::Statement;

use super::filter::{Dimension, Filter, Sql};
use super::walk::{FACET_CANDIDATES, SEARCH_CANDIDATES, SortKey, Walk};
use super::{Query, one, statement};

/// The values of a facet that are told, the most frequent first.
const MAX_VALUES: u64 = 500;

/// A value of a facet and how many connections have it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Count {
    /// The value.
    pub value: String,
    /// How many.
    pub count: u64,
}

/// The values of one facet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facet {
    /// The values, the most frequent first.
    pub values: Vec<Count>,
    /// Whether every connection was counted.
    pub exact: bool,
}

/// The three facets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facets {
    /// By provider.
    pub providers: Facet,
    /// By tag.
    pub tags: Facet,
    /// By status.
    pub statuses: Facet,
}

#[derive(Deserialize)]
struct Row {
    walked: u64,
    values: Vec<Count>,
}

/// Counts every facet of a filter.
#[must_use]
pub fn count(filter: &Filter) -> Query<Facets> {
    facet(filter, Dimension::Provider)
        .and(facet(filter, Dimension::Tag))
        .and(facet(filter, Dimension::Status))
        .map(|((providers, tags), statuses)| Facets { providers, tags, statuses })
}

fn facet(filter: &Filter, dimension: Dimension) -> Query<Facet> {
    let bound = if filter.search.is_some() { SEARCH_CANDIDATES } else { FACET_CANDIDATES };
    let select =
        if is_unfiltered(filter, dimension) { counters(filter, dimension) } else { counted(filter, dimension) };
    let is_cut = |values: &[Count]| u64::try_from(values.len()).is_ok_and(|count| count >= MAX_VALUES);
    one(select).map(move |row: Row| Facet { exact: row.walked < bound && !is_cut(&row.values), values: row.values })
}

/// Whether nothing but the facet's own dimension narrows the organization's list.
fn is_unfiltered(filter: &Filter, dimension: Dimension) -> bool {
    let mut rest = filter.clone();
    match dimension {
        Dimension::Provider => rest.providers.clear(),
        Dimension::Tag => rest.tags.clear(),
        _ => rest.status = None,
    }
    rest == Filter::all(filter.environment)
}

fn counters(filter: &Filter, dimension: Dimension) -> Statement {
    const SQL: &str = "select json_object('walked', 0, 'values', json((select json_group_array(json_object('value', value, \
        'count', count)) from (select value, count from facet_counts where environment = ?1 and facet = ?2 and count > 0 \
        order by count desc, value limit ?3)))) as row";
    let facet = match dimension {
        Dimension::Provider => "provider",
        Dimension::Tag => "tag",
        _ => "status",
    };
    statement(SQL, [filter.environment.as_str().into(), facet.into(), MAX_VALUES.into()])
}

fn counted(filter: &Filter, dimension: Dimension) -> Statement {
    let mut sql = Sql::default();
    let sort = match (filter.due_before, filter.unused_since) {
        (Some(_), _) => SortKey::Due,
        (None, Some(_)) => SortKey::Idle,
        (None, None) => SortKey::Name,
    };
    let walk = Walk::choose(filter, sort, Some(dimension), &mut sql);
    let (value, each) = match dimension {
        Dimension::Provider => ("c.provider", ""),
        Dimension::Tag => ("j.value", " cross join json_each(c.tags) j"),
        _ => ("iif(c.active, 'active', 'not_active')", ""),
    };
    let candidates = if walk.is_search {
        format!("select m.id from {}", walk.ahead)
    } else {
        format!("select {} from {} where {} limit {FACET_CANDIDATES}", walk.row, walk.ahead, walk.taken.join(" and "))
    };
    let residual =
        if walk.residual.is_empty() { String::new() } else { format!(" where {}", walk.residual.join(" and ")) };
    let text = format!(
        "with walked(id) as materialized ({candidates}) select json_object('walked', (select count(*) from walked), \
         'values', json((select json_group_array(json_object('value', value, 'count', n)) from (select {value} as value, \
         count(*) as n from walked w cross join connections c on c.rowid = w.id{each}{residual} group by 1 \
         order by n desc, value limit {MAX_VALUES})))) as row"
    );
    Statement { sql: text.into(), params: sql.params }
}
