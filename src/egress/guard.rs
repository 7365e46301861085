//! Where a request may go. It knows URLs and reserved names; it does not know what is sent.
//!
//! The crate `url` parses the host once, as browsers do (WHATWG URL): every spelling of an address (decimal, octal,
//! hexadecimal, short, percent-encoded) arrives here as an address, every spelling of a name in lower-case ASCII, and a
//! host outside ASCII not at all. What a name resolves to is not known here: there the runtime refuses private addresses, and the set of
//! allowed origins bounds the rest.

use std::collections::BTreeSet;
use std::net::IpAddr;

use url::{Host, Url};

use super::address::{Reach, reach};
use crate::domain::origin::Origin;

/// What a deployment allows beyond the public Internet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Policy {
    /// Opens loopback, by name or address and without TLS, for local work. Never set in production.
    pub allow_private_network: bool,
}

/// Why a request may not leave. Nobody outside learns which: to users it looks like an absent host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Another scheme than `https`.
    #[error("only https is allowed")]
    Scheme,
    /// A user or password in the URL.
    #[error("a user or password in the address is not allowed")]
    Userinfo,
    /// An IP address instead of a name.
    #[error("an IP address is not allowed, a domain name is needed")]
    Address,
    /// An IP address of a server that is none of the public Internet.
    #[error("the IP address is not one of the public Internet")]
    Private,
    /// A name that is not one of the public Internet.
    #[error("the name is not a public domain name")]
    Name,
    /// An origin to which this credential must not go.
    #[error("the origin is not allowed here")]
    Origin,
    /// A port that no database has.
    #[error("the port is not allowed")]
    Port,
    /// A header that decides about the connection itself.
    #[error("the header is not allowed here")]
    Header,
}

/// Checks that a request to this URL may leave with what is meant for the allowed origins.
///
/// # Errors
/// When the URL is no allowed destination at all, or not one of these.
pub fn check(url: &Url, allowed: &BTreeSet<Origin>, policy: Policy) -> Result<(), Refused> {
    let origin = destination(url, policy)?;
    if allowed.contains(&origin) { Ok(()) } else { Err(Refused::Origin) }
}

/// The origin of a URL, if anything may be sent there at all.
///
/// # Errors
/// When the scheme is not `https`, there is a user, or the host is not a public domain name.
pub fn destination(url: &Url, policy: Policy) -> Result<Origin, Refused> {
    let host = url.host().ok_or(Refused::Name)?;
    let local = policy.allow_private_network && is_loopback(&host);
    if url.scheme() != "https" && !(local && url.scheme() == "http") {
        return Err(Refused::Scheme);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refused::Userinfo);
    }
    match host {
        _ if local => {}
        Host::Ipv4(_) | Host::Ipv6(_) => return Err(Refused::Address),
        Host::Domain(name) if !is_public_name(name) => return Err(Refused::Name),
        Host::Domain(_) => {}
    }
    Origin::of(url).map_err(|_| Refused::Name)
}

pub(super) fn is_loopback<S: AsRef<str>>(host: &Host<S>) -> bool {
    match host {
        Host::Domain(name) => name.as_ref() == "localhost" || name.as_ref().ends_with(".localhost"),
        Host::Ipv4(address) => reach(IpAddr::V4(*address)) == Reach::Loopback,
        Host::Ipv6(address) => reach(IpAddr::V6(*address)) == Reach::Loopback,
    }
}

/// Whether a name in lower-case ASCII is one of the public Internet: two labels or more of letters, digits, hyphens
/// and underscores (RFC 1123, RFC 2181), not reserved, without the final dot of the root.
pub(super) fn is_public_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    let is_label = |label: &str| (1..=63).contains(&label.len()) && label.chars().all(fits);
    let reserved =
        |suffix: &&str| name.strip_suffix(*suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    name.len() <= 253 && name.contains('.') && name.split('.').all(is_label) && !RESERVED.iter().any(reserved)
}

/// Names that lead nowhere or into a private network, with everything below them.
const RESERVED: &[&str] = &[
    // IANA Special-Use Domain Names (RFC 6761 and successors). `example.com` and its like are served to everybody.
    "alt",
    "arpa",
    "example",
    "invalid",
    "local",
    "localhost",
    "onion",
    "test",
    // Reserved by ICANN for private use (2024), and names that it keeps out of the root because networks use them (2018).
    "corp",
    "home",
    "internal",
    "mail",
    // Names that routers and clusters use within their networks.
    "cluster",
    "intranet",
    "lan",
    "localdomain",
    "private",
    "svc",
    "workgroup",
    // Public names that resolve to metadata services.
    "metadata.platformequinix.com",
    "metadata.tencentyun.com",
];

