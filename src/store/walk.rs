//! Index walks: a list reads its connections in the order of one index, and stops in time.
//!
//! A single filter has an index of its own, so a page reads its own rows and no others. Under several filters the most
//! selective one walks and the others are checked row by row; the walk ends after a fixed number of candidates, and the
//! page is then short and has a cursor.

use crate::ports::Param;

use super::connections::search_scope;
use super::filter::{Condition, Dimension, Filter, Search, Sql};

/// Candidates that a list looks at, at most.
pub(super) const LIST_CANDIDATES: u64 = 5_000;
/// Candidates that a facet under filters looks at, at most.
pub(super) const FACET_CANDIDATES: u64 = 10_000;
/// The newest matches that a search considers.
pub(super) const SEARCH_CANDIDATES: u64 = 1_000;

/// What a list sorts by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    /// The name, any case or accent.
    Name,
    /// The creation time.
    Created,
    /// The time of the last change.
    Modified,
    /// The first day on which it expires or is to be rotated; only those that have one.
    Due,
    /// Since when it has not been used.
    Idle,
}

impl SortKey {
    pub(super) const fn column(self) -> &'static str {
        match self {
            Self::Name => "name_key",
            Self::Created => "created_at",
            Self::Modified => "modified_at",
            Self::Due => "due_at",
            Self::Idle => "idle_since",
        }
    }

    const fn suffix(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Created => "created",
            Self::Modified => "modified",
            Self::Due => "due",
            Self::Idle => "idle",
        }
    }
}

/// Where the candidates come from, and what is left to check.
pub(super) struct Walk {
    /// The `from` clause, the connection's alias being `c`.
    pub(super) from: String,
    /// The part of it that knows the order, for looking ahead without reading the connections.
    pub(super) ahead: String,
    /// What the index takes over.
    pub(super) taken: Vec<String>,
    /// What is checked row by row.
    pub(super) residual: Vec<String>,
    /// The sort key and the row number, as columns of the index.
    pub(super) key: String,
    pub(super) row: String,
    /// Whether the candidates are search matches, which are few already.
    pub(super) is_search: bool,
}

impl Walk {
    /// Chooses the walk for a filter, leaving out the conditions of a facet's own dimension.
    pub(super) fn choose(filter: &Filter, sort: SortKey, without: Option<Dimension>, sql: &mut Sql) -> Self {
        let mut conditions = filter.conditions(sql);
        conditions.retain(|condition| Some(condition.dimension) != without);
        match &filter.search {
            Some(search) => Self::search(filter, search, sort, conditions, sql),
            None if matches!(sort, SortKey::Due | SortKey::Idle) => Self::by_date(filter, sort, conditions, sql),
            None if without != Some(Dimension::Tag) && filter.owner().is_some() && !filter.tags.is_empty() => {
                Self::tag(filter, sort, conditions, sql)
            }
            None => Self::index(filter, sort, base(filter, sql), conditions),
        }
    }

    fn index(filter: &Filter, sort: SortKey, mut taken: Vec<String>, conditions: Vec<Condition>) -> Self {
        let has = |dimension| conditions.iter().any(|c| c.dimension == dimension && !c.sql.contains(" in ("));
        let owned = filter.owner().is_some();
        let walks = [
            (Dimension::StableKey, "connections_stable_key", owned),
            (Dimension::Template, "connections_template", !owned),
            (Dimension::Provider, "connections_provider", owned),
            (Dimension::ConnectionType, "connections_type", owned),
            (Dimension::Verdict, "connections_verdict", owned),
            (Dimension::Status, "connections_status", owned),
            (Dimension::Embedded, "connections_embedded", owned),
            // The organization's kinds have no customer: there the owner narrows nothing.
            (Dimension::Kind, "connections_kind", filter.customer.is_none()),
        ];
        let walk = walks.into_iter().find(|(dimension, _, fits)| *fits && has(*dimension));
        let index = match walk {
            Some((Dimension::StableKey, name, _)) => name.to_owned(),
            Some((_, name, _)) => format!("{name}_{}", sort.suffix()),
            None => format!("connections_{}", sort.suffix()),
        };
        let is_taken = |c: &Condition| walk.is_some_and(|(dimension, ..)| c.dimension == dimension);
        let (by_index, rest): (Vec<_>, Vec<_>) = conditions.into_iter().partition(is_taken);
        taken.extend(by_index.into_iter().map(|c| c.sql));
        let from = format!("connections c indexed by {index}");
        Self {
            ahead: from.clone(),
            from,
            taken,
            residual: rest.into_iter().map(|c| c.sql).collect(),
            key: format!("c.{}", sort.column()),
            row: "c.rowid".to_owned(),
            is_search: false,
        }
    }

