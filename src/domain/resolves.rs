//! How often a caller resolved the credentials of a connection within an hour. A lower bound: see `app`.

use std::time::Duration;

use serde::Deserialize;

use super::actor::Actor;
use super::environment::Environment;
use super::id::ConnectionId;
use super::time::Timestamp;

/// What is counted together.
pub const HOUR: Duration = Duration::from_hours(1);

/// The resolves of one connection by one caller within one hour.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Resolves {
    /// The beginning of the hour.
    pub hour: Timestamp,
    /// The connection.
    pub connection_id: ConnectionId,
    /// Where.
    pub environment: Environment,
    /// Who. Whom it claimed to act for is not counted apart.
    pub actor: Actor,
    /// How often, at least.
    pub count: u64,
    /// When first.
    pub first_at: Timestamp,
    /// When last.
    pub last_at: Timestamp,
}

/// The beginning of the hour that a moment is in.
#[must_use]
pub fn hour_of(moment: Timestamp) -> Timestamp {
    let length = i64::try_from(HOUR.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(moment.millis() - moment.millis().rem_euclid(length))
}