#[cfg(test)]
mod tests {
    use super::*;

    const PRODUCTION: Policy = Policy { allow_private_network: false };
    const DEVELOPMENT: Policy = Policy { allow_private_network: true };

    fn origins(texts: &[&str]) -> BTreeSet<Origin> {
        texts.iter().map(|text| Origin::try_from((*text).to_owned()).unwrap()).collect()
    }

    /// Asks whether a URL may be called when its own origin is allowed, so that nothing but the rules can refuse it.
    fn ask(url: &str, policy: Policy) -> Result<(), Refused> {
        let url = Url::parse(url).unwrap();
        let allowed = Origin::of(&url).into_iter().collect();
        check(&url, &allowed, policy)
    }

    #[test]
    fn an_ip_address_is_refused_in_every_spelling() {
        let spellings = [
            "127.0.0.1",
            "127.0.0.1.",
            "127.1",
            "127.0.1",
            "0",
            "0.0.0.0",
            "2130706433",
            "0x7f000001",
            "0x7F.1",
            "0X7f.0x0.0x0.0x1",
            "017700000001",
            "0177.0.0.1",
            "0177.0x0.1",
            "00000177.1",
            "%31%32%37.0.0.1",
            "127%2E0%2E0%2E1",
            "169.254.169.254",
            "2852039166",
            "0xa9fea9fe",
            "10.0.0.1",
            "192.168.1",
            "8.8.8.8",
            "134744072",
            "[::]",
            "[::1]",
            "[0:0:0:0:0:0:0:1]",
            "[0000::0001]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[fd00:ec2::254]",
            "[FE80::1]",
            "[2606:4700::1111]",
        ];
        for host in spellings {
            assert_eq!(ask(&format!("https://{host}/"), PRODUCTION), Err(Refused::Address), "{host}");
        }
    }

    #[test]
    fn what_is_no_host_does_not_even_parse() {
        let hosts = [
            "256.0.0.1",
            "1.2.3.4.5",
            "0x100000000",
            "4294967296",
            "127.0.0.08",
            "[::1",
            "[::1%25lo]",
            "a b",
            "a%00b.com",
            "a%2fb.com",
            "a@b@c%40",
        ];
        for host in hosts {
            assert!(Url::parse(&format!("https://{host}/")).is_err(), "{host}");
        }
    }

    #[test]
    fn names_that_are_not_public_are_refused_in_every_spelling() {
        let names = [
            "localhost",
            "LOCALHOST",
            "localhost.",
            "%6c%6f%63%61%6c%68%6f%73%74",
            "foo.localhost",
            "localhost.localdomain",
            "printer.local",
            "host.docker.internal",
            "metadata.google.internal",
            "metadata.google.internal.",
            "instance-data",
            "instance-data.ec2.internal",
            "metadata.tencentyun.com",
            "metadata",
            "router.home.arpa",
            "1.0.0.127.in-addr.arpa",
            "arpa",
            "facebookwkhpilnemxj7asaniu7vnjjbiltxjqhye3mhbshg7kx5tfyd.onion",
            "a.test",
            "a.invalid",
            "a.example",
            "a.alt",
            "intranet",
            "wiki.corp",
            "nas.lan",
            "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local",
            "com",
            "api.slack.com.",
            "api..slack.com",
            ".slack.com",
            "a,b.com",
            "*.slack.com",
            "a!b.com",
        ];
        for name in names {
            let parsed = Url::parse(&format!("https://{name}/"));
            assert!(parsed.is_err() || ask(&format!("https://{name}/"), PRODUCTION) == Err(Refused::Name), "{name}");
        }
        for long in [format!("{}.com", "a".repeat(64)), format!("{}com", "a.".repeat(126))] {
            assert_eq!(ask(&format!("https://{long}/"), PRODUCTION), Err(Refused::Name), "{long}");
        }
    }

