//! By which way a provider is reached: by HTTP requests, or as a server that speaks a protocol of its own. This is the one
//! place where the two part.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::file::RequestTemplate;
use super::template::Template;

/// How a provider is reached with the values of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// By HTTP.
    Request(RequestTemplate),
    /// As a server with a protocol of its own.
    Server(ServerTemplate),
}

/// How a server is reached: templates, each of which takes any text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerTemplate {
    /// What it speaks, and hence how it is tested.
    pub protocol: Protocol,
    /// A domain name or a public IP address.
    pub host: Template,
    /// The port.
    pub port: Template,
    /// The database.
    pub database: Template,
    /// The user.
    pub user: Template,
    /// The password.
    pub password: Template,
    /// Whether the line is encrypted, in the words of the protocol's own documentation (see [`Tls::parse`]).
    pub tls: Template,
}

impl ServerTemplate {
    /// Its templates, by name.
    #[must_use]
    pub fn templates(&self) -> [(&'static str, &Template); 6] {
        [
            ("host", &self.host),
            ("port", &self.port),
            ("database", &self.database),
            ("user", &self.user),
            ("password", &self.password),
            ("tls", &self.tls),
        ]
    }

    /// The templates that decide where secrets go, and whether they can be read on the way.
    #[must_use]
    pub const fn deciding(&self) -> [&Template; 3] {
        [&self.host, &self.port, &self.tls]
    }
}

/// The protocols of servers. Each is spoken in one file of `probe`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// PostgreSQL's frontend/backend protocol 3.0.
    Postgresql,
    /// MySQL's client/server protocol with handshake 10, which MariaDB speaks, too.
    Mysql,
}

impl Protocol {
    /// Its word, which is also the scheme of its destinations.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Postgresql => "postgresql",
            Self::Mysql => "mysql",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether the line to a server is encrypted. There is nothing between the two: the platform's TLS always verifies, against
/// public certificate authorities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tls {
    /// It is not.
    Disable,
    /// It is, and the server has proved that it is the host.
    VerifyFull,
}

impl Tls {
    /// The words of the protocols: `sslmode` of PostgreSQL (its documentation, section 34.19) and `--ssl-mode` of MySQL
    /// (its reference manual, section 6.2.3).
    #[must_use]
    pub fn parse(protocol: Protocol, word: &str) -> Option<Self> {
        match (protocol, word) {
            (Protocol::Postgresql, "disable") | (Protocol::Mysql, "DISABLED") => Some(Self::Disable),
            (Protocol::Postgresql, "verify-full") | (Protocol::Mysql, "VERIFY_IDENTITY") => Some(Self::VerifyFull),
            _ => None,
        }
    }
}
