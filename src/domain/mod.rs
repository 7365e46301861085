//! What things are: ids, connections, revisions, health, scopes. No I/O, no crypto, no HTTP.

pub mod actor;
pub mod attention;
pub mod audit;
pub mod authorization;
pub mod caller;
pub mod connection;
pub mod email;
pub mod environment;
pub mod event;
pub mod grants;
pub mod health;
pub mod id;
pub mod origin;
pub mod reason;
pub mod resolves;
pub mod revision;
pub mod scope;
pub mod text;
pub mod time;
pub mod tokens;
pub mod usage;
pub mod values;
pub mod verdict;
pub mod webhook;

/// A text that is not what its type says; the sentence tells what is expected and never repeats the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub &'static str);
