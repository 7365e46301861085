//! Merges a little of the full-text indexes: a search looks each part of a word up in every segment, and what is written makes
//! more of them. Small segments become one at each tick; everything becomes one once a day, where there is more than a few.

use std::time::Duration;

use crate::api::error::ApiError;
use crate::app::App;
use crate::store;
use crate::store::search_merge::{self, SearchIndex};

use super::Done;

/// So many pages an index and tick, of 4 KiB each: about 1,300 rows written, and 20 ms of a database that has one writer.
const PAGES: i64 = 500;
/// So many segments are few enough: a search takes hardly longer than with one.
const FEW: usize = 3;
/// How often everything is merged at most: it writes each page of the index again.
const EVERY: Duration = Duration::from_hours(24);

/// Merges some of both.
///
/// # Errors
/// When the storage failed.
pub(super) async fn run(app: &App) -> Result<Done, ApiError> {
    let (now, found) = (app.now(), search_merge::find().run(&*app.database).await?);
    let is_time = found.began_at.is_none_or(|began_at| now >= began_at + EVERY);
    let begins = is_time && SearchIndex::ALL.iter().any(|index| found.of(*index) > FEW);
    let mut batch = Vec::new();
    for index in SearchIndex::ALL.into_iter().filter(|index| found.of(*index) > 1) {
        batch.push(if begins { search_merge::begin(index, PAGES) } else { search_merge::merge(index, PAGES) });
    }
    batch.extend(begins.then(|| search_merge::note(now)));
    store::run(&*app.database, batch).await?;
    let segments = SearchIndex::ALL.map(|index| found.of(index));
    Ok(Done::from_iter([("segments".to_owned(), segments.to_vec().into())]))
}
