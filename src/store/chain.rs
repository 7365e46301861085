//! What the checkpoints of a log prove. Knows no SQL.
//!
//! ```text
//! part(x)    = length of x as u32 ‖ x                        numbers are decimal text
//! row digest = SHA-256(part("keyfob/row/1") ‖ part(log) ‖ part(seq) ‖ part(cell)…)     cells in the order of the columns, tag last
//! hash       = SHA-256(part("keyfob/chain/1") ‖ part(log) ‖ part(number) ‖ part(first seq) ‖ part(last seq)
//!              ‖ part(hash before) ‖ part(row digest)…)      before the first: 32 zeros
//! tag        = HMAC (see `vault`, "keyfob/checkpoint/1") over log, number, first seq, last seq, hash, time of sealing
//! ```
//!
//! A row was tagged by whoever wrote it, and its tag is checked before it is sealed. From then on its digest vouches for it:
//! one tag, that of the newest checkpoint, vouches for all digests, whatever became of the keys before.

use std::cmp::Ordering;
use std::iter::Peekable;
use std::slice::Iter;

use crate::domain::audit::{Break, Fault, SealedLog};
use crate::domain::time::Timestamp;
use crate::vault::{Digest, KeyRing, MacPurpose, Tag, VaultError};

use super::checkpoints::{Checkpoint, StoredRow};

/// The most rows that one checkpoint seals.
const ROWS: usize = 100;

/// A place in a chain: what has been proved up to there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The number of the checkpoint before.
    pub number: i64,
    /// Its hash.
    pub hash: Digest,
    /// The row that comes next.
    pub next_seq: i64,
    /// The row from which on no checkpoint has been vouched for yet, its key being gone: a later one may.
    pub unproved: Option<i64>,
}

impl Place {
    /// The beginning of a chain.
    pub const START: Self = Self { number: 0, hash: Digest::ZERO, next_seq: 1, unproved: None };

    fn after(checkpoint: &Checkpoint, unproved: Option<i64>) -> Option<Self> {
        let (hash, next_seq) = (Digest::try_from(checkpoint.hash.clone()).ok()?, checkpoint.last_seq.checked_add(1)?);
        Some(Self { number: checkpoint.number, hash, next_seq, unproved })
    }
}

/// Checks checkpoints and the rows that they seal, from a place on.
///
/// # Errors
/// The first break.
pub fn check<'a>(
    (ring, log): (&KeyRing, SealedLog),
    mut place: Place,
    checkpoints: impl Iterator<Item = &'a Checkpoint>,
    rows: &[StoredRow],
) -> Result<Place, Break> {
    let mut rows = rows.iter().peekable();
    for checkpoint in checkpoints {
        let end = rows.clone();
        let Some((next, digests)) = link((ring, log), place, checkpoint)? else {
            let changed = Break { log, seq: place.next_seq, fault: Fault::CheckpointChanged };
            // Whoever changed a checkpoint may have done so for the sake of a row: then that is what to name.
            let row = check_tail((ring, log), place.next_seq, end.take(ROWS)).err();
            return Err(row.filter(|broken| broken.fault != Fault::UnknownKey).unwrap_or(changed));
        };
        check_rows(log, place.next_seq, &digests, &mut rows)?;
        place = next;
    }
    Ok(place)
}

/// Whether a checkpoint continues the chain and is what was written: the place behind it, and the digests of its rows.
///
/// # Errors
/// When one before it is missing.
fn link(
    (ring, log): (&KeyRing, SealedLog),
    place: Place,
    checkpoint: &Checkpoint,
) -> Result<Option<(Place, Vec<Digest>)>, Break> {
    if checkpoint.number > place.number.saturating_add(1) {
        return Err(Break { log, seq: place.next_seq, fault: Fault::CheckpointMissing });
    }
    let Some(digests) = Digest::split(&checkpoint.row_digests) else { return Ok(None) };
    let count = i64::try_from(digests.len()).unwrap_or(i64::MAX);
    let continues = checkpoint.first_seq == place.next_seq
        && checkpoint.last_seq.checked_add(1) == place.next_seq.checked_add(count);
    if !continues || hash(log, place, checkpoint, &digests).to_string() != checkpoint.hash {
        return Ok(None);
    }
    let unproved = match verify((ring, log), checkpoint) {
        Ok(true) => None,
        Ok(false) | Err(VaultError::Corrupt(_)) => return Ok(None),
        Err(VaultError::KeyUnavailable(_)) => place.unproved.or(Some(checkpoint.first_seq)),
    };
    Ok(Place::after(checkpoint, unproved).map(|next| (next, digests)))
}

/// Compares the rows of a checkpoint with their digests.
fn check_rows(
    log: SealedLog,
    first_seq: i64,
    digests: &[Digest],
    rows: &mut Peekable<Iter<'_, StoredRow>>,
) -> Result<(), Break> {
    for (seq, digest) in (first_seq..).zip(digests) {
        let Some(row) = rows.next_if(|row| row.seq <= seq) else {
            return Err(Break { log, seq, fault: Fault::RowMissing });
        };
        if row.seq < seq {
            return Err(Break { log, seq: row.seq, fault: Fault::RowInserted });
        }
        if digest_of(log, seq, row) != *digest {
            let is_neighbour = (first_seq..).zip(digests).any(|(seq, digest)| digest_of(log, seq, row) == *digest);
            let fault = if is_neighbour { Fault::RowReordered } else { Fault::RowChanged };
            return Err(Break { log, seq, fault });
        }
    }
    Ok(())
}

