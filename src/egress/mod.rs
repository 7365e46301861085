//! The one door through which requests and lines leave: where they may go, how long an answer may take and how long it may be.
//!
//! It knows addresses, names and limits. It does not know providers, credentials or verdicts.

pub mod address;
pub mod exchange;
pub mod guard;
mod line;
pub mod server;

/// The statuses with which Cloudflare answers in the place of a host that it cannot resolve, connect to or agree with (its
/// documentation, "Cloudflare 5xx errors" and "1xxx errors"): nobody answered.
pub const UNREACHED: std::ops::RangeInclusive<u16> = 520..=530;

pub use exchange::{Answer, Deadline, Egress, EgressError};
pub use guard::{Policy, Refused};
pub use line::Line;
