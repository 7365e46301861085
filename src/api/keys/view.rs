//! The master keys as the API shows them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::time::Timestamp;
use crate::store::keys::{KeyUse, Unopenable};
use crate::vault::{KeyRing, KeyRingError};

/// What a key is to the ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// Everything new is sealed under it.
    Primary,
    /// It opens what was sealed under it.
    Secondary,
    /// The database needs it, and the ring lacks it: what rests under it cannot be read.
    Missing,
    /// The ring has another key under its number: what rests under it cannot be read.
    Wrong,
}

/// What needs a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyNeed {
    /// Entries of the vault are wrapped under it.
    Entries,
    /// Kept answers to requests with an `Idempotency-Key` are tagged under it; they are forgotten after a day.
    IdempotentAnswers,
    /// Rows of the audit log or of the history are vouched for under it alone; the scheduled handler seals them under the
    /// primary key, each minute.
    Logs,
}

/// A master key by its number; never the key.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MasterKey)]
pub struct KeyView {
    /// Its number.
    id: u32,
    /// What it is to the ring.
    state: KeyState,
    /// Entries of the vault that are wrapped under it.
    entries: u64,
    /// Those of them that do not open and cannot be wrapped anew.
    unopenable: u64,
    /// What needs it.
    needed_by: Vec<KeyNeed>,
    /// Whether it may leave the ring: it is in it, it is not the primary one, and nothing needs it. Keep a copy for 31 days:
    /// Time Travel can bring back a database that needs it.
    removable: bool,
}

/// How far the wrapping of older entries under the primary key is.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = Rewrap)]
pub struct RewrapView {
    /// The primary key; none without a ring.
    to: Option<u32>,
    /// Entries that are wrapped under it.
    rewrapped: u64,
    /// Entries that wait for it: each minute some of them are wrapped anew, until none waits.
    waiting: u64,
    /// Entries whose key is missing or wrong: they wait for the right one.
    unavailable: u64,
    /// Entries that do not open under their own key, which is the right one. They are damaged.
    unopenable: u64,
    /// Whether all entries are wrapped under the primary key.
    done: bool,
}

/// An entry that does not open under its own key, which is the right one. Its secrets have to be entered again.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UnopenableEntry)]
pub struct UnopenableView {
    /// The id of its owner.
    owner_id: String,
    /// What it holds.
    #[schema(example = "values")]
    purpose: String,
    /// Which one: of values, the revision.
    number: i64,
    /// The key that it is wrapped under.
    key_id: u32,
    /// When it was found.
    found_at: Timestamp,
}

/// The master keys.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MasterKeys)]
pub struct Keys {
    /// The keys by their numbers.
    data: Vec<KeyView>,
    /// Always null: there is one page.
    next_cursor: Option<String>,
    /// How far the rewrap is.
    rewrap: RewrapView,
    /// Some of the entries that do not open, at most a hundred.
    unopenable: Vec<UnopenableView>,
    /// What is wrong with `MASTER_KEYS`; none when nothing is.
    problem: Option<String>,
}

impl Keys {
    /// The keys of the ring, and those that the database needs.
    #[must_use]
    pub fn of(ring: Result<&KeyRing, &KeyRingError>, known: &[KeyUse], unopenable: Vec<Unopenable>) -> Self {
        let data = key_views(ring.ok(), known);
        Self {
            rewrap: progress(ring.ok().map(KeyRing::primary_id), &data),
            data,
            next_cursor: None,
            unopenable: unopenable.into_iter().map(UnopenableView::from).collect(),
            problem: ring.err().map(ToString::to_string),
        }
    }
}

/// Whether the ring has another key under this number than the database knows.
#[must_use]
pub fn is_wrong(ring: &KeyRing, key: &KeyUse) -> bool {
    let given = ring.check_value(key.key_id);
    given.is_some() && key.check_value.is_some() && given != key.check_value
}

fn key_views(ring: Option<&KeyRing>, known: &[KeyUse]) -> Vec<KeyView> {
    let unknown = ring.into_iter().flat_map(KeyRing::ids).filter(|id| known.iter().all(|key| key.key_id != *id));
    let unknown = unknown.map(|key_id| KeyUse { key_id, ..KeyUse::default() });
    let mut views: Vec<KeyView> = known.iter().cloned().chain(unknown).filter_map(|key| view(ring, &key)).collect();
    views.sort_by_key(|view| view.id);
    views
}

/// One key; none that has left the ring and that nothing needs any more.
fn view(ring: Option<&KeyRing>, key: &KeyUse) -> Option<KeyView> {
    let needs = [
        (key.entries > 0, KeyNeed::Entries),
        (key.tags_answers, KeyNeed::IdempotentAnswers),
        (key.vouches_for_logs, KeyNeed::Logs),
    ];
    let needed_by: Vec<KeyNeed> = needs.into_iter().filter_map(|(is, need)| is.then_some(need)).collect();
    let state = match ring {
        Some(ring) if is_wrong(ring, key) => KeyState::Wrong,
        Some(ring) if ring.primary_id() == key.key_id => KeyState::Primary,
        Some(ring) if ring.ids().any(|id| id == key.key_id) => KeyState::Secondary,
        _ => KeyState::Missing,
    };
    let is_primary = ring.is_some_and(|ring| ring.primary_id() == key.key_id);
    let is_given = state != KeyState::Missing;
    (is_given || !needed_by.is_empty()).then_some(KeyView {
        id: key.key_id,
        state,
        entries: key.entries,
        unopenable: key.unopenable,
        removable: is_given && !is_primary && needed_by.is_empty(),
        needed_by,
    })
}

fn progress(to: Option<u32>, keys: &[KeyView]) -> RewrapView {
    let mut progress = RewrapView { to, ..RewrapView::default() };
    for key in keys {
        match key.state {
            KeyState::Missing | KeyState::Wrong => progress.unavailable += key.entries,
            KeyState::Primary => progress.rewrapped += key.entries,
            KeyState::Secondary => {
                progress.waiting += key.entries.saturating_sub(key.unopenable);
                progress.unopenable += key.unopenable;
            }
        }
    }
    progress.done = to.is_some() && progress.waiting + progress.unavailable + progress.unopenable == 0;
    progress
}

impl From<Unopenable> for UnopenableView {
    fn from(entry: Unopenable) -> Self {
        let Unopenable { place, key_id, found_at } = entry;
        Self { owner_id: place.owner_id, purpose: place.purpose, number: place.number, key_id, found_at }
    }
}
