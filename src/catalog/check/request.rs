//! The rules for how a provider is reached: base URL, destinations, authentication, headers.

use std::collections::BTreeMap;

use url::Url;

use super::Faults;
use crate::catalog::file::{Auth, BaseUrlWhen, ConnectionType, Field, FieldType, RequestTemplate};
use crate::catalog::pattern;
use crate::catalog::template::{Part, Template};

/// Headers that belong to the connection, to proxies, or to the scheme of authentication.
const RESERVED: &str = "(?i)host|content-length|connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect|cookie\
                        |authorization|proxy-.*|cf-.*|x-forwarded-.*|x-real-ip|forwarded|via";
const TOKEN: &str = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+";

pub(super) fn check(connection_type: &ConnectionType, request: &RequestTemplate, at: &str, faults: &mut Faults) {
    let at = format!("{at}.request");
    check_url(connection_type, &request.base_url, &format!("{at}.base_url"), faults);
    for other in &request.base_urls {
        check_other_base_url(connection_type, other, &format!("{at}.base_urls"), faults);
    }
    for origin in &request.destinations {
        let good = Url::parse(origin)
            .is_ok_and(|url| url.scheme() == "https" && url.origin().ascii_serialization() == *origin);
        faults.unless(good, format!("{at}.destinations"), "must hold origins such as https://api.example.com");
    }
    check_headers(connection_type, &request.headers, &format!("{at}.headers"), faults);
    for (name, template) in request.auth.required().into_iter().chain(request.auth.optional()) {
        if request.auth.takes_lines(name) {
            let one = template.holes().count() == 1 && template.parts().len() == 1;
            let known = template.holes().all(|key| connection_type.field(key).is_some());
            faults.unless(one && known, format!("{at}.auth.{name}"), "must be the hole of one field");
            continue;
        }
        check_text(connection_type, template, &format!("{at}.auth.{name}"), faults);
        faults.unless(!template.is_empty(), format!("{at}.auth.{name}"), "must not be empty");
    }
    if let Auth::Header { name, .. } = &request.auth {
        let good = name.as_literal().is_none_or(is_free_header);
        faults.unless(good, format!("{at}.auth.name"), "must be the name of a header that is not reserved");
    }
    if let Auth::AwsSigv4 { service, role_arn, .. } = &request.auth {
        let at_sts = service == "sts" || role_arn.is_none();
        faults.unless(at_sts, format!("{at}.auth.role_arn"), "is for the service sts, where roles are assumed");
    }
    let auth = request.auth.required().into_iter().map(|(_, template)| template);
    let templates = auth.chain(request.base_urls()).chain(request.headers.values());
    check_always_set(connection_type, templates, &at, faults);
}

/// Checks headers: their names, and the holes of their values.
pub(super) fn check_headers(
    connection_type: &ConnectionType,
    headers: &BTreeMap<String, Template>,
    at: &str,
    faults: &mut Faults,
) {
    for (name, template) in headers {
        let at = format!("{at}.{name}");
        faults.unless(is_free_header(name), &at, "must be the name of a header that is not reserved");
        check_text(connection_type, template, &at, faults);
    }
}

fn is_free_header(name: &str) -> bool {
    pattern::matches(TOKEN, name) == Some(true) && pattern::matches(RESERVED, name) == Some(false)
}

/// Checks a template whose place takes a text on one line.
pub(super) fn check_text(connection_type: &ConnectionType, template: &Template, at: &str, faults: &mut Faults) {
    for part in template.parts() {
        match part {
            Part::Hole(key) => match connection_type.field(key) {
                None if provides(connection_type, key) => {}
                None => faults.push(at, format!("has a hole {{{key}}} that no field fills")),
                Some(field) if field.value_type == FieldType::Multiline => {
                    faults.push(at, format!("has a hole {{{key}}} whose field is multiline"));
                }
                Some(_) => {}
            },
            Part::Text(text) => {
                let visible = text.chars().all(|c| c.is_ascii_graphic() || c == ' ');
                faults.unless(visible, at, "must hold visible ASCII characters only");
            }
        }
    }
}

