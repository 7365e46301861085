//! Which connections a change of many is about: what a filter finds, a page at a time, or those that are named.

use std::collections::BTreeSet;

use crate::api::connections::list::{BulkFilter, after};
use crate::api::error::{ApiError, ValueError};
use crate::domain::connection::Connection;
use crate::domain::environment::Environment;
use crate::domain::health::Status;
use crate::domain::id::ConnectionId;
use crate::domain::time::Timestamp;
use crate::store::facets::{self, Facets};
use crate::store::filter::Filter;
use crate::store::listing::{self, Listed, Position};
use crate::store::{Query, connections, nothing};

use super::{MAX_PAGE, Matching, ORDER};

/// What was asked for.
pub(super) enum Chosen {
    /// What a filter finds after a position.
    Filter(Box<Filter>, Option<Position>),
    /// Those that are named, all on one page.
    Ids(Environment, BTreeSet<ConnectionId>),
}

impl Chosen {
    /// Exactly one of the two has to be there.
    pub(super) fn parse(
        environment: Environment,
        filter: Option<BulkFilter>,
        ids: Option<BTreeSet<ConnectionId>>,
        cursor: Option<&str>,
        now: Timestamp,
    ) -> Result<Self, ApiError> {
        match (filter, ids) {
            (Some(filter), None) => {
                let after = after(cursor, ORDER)?;
                let filter = filter.filter(environment, now).map_err(in_filter)?;
                Ok(Self::Filter(Box::new(filter), after))
            }
            (None, Some(ids)) => {
                if !(1..=MAX_PAGE).contains(&ids.len()) {
                    return Err(ApiError::invalid("/ids", "Expected 1 to 100 ids."));
                }
                if cursor.is_some() {
                    return Err(ApiError::invalid("/cursor", "It belongs to `filter`: leave it out."));
                }
                Ok(Self::Ids(environment, ids))
            }
            (Some(_), Some(_)) => Err(ApiError::invalid("/ids", "It takes the place of `filter`: send one of them.")),
            (None, None) => {
                let missing = ValueError::new("/filter", "missing", "Send `filter`, or `ids`.");
                Err(ApiError::InvalidBody(vec![missing]))
            }
        }
    }

    /// Finds them, and counts them for the first page of a plan.
    pub(super) fn find(&self, dry_run: bool) -> Query<Found> {
        match self {
            Self::Filter(filter, after) => {
                let status = filter.status;
                let counts = dry_run && after.is_none();
                let counts = if counts { facets::count(filter).map(Some) } else { nothing().map(|()| None) };
                listing::list(filter, ORDER.into(), after.as_ref(), MAX_PAGE)
                    .and(counts)
                    .map(move |(listed, counts)| Found::Page(listed, counts.map(|counts| matching(&counts, status))))
            }
            Self::Ids(environment, ids) => connections::find_all(*environment, ids).map(move |found| {
                let matching = Matching { count: u64::try_from(found.len()).unwrap_or(u64::MAX), exact: true };
                Found::All(found, dry_run.then_some(matching))
            }),
        }
    }

    /// Those that are named and were not found.
    pub(super) fn missing(&self, found: &[Connection]) -> Vec<ConnectionId> {
        let Self::Ids(_, ids) = self else { return Vec::new() };
        let found: BTreeSet<&ConnectionId> = found.iter().map(|connection| &connection.id).collect();
        ids.iter().filter(|id| !found.contains(id)).cloned().collect()
    }
}

/// The filter stands in the body.
fn in_filter(error: ApiError) -> ApiError {
    match error {
        ApiError::InvalidQuery(error) => {
            ApiError::InvalidBody(vec![ValueError { pointer: format!("/filter{}", error.pointer), ..error }])
        }
        error => error,
    }
}

/// What was found; the rows of a page are read when the caller has been authorized.
pub(super) enum Found {
    Page(Listed, Option<Matching>),
    All(Vec<Connection>, Option<Matching>),
}

/// A page of what is meant.
pub(super) struct Meant {
    pub(super) connections: Vec<Connection>,
    /// How many there are altogether, where they were counted.
    pub(super) matching: Option<Matching>,
    /// Where the next page begins.
    pub(super) next: Option<Position>,
}

impl Found {
    pub(super) fn read(self) -> Result<Meant, ApiError> {
        match self {
            Self::All(connections, matching) => Ok(Meant { connections, matching, next: None }),
            Self::Page(listed, matching) => {
                let page = listed.page()?;
                let found = page.items.into_iter().map(|item| Connection::try_from(item.connection));
                let connections =
                    found.collect::<Result<_, _>>().map_err(|error| ApiError::Internal(error.to_string()))?;
                Ok(Meant { connections, matching, next: page.next })
            }
        }
    }
}

/// The statuses are counted under every other filter: their sum, or the one that is asked for.
fn matching(counts: &Facets, status: Option<Status>) -> Matching {
    let asked = status.map(|status| if status == Status::Active { "active" } else { "not_active" });
    let counted = counts.statuses.values.iter().filter(|counted| asked.is_none_or(|asked| counted.value == asked));
    Matching { count: counted.map(|counted| counted.count).sum(), exact: counts.statuses.exact }
}