    #[test]
    fn only_https_is_allowed() {
        for url in [
            "http://api.slack.com/",
            "ftp://api.slack.com/",
            "ws://api.slack.com/",
            "wss://api.slack.com/",
            "gopher://api.slack.com/",
        ] {
            for policy in [PRODUCTION, DEVELOPMENT] {
                assert_eq!(ask(url, policy), Err(Refused::Scheme), "{url}");
            }
        }
        for url in ["file:///etc/passwd", "data:text/plain,x", "blob:https://api.slack.com/x", "javascript:x"] {
            assert!(ask(url, DEVELOPMENT).is_err(), "{url}");
        }
    }

    #[test]
    fn a_user_or_password_is_refused() {
        for url in [
            "https://user@api.slack.com/",
            "https://user:word@api.slack.com/",
            "https://:word@api.slack.com/",
            "https://api.slack.com%40evil@evil.example.net/",
        ] {
            assert_eq!(ask(url, PRODUCTION), Err(Refused::Userinfo), "{url}");
        }
    }

    #[test]
    fn a_host_outside_ascii_is_no_url_at_all() {
        let hosts = [
            "１２７.0.0.1",
            "①②⑦.0.0.1",
            "127。0。0。1",
            "127．0．0．1",
            "127｡0｡0｡1",
            "𝟏𝟐𝟕.𝟎.𝟎.𝟏",
            "1\u{ad}27.0.0.1",
            "1.2.3.٤",
            "ｌｏｃａｌｈｏｓｔ",
            "ⓛocalhost",
            "local\u{ad}host",
            "METADATA.google。internal",
            "hооks.slack.com",
            "Bücher.example.org",
        ];
        for host in hosts {
            assert!(Url::parse(&format!("https://{host}/")).is_err(), "{host}");
        }
    }

    #[test]
    fn another_origin_is_refused() {
        let allowed = origins(&["https://hooks.slack.com", "https://api.example.org:8443"]);
        let others = [
            "https://slack.com/",
            "https://hooks.slack.com:8443/",
            "https://hooks.slack.com.evil.example.net/",
            "https://evil.example.net/hooks.slack.com",
            "https://evil.example.net\\@hooks.slack.com/",
            "https://evil.example.net#@hooks.slack.com/",
            "https://xhooks.slack.com/",
            "https://api.example.org/",
        ];
        for url in others {
            let url = Url::parse(url).unwrap();
            assert_eq!(check(&url, &allowed, PRODUCTION), Err(Refused::Origin), "{url}");
        }
        assert_eq!(
            check(&Url::parse("https://hooks.slack.com/").unwrap(), &BTreeSet::new(), PRODUCTION),
            Err(Refused::Origin)
        );
    }

    #[test]
    fn an_allowed_origin_passes_however_it_is_spelled() {
        let allowed = origins(&["https://hooks.slack.com", "https://api.example.org:8443"]);
        let same = [
            "https://hooks.slack.com/services/x?y#z",
            "HTTPS://Hooks.SLACK.com:443/",
            "https:\\\\hooks.slack.com",
            "https://api.example.org:08443/",
        ];
        for url in same {
            assert_eq!(check(&Url::parse(url).unwrap(), &allowed, PRODUCTION), Ok(()), "{url}");
        }
    }

    #[test]
    fn development_opens_loopback_and_nothing_else() {
        for url in [
            "http://127.0.0.1:8080/",
            "http://localhost:8080/",
            "http://api.localhost/",
            "https://[::1]/",
            "http://127.1/",
        ] {
            assert_eq!(ask(url, DEVELOPMENT), Ok(()), "{url}");
            assert!(ask(url, PRODUCTION).is_err(), "{url}");
        }
        for host in [
            "0.0.0.0",
            "10.0.0.1",
            "192.168.0.1",
            "169.254.169.254",
            "8.8.8.8",
            "[::ffff:127.0.0.1]",
            "[::]",
            "[fd00::1]",
        ] {
            assert_eq!(ask(&format!("https://{host}/"), DEVELOPMENT), Err(Refused::Address), "{host}");
        }
        assert_eq!(ask("https://metadata.google.internal/", DEVELOPMENT), Err(Refused::Name));
        assert_eq!(ask("http://user@127.0.0.1/", DEVELOPMENT), Err(Refused::Userinfo));
        let other = Url::parse("http://127.0.0.1:9/").unwrap();
        assert_eq!(check(&other, &origins(&["http://127.0.0.1:8080"]), DEVELOPMENT), Err(Refused::Origin));
    }
}
