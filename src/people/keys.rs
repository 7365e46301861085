//! The keys that Access signs with, fetched when they are needed and kept for the isolate's life.
//!
//! They rotate every six weeks, and the one before is published for a week more. Whoever sends made-up key ids makes at most
//! [`FETCHES`] requests a minute leave.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use url::Url;

use crate::domain::origin::Origin;
use crate::domain::time::Timestamp;
use crate::egress::Egress;
use crate::jwt::KeySet;
use crate::ports::{Clock, Outbound, PublicKey};

/// How often a minute the keys are asked for, whatever comes.
pub(super) const FETCHES: u32 = 6;
const MINUTE: Duration = Duration::from_mins(1);
/// After this, keys are asked for again before they are used.
const FRESH: Duration = Duration::from_hours(1);
/// After this, keys are not used even if there are no others.
const USABLE: Duration = Duration::from_hours(24);

/// Why there is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoKey {
    /// Access does not publish it.
    Unknown,
    /// What Access publishes could not be read.
    Unavailable,
}

/// The keys of one team.
pub(super) struct Keys {
    team: Origin,
    egress: Egress,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    kept: Option<(KeySet, Timestamp)>,
    /// The minute in which keys were asked for last, and how often.
    asked: Option<(Timestamp, u32)>,
    has_failed: bool,
}

impl Keys {
    pub(super) fn new(team: Origin, egress: Egress, clock: Arc<dyn Clock>) -> Self {
        Self { team, egress, clock, state: Mutex::default() }
    }

    /// The key of this id.
    pub(super) async fn find(&self, kid: &str) -> Result<PublicKey, NoKey> {
        if let Some(key) = self.kept(kid, FRESH) {
            return Ok(key);
        }
        if self.may_ask() {
            let published = self.fetch().await;
            let mut state = self.state();
            state.has_failed = published.is_none();
            if let Some(keys) = published {
                state.kept = Some((keys, self.clock.now()));
            }
        }
        let otherwise = if self.state().has_failed { NoKey::Unavailable } else { NoKey::Unknown };
        self.kept(kid, USABLE).ok_or(otherwise)
    }

    fn kept(&self, kid: &str, age: Duration) -> Option<PublicKey> {
        let now = self.clock.now();
        let state = self.state();
        let (keys, _) = state.kept.as_ref().filter(|(_, since)| now < *since + age)?;
        keys.find(kid).cloned()
    }

    /// Counts one more request, unless there were enough within a minute.
    fn may_ask(&self) -> bool {
        let now = self.clock.now();
        let mut state = self.state();
        let (since, count) = state.asked.filter(|(since, _)| now < *since + MINUTE).unwrap_or((now, 0));
        let may = count < FETCHES;
        state.asked = Some((since, count + u32::from(may)));
        // Until an answer has come, nothing is known of these keys.
        state.has_failed |= state.kept.is_none();
        may
    }

    async fn fetch(&self) -> Option<KeySet> {
        let url = Url::parse(&format!("{}/cdn-cgi/access/certs", self.team.as_str())).ok()?;
        let request = Outbound { method: Method::GET, url, headers: HeaderMap::new(), body: Bytes::new() };
        let answer = self.egress.exchange(request, &BTreeSet::from([self.team.clone()])).await.ok()?;
        if answer.status != StatusCode::OK {
            return None;
        }
        KeySet::parse(answer.body().ok()?).ok()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
