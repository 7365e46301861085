//! How a server is reached with the values of a connection: for the workflow engine, which gets a [`Server`], and for the
//! probe, which speaks to it. What a host name is, is decided here, once.

use std::net::Ipv6Addr;

use serde::Serialize;
use url::Host;
use utoipa::ToSchema;
use zeroize::Zeroize;

use super::fill::{FillError, Values, unfit};
use super::reach::{Protocol, ServerTemplate, Tls};
use crate::domain::origin::Origin;
use crate::domain::values::{Secrets, Settings};

/// How to reach a server. It holds a secret: it has no `Debug`.
#[derive(Serialize, ToSchema)]
pub struct Server {
    /// What it speaks.
    pub protocol: Protocol,
    /// A domain name, or an IP address; IPv6 without brackets.
    #[schema(example = "db.example.com")]
    pub host: String,
    /// The port.
    #[schema(example = 5432)]
    pub port: u16,
    /// The database.
    pub database: String,
    /// The user.
    pub user: String,
    /// The password.
    pub password: String,
    /// Whether the line has to be encrypted.
    pub tls: Tls,
    /// Where the password may be sent.
    #[serde(skip)]
    pub origin: Origin,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.password.zeroize();
    }
}

/// Renders how a server is reached with these values.
///
/// # Errors
/// When a field has no value, or its value does not fit its place.
pub fn render(template: &ServerTemplate, settings: &Settings, secrets: &Secrets) -> Result<Server, FillError> {
    let values = Values { settings, secrets };
    let (host, port) = address(template, values)?;
    let tls = Tls::parse(template.protocol, &values.text(&template.tls)?);
    let line = |template| {
        let text = values.text(template)?;
        // Both protocols end texts with a zero byte.
        if text.contains('\0') { Err(unfit(template, "holds a zero byte")) } else { Ok(text) }
    };
    Ok(Server {
        protocol: template.protocol,
        origin: Origin::of_server(template.protocol.as_str(), &host, port),
        host: match host {
            Host::Ipv6(address) => address.to_string(),
            host => host.to_string(),
        },
        port,
        database: line(&template.database)?,
        user: line(&template.user)?,
        password: line(&template.password)?,
        tls: tls.ok_or_else(|| unfit(&template.tls, "is no way to use TLS that is offered here"))?,
    })
}

/// Where a server is: the only place to which its password may be sent.
pub(super) fn origin(template: &ServerTemplate, settings: &Settings, secrets: &Secrets) -> Result<Origin, FillError> {
    let (host, port) = address(template, Values { settings, secrets })?;
    Ok(Origin::of_server(template.protocol.as_str(), &host, port))
}

/// The host as the crate `url` reads it, which knows every spelling of an address, and the port.
fn address(template: &ServerTemplate, values: Values<'_>) -> Result<(Host, u16), FillError> {
    let (host, port) = (values.text(&template.host)?, values.text(&template.port)?);
    let bare = host.parse::<Ipv6Addr>().map(Host::Ipv6);
    let host = bare.or_else(|_| Host::parse(&host));
    let host = host.map_err(|_| unfit(&template.host, "is neither a host name nor an IP address"))?;
    let port = port.parse().ok().filter(|port| *port != 0);
    Ok((host, port.ok_or_else(|| unfit(&template.port, "must be a port between 1 and 65535"))?))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::values::Secret;

    fn template() -> ServerTemplate {
        serde_json::from_value(json!({
            "protocol": "postgresql", "host": "{host}", "port": "{port}", "database": "{database}", "user": "{user}",
            "password": "{password}", "tls": "{tls}",
        }))
        .unwrap()
    }

    /// Where it is, when one of the values is this.
    fn rendered(key: &str, value: &Value) -> Result<Server, FillError> {
        let mut settings: Settings = serde_json::from_value(json!({
            "host": "db.acme.dev", "port": 5432, "database": "app", "user": "ann", "tls": "verify-full",
        }))
        .unwrap();
        settings.insert(key.to_owned(), value.clone());
        let secrets = Secrets::from_iter([("password".to_owned(), Secret::new("s3cret".to_owned()))]);
        render(&template(), &settings, &secrets)
    }

    fn refused(key: &str, value: &Value) -> Option<String> {
        match rendered(key, value).err()? {
            FillError::Unset(field) | FillError::Unfit { field, .. } => Some(field),
        }
    }

    #[test]
    fn what_is_no_host_no_port_and_no_way_to_use_tls_is_refused_and_the_field_named() {
        for host in ["", "a b", "a/b", "a:80", "a@b", "[::1", "256.0.0.1", "1.2.3.4.5", "bücher.acme.dev", "a%00b"] {
            assert_eq!(refused("host", &json!(host)).as_deref(), Some("host"), "{host}");
        }
        for port in [json!(0), json!(-1), json!(65536), json!(""), json!("x")] {
            assert_eq!(refused("port", &port).as_deref(), Some("port"), "{port}");
        }
        for tls in ["", "require", "verify-ca", "prefer", "VERIFY_IDENTITY", "DISABLED", "Verify-Full"] {
            assert_eq!(refused("tls", &json!(tls)).as_deref(), Some("tls"), "{tls}");
        }
        assert_eq!(refused("user", &json!("a\0b")).as_deref(), Some("user"));
    }

    #[test]
    fn every_spelling_of_a_host_is_one_destination() {
        for (host, kept, origin) in [
            ("db.acme.dev", "db.acme.dev", "postgresql://db.acme.dev:5432"),
            ("DB.Acme.DEV", "db.acme.dev", "postgresql://db.acme.dev:5432"),
            ("0x7f.1", "127.0.0.1", "postgresql://127.0.0.1:5432"),
            ("2606:4700::1111", "2606:4700::1111", "postgresql://[2606:4700::1111]:5432"),
            ("[2606:4700:0::1111]", "2606:4700::1111", "postgresql://[2606:4700::1111]:5432"),
        ] {
            let server = rendered("host", &json!(host)).map_err(|error| error.to_string()).unwrap();
            assert_eq!((server.host.as_str(), server.origin.as_str()), (kept, origin), "{host}");
            assert_eq!(Origin::try_from(origin.to_owned()).unwrap(), server.origin, "as it is stored");
        }
    }
}
