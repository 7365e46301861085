//! What a token endpoint answered (RFC 6749, sections 5.1 and 5.2), wherever its provider has it.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::catalog::oauth::{Client, Pointers, is_expected, split_scopes};
use crate::domain::reason::Reason;
use crate::domain::time::Timestamp;
use crate::domain::values::{Secret, Secrets};
use crate::domain::verdict::Verdict;
use crate::egress::{Answer, EgressError, UNREACHED};

/// The longest that a token is believed to live: whatever is beyond is a mistake.
const LONGEST: Duration = Duration::from_hours(24 * 3650);

/// Tokens, and what was told with them. Deliberately no `Debug`.
pub struct Tokens {
    /// The access token, and the others by name: what rests in the vault.
    pub secrets: Secrets,
    /// The type of the access token.
    pub token_type: String,
    /// How long the access token lives; for ever, or unknown, where none.
    pub lifetime: Option<Duration>,
    /// The scopes that were granted; those that were asked for, where the answer does not say.
    pub scopes: Option<Vec<String>>,
}

impl Tokens {
    /// The name of the access token among the secrets.
    pub const ACCESS: &'static str = "access_token";
    /// The name of the refresh token.
    pub const REFRESH: &'static str = "refresh_token";

    /// What was there before and is not told again stays: the refresh token, the address of an instance.
    #[must_use]
    pub fn over(mut self, before: Secrets) -> Self {
        for (name, secret) in before.0 {
            self.secrets.0.entry(name).or_insert(secret);
        }
        self
    }

    /// Whether the access token can be renewed without a person.
    #[must_use]
    pub fn is_renewable(&self) -> bool {
        self.secrets.0.contains_key(Self::REFRESH)
    }
}

/// Why there are no tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failed {
    /// The code or the refresh token is spent, withdrawn or expired: for good.
    Grant,
    /// The client is not accepted.
    Client,
    /// A scope is not granted.
    Scope,
    /// What was answered is no token, or lacks what requests need.
    Unexpected,
    /// The issuer does not tell its addresses, or not its own.
    Discovery,
    /// Nobody answered, or with a failure of the server.
    Unreachable,
    /// The answer did not end in time.
    Timeout,
    /// The server asks for a pause.
    RateLimited,
}

impl Failed {
    /// What it means of a connection: a verdict and the reason. Only what is definitive makes it `invalid`.
    #[must_use]
    pub const fn verdict(self) -> (Verdict, Reason) {
        match self {
            Self::Grant => (Verdict::Invalid, Reason::AuthorizationEnded),
            Self::Client => (Verdict::Invalid, Reason::Rejected),
            Self::Scope => (Verdict::Invalid, Reason::InsufficientScope),
            Self::Unexpected | Self::Discovery => (Verdict::Unknown, Reason::UnexpectedAnswer),
            Self::Unreachable => (Verdict::Unknown, Reason::Unreachable),
            Self::Timeout => (Verdict::Unknown, Reason::Timeout),
            Self::RateLimited => (Verdict::Unknown, Reason::RateLimited),
        }
    }

    /// The word that the API uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grant => "grant_refused",
            Self::Client => "client_refused",
            Self::Scope => "scope_refused",
            Self::Unexpected => "unexpected_answer",
            Self::Discovery => "discovery_failed",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::RateLimited => "rate_limited",
        }
    }

    /// Reads the word that the API uses.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        const ALL: [Failed; 8] = [
            Failed::Grant,
            Failed::Client,
            Failed::Scope,
            Failed::Unexpected,
            Failed::Discovery,
            Failed::Unreachable,
            Failed::Timeout,
            Failed::RateLimited,
        ];
        ALL.into_iter().find(|failed| failed.as_str() == word)
    }

    pub(super) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::TOO_MANY_REQUESTS => Self::RateLimited,
            status if status.is_server_error() || UNREACHED.contains(&status.as_u16()) => Self::Unreachable,
            _ => Self::Unexpected,
        }
    }
}

impl From<EgressError> for Failed {
    fn from(error: EgressError) -> Self {
        match error {
            EgressError::Timeout => Self::Timeout,
            EgressError::TooLarge => Self::Unexpected,
            EgressError::Refused(_) | EgressError::Unreachable | EgressError::Tls => Self::Unreachable,
        }
    }
}

/// The scopes that were asked for and not granted.
#[must_use]
pub fn missing_scopes(client: &Client<'_>, granted: &[String]) -> Vec<String> {
    let unlisted = &client.file.answer.unlisted_scopes;
    client.scopes.iter().filter(|scope| !granted.contains(scope) && !unlisted.contains(scope)).cloned().collect()
}

