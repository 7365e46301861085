//! Wrapping data keys anew, under the primary key: some entries at a time, those of one older key. Blobs are never touched.
//!
//! Each batch is one commit that replaces what it read and nothing else: an entry that was deleted or wrapped anew
//! meanwhile is skipped. An entry that does not open is marked, so that it stands in nobody's way and is tried once only.

use serde_json::json;

use crate::api::audited;
use crate::api::error::ApiError;
use crate::app::App;
use crate::domain::actor::Actor;
use crate::domain::audit::AuditAction;
use crate::store::keys::{self, KeyUse, Place, Replacement, Waiting};
use crate::vault::{self, KeyRing, VaultError};

use super::view::is_wrong;

/// How many entries one batch wraps anew.
const BATCH: u64 = 500;
/// How many entries that do not open are named in the log and in the audit row.
const NAMED: usize = 20;

/// What one batch did.
#[derive(Default)]
pub struct Done {
    /// How many entries it took up, to wrap them anew.
    pub taken: usize,
    /// Those that did not open.
    pub unopenable: Vec<String>,
}

impl Done {
    /// The alarm that the log gets.
    #[must_use]
    pub fn alarm(&self) -> Option<String> {
        let named = self.unopenable.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        let count = self.unopenable.len();
        (count > 0).then(|| format!("ALARM: vault: {count} entries do not open, and are not wrapped anew: {named}"))
    }
}

/// Wraps some entries anew; none where nothing waits that the ring can open.
///
/// # Errors
/// 503 when the ring is missing or its primary key is another than the database knows; when the storage failed.
pub async fn some(app: &App, actor: &Actor, known: &[KeyUse]) -> Result<Done, ApiError> {
    let ring = app.ring()?;
    if known.iter().any(|key| key.key_id == ring.primary_id() && is_wrong(ring, key)) {
        return Err(ApiError::KeyUnavailable);
    }
    let Some(from) = known.iter().find(|key| is_openable(ring, key)) else { return Ok(Done::default()) };
    let waiting = keys::list_waiting(from.key_id, BATCH).run(&*app.database).await?;
    if waiting.is_empty() {
        return Ok(Done::default());
    }
    let (replacements, unopenable) = wrap(app, ring, waiting)?;
    let done = Done { taken: replacements.len(), unopenable: unopenable.iter().map(|it| name(&it.place)).collect() };
    let entry = audited::Entry {
        environment: None,
        action: AuditAction::KeysRewrapped,
        resource_id: format!("master_key_{}", ring.primary_id()),
        detail: json!({
            "from": from.key_id, "to": ring.primary_id(), "taken": done.taken,
            "unopenable": done.unopenable.len(), "named": done.unopenable.iter().take(NAMED).collect::<Vec<_>>(),
        }),
    };
    let mut commit = audited::begin(app, actor, entry)?;
    if !replacements.is_empty() {
        commit.push(keys::replace(ring.primary_id(), &replacements));
    }
    if !unopenable.is_empty() {
        commit.push(keys::mark_unopenable(&unopenable, app.now()));
    }
    commit.run(&*app.database).await?;
    Ok(done)
}

/// Whether entries wait under a key, other than the primary one, that the ring has.
fn is_openable(ring: &KeyRing, key: &KeyUse) -> bool {
    let is_older = key.key_id != ring.primary_id() && ring.ids().any(|id| id == key.key_id);
    is_older && !is_wrong(ring, key) && key.entries > key.unopenable
}

/// Wraps each entry anew, and sets aside those that do not open.
fn wrap(app: &App, ring: &KeyRing, waiting: Vec<Waiting>) -> Result<(Vec<Replacement>, Vec<Waiting>), ApiError> {
    let (mut replacements, mut unopenable) = (Vec::new(), Vec::new());
    for row in waiting {
        match row.entry.as_ref().map(|entry| vault::rewrap(ring, &*app.random, entry)) {
            Some(Ok((wrapped_key, _))) => {
                replacements.push(Replacement { vault_ref: row.vault_ref, before: row.wrapped_key, wrapped_key });
            }
            Some(Err(VaultError::KeyUnavailable(_))) => return Err(ApiError::KeyUnavailable),
            Some(Err(VaultError::Corrupt(_))) | None => unopenable.push(row),
        }
    }
    Ok((replacements, unopenable))
}

/// The place of an entry, for people.
fn name(place: &Place) -> String {
    format!("{}/{}/{}", place.owner_id, place.purpose, place.number)
}
