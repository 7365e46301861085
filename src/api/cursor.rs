//! Cursors: where a page ended, opaque to callers. base64url of JSON; what does not parse is refused.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::error::ApiError;

/// The most rows of a page.
pub const MAX_LIMIT: u8 = 100;
/// The rows of a page where the caller does not say.
pub const DEFAULT_LIMIT: u8 = 50;

/// How a history is paged.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// The most entries of a page.
    #[param(minimum = 1, maximum = 100, default = 50)]
    pub limit: Option<u8>,
}

impl PageQuery {
    /// The position and the limit.
    ///
    /// # Errors
    /// 400 when the cursor is not one of this list, or the limit is not 1 to 100.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<(Option<T>, usize), ApiError> {
        let cursor = self.cursor.as_deref().map(decode).transpose()?;
        Ok((cursor, limit(self.limit)?))
    }
}

/// Writes a cursor.
pub fn encode(position: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(position).unwrap_or_default())
}

/// Reads a cursor.
///
/// # Errors
/// 400 when it is not one of this list.
pub fn decode<T: DeserializeOwned>(cursor: &str) -> Result<T, ApiError> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| ApiError::InvalidCursor)?;
    serde_json::from_slice(&bytes).map_err(|_| ApiError::InvalidCursor)
}

/// The rows of a page, as the caller asks for them.
///
/// # Errors
/// 400 when it is not 1 to 100.
pub fn limit(asked: Option<u8>) -> Result<usize, ApiError> {
    match asked.unwrap_or(DEFAULT_LIMIT) {
        limit @ 1..=MAX_LIMIT => Ok(usize::from(limit)),
        _ => Err(ApiError::invalid_query("/limit", "Expected 1 to 100.")),
    }
}
