//! The rules for where fields are used: every field somewhere, secrets in a URL only for a stated reason.

use super::Faults;
use crate::catalog::file::{Auth, Call, ConnectionType, Field, Oauth, RequestTemplate, Test};
use crate::catalog::reach::Reach;
use crate::catalog::template::Template;

pub(super) fn check(connection_type: &ConnectionType, at: &str, faults: &mut Faults) {
    let in_urls: Vec<&str> = url_templates(connection_type).into_iter().flat_map(Template::holes).collect();
    let elsewhere: Vec<&str> = other_templates(connection_type).into_iter().flat_map(Template::holes).collect();
    let is_secret_global = connection_type.fields.iter().any(|field| field.secret && !field.is_customer_specific());
    for field in &connection_type.fields {
        let at = format!("{at}.fields.{}", field.key);
        let key = field.key.as_str();
        let controls = connection_type
            .fields
            .iter()
            .any(|other| other.visible_when.as_ref().is_some_and(|when| when.field == key));
        let used = in_urls.contains(&key) || elsewhere.contains(&key) || controls;
        faults.unless(used, &at, "is not used: no template has a hole for it, and no field's visibility depends on it");
        check_secret_in_url(field, in_urls.contains(&key), &at, faults);
        let decides = match &connection_type.reach {
            Reach::Request(request) => request.base_urls().flat_map(Template::holes).any(|hole| hole == key),
            Reach::Server(server) => server.deciding().into_iter().flat_map(Template::holes).any(|hole| hole == key),
        };
        let decides = decides || oauth_urls(connection_type).flat_map(Template::holes).any(|hole| hole == key);
        faults.unless(
            decides || !field.destination,
            format!("{at}.destination"),
            "is for fields in request.base_url, in addresses of oauth, or in host, port and tls of a server, only",
        );
        faults.unless(
            !(is_secret_global && field.is_customer_specific() && (decides || field.destination)),
            format!("{at}.customer_specific"),
            "must be false: a secret is global, which would go where a customer says",
        );
    }
}

fn check_secret_in_url(field: &Field, in_url: bool, at: &str, faults: &mut Faults) {
    let secret_in_url = in_url && field.secret;
    let at = format!("{at}.secret_in_url");
    match (&field.secret_in_url, secret_in_url) {
        (None, true) => {
            faults.push(at, "must say why the secret has to stand in a URL, or the secret be sent elsewhere");
        }
        (Some(_), false) => faults.push(at, "is stated for what is no secret in a URL"),
        _ => {}
    }
}

/// Whether a test sends a secret by any other way than the scheme of authentication.
pub(super) fn has_secret_outside_auth(
    connection_type: &ConnectionType,
    request: &RequestTemplate,
    test: &Test,
) -> bool {
    let templates = request.base_urls().chain(request.headers.values()).chain(call_templates(&test.call));
    templates.flat_map(Template::holes).filter_map(|key| connection_type.field(key)).any(|field| field.secret)
}

fn calls(connection_type: &ConnectionType) -> impl Iterator<Item = &Call> {
    let test = connection_type.test.iter().flat_map(|test| [Some(&test.call), test.else_call.as_ref()]).flatten();
    test.chain(connection_type.message.as_ref().map(|message| &message.call))
}

fn call_templates(call: &Call) -> impl Iterator<Item = &Template> {
    let path = [&call.method, &call.path].into_iter().chain(call.query.values());
    path.chain(call.headers.values()).chain(call.body_members.values())
}

/// The addresses of the authorization server.
fn oauth_urls(connection_type: &ConnectionType) -> impl Iterator<Item = &Template> {
    connection_type.oauth.iter().flat_map(Oauth::urls).map(|(_, template)| template)
}

fn url_templates(connection_type: &ConnectionType) -> Vec<&Template> {
    // A server has no URL.
    let Reach::Request(request) = &connection_type.reach else { return Vec::new() };
    let mut templates: Vec<&Template> = request.base_urls().chain(oauth_urls(connection_type)).collect();
    if let Auth::Query { name, value } = &request.auth {
        templates.extend([name, value]);
    }
    for call in calls(connection_type) {
        templates.push(&call.path);
        templates.extend(call.query.values());
    }
    templates
}

fn other_templates(connection_type: &ConnectionType) -> Vec<&Template> {
    let request = match &connection_type.reach {
        Reach::Request(request) => request,
        Reach::Server(server) => return server.templates().map(|(_, template)| template).into(),
    };
    let mut templates: Vec<&Template> = request.headers.values().collect();
    if !matches!(request.auth, Auth::Query { .. }) {
        let auth = request.auth.required().into_iter().chain(request.auth.optional());
        templates.extend(auth.map(|(_, template)| template));
    }
    for call in calls(connection_type) {
        templates.push(&call.method);
        templates.extend(call.headers.values().chain(call.body_members.values()));
    }
    templates.extend(connection_type.oauth.iter().flat_map(Oauth::texts).map(|(_, template)| template));
    templates.extend(connection_type.test.iter().filter_map(|test| test.expect.as_ref()));
    templates
}
