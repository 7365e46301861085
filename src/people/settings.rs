//! Whose tokens are accepted: the variables `ACCESS_TEAM_DOMAIN`, `ACCESS_AUDIENCE` and `ACCESS_ROLES`.

use url::Url;

use crate::domain::origin::Origin;
use crate::egress::{Policy, guard};

use super::roles::{Roles, RolesError};

/// Why people cannot sign in as configured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// One of the three is not set.
    #[error("{0} is not set: ACCESS_TEAM_DOMAIN, ACCESS_AUDIENCE and ACCESS_ROLES belong together")]
    Missing(&'static str),
    /// The team domain is no public name.
    #[error("ACCESS_TEAM_DOMAIN is not a domain such as acme.cloudflareaccess.com")]
    Team,
    /// The audience is none.
    #[error("ACCESS_AUDIENCE is not the AUD tag of one Access application")]
    Audience,
    /// The roles are none.
    #[error("ACCESS_ROLES: {0}")]
    Roles(#[from] RolesError),
}

/// Sign-in through Cloudflare Access, as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The origin of the organization's Access team: what issues tokens and publishes the keys.
    pub team: Origin,
    /// The AUD tag of the Access application that stands before this deployment.
    pub audience: String,
    /// What people may do.
    pub roles: Roles,
}

impl Settings {
    /// Reads the three variables; none where none of them is set.
    ///
    /// # Errors
    /// What is missing or wrong.
    pub fn read(variable: impl Fn(&str) -> Option<String>, policy: Policy) -> Result<Option<Self>, SettingsError> {
        const NAMES: [&str; 3] = ["ACCESS_TEAM_DOMAIN", "ACCESS_AUDIENCE", "ACCESS_ROLES"];
        let [team, audience, roles] = NAMES.map(|name| variable(name).filter(|value| !value.is_empty()).ok_or(name));
        if let (Err(_), Err(_), Err(_)) = (&team, &audience, &roles) {
            return Ok(None);
        }
        let missing = SettingsError::Missing;
        let (team, audience, roles) = (team.map_err(missing)?, audience.map_err(missing)?, roles.map_err(missing)?);
        let team = parse_team(&team, policy).ok_or(SettingsError::Team)?;
        if audience.len() > 200 || !audience.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
            return Err(SettingsError::Audience);
        }
        Ok(Some(Self { team, audience, roles: Roles::parse(&roles)? }))
    }
}

/// A domain, or, for local work, an origin; in either case one that may be called.
fn parse_team(text: &str, policy: Policy) -> Option<Origin> {
    let text = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let origin = Origin::try_from(text).ok()?;
    guard::destination(&Url::parse(origin.as_str()).ok()?, policy).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLES: &str =
        r#"[{"email_domain":"example.com","scopes":["connections:read"],"environments":["development"]}]"#;
    const PRODUCTION: Policy = Policy { allow_private_network: false };

    fn read(team: &str, audience: &str, roles: &str, policy: Policy) -> Result<Option<Settings>, SettingsError> {
        let value = |name: &str| match name {
            "ACCESS_TEAM_DOMAIN" => Some(team.to_owned()),
            "ACCESS_AUDIENCE" => Some(audience.to_owned()),
            "ACCESS_ROLES" => Some(roles.to_owned()),
            _ => None,
        };
        Settings::read(value, policy)
    }

    #[test]
    fn nothing_set_is_no_sign_in_and_a_part_of_it_is_refused() {
        assert_eq!(read("", "", "", PRODUCTION), Ok(None));
        assert_eq!(read("", "aud", ROLES, PRODUCTION), Err(SettingsError::Missing("ACCESS_TEAM_DOMAIN")));
        assert_eq!(
            read("acme.cloudflareaccess.com", "", ROLES, PRODUCTION),
            Err(SettingsError::Missing("ACCESS_AUDIENCE"))
        );
        assert_eq!(
            read("acme.cloudflareaccess.com", "aud", "", PRODUCTION),
            Err(SettingsError::Missing("ACCESS_ROLES"))
        );
    }

    #[test]
    fn only_a_public_domain_is_a_team_and_loopback_where_it_is_allowed() {
        for team in [
            "acme",
            "acme.cloudflareaccess.com/cdn-cgi",
            "http://acme.cloudflareaccess.com",
            "https://user@acme.cloudflareaccess.com",
            "169.254.169.254",
            "metadata.google.internal",
            "http://127.0.0.1:9",
            "acme cloudflareaccess.com",
        ] {
            assert_eq!(read(team, "aud", ROLES, PRODUCTION), Err(SettingsError::Team), "{team}");
        }
        for team in ["acme.cloudflareaccess.com", "ACME.cloudflareaccess.com", "https://acme.cloudflareaccess.com"] {
            let settings = read(team, "aud", ROLES, PRODUCTION).unwrap().unwrap();
            assert_eq!(settings.team.as_str(), "https://acme.cloudflareaccess.com");
        }
        let local = Policy { allow_private_network: true };
        assert!(read("http://127.0.0.1:9", "aud", ROLES, local).unwrap().is_some());
    }

    #[test]
    fn an_audience_that_is_no_tag_is_refused() {
        for audience in ["two tags", "a,b", "\u{e9}", &"a".repeat(201)] {
            let refused = read("acme.cloudflareaccess.com", audience, ROLES, PRODUCTION);
            assert_eq!(refused, Err(SettingsError::Audience), "{audience}");
        }
    }
}
