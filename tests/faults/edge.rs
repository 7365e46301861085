//! The blob store as it is seen from several locations (Cloudflare's documentation, "How KV works"): what is written in one
//! is visible in the others a minute or more later, hits and misses are cached, and a key takes one write a second.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use keyfob::ports::{BlobError, BlobStore, Clock, Keys};

use crate::sim::{Sim, SimClock};

/// How many keys a page of the list has.
const PAGE: usize = 20;
/// How long a location keeps what it read, and that there was nothing.
const CACHED: Duration = Duration::from_mins(1);

/// The store behind all locations.
pub(crate) struct Kv {
    sim: Arc<Sim>,
    clock: Arc<SimClock>,
    /// How long a write may take to be seen elsewhere, in milliseconds.
    lag: u64,
    stored: Mutex<BTreeMap<String, Stored>>,
}

#[derive(Clone)]
struct Stored {
    blob: Option<Vec<u8>>,
    written_at: i64,
    /// When each location sees it.
    visible_at: Vec<i64>,
}

const LOCATIONS: usize = 3;

impl Kv {
    pub(crate) fn new(sim: &Arc<Sim>, clock: &Arc<SimClock>, lag: Duration) -> Arc<Self> {
        let lag = u64::try_from(lag.as_millis()).unwrap();
        Arc::new(Self { sim: Arc::clone(sim), clock: Arc::clone(clock), lag, stored: Mutex::default() })
    }

    /// The store of another world, as it is now.
    pub(crate) fn copy(&self, sim: &Arc<Sim>, clock: &Arc<SimClock>) -> Arc<Self> {
        let stored = self.stored.lock().unwrap().clone().into();
        Arc::new(Self { sim: Arc::clone(sim), clock: Arc::clone(clock), lag: self.lag, stored })
    }

    /// What is stored, wherever it is visible.
    pub(crate) fn keys(&self) -> Vec<String> {
        let stored = self.stored.lock().unwrap();
        stored.iter().filter(|(_, stored)| stored.blob.is_some()).map(|(key, _)| key.clone()).collect()
    }

    fn now(&self) -> i64 {
        self.clock.now().millis()
    }

    fn write(&self, location: usize, key: &str, blob: Option<Vec<u8>>) -> Result<(), BlobError> {
        let now = self.now();
        let mut stored = self.stored.lock().unwrap();
        if let Some(before) = stored.get(key) {
            let is_other = before.blob.is_some() && blob.is_some() && before.blob != blob;
            assert!(!is_other, "a blob is never overwritten");
            if now - before.written_at < 1_000 {
                return Err(BlobError("429 Too Many Requests".to_owned()));
            }
        }
        let lag = || i64::try_from(self.sim.roll(self.lag + 1)).unwrap();
        let visible_at = (0..LOCATIONS).map(|other| if other == location { now } else { now + lag() }).collect();
        stored.insert(key.to_owned(), Stored { blob, written_at: now, visible_at });
        Ok(())
    }

    /// The blob as a location finds it in the store.
    fn read(&self, location: usize, key: &str) -> Option<Vec<u8>> {
        let now = self.now();
        let stored = self.stored.lock().unwrap();
        let stored = stored.get(key).filter(|stored| stored.visible_at[location] <= now);
        stored.and_then(|stored| stored.blob.clone())
    }
}

/// A blob, or that there was none, and until when a location believes it.
struct Cached {
    blob: Option<Vec<u8>>,
    until: i64,
}

/// The store as one location sees it.
pub(crate) struct Location {
    pub(crate) kv: Arc<Kv>,
    pub(crate) number: usize,
    cache: Mutex<BTreeMap<String, Cached>>,
}

impl Location {
    pub(crate) fn new(kv: &Arc<Kv>, number: usize) -> Self {
        Self { kv: Arc::clone(kv), number: number % LOCATIONS, cache: Mutex::default() }
    }
}

#[async_trait]
impl BlobStore for Location {
    async fn put(&self, key: &str, blob: Vec<u8>) -> Result<(), BlobError> {
        self.kv.write(self.number, key, Some(blob))
    }

    async fn get(&self, key: &str, cache: Option<Duration>) -> Result<Option<Vec<u8>>, BlobError> {
        let now = self.kv.now();
        let mut cached = self.cache.lock().unwrap();
        if let Some(cached) = cached.get(key).filter(|cached| now < cached.until) {
            return Ok(cached.blob.clone());
        }
        let blob = self.kv.read(self.number, key);
        let until = now + i64::try_from(cache.unwrap_or(CACHED).as_millis()).unwrap();
        cached.insert(key.to_owned(), Cached { blob: blob.clone(), until });
        Ok(blob)
    }

    async fn delete(&self, key: &str) -> Result<(), BlobError> {
        self.kv.write(self.number, key, None)
    }

    async fn list(&self, cursor: Option<&str>) -> Result<Keys, BlobError> {
        let is_after = |key: &&String| cursor.is_none_or(|last| &***key > last);
        let mut keys: Vec<String> = self.kv.keys().iter().filter(is_after).cloned().collect();
        let is_last = keys.len() <= PAGE;
        keys.truncate(PAGE);
        let cursor = keys.last().filter(|_| !is_last).cloned();
        Ok(Keys { keys, cursor })
    }
}
