//! An origin: scheme, host and port. Where secrets may be sent, and which pages may embed.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::{Host, Url};
use utoipa::ToSchema;

use super::Invalid;

/// `scheme://host[:port]`, case-folded, the scheme's default port left out (RFC 6454).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String)]
pub struct Origin(String);

impl Origin {
    /// The origin of a URL.
    ///
    /// # Errors
    /// When the URL has no host.
    pub fn of(url: &Url) -> Result<Self, Invalid> {
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(Invalid("an address with a host"))?;
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        Ok(Self(format!("{}://{}{port}", url.scheme(), host.to_ascii_lowercase())))
    }

    /// The origin of a server that speaks a protocol of its own: its port always stands in it.
    #[must_use]
    pub fn of_server(protocol: &str, host: &Host, port: u16) -> Self {
        Self(format!("{protocol}://{host}:{port}"))
    }

    /// Whether a page of it is safe from being read or changed on its way: `https`, or `http` on localhost.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        let is_local = |rest: &str| {
            let host = rest.split_once(':').map_or(rest, |(host, _)| host);
            host == "localhost" || host == "127.0.0.1"
        };
        self.0.starts_with("https://") || self.0.strip_prefix("http://").is_some_and(is_local)
    }

    /// The host: a name, or an address (one of IPv6 in brackets).
    #[must_use]
    pub fn host(&self) -> &str {
        let rest = self.0.split_once("://").map_or(&*self.0, |(_, rest)| rest);
        // The last colon is that of a port, unless it stands within brackets.
        match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => host,
            _ => rest,
        }
    }

    /// The origin as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Origin {
    type Error = Invalid;

    /// Accepts an origin and nothing more: no path, query, fragment or user. Its host is a name or an address: the URL
    /// Standard lets `*`, `;` and `'` pass, which mean something in `Content-Security-Policy`.
    fn try_from(text: String) -> Result<Self, Invalid> {
        const INVALID: Invalid = Invalid("an origin such as https://app.example.com, without path");
        let url = Url::parse(text.trim()).map_err(|_| INVALID)?;
        let bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '[' | ':' | ']');
        let named = url.host_str().is_some_and(|host| host.chars().all(plain));
        if bare && named && url.username().is_empty() && url.password().is_none() {
            Self::of(&url).map_err(|_| INVALID)
        } else {
            Err(INVALID)
        }
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> String {
        origin.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_told_without_scheme_and_port() {
        for (text, host) in [
            ("https://api.acme.dev", "api.acme.dev"),
            ("https://API.acme.dev:8443", "api.acme.dev"),
            ("http://127.0.0.1:80", "127.0.0.1"),
            ("https://[2606:4700::1111]", "[2606:4700::1111]"),
            ("https://[2606:4700::1111]:8443", "[2606:4700::1111]"),
        ] {
            assert_eq!(Origin::try_from(text.to_owned()).unwrap().host(), host);
        }
        let server = Origin::of_server("postgresql", &Host::parse("[::1]").unwrap(), 5432);
        assert_eq!(server.host(), "[::1]");
    }

    #[test]
    fn more_than_an_origin_is_refused() {
        for text in [
            "https://a.example/path",
            "https://u@a.example",
            "https://a.example?x",
            "*",
            "null",
            "data:x",
            "a.example",
            "https://*.a.example",
            "https://a.example;x",
        ] {
            assert!(Origin::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn only_https_and_http_on_localhost_are_secure() {
        let is_secure = |text: &str| Origin::try_from(text.to_owned()).unwrap().is_secure();
        assert!(!is_secure("http://app.example.com") && !is_secure("ftp://app.example.com"));
        assert!(!is_secure("http://localhost.example.com"));
        assert!(is_secure("https://app.example.com") && is_secure("http://localhost:5173"));
    }

    #[test]
    fn two_spellings_of_an_origin_are_one() {
        let spelled = Origin::try_from("HTTPS://App.Example.COM:443/".to_owned()).unwrap();
        assert_eq!(spelled.as_str(), "https://app.example.com");
    }
}
