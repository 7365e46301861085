//! What an isolate counts, so that a resolve does not cost a write each time: how often which caller resolved which
//! connection in which hour. Plain data: no I/O object of a request stays here.
//!
//! The first use of an hour is written at once, later ones are counted and written with whatever comes next, at most once
//! a minute. What an isolate has not written when it dies is lost: counts are lower bounds.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use crate::domain::actor::Actor;
use crate::domain::environment::Environment;
use crate::domain::id::ConnectionId;
use crate::domain::resolves::{HOUR, Resolves, hour_of};
use crate::domain::time::Timestamp;

/// How long counts wait to be written.
const PAUSE: Duration = Duration::from_mins(1);
/// How long after its end an hour may still be written. It is summarised a little later, and never twice.
const LATE: Duration = Duration::from_mins(5);
/// The most that an isolate counts apart; what is more is written without being counted.
const MOST: usize = 10_000;
/// The most that is written at a time.
const AT_ONCE: usize = 50;

/// The beginning of the hour, the connection, the caller.
type Key = (i64, ConnectionId, String);

/// What an isolate counts.
pub struct Uses {
    /// The name under which the isolate writes its counts.
    pub isolate: String,
    counted: Mutex<Counted>,
}

#[derive(Default)]
struct Counted {
    entries: BTreeMap<Key, Entry>,
    written_at: Option<Timestamp>,
}

struct Entry {
    resolves: Resolves,
    /// The count that is known to be written.
    written: u64,
}

/// What is to be written now.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// The counts, each in place of what the isolate wrote before.
    pub counts: Vec<Resolves>,
    /// The connection that was not used before in this hour, as far as the isolate knows.
    pub first_used: Option<ConnectionId>,
}

impl Uses {
    /// Begins to count.
    #[must_use]
    pub fn new(isolate: String) -> Self {
        Self { isolate, counted: Mutex::default() }
    }

    /// Counts one use, and tells what is to be written now.
    #[must_use]
    pub fn note(&self, connection: (&ConnectionId, Environment), actor: &Actor, now: Timestamp) -> Due {
        let one = Resolves {
            hour: hour_of(now),
            connection_id: connection.0.clone(),
            environment: connection.1,
            actor: Actor { claimed: None, ..actor.clone() },
            count: 1,
            first_at: now,
            last_at: now,
        };
        // A lock that a panic left behind: the wasm instance is gone with it, so this is never seen.
        let Ok(mut counted) = self.counted.lock() else { return Due::default() };
        counted.note(one, now)
    }

    /// Remembers what was written.
    pub fn written(&self, counts: &[Resolves]) {
        let Ok(mut counted) = self.counted.lock() else { return };
        for resolves in counts {
            if let Some(entry) = counted.entries.get_mut(&key(resolves)) {
                entry.written = entry.written.max(resolves.count);
            }
        }
    }
}

impl Counted {
    fn note(&mut self, one: Resolves, now: Timestamp) -> Due {
        let key = key(&one);
        let is_first = !self.entries.contains_key(&key);
        if is_first && self.entries.len() >= MOST {
            return Due { first_used: Some(one.connection_id.clone()), counts: vec![one] };
        }
        let mut due = Due::default();
        let entry =
            self.entries.entry(key.clone()).or_insert(Entry { resolves: Resolves { count: 0, ..one }, written: 0 });
        entry.resolves.count += 1;
        entry.resolves.last_at = entry.resolves.last_at.max(now);
        if is_first {
            due.first_used = Some(entry.resolves.connection_id.clone());
            due.counts.push(entry.resolves.clone());
        }
        if self.written_at.is_none_or(|written| written + PAUSE <= now) {
            self.entries.retain(|_, entry| entry.resolves.hour + HOUR + LATE > now);
            let waits = |(of, entry): &(&Key, &Entry)| **of != key && entry.resolves.count > entry.written;
            due.counts.extend(self.entries.iter().filter(waits).take(AT_ONCE).map(|(_, entry)| entry.resolves.clone()));
            if !is_first {
                due.counts.extend(self.entries.get(&key).map(|entry| entry.resolves.clone()));
            }
            if due.counts.len() <= AT_ONCE {
                self.written_at = Some(now);
            }
        }
        due
    }
}

fn key(resolves: &Resolves) -> Key {
    (resolves.hour.millis(), resolves.connection_id.clone(), resolves.actor.id.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_168_800_000);

    fn note(uses: &Uses, connection: u8, now: Timestamp) -> Due {
        let id = ConnectionId::new(NOW, [connection; 9]);
        let actor = Actor { id: "key_1".to_owned(), name: "Key".to_owned(), claimed: Some("run 7".to_owned()) };
        uses.note((&id, Environment::Development), &actor, now)
    }

    fn counts(due: &Due) -> Vec<u64> {
        due.counts.iter().map(|resolves| resolves.count).collect()
    }

    #[test]
    fn an_hour_that_is_over_is_not_written_any_more() {
        let uses = Uses::new("isolate".to_owned());
        uses.written(&note(&uses, 1, NOW).counts);
        assert_eq!(counts(&note(&uses, 1, NOW)), [0; 0]);
        let late = NOW + HOUR + LATE;
        let due = note(&uses, 2, late);
        assert_eq!((counts(&due), due.counts.len()), (vec![1], 1));
        assert!(due.counts.iter().all(|resolves| resolves.hour == hour_of(late)));
    }

    #[test]
    fn what_was_counted_before_the_hour_ended_is_written_a_little_later() {
        let uses = Uses::new("isolate".to_owned());
        uses.written(&note(&uses, 1, NOW).counts);
        assert_eq!(counts(&note(&uses, 1, NOW)), [0; 0]);
        let due = note(&uses, 2, NOW + HOUR);
        assert_eq!(counts(&due), [1, 2]);
    }

    #[test]
    fn whom_an_engine_claims_to_act_for_is_not_counted_apart() {
        let uses = Uses::new("isolate".to_owned());
        assert!(note(&uses, 1, NOW).counts.iter().all(|resolves| resolves.actor.claimed.is_none()));
    }

    #[test]
    fn a_write_is_bounded_and_the_rest_comes_with_the_next() {
        let uses = Uses::new("isolate".to_owned());
        for _ in 0..2 {
            for connection in 0..120 {
                let _ = note(&uses, connection, NOW);
            }
        }
        let mut written = 0;
        for _ in 0..3 {
            let due = note(&uses, 0, NOW + PAUSE);
            assert!(due.counts.len() <= AT_ONCE + 1);
            written += due.counts.iter().filter(|resolves| resolves.count == 2).count();
            uses.written(&due.counts);
        }
        assert_eq!(written, 119);
        assert_eq!(counts(&note(&uses, 0, NOW + PAUSE)), [0; 0]);
    }
}
