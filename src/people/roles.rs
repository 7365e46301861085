//! Which people may do what: the variable `ACCESS_ROLES`.
//!
//! ```json
//! [{"email": "ann@example.com", "scopes": ["connections:read", "credentials:reveal"], "environments": ["production"]},
//!  {"group": "platform", "scopes": ["connections:read"], "environments": ["development", "staging"]},
//!  {"email_domain": "example.com", "scopes": ["connections:read"], "environments": ["development"]}]
//! ```
//!
//! The first role that names a person is theirs, whole. Roles are never added up: the sum of "reveals in development" and
//! "reads in production" would reveal in production.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::domain::email::Email;
use crate::domain::environment::Environment;
use crate::domain::grants::Grants;
use crate::domain::scope::Scope;

/// Why the roles are no roles.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RolesError {
    /// It is not JSON of the expected shape.
    #[error("not a JSON array of roles: {0}")]
    Shape(String),
    /// There is no role.
    #[error("there is no role")]
    Empty,
    /// A role names nobody, or names people in two ways.
    #[error("role {0}: exactly one of email, email_domain and group is needed")]
    Whom(usize),
    /// The domain or group of a role is none.
    #[error("role {0}: the domain or group is empty, or no name")]
    Name(usize),
    /// A role grants nothing.
    #[error("role {0}: at least one scope and one environment are needed")]
    Nothing(usize),
}

