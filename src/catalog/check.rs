//! The rules that a provider file keeps, beyond its shape. The build script runs them, so that a bad file stops the
//! build; `docs/providers-format.md` says why each rule is there.

mod field;
mod icon;
mod oauth;
#[cfg(test)]
mod refusals;
mod request;
mod rule;
mod server;
mod test;
mod uses;

use std::collections::BTreeSet;
use std::fmt;

use url::Url;

use super::file::{ConnectionType, Guide, Provider};
use super::reach::Reach;
use super::template::is_key;

/// A rule that a file breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Where in the file: keys joined by dots; connection types and fields by their own keys.
    pub(crate) key: String,
    /// What is wrong.
    pub(crate) problem: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.problem)
    }
}

/// Checks a provider that was read from the folder of this name. Empty when it keeps every rule.
#[must_use]
pub(crate) fn check(provider: &Provider, folder: &str) -> Vec<Fault> {
    let mut faults = Faults::default();
    faults.unless(provider.key == folder && is_key(folder), "key", "must be the name of the folder: a-z, 0-9, _");
    faults.text("name", &provider.name);
    faults.https("homepage", &provider.homepage);
    icon::check(&provider.icon, &mut faults);
    faults.unless(!provider.connection_types.is_empty(), "connection_types", "must hold at least one connection type");
    let keys = provider.connection_types.iter().map(|connection_type| connection_type.key.as_str());
    faults.unique("connection_types", keys);
    for connection_type in &provider.connection_types {
        check_type(connection_type, &mut faults);
    }
    faults.0
}

fn check_type(connection_type: &ConnectionType, faults: &mut Faults) {
    let at = format!("connection_types.{}", connection_type.key);
    faults.unless(
        is_key(&connection_type.key),
        format!("{at}.key"),
        "must begin with a letter and hold a-z, 0-9, _ only",
    );
    faults.text(format!("{at}.name"), &connection_type.name);
    faults.text(format!("{at}.description"), &connection_type.description);
    check_guide(&connection_type.guide, &format!("{at}.guide"), faults);
    faults.unique(&format!("{at}.fields"), connection_type.fields.iter().map(|field| field.key.as_str()));
    for (index, field) in connection_type.fields.iter().enumerate() {
        let (before, _) = connection_type.fields.split_at(index);
        field::check(field, before, &format!("{at}.fields.{}", field.key), faults);
    }
    for (key, reason) in &connection_type.unavailable {
        let at = format!("{at}.unavailable.{key}");
        faults.unless(is_key(key) && connection_type.field(key).is_none(), &at, "must be the key of no field");
        faults.text(&at, reason);
    }
    match &connection_type.reach {
        Reach::Request(request) => {
            request::check(connection_type, request, &at, faults);
            test::check(connection_type, request, &at, faults);
        }
        Reach::Server(server) => server::check(connection_type, server, &at, faults),
    }
    if let Some(oauth) = &connection_type.oauth {
        oauth::check(connection_type, oauth, &at, faults);
    }
    uses::check(connection_type, &at, faults);
}

fn check_guide(guide: &Guide, at: &str, faults: &mut Faults) {
    faults.https(format!("{at}.url"), &guide.url);
    faults.unless(!guide.steps.is_empty(), format!("{at}.steps"), "must hold at least one step");
    for step in &guide.steps {
        faults.text(format!("{at}.steps"), step);
    }
    faults.text(format!("{at}.least_permissions"), &guide.least_permissions);
    if let Some(text) = &guide.service_account {
        faults.text(format!("{at}.service_account"), text);
    }
    faults.text(format!("{at}.rotation"), &guide.rotation);
    faults.text(format!("{at}.not_proven"), &guide.not_proven);
}

/// The faults found so far.
#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    fn push(&mut self, key: impl Into<String>, problem: impl Into<String>) {
        self.0.push(Fault { key: key.into(), problem: problem.into() });
    }

    fn unless(&mut self, kept: bool, key: impl Into<String>, problem: &str) {
        if !kept {
            self.push(key, problem);
        }
    }

    /// A text for people: something, and nothing around it.
    fn text(&mut self, key: impl Into<String>, text: &str) {
        let good = !text.is_empty() && text.trim() == text && !text.chars().any(char::is_control);
        self.unless(good, key, "must be a text on one line, without white space around it");
    }

    fn https(&mut self, key: impl Into<String>, text: &str) {
        let good = Url::parse(text).is_ok_and(|url| url.scheme() == "https");
        self.unless(good, key, "must be an https:// address");
    }

    fn unique<'a>(&mut self, at: &str, keys: impl Iterator<Item = &'a str>) {
        let mut seen = BTreeSet::new();
        for key in keys {
            self.unless(seen.insert(key), format!("{at}.{key}"), "is there twice");
        }
    }
}
