//! Where the secrets of a connection may be sent: the origins that its vault entry is bound to.

use std::collections::BTreeSet;

use url::Url;

use super::file::Oauth;
use super::fill::FillError;
use super::oauth::{self, Client};
use super::provider::{ConnectionType, Field};
use super::reach::Reach;
use super::template::Template;
use super::{request, server};
use crate::domain::origin::Origin;
use crate::domain::values::{Secrets, Settings};

/// The origins that checked values allow: that of the base URL, and the fixed ones of the provider file; of a server, its
/// host and port.
///
/// # Errors
/// When the base URL, the host or the port has no value for one of its fields, or is none with them.
pub fn destinations(
    connection_type: &ConnectionType,
    settings: &Settings,
    secrets: &Secrets,
) -> Result<BTreeSet<Origin>, FillError> {
    let template = match &connection_type.reach {
        Reach::Request(template) => template,
        Reach::Server(template) => return Ok(BTreeSet::from([server::origin(template, settings, secrets)?])),
    };
    let base_url = match request::base_url(template, settings, secrets) {
        // What the authorization server answers: known once there are tokens.
        Err(FillError::Unset(hole)) if provides(connection_type, &hole) => None,
        found => Some(found?),
    };
    let fixed = template.destinations.iter().filter_map(|origin| Url::parse(origin).ok());
    let client = oauth::client(connection_type, settings, secrets)?;
    let servers = client.into_iter().flat_map(token_servers);
    Ok(base_url.into_iter().chain(fixed).chain(servers).filter_map(|url| Origin::of(&url).ok()).collect())
}

fn provides(connection_type: &ConnectionType, hole: &str) -> bool {
    connection_type.oauth.as_ref().is_some_and(|oauth| oauth.provides().any(|name| name == hole))
}

/// Where a client proves itself, and where its tokens go: where the addresses are discovered, they are the issuer's.
fn token_servers(client: Client<'_>) -> impl Iterator<Item = Url> {
    let issuer = client.issuer.filter(|_| client.token_url.is_none()).and_then(|issuer| Url::parse(&issuer).ok());
    [client.token_url, client.revoke_url, issuer].into_iter().flatten()
}

/// The fields whose values decide where secrets are sent, secret ones among them.
#[must_use]
pub fn deciding_fields(connection_type: &ConnectionType) -> BTreeSet<&str> {
    let by_place: Vec<&Template> = match &connection_type.reach {
        Reach::Request(request) => request.base_urls().collect(),
        Reach::Server(server) => server.deciding().into(),
    };
    let servers = connection_type.oauth.iter().flat_map(Oauth::urls).map(|(_, template)| template);
    let declared = connection_type.fields.iter().filter(|field| field.destination).map(|field| field.key.as_str());
    by_place.into_iter().chain(servers).flat_map(Template::holes).chain(declared).collect()
}

/// Whether a template may leave these fields to its customers: else the organization's secrets would go where a customer says.
/// Gives the fields that decide where, should any secret be global.
#[must_use]
pub fn unsafe_split<'a>(connection_type: &'a ConnectionType, customer_fields: &BTreeSet<String>) -> Vec<&'a str> {
    let is_global = |field: &&Field| field.secret && !customer_fields.contains(&field.key);
    if !connection_type.fields.iter().any(|field| is_global(&field)) {
        return Vec::new();
    }
    deciding_fields(connection_type).into_iter().filter(|key| customer_fields.contains(*key)).collect()
}

/// Whether new settings send secrets elsewhere: then every secret must be entered again.
///
/// The whole value counts, not its origin alone: many services serve many owners below one host.
#[must_use]
pub fn destination_fields_changed(connection_type: &ConnectionType, old: &Settings, new: &Settings) -> bool {
    let deciding = connection_type.fields.iter().filter(|field| field.destination && !field.secret);
    deciding.into_iter().any(|field| old.get(&field.key) != new.get(&field.key))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::catalog::Catalog;
    use crate::domain::values::Secret;

    fn settings(base_url: &str) -> Settings {
        Settings::from([("base_url".to_owned(), json!(base_url)), ("test_path".to_owned(), json!("/me"))])
    }

    fn found(connection_type: &ConnectionType, settings: &Settings, secrets: &Secrets) -> Vec<String> {
        destinations(connection_type, settings, secrets).unwrap().into_iter().map(String::from).collect()
    }

    #[test]
    fn without_the_field_that_decides_there_is_no_destination() {
        let http = Catalog::embedded().connection_type("http", "bearer").unwrap();
        let missing = destinations(http, &Settings::new(), &Secrets::default()).err();
        assert_eq!(missing, Some(FillError::Unset("base_url".to_owned())));
    }

    #[test]
    fn a_base_url_that_is_none_has_no_destination() {
        let http = Catalog::embedded().connection_type("http", "bearer").unwrap();
        for base_url in ["a.example", "https://", "mailto:x"] {
            assert!(destinations(http, &settings(base_url), &Secrets::default()).is_err(), "{base_url}");
        }
    }

    #[test]
    fn a_destination_is_an_origin_without_path() {
        let http = Catalog::embedded().connection_type("http", "bearer").unwrap();
        assert_eq!(
            found(http, &settings("https://a.example:8443/x/y"), &Secrets::default()),
            ["https://a.example:8443"]
        );
    }

    #[test]
    fn a_secret_url_shows_its_origin_and_nothing_else() {
        let slack = Catalog::embedded().connection_type("slack", "incoming_webhook").unwrap();
        let url = "https://hooks.slack.com/services/T1/B1/abcdefghijklmnopqrst".to_owned();
        let secrets = Secrets::from_iter([("webhook_url".to_owned(), Secret::new(url))]);
        assert_eq!(found(slack, &Settings::new(), &secrets), ["https://hooks.slack.com"]);
    }

    #[test]
    fn fixed_destinations_are_added() {
        let mut http = Catalog::embedded().connection_type("http", "bearer").unwrap().clone();
        let Reach::Request(request) = &mut http.reach else { panic!("HTTP is reached by requests") };
        request.destinations = vec!["https://files.example".to_owned()];
        assert_eq!(
            found(&http, &settings("https://a.example"), &Secrets::default()),
            ["https://a.example", "https://files.example"]
        );
    }

    #[test]
    fn another_path_below_the_same_host_is_another_destination() {
        let http = Catalog::embedded().connection_type("http", "bearer").unwrap();
        let old = settings("https://a.example/team-a");
        for (base_url, changed) in
            [("https://a.example/team-a", false), ("https://a.example/team-b", true), ("https://b.example/", true)]
        {
            assert_eq!(destination_fields_changed(http, &old, &settings(base_url)), changed, "{base_url}");
        }
        assert!(destination_fields_changed(http, &old, &Settings::new()));
    }

    #[test]
    fn other_settings_are_no_destination() {
        let http = Catalog::embedded().connection_type("http", "bearer").unwrap();
        let mut new = settings("https://a.example");
        new.insert("test_path".to_owned(), json!("/other"));
        assert!(!destination_fields_changed(http, &settings("https://a.example"), &new));
    }
}
