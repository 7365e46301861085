//! What a token claims (RFC 7519, section 4.1): by whom, for whom, from when, until when.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::domain::time::Timestamp;

use super::JwtError;

/// How far the clocks of others may be off.
pub const LEEWAY: Duration = Duration::from_secs(30);

/// Who has to have issued a token, and for whom.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// `iss`, exactly; none where the key alone says who signed.
    pub issuer: Option<&'a str>,
    /// One of `aud`, exactly.
    pub audience: &'a str,
}

/// The claims of a token that holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Claims {
    /// When it ends, without leeway.
    pub expires_at: Timestamp,
    /// When it was issued, where it says.
    pub issued_at: Option<Timestamp>,
    /// All of them.
    pub all: Map<String, Value>,
}

impl Expected<'_> {
    /// Checks the claims of a token whose signature holds. `exp` is required; `nbf` and `iat` are checked where they stand.
    pub(super) fn check(&self, all: Map<String, Value>, now: Timestamp) -> Result<Claims, JwtError> {
        if self.issuer.is_some() && all.get("iss").and_then(Value::as_str) != self.issuer {
            return Err(JwtError::Issuer);
        }
        let is_meant = match all.get("aud") {
            Some(Value::String(audience)) => audience == self.audience,
            Some(Value::Array(audiences)) => audiences.iter().any(|one| one.as_str() == Some(self.audience)),
            _ => false,
        };
        if !is_meant {
            return Err(JwtError::Audience);
        }
        let expires_at = time(&all, "exp")?.ok_or(JwtError::Malformed)?;
        if now >= expires_at + LEEWAY {
            return Err(JwtError::Expired);
        }
        let (not_before, issued_at) = (time(&all, "nbf")?, time(&all, "iat")?);
        if [not_before, issued_at].into_iter().flatten().any(|begin| begin > now + LEEWAY) {
            return Err(JwtError::NotYet);
        }
        Ok(Claims { expires_at, issued_at, all })
    }
}

/// The latest time that a claim may name, in seconds: the end of the year 9999.
const MAX_SECONDS: f64 = 253_402_300_799.0;

/// A claim that is a time: a number of seconds since 1970, possibly with a fraction.
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, JwtError> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = value.as_f64().filter(|seconds| *seconds <= MAX_SECONDS).ok_or(JwtError::Malformed)?;
    let since = Duration::try_from_secs_f64(seconds).map_err(|_| JwtError::Malformed)?;
    Ok(Some(Timestamp::from_millis(0) + since))
}
