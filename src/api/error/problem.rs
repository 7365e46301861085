//! A problem as callers see it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::usage::Place;

/// Something wrong with one value of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ValueError {
    /// Where, as a JSON pointer into the body (RFC 6901).
    #[schema(example = "/secrets/webhook_url")]
    pub pointer: String,
    /// What, as a stable word.
    #[schema(example = "pattern")]
    pub code: String,
    /// What is expected.
    pub detail: String,
}

impl ValueError {
    /// What is wrong where.
    pub fn new(pointer: impl Into<String>, code: &str, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code: code.to_owned(), detail: detail.into() }
    }
}

/// A problem (RFC 9457, `application/problem+json`).
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// A short title, the same for every problem of this status.
    pub title: String,
    /// The stable code to switch on.
    #[schema(example = "not_found")]
    pub code: String,
    /// What to do.
    pub detail: String,
    /// Each value that is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ValueError>,
    /// The first hundred steps that use the connection (`connection_in_use`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub usages: Vec<Place>,
}
