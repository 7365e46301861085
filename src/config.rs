//! What an operator configures: variables and secrets of the Worker, parsed once.

use std::time::Duration;

use serde::Deserialize;

use crate::egress::Policy;
use crate::people::{Settings, SettingsError};
use crate::token::{Token, TokenHash};
use crate::vault::{KeyRing, KeyRingError};

/// The configuration is such that Keyfob must not run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The development switch is on in production.
    #[error("ALLOW_PRIVATE_NETWORK is set, and KEYFOB_DEPLOYMENT is production: unset it")]
    PrivateNetworkInProduction,
    /// The root key is not an API key.
    #[error("ROOT_API_KEY is not an API key: `make secrets` prints one")]
    RootKey,
    /// The limits do not parse.
    #[error("RATE_LIMITS is not a JSON object of the known limits, each a positive number")]
    Limits,
    /// The horizon does not parse.
    #[error("EXPIRY_HORIZON_DAYS is not a whole number of days from 1 to 365")]
    Horizon,
    /// Sign-in through Cloudflare Access is not configured as it must be.
    #[error(transparent)]
    Access(#[from] SettingsError),
}

/// How often something may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Reveals an hour by one caller.
    pub reveals_per_hour: u64,
    /// Tests a minute of one connection; drafts count by caller.
    pub tests_per_minute: u64,
    /// Tests a minute that go to one host, whoever asks.
    pub tests_per_minute_per_host: u64,
    /// Messages an hour sent for one connection; drafts count by caller.
    pub messages_per_hour: u64,
    /// Tests a minute of one connection that reports start.
    pub reports_per_minute: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            reveals_per_hour: 60,
            tests_per_minute: 6,
            tests_per_minute_per_host: 60,
            messages_per_hour: 6,
            reports_per_minute: 1,
        }
    }
}

const DAY: Duration = Duration::from_hours(24);
/// How far ahead an expiry or a rotation is told where nothing else is configured.
const HORIZON: Duration = Duration::from_hours(14 * 24);

/// The configuration of one deployment.
pub struct Config {
    /// Which deployment this is, where it is said; no secret.
    pub deployment: Option<String>,
    /// The master keys, or why there are none: then metadata is served and secrets are not.
    pub ring: Result<KeyRing, KeyRingError>,
    /// The hash of the first API key, where one is configured.
    pub root_key: Option<TokenHash>,
    /// Whether loopback and private addresses may be called, for local work.
    pub allow_private_network: bool,
    /// The rate limits.
    pub limits: Limits,
    /// How far ahead an expiry or a rotation is told.
    pub horizon: Duration,
    /// Sign-in through Cloudflare Access, where people sign in with it.
    pub access: Option<Settings>,
}

impl Config {
    /// Reads the configuration through a look-up of variables and secrets by name.
    ///
    /// # Errors
    /// When Keyfob must not run with it.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let deployment = variable("KEYFOB_DEPLOYMENT");
        let allow_private_network = variable("ALLOW_PRIVATE_NETWORK").is_some_and(|value| value == "true");
        if allow_private_network && deployment.as_deref() == Some("production") {
            return Err(ConfigError::PrivateNetworkInProduction);
        }
        let root_key = match variable("ROOT_API_KEY").filter(|key| !key.is_empty()) {
            None => None,
            Some(key) => match Token::parse(&key) {
                Some(Token::ApiKey(hash)) => Some(hash),
                _ => return Err(ConfigError::RootKey),
            },
        };
        let limits = match variable("RATE_LIMITS") {
            None => Limits::default(),
            Some(text) => parse_limits(&text).ok_or(ConfigError::Limits)?,
        };
        let horizon = match variable("EXPIRY_HORIZON_DAYS") {
            None => HORIZON,
            Some(text) => parse_days(&text).ok_or(ConfigError::Horizon)?,
        };
        let ring = KeyRing::parse(&variable("MASTER_KEYS").unwrap_or_default());
        let access = Settings::read(variable, Policy { allow_private_network })?;
        Ok(Self { deployment, ring, root_key, allow_private_network, limits, horizon, access })
    }
}

fn parse_days(text: &str) -> Option<Duration> {
    let days: u32 = text.parse().ok()?;
    (1..=365).contains(&days).then(|| DAY * days)
}

fn parse_limits(text: &str) -> Option<Limits> {
    let limits: Limits = serde_json::from_str(text).ok()?;
    let Limits { reveals_per_hour, tests_per_minute, tests_per_minute_per_host, messages_per_hour, reports_per_minute } =
        limits;
    [reveals_per_hour, tests_per_minute, tests_per_minute_per_host, messages_per_hour, reports_per_minute]
        .into_iter()
        .all(|limit| limit > 0)
        .then_some(limits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::read(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn production_does_not_start_with_the_private_network_allowed() {
        let refused = read(&[("ALLOW_PRIVATE_NETWORK", "true"), ("KEYFOB_DEPLOYMENT", "production")]);
        assert_eq!(refused.err(), Some(ConfigError::PrivateNetworkInProduction));
        assert!(read(&[("ALLOW_PRIVATE_NETWORK", "true"), ("KEYFOB_DEPLOYMENT", "development")]).is_ok());
    }

    #[test]
    fn a_root_key_that_is_no_api_key_is_refused() {
        assert_eq!(read(&[("ROOT_API_KEY", "secret")]).err(), Some(ConfigError::RootKey));
    }

    #[test]
    fn an_unknown_or_zero_limit_is_refused() {
        for text in ["{\"tests\":1}", "{\"tests_per_minute\":0}", "6", ""] {
            assert_eq!(read(&[("RATE_LIMITS", text)]).err(), Some(ConfigError::Limits), "{text}");
        }
        let config = read(&[("RATE_LIMITS", "{\"tests_per_minute\":100}")]).ok().unwrap();
        assert_eq!(config.limits, Limits { tests_per_minute: 100, ..Limits::default() });
    }

    #[test]
    fn a_horizon_that_is_no_number_of_days_is_refused() {
        for text in ["", "0", "366", "-1", "14d", "1.5"] {
            assert_eq!(read(&[("EXPIRY_HORIZON_DAYS", text)]).err(), Some(ConfigError::Horizon), "{text}");
        }
        assert_eq!(read(&[]).ok().unwrap().horizon, DAY * 14);
        assert_eq!(read(&[("EXPIRY_HORIZON_DAYS", "30")]).ok().unwrap().horizon, DAY * 30);
    }

    #[test]
    fn without_master_keys_there_is_no_ring_but_a_configuration() {
        assert!(read(&[]).ok().unwrap().ring.is_err());
    }
}
