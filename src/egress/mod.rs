//! The one door through which requests and lines leave: where they may go, how long an answer may take and how long it may be.
//!
//! It knows addresses, names and limits. It does not know providers, credentials or verdicts.

pub mod address;
pub mod exchange;
pub mod guard;
mod line;
pub mod server;

pub use exchange::{Answer, Deadline, Egress, EgressError};
pub use guard::{Policy, Refused};
pub use line::Line;
