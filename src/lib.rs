//! Keyfob keeps the connections of an integration platform.
//!
//! Arrows point one way: a module uses those above it in this list, never those below.

/// What things are: ids, connections, revisions, health, scopes. No I/O, no crypto, no HTTP.
pub mod domain;

/// The traits through which Keyfob meets the world.
pub mod ports;

/// What providers are: their files, values checked against them, templates filled.
pub mod catalog;

/// How secrets rest: sealed under master keys.
pub mod vault;

/// Where requests may go, and how much may come back.
pub mod egress;

/// Does a connection work?
pub mod probe;

/// The OAuth 2.0 client.
pub mod oauth;

/// Where things rest: every SQL statement, and rows to domain types.
pub mod store;

/// Tokens that callers carry.
pub mod token;

/// Messages to registered endpoints: how they are signed, and when they are tried again.
pub mod webhook;

/// Tokens that others signed.
pub mod jwt;

/// Who people are, as Cloudflare Access says, and what they may do.
pub mod people;

/// What an operator configures.
pub mod config;

/// What one request did, for its log line.
pub mod trace;

/// Everything that a request may use.
pub mod app;

/// HTTP in, HTTP out.
pub mod api;

/// What the cron trigger does.
pub mod jobs;

/// The whole API, one line a route.
pub mod router;

/// The Workers platform.
#[cfg(target_arch = "wasm32")]
mod platform;