/// Whether the answer of an authorization server fills a hole.
fn provides(connection_type: &ConnectionType, key: &str) -> bool {
    connection_type.oauth.as_ref().is_some_and(|oauth| oauth.provides().any(|name| name == key))
}

/// Checks what is appended to the base URL: it begins with a slash, or with a field of type path.
pub(super) fn check_path(connection_type: &ConnectionType, path: &Template, at: &str, faults: &mut Faults) {
    check_text(connection_type, path, at, faults);
    let value_type = |key: &str| connection_type.field(key).map(|field| field.value_type);
    for (index, part) in path.parts().iter().enumerate() {
        let good = match part {
            Part::Text(text) => {
                (index > 0 || (text.starts_with('/') && !text.starts_with("//"))) && !text.contains(['#', ' ', '\\'])
            }
            Part::Hole(key) if index == 0 => value_type(key).is_none_or(|found| found == FieldType::Path),
            Part::Hole(key) => !matches!(value_type(key), Some(FieldType::Path | FieldType::Url)),
        };
        faults.unless(good, at, "must begin with / or with a field of type path, and hold neither fragment nor space");
    }
}

/// Checks a base URL for some values: of a field that decides where secrets go, and is always set.
fn check_other_base_url(connection_type: &ConnectionType, other: &BaseUrlWhen, at: &str, faults: &mut Faults) {
    check_url(connection_type, &other.base_url, &format!("{at}.base_url"), faults);
    let decides = connection_type.field(&other.field).is_some_and(|field| field.destination && !field.secret);
    faults.unless(decides, format!("{at}.field"), "must name a field with destination = true that is no secret");
    let good = pattern::matches(&other.matches, "").is_some();
    faults.unless(good, format!("{at}.matches"), "is no regular expression");
}

/// Checks an address: a base URL, or one of an authorization server.
pub(super) fn check_url(connection_type: &ConnectionType, base_url: &Template, at: &str, faults: &mut Faults) {
    check_text(connection_type, base_url, at, faults);
    let mut before = String::new();
    for part in base_url.parts() {
        match part {
            Part::Text(text) => before.push_str(text),
            Part::Hole(key) => {
                if let Some(field) = connection_type.field(key) {
                    check_hole(field, &before, at, faults);
                }
                // Stands for any value, so that the whole can be parsed.
                before.push_str(if before.is_empty() { "https://x.example" } else { "x" });
            }
        }
    }
    let good = Url::parse(&before).is_ok_and(|url| {
        url.scheme() == "https"
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    });
    faults.unless(good, at, "must be an https:// address without user, query and fragment");
}

/// Checks the field of a hole that stands after this text.
fn check_hole(field: &Field, before: &str, at: &str, faults: &mut Faults) {
    let key = &field.key;
    if before.is_empty() {
        let good = field.value_type == FieldType::Url && field.destination;
        faults.unless(good, at, &format!("begins with {{{key}}}, which must be of type url and destination = true"));
        return;
    }
    let in_host = before.split_once("://").is_none_or(|(_, rest)| !rest.contains(['/', '?', '#']));
    let decides = field.destination && (field.pattern.is_some() || field.choices.is_some());
    let problem = format!("has {{{key}}} in its host, which must be destination = true with a pattern or an enum");
    faults.unless(!in_host || decides, at, &problem);
    let whole = matches!(field.value_type, FieldType::Url | FieldType::Path);
    faults.unless(!whole, at, &format!("has {{{key}}}, which holds a whole URL or path, after other text"));
}

/// What every request, or every line to a server, needs must be there in every connection.
pub(super) fn check_always_set<'a>(
    connection_type: &ConnectionType,
    templates: impl Iterator<Item = &'a Template>,
    at: &str,
    faults: &mut Faults,
) {
    for field in templates.flat_map(Template::holes).filter_map(|key| connection_type.field(key)) {
        // A project that neither a person nor the key file names is missing when the values are put where they go.
        let given = field.required || field.default.is_some() || field.project_of.is_some();
        let set = given && field.visible_when.is_none();
        let problem = format!(
            "has a hole {{{}}}: its field must be required, or have a default, and always be visible",
            field.key
        );
        faults.unless(set, at, &problem);
    }
}