/// Checks rows that no checkpoint seals yet, by their own tags: nothing tells whether they were reordered. Gives the place
/// behind the last.
///
/// # Errors
/// The first break.
pub fn check_tail<'a>(
    (ring, log): (&KeyRing, SealedLog),
    mut next_seq: i64,
    rows: impl Iterator<Item = &'a StoredRow>,
) -> Result<i64, Break> {
    for row in rows {
        let fault = match (row.seq.cmp(&next_seq), row.verify(ring, log)) {
            (Ordering::Less, _) => Fault::RowInserted,
            (Ordering::Greater, _) => Fault::RowMissing,
            (Ordering::Equal, Ok(true)) => {
                next_seq = next_seq.saturating_add(1);
                continue;
            }
            (Ordering::Equal, Err(VaultError::KeyUnavailable(_))) => Fault::UnknownKey,
            (Ordering::Equal, Ok(false) | Err(VaultError::Corrupt(_))) => Fault::RowChanged,
        };
        return Err(Break { log, seq: next_seq.min(row.seq), fault });
    }
    Ok(next_seq)
}

/// Seals rows behind the newest checkpoint, as far as they are what was written. Without a row, the newest checkpoint is
/// sealed once more where it is under another key than the primary one: then its key can be retired.
///
/// # Errors
/// When the ring has not its primary key any more.
pub fn seal(
    (ring, log): (&KeyRing, SealedLog),
    head: Option<&Checkpoint>,
    rows: &[StoredRow],
    now: Timestamp,
) -> Result<(Vec<Checkpoint>, Option<Break>), VaultError> {
    let mut place = match head.map_or(Ok(Place::START), |head| head_place((ring, log), head)) {
        Ok(place) => place,
        Err(broken) => return Ok((Vec::new(), Some(broken))),
    };
    let (end, broken) = match check_tail((ring, log), place.next_seq, rows.iter()) {
        Ok(end) => (end, None),
        Err(broken) => (broken.seq, Some(broken)),
    };
    let sound: Vec<&StoredRow> = rows.iter().take_while(|row| row.seq < end).collect();
    let is_old = head.and_then(Checkpoint::key_id).is_some_and(|key| key != ring.primary_id());
    let nothing: &[&StoredRow] = &[];
    let again = if sound.is_empty() && broken.is_none() && is_old { Some(nothing) } else { None };
    let mut sealed = Vec::new();
    for rows in sound.chunks(ROWS).chain(again) {
        let checkpoint = make((ring, log), place, rows, now)?;
        let Some(next) = Place::after(&checkpoint, None) else { break };
        sealed.push(checkpoint);
        place = next;
    }
    Ok((sealed, broken))
}

/// The place behind the newest checkpoint, which must be vouched for: nothing is chained on to a break.
fn head_place((ring, log): (&KeyRing, SealedLog), head: &Checkpoint) -> Result<Place, Break> {
    let broken = |fault| Break { log, seq: head.first_seq, fault };
    match verify((ring, log), head) {
        Ok(true) => Place::after(head, None).ok_or(broken(Fault::CheckpointChanged)),
        Ok(false) | Err(VaultError::Corrupt(_)) => Err(broken(Fault::CheckpointChanged)),
        Err(VaultError::KeyUnavailable(_)) => Err(broken(Fault::UnknownKey)),
    }
}

fn make(
    (ring, log): (&KeyRing, SealedLog),
    place: Place,
    rows: &[&StoredRow],
    now: Timestamp,
) -> Result<Checkpoint, VaultError> {
    let digests: Vec<Digest> = rows.iter().map(|row| digest_of(log, row.seq, row)).collect();
    let mut checkpoint = Checkpoint {
        number: place.number.saturating_add(1),
        first_seq: place.next_seq,
        last_seq: rows.last().map_or(place.next_seq - 1, |row| row.seq),
        row_digests: Digest::join(&digests),
        hash: String::new(),
        sealed_at: now.millis(),
        tag: String::new(),
    };
    checkpoint.hash = hash(log, place, &checkpoint, &digests).to_string();
    let parts = tagged(log, &checkpoint);
    let parts: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
    checkpoint.tag = Tag::make(ring, MacPurpose::Checkpoint, &parts)?.to_string();
    Ok(checkpoint)
}

fn verify((ring, log): (&KeyRing, SealedLog), checkpoint: &Checkpoint) -> Result<bool, VaultError> {
    let Ok(tag) = Tag::try_from(checkpoint.tag.clone()) else { return Ok(false) };
    let parts = tagged(log, checkpoint);
    let parts: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
    tag.verify(ring, MacPurpose::Checkpoint, &parts)
}

fn tagged(log: SealedLog, checkpoint: &Checkpoint) -> [String; 6] {
    let Checkpoint { number, first_seq, last_seq, hash, sealed_at, .. } = checkpoint;
    let log = log.as_str().to_owned();
    [log, number.to_string(), first_seq.to_string(), last_seq.to_string(), hash.clone(), sealed_at.to_string()]
}

fn hash(log: SealedLog, before: Place, checkpoint: &Checkpoint, digests: &[Digest]) -> Digest {
    let numbers = [checkpoint.number, checkpoint.first_seq, checkpoint.last_seq].map(|number| number.to_string());
    let mut parts = vec![&b"keyfob/chain/1"[..], log.as_str().as_bytes()];
    parts.extend(numbers.iter().map(String::as_bytes));
    parts.push(before.hash.bytes());
    parts.extend(digests.iter().map(|digest| &digest.bytes()[..]));
    Digest::of(&parts)
}

/// The digest of a row as if it stood at a place.
fn digest_of(log: SealedLog, seq: i64, row: &StoredRow) -> Digest {
    let seq = seq.to_string();
    let mut parts = vec![&b"keyfob/row/1"[..], log.as_str().as_bytes(), seq.as_bytes()];
    parts.extend(row.cells.iter().map(|cell| &*cell.0));
    Digest::of(&parts)
}