/// The roles, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles(Vec<Role>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Role {
    whom: Whom,
    grants: Grants,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Whom {
    Email(Email),
    Domain(String),
    Group(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    email: Option<Email>,
    email_domain: Option<String>,
    group: Option<String>,
    scopes: BTreeSet<Scope>,
    environments: BTreeSet<Environment>,
}

impl Roles {
    /// Parses the roles.
    ///
    /// # Errors
    /// What is wrong, and with which role, counted from 1.
    pub fn parse(text: &str) -> Result<Self, RolesError> {
        let written: Vec<Written> = serde_json::from_str(text).map_err(|error| RolesError::Shape(error.to_string()))?;
        if written.is_empty() {
            return Err(RolesError::Empty);
        }
        let roles = written.into_iter().enumerate().map(|(index, role)| read(role, index + 1));
        roles.collect::<Result<_, _>>().map(Self)
    }

    /// What a person may do: the first role that names them; none where none does.
    #[must_use]
    pub fn of(&self, email: &Email, groups: &[String]) -> Option<&Grants> {
        let names = |role: &&Role| match &role.whom {
            Whom::Email(named) => named == email,
            Whom::Domain(domain) => domain == email.domain(),
            Whom::Group(group) => groups.contains(group),
        };
        self.0.iter().find(names).map(|role| &role.grants)
    }

    /// Those of a person's groups that a role names: the others decide nothing.
    #[must_use]
    pub fn named(&self, mut groups: Vec<String>) -> Vec<String> {
        groups.retain(|group| self.0.iter().any(|role| role.whom == Whom::Group(group.clone())));
        groups.sort();
        groups.dedup();
        groups
    }
}

fn read(role: Written, number: usize) -> Result<Role, RolesError> {
    let is_name = |text: &str| !text.is_empty() && text.len() <= 200 && !text.chars().any(char::is_control);
    let whom = match (role.email, role.email_domain, role.group) {
        (Some(email), None, None) => Whom::Email(email),
        (None, Some(domain), None) if is_domain(&domain) => Whom::Domain(domain.to_ascii_lowercase()),
        (None, None, Some(group)) if is_name(&group) => Whom::Group(group),
        (None, Some(_), None) | (None, None, Some(_)) => return Err(RolesError::Name(number)),
        _ => return Err(RolesError::Whom(number)),
    };
    if role.scopes.is_empty() || role.environments.is_empty() {
        return Err(RolesError::Nothing(number));
    }
    Ok(Role { whom, grants: Grants { scopes: role.scopes, environments: role.environments, expires_at: None } })
}

fn is_domain(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    text.contains('.') && !text.starts_with('.') && text.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(whom: &str) -> String {
        format!(r#"{{{whom},"scopes":["connections:read"],"environments":["staging"]}}"#)
    }

    fn email(text: &str) -> Email {
        text.to_owned().try_into().unwrap()
    }

    #[test]
    fn roles_that_mean_nothing_are_refused_with_their_number() {
        let ann = role(r#""email":"ann@example.com""#);
        for (second, error) in [
            (role(r#""email":"a@b.de","group":"g""#), RolesError::Whom(2)),
            (r#"{"scopes":["connections:read"],"environments":["staging"]}"#.to_owned(), RolesError::Whom(2)),
            (role(r#""group":"""#), RolesError::Name(2)),
            (role(r#""email_domain":"@example.com""#), RolesError::Name(2)),
            (role(r#""email_domain":"com""#), RolesError::Name(2)),
            (role(r#""email_domain":"*.example.com""#), RolesError::Name(2)),
            (r#"{"email":"a@b.de","scopes":[],"environments":["staging"]}"#.to_owned(), RolesError::Nothing(2)),
            (r#"{"email":"a@b.de","scopes":["transfer"],"environments":[]}"#.to_owned(), RolesError::Nothing(2)),
        ] {
            assert_eq!(Roles::parse(&format!("[{ann},{second}]")), Err(error), "{second}");
        }
        assert_eq!(Roles::parse("[]"), Err(RolesError::Empty));
    }

    #[test]
    fn what_is_not_of_the_shape_is_refused() {
        for text in [
            "",
            "null",
            "{}",
            "[1]",
            r#"[{"email":"a@b.de","scopes":["everything"],"environments":["staging"]}]"#,
            r#"[{"email":"a@b.de","scopes":["transfer"],"environments":["test"]}]"#,
            r#"[{"email":"a@b.de","scopes":"transfer","environments":["staging"]}]"#,
            r#"[{"email":"a@b.de","scope":["transfer"],"scopes":["transfer"],"environments":["staging"]}]"#,
            r#"[{"email":"a@b.de","email":"a@b.de","scopes":["transfer"],"environments":["staging"]}]"#,
            r#"[{"email":"nobody","scopes":["transfer"],"environments":["staging"]}]"#,
            r#"[{"email":"a@b.de","scopes":["transfer"]}]"#,
        ] {
            assert!(matches!(Roles::parse(text), Err(RolesError::Shape(_))), "{text}");
        }
    }

    #[test]
    fn the_first_role_that_names_a_person_is_theirs_alone() {
        let text = r#"[
            {"email":"Ann@example.com","scopes":["audit:read"],"environments":["production"]},
            {"group":"platform","scopes":["credentials:reveal"],"environments":["development"]},
            {"email_domain":"Example.com","scopes":["connections:read"],"environments":["staging"]}]"#;
        let roles = Roles::parse(text).unwrap();
        let platform = ["other".to_owned(), "platform".to_owned()];
        let scopes = |who: &str, groups: &[String]| {
            roles.of(&email(who), groups).map(|grants| grants.scopes.iter().copied().collect::<Vec<_>>())
        };
        assert_eq!(scopes("ann@example.com", &platform), Some(vec![Scope::AuditRead]));
        assert_eq!(scopes("bob@elsewhere.org", &platform), Some(vec![Scope::CredentialsReveal]));
        assert_eq!(scopes("bob@example.com", &platform), Some(vec![Scope::CredentialsReveal]));
        assert_eq!(scopes("BOB@example.com", &[]), Some(vec![Scope::ConnectionsRead]));
        for stranger in ["bob@example.com.evil.net", "bob@sub.example.com", "example.com@evil.net"] {
            assert_eq!(scopes(stranger, &["Platform".to_owned()]), None, "{stranger}");
        }
        assert_eq!(roles.named(platform.to_vec()), ["platform"]);
    }
}
