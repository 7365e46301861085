//! How a request is authenticated, as a provider file states it.

use serde::{Deserialize, Serialize};

use crate::catalog::template::Template;

/// The schemes of authentication. Each is implemented once: in `request`, or where it signs each request, in `signing`
/// and `probe`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "scheme", rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    /// None, or the URL itself is the credential.
    None {},
    /// `Authorization: Bearer` (RFC 6750).
    Bearer {
        /// The token.
        token: Template,
    },
    /// `Authorization: Basic` (RFC 7617).
    Basic {
        /// The user name.
        username: Template,
        /// The password.
        password: Template,
    },
    /// `Authorization` in a form of the provider's own.
    Authorization {
        /// Its whole value.
        value: Template,
    },
    /// A header of its own.
    Header {
        /// The name of the header.
        name: Template,
        /// Its value.
        value: Template,
    },
    /// A parameter of the query.
    Query {
        /// The name of the parameter.
        name: Template,
        /// Its value.
        value: Template,
    },
    /// An access token wherever the values say.
    AccessToken {
        /// `header` or `query`.
        placement: Template,
        /// The name of the header or parameter.
        name: Template,
        /// What stands before the token in a header, with a space between them.
        prefix: Template,
        /// The token.
        token: Template,
    },
    /// AWS Signature Version 4: each request is signed.
    AwsSigv4 {
        /// The access key id.
        access_key_id: Template,
        /// The secret access key.
        secret_access_key: Template,
        /// The session token of temporary credentials.
        session_token: Option<Template>,
        /// The region that the signature is for.
        region: Template,
        /// The service that it is for.
        service: String,
        /// The role that is assumed first.
        role_arn: Option<Template>,
        /// What the role wants to be told.
        external_id: Option<Template>,
    },
    /// A signed token of a Google service account, exchanged for an access token.
    GoogleServiceAccount {
        /// The whole key file.
        credentials: Template,
        /// The scopes, with spaces between them.
        scopes: Template,
        /// The person as whom the account acts.
        subject: Option<Template>,
    },
    /// A signed token of a Snowflake user.
    SnowflakeKeyPair {
        /// The account identifier.
        account: Template,
        /// The user.
        user: Template,
        /// The private key.
        private_key: Template,
        /// The passphrase of the private key.
        passphrase: Option<Template>,
    },
}

impl Auth {
    /// The templates that have to have values.
    #[must_use]
    pub fn required(&self) -> Vec<(&'static str, &Template)> {
        match self {
            Self::None {} => vec![],
            Self::Authorization { value } => vec![("value", value)],
            Self::Bearer { token } => vec![("token", token)],
            Self::Basic { username, password } => vec![("username", username), ("password", password)],
            Self::AccessToken { placement, name, prefix, token } => {
                vec![("placement", placement), ("name", name), ("prefix", prefix), ("token", token)]
            }
            Self::Header { name, value } | Self::Query { name, value } => vec![("name", name), ("value", value)],
            Self::GoogleServiceAccount { credentials, scopes, .. } => {
                vec![("credentials", credentials), ("scopes", scopes)]
            }
            Self::SnowflakeKeyPair { account, user, private_key, .. } => {
                vec![("account", account), ("user", user), ("private_key", private_key)]
            }
            Self::AwsSigv4 { access_key_id, secret_access_key, region, .. } => {
                vec![("access_key_id", access_key_id), ("secret_access_key", secret_access_key), ("region", region)]
            }
        }
    }

    /// Whether a template is a credential of several lines.
    #[must_use]
    pub fn takes_lines(&self, name: &str) -> bool {
        matches!(
            (self, name),
            (Self::GoogleServiceAccount { .. }, "credentials") | (Self::SnowflakeKeyPair { .. }, "private_key")
        )
    }

    /// The templates whose fields may be left out.
    #[must_use]
    pub fn optional(&self) -> Vec<(&'static str, &Template)> {
        let templates = match self {
            Self::AwsSigv4 { session_token, role_arn, external_id, .. } => {
                vec![("session_token", session_token), ("role_arn", role_arn), ("external_id", external_id)]
            }
            Self::GoogleServiceAccount { subject, .. } => vec![("subject", subject)],
            Self::SnowflakeKeyPair { passphrase, .. } => vec![("passphrase", passphrase)],
            _ => vec![],
        };
        templates.into_iter().filter_map(|(name, template)| Some((name, template.as_ref()?))).collect()
    }
}
