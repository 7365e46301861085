//! Finds blobs that no row names: a Worker that dies between storing a blob and committing leaves one. Deletes nothing: what
//! it finds becomes garbage, which [`sweep`](super::sweep) deletes when it is due.

use std::time::Duration;

use crate::api::error::ApiError;
use crate::app::App;
use crate::store::{self, garbage, secrets};
use crate::vault::VaultRef;

use super::Done;

/// How often a walk over the blob store begins.
const EVERY: Duration = Duration::from_hours(24);
/// A walk that has not come to its end by then begins anew: its cursor may be one that the store refuses.
const GIVEN_UP: Duration = Duration::from_hours(30 * 24);

/// Walks over one page.
///
/// # Errors
/// When the storage failed; the next tick asks for the same page.
pub(super) async fn run(app: &App) -> Result<Done, ApiError> {
    let now = app.now();
    let walk = garbage::find_walk().run(&*app.database).await?;
    let (began_at, cursor) = match walk {
        Some(walk) if walk.cursor.is_some() && now < walk.began_at + GIVEN_UP => (walk.began_at, walk.cursor),
        Some(walk) if walk.cursor.is_none() && now < walk.began_at + EVERY => return Ok(Done::new()),
        _ => (now, None),
    };
    let page =
        app.blobs.list(cursor.as_deref()).await.map_err(|error| ApiError::StorageUnavailable(error.to_string()))?;
    // A key that is no reference was not put there by Keyfob.
    let listed: Vec<VaultRef> = page.keys.into_iter().filter_map(|key| VaultRef::try_from(key).ok()).collect();
    let batch = vec![
        garbage::insert_unnamed(&listed, secrets::garbage_due(now)),
        garbage::note_walk(began_at, page.cursor.as_deref()),
    ];
    let found = store::run(&*app.database, batch).await?.next().map_or(0, |rows| rows.rows.len());
    Ok(Done::from_iter([("blobs_listed".to_owned(), listed.len().into()), ("orphans".to_owned(), found.into())]))
}