    /// Walks dates that connections have or come to: every other filter is checked row by row.
    fn by_date(filter: &Filter, sort: SortKey, conditions: Vec<Condition>, sql: &mut Sql) -> Self {
        let mut taken = base(filter, sql);
        taken.extend((sort == SortKey::Due).then(|| "c.due_at is not null".to_owned()));
        let is_owned = filter.owner().is_some();
        if !is_owned && filter.kind.is_none() {
            // What stands under a template is customers'.
            taken.push("c.kind = 'customer'".to_owned());
        }
        let span = if sort == SortKey::Due { Dimension::Due } else { Dimension::Idle };
        let is_taken = |c: &Condition| c.dimension == span || (!is_owned && c.dimension == Dimension::Kind);
        let (by_index, rest): (Vec<_>, Vec<_>) = conditions.into_iter().partition(is_taken);
        taken.extend(by_index.into_iter().map(|condition| condition.sql));
        let of_kind = if is_owned { "" } else { "kind_" };
        let from = format!("connections c indexed by connections_{of_kind}{}", sort.suffix());
        Self {
            ahead: from.clone(),
            from,
            taken,
            residual: rest.into_iter().map(|condition| condition.sql).collect(),
            key: format!("c.{}", sort.column()),
            row: "c.rowid".to_owned(),
            is_search: false,
        }
    }

    /// Walks the rarest of the wanted tags, as the counters tell.
    ///
    /// The connection itself is found by its row number; what the tag's row says need not be checked again.
    fn tag(filter: &Filter, sort: SortKey, conditions: Vec<Condition>, sql: &mut Sql) -> Self {
        let tags: Vec<&str> = filter.tags.iter().map(crate::domain::text::Tag::as_str).collect();
        let environment = sql.bind(filter.environment.as_str());
        let owner = sql.bind(filter.owner().unwrap_or_default());
        let tag = match tags.as_slice() {
            [tag] => sql.bind(*tag),
            tags => {
                let tags = sql.bind(super::json(&tags));
                format!(
                    "(select w.value from json_each({tags}) w left join facet_counts f on f.environment = {environment} \
                     and f.facet = 'tag' and f.value = w.value order by coalesce(f.count, 0) limit 1)"
                )
            }
        };
        let ahead = format!("connection_tags t indexed by connection_tags_{}", sort.suffix());
        let single = tags.len() == 1;
        let residual = conditions.into_iter().filter(|c| !(single && c.dimension == Dimension::Tag)).map(|c| c.sql);
        Self {
            from: format!("{ahead} cross join connections c on c.rowid = t.connection"),
            ahead,
            taken: vec![
                format!("t.environment = {environment}"),
                format!("t.customer = {owner}"),
                format!("t.tag = {tag}"),
            ],
            residual: residual.collect(),
            key: format!("t.{}", sort.column()),
            row: "t.connection".to_owned(),
            is_search: false,
        }
    }

    /// Considers the newest matches of a search, whatever the sort.
    fn search(filter: &Filter, search: &Search, sort: SortKey, conditions: Vec<Condition>, sql: &mut Sql) -> Self {
        let owner = if filter.is_about_customers() { "customers" } else { "" };
        let scope = search_scope(filter.environment, owner);
        let matches = |table: &str, expression: String, sql: &mut Sql| {
            let expression = sql.bind(Param::Text(expression));
            format!(
                "(select rowid as id from {table} where {table} match {expression} order by rowid desc \
                 limit {SEARCH_CANDIDATES}) m"
            )
        };
        let mut residual = base(filter, sql);
        let ahead = if search.long.is_empty() {
            matches("connections_prefix", Search::expression(&search.short, "*", scope), sql)
        } else {
            // Asking the index about each match would take a millisecond each.
            residual.extend(search.short.iter().map(|word| {
                let pattern = sql.bind(Param::Text(Search::pattern(word)));
                format!("char(10) || c.search_text glob {pattern}")
            }));
            matches("connections_trigram", Search::expression(&search.long, "", scope), sql)
        };
        residual.extend(conditions.into_iter().map(|c| c.sql));
        residual.extend((sort == SortKey::Due).then(|| "c.due_at is not null".to_owned()));
        Self {
            from: format!("{ahead} cross join connections c on c.rowid = m.id"),
            ahead,
            taken: Vec::new(),
            residual,
            key: format!("c.{}", sort.column()),
            row: "c.rowid".to_owned(),
            is_search: true,
        }
    }
}

/// The environment, the owner where there is one, and that it is not deleted: the beginning of every index.
fn base(filter: &Filter, sql: &mut Sql) -> Vec<String> {
    let environment = format!("c.environment = {}", sql.bind(filter.environment.as_str()));
    let owner = filter.owner().map(|owner| format!("c.customer = {}", sql.bind(owner)));
    [Some(environment), owner, Some("c.deleted_at is null".to_owned())].into_iter().flatten().collect()
}