/// Reads an answer.
/// A refresh may be answered as the standard has it although the code was not: Slack has the token of a person apart, then not.
pub(super) fn read(client: &Client<'_>, answer: &Answer, is_refresh: bool, now: Timestamp) -> Result<Tokens, Failed> {
    let status = answer.status;
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS || UNREACHED.contains(&status.as_u16()) {
        return Err(Failed::of_status(status));
    }
    let json: Value =
        answer.body().ok().and_then(|body| serde_json::from_slice(body).ok()).ok_or(Failed::Unexpected)?;
    let text = |pointer: &str| text_at(&json, pointer).map(str::to_owned);
    let is_standard = is_refresh && text_at(&json, &client.pointers.access_token).is_none();
    let pointers = if is_standard { &Pointers::standard() } else { &client.pointers };
    let access = text(&pointers.access_token).filter(|_| status.is_success());
    let Some(access) = access else { return Err(refusal(client, &json)) };
    let mut secrets = kept(client, &json)?;
    let lifetime = lifetime((client, pointers), &json, &access, now);
    secrets.insert(Tokens::ACCESS.to_owned(), Secret::new(access));
    if let Some(refresh) = text(&pointers.refresh_token) {
        secrets.insert(Tokens::REFRESH.to_owned(), Secret::new(refresh));
    }
    let token_type = text(&pointers.token_type).unwrap_or_else(|| "Bearer".to_owned());
    Ok(Tokens { secrets: Secrets(secrets), token_type, lifetime, scopes: scopes(pointers, &json) })
}

fn text_at<'a>(json: &'a Value, pointer: &str) -> Option<&'a str> {
    if pointer.is_empty() { None } else { json.pointer(pointer)?.as_str().filter(|text| !text.is_empty()) }
}

/// What an answer without a token means, by its code alone: some say 200, some 400, some 401 of the same.
fn refusal(client: &Client<'_>, json: &Value) -> Failed {
    let file = &client.file.answer;
    let Some(code) = text_at(json, &file.error) else { return Failed::Unexpected };
    let is = |own: &str, more: &[String]| code == own || more.iter().any(|known| known == code);
    if is("invalid_grant", &file.invalid_grant) {
        Failed::Grant
    } else if is("invalid_client", &file.invalid_client) || code == "unauthorized_client" {
        Failed::Client
    } else {
        match code {
            "invalid_scope" => Failed::Scope,
            "temporarily_unavailable" | "server_error" => Failed::Unreachable,
            "slow_down" | "rate_limited" | "ratelimited" => Failed::RateLimited,
            _ => Failed::Unexpected,
        }
    }
}

/// What else requests need. What is there has to be as the file expects it; what is not may have been told before.
fn kept(client: &Client<'_>, json: &Value) -> Result<BTreeMap<String, Secret>, Failed> {
    let mut found = BTreeMap::new();
    for (name, kept) in &client.file.answer.keep {
        let Some(value) = text_at(json, &kept.at) else { continue };
        if !is_expected(kept, value) {
            return Err(Failed::Unexpected);
        }
        found.insert(name.clone(), Secret::new(value.to_owned()));
    }
    Ok(found)
}

/// How long the access token lives, counted from now: as the answer says, else as the token itself says, else as the file does.
fn lifetime(
    (client, pointers): (&Client<'_>, &Pointers),
    json: &Value,
    access: &str,
    now: Timestamp,
) -> Option<Duration> {
    let told = json.pointer(&pointers.expires_in).filter(|_| !pointers.expires_in.is_empty());
    let whole = |told: &Value| told.as_u64().or_else(|| told.as_str()?.parse().ok());
    let about = |told: &Value| Duration::try_from_secs_f64(told.as_f64()?).ok().map(|told| told.as_secs());
    let told = told.and_then(|told| whole(told).or_else(|| about(told)));
    let seconds = told.or_else(|| of_jwt(access, now)).or(client.file.lifetime)?;
    Some(Duration::from_secs(seconds).min(LONGEST))
}

/// How long a token lives that is a JWT (RFC 7519, section 4.1). Between its own two dates, where it has both: its issuer's clock
/// may be another than ours.
fn of_jwt(token: &str, now: Timestamp) -> Option<u64> {
    #[derive(Deserialize)]
    struct Claims {
        exp: f64,
        iat: Option<f64>,
    }
    let mut parts = token.split('.');
    let (Some(_), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return None;
    };
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are far below 2^53")]
    let now = now.millis() as f64 / 1000.0;
    let seconds = claims.exp - claims.iat.unwrap_or(now);
    Duration::try_from_secs_f64(seconds).ok().map(|lifetime| lifetime.as_secs())
}

/// The scopes that the answer names.
fn scopes(pointers: &Pointers, json: &Value) -> Option<Vec<String>> {
    match json.pointer(&pointers.scope).filter(|_| !pointers.scope.is_empty())? {
        Value::String(text) => Some(split_scopes(text)),
        Value::Array(list) => Some(list.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
