//! To which servers a line may be opened. It knows hosts and ports; it does not know what is said to them.
//!
//! What a name resolves to is not known here either: in production the runtime refuses private addresses for lines, too.

use std::collections::BTreeSet;
use std::net::IpAddr;

use url::{Host, Url};

use super::address::{Reach, reach};
use super::guard::{Policy, Refused, is_loopback, is_public_name};
use crate::domain::origin::Origin;

/// Checks that a line to a server may be opened for what is meant for the allowed origins, and tells where to.
///
/// # Errors
/// When the origin is no allowed server at all, or not one of these.
pub fn check(origin: &Origin, allowed: &BTreeSet<Origin>, policy: Policy) -> Result<(Host, u16), Refused> {
    let url = Url::parse(origin.as_str()).map_err(|_| Refused::Name)?;
    let server = destination(&url, policy)?;
    if allowed.contains(origin) { Ok(server) } else { Err(Refused::Origin) }
}

/// Host and port of a server, if a line to it may be opened at all: other than for requests, its host may be an address,
/// as long as that is public.
///
/// # Errors
/// When the scheme is one of requests, there is a user, the host is not public, or the port is none for databases.
pub fn destination(url: &Url, policy: Policy) -> Result<(Host, u16), Refused> {
    if url.is_special() {
        return Err(Refused::Scheme);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refused::Userinfo);
    }
    // The URL Standard does not look into the hosts of schemes that it does not know: here they are what they are elsewhere.
    let host = url.host_str().and_then(|host| Host::parse(host).ok()).ok_or(Refused::Name)?;
    match &host {
        _ if policy.allow_private_network && is_loopback(&host) => {}
        Host::Ipv4(address) if reach(IpAddr::V4(*address)) == Reach::Public => {}
        Host::Ipv6(address) if reach(IpAddr::V6(*address)) == Reach::Public => {}
        Host::Ipv4(_) | Host::Ipv6(_) => return Err(Refused::Private),
        Host::Domain(name) if !is_public_name(name) => return Err(Refused::Name),
        Host::Domain(_) => {}
    }
    let port = url.port().filter(|port| !MAIL.contains(port)).ok_or(Refused::Port)?;
    Ok((host, port))
}

/// Ports on which mail is handed in: what is said there might be seen by people.
const MAIL: [u16; 4] = [25, 465, 587, 2525];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::guard;

    const PRODUCTION: Policy = Policy { allow_private_network: false };
    const DEVELOPMENT: Policy = Policy { allow_private_network: true };

    /// Asks whether a line may be opened to a server of its own origin.
    fn ask_server(host: &str, port: &str, policy: Policy) -> Result<(), Refused> {
        let origin = Origin::try_from(format!("postgresql://{host}{port}")).map_err(|_| Refused::Name)?;
        check(&origin, &BTreeSet::from([origin.clone()]), policy).map(drop)
    }

    #[test]
    fn a_server_on_an_address_that_is_not_public_is_refused_in_every_spelling() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "0",
            "0.0.0.0",
            "10.0.0.1",
            "172.16.3.4",
            "192.168.1",
            "100.64.0.1",
            "169.254.169.254",
            "2852039166",
            "0xa9fea9fe",
            "168.63.129.16",
            "224.0.0.1",
            "255.255.255.255",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:8.8.8.8]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[fd00:ec2::254]",
            "[FE80::1]",
        ] {
            assert_eq!(ask_server(host, ":5432", PRODUCTION), Err(Refused::Private), "{host}");
        }
        for host in
            ["localhost", "db.localhost", "db.internal", "db", "db.local", "metadata.google.internal", "db.acme.dev."]
        {
            assert_eq!(ask_server(host, ":5432", PRODUCTION), Err(Refused::Name), "{host}");
        }
        for host in ["127.0.0.1", "[::1]", "localhost", "127.1"] {
            assert_eq!(ask_server(host, ":5432", DEVELOPMENT), Ok(()), "{host}");
        }
        for host in ["10.0.0.1", "169.254.169.254", "0.0.0.0", "[fd00::1]"] {
            assert_eq!(ask_server(host, ":5432", DEVELOPMENT), Err(Refused::Private), "{host}");
        }
    }

    #[test]
    fn a_server_may_be_a_name_or_a_public_address() {
        for host in ["db.acme.dev", "DB.acme.dev", "8.8.8.8", "134744072", "[2606:4700::1111]"] {
            assert_eq!(ask_server(host, ":5432", PRODUCTION), Ok(()), "{host}");
        }
    }

    #[test]
    fn a_server_has_a_port_that_is_not_one_of_mail_and_a_scheme_that_is_not_one_of_requests() {
        for port in ["", ":25", ":465", ":587", ":2525"] {
            assert_eq!(ask_server("db.acme.dev", port, PRODUCTION), Err(Refused::Port), "{port}");
        }
        for scheme in ["https", "http", "ws", "ftp"] {
            let origin = Origin::try_from(format!("{scheme}://db.acme.dev:5432")).unwrap();
            let asked = check(&origin, &BTreeSet::from([origin.clone()]), DEVELOPMENT).map(drop);
            assert_eq!(asked, Err(Refused::Scheme), "{scheme}");
        }
        // And the other way round.
        let url = Url::parse("postgresql://db.acme.dev:5432").unwrap();
        assert_eq!(guard::destination(&url, DEVELOPMENT), Err(Refused::Scheme));
    }

    #[test]
    fn another_server_is_refused() {
        let allowed = BTreeSet::from([Origin::try_from("postgresql://db.acme.dev:5432".to_owned()).unwrap()]);
        for other in ["postgresql://db.acme.dev:5433", "postgresql://db2.acme.dev:5432", "mysql://db.acme.dev:5432"] {
            let other = Origin::try_from(other.to_owned()).unwrap();
            assert_eq!(check(&other, &allowed, PRODUCTION), Err(Refused::Origin), "{other}");
        }
    }
}
