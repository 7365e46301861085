//! Definitions that move between environments and deployments: `GET /v1/export` and `POST /v1/import`.
//!
//! A definition is a connection without its credentials: it is matched by its stable key, and what it lacks is entered where it
//! arrives.

pub mod apply;
pub mod document;
pub mod export;
pub mod import;
pub mod plan;
