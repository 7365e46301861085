//! HTTP in, HTTP out: one file a resource. `error` is the only place that chooses a status code; `claim` says who asks.
//!
//! A handler reads: extract, load, authorize, act, answer. The caller is proved in the same round trip that reads what the
//! handler needs.

#![expect(clippy::missing_errors_doc, reason = "the OpenAPI document states every answer of a handler")]

pub mod answer;
pub mod api_keys;
pub mod audit_events;
pub mod audit_verification;
pub mod audited;
pub mod claim;
pub mod connect_links;
pub mod connections;
pub mod cursor;
pub mod customers;
pub mod embedded;
pub mod error;
pub mod extract;
pub mod idempotency;
pub mod keys;
pub mod limits;
pub mod oauth;
pub mod observe;
pub mod openapi;
pub mod providers;
pub mod session;
pub mod signing_keys;
pub mod transfer;
pub mod usages;
pub mod webhooks;
