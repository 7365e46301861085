//! The rules for how tokens are obtained.

use super::Faults;
use super::request::{check_always_set, check_text, check_url};
use super::rule::is_pointer;
use crate::catalog::file::{ConnectionType, Grant, Kept, Oauth, RequestTemplate};
use crate::catalog::pattern;
use crate::catalog::reach::Reach;
use crate::catalog::template::{Template, is_key};

pub(super) fn check(connection_type: &ConnectionType, oauth: &Oauth, at: &str, faults: &mut Faults) {
    let at = format!("{at}.oauth");
    let Reach::Request(request) = &connection_type.reach else {
        faults.push(&at, "is for what is reached by requests");
        return;
    };
    check_addresses(connection_type, oauth, &at, faults);
    for (name, template) in oauth.texts() {
        check_text(connection_type, template, &format!("{at}.{name}"), faults);
    }
    for (name, template) in oauth.texts().into_iter().chain(oauth.urls()) {
        let is_early = template.holes().any(|hole| oauth.provides().any(|provided| provided == hole));
        faults.unless(!is_early, format!("{at}.{name}"), "has a hole that is filled only when there are tokens");
    }
    for (name, template) in oauth.texts().into_iter().filter(|(name, _)| name.starts_with("answer.")) {
        let good = template.as_literal().is_none_or(is_pointer);
        faults.unless(good, format!("{at}.{name}"), "must be a JSON pointer");
    }
    for (name, words) in [
        (("client_authentication", &oauth.client_authentication), ["basic", "post", "none"].as_slice()),
        (("scope_separator", &oauth.scope_separator), ["space", "comma"].as_slice()),
    ] {
        let good = possible(connection_type, name.1).is_some_and(|all| all.iter().all(|word| words.contains(&&**word)));
        let problem = format!("must be one of {}, or a field whose enum holds nothing else", words.join(", "));
        faults.unless(good, format!("{at}.{}", name.0), &problem);
    }
    let set = [&oauth.client_id, &oauth.client_authentication, &oauth.scope_separator, &oauth.answer.access_token];
    check_always_set(connection_type, set.into_iter(), &at, faults);
    check_secret(connection_type, oauth, &at, faults);
    for (name, kept) in &oauth.answer.keep {
        check_kept(connection_type, (name, kept), request, &format!("{at}.answer.keep.{name}"), faults);
    }
    let is_used = holes(connection_type, request).any(|hole| hole == Oauth::ACCESS_TOKEN)
        || oauth.answer.keep.values().any(|kept| kept.secret);
    faults.unless(is_used, &at, "obtains a token that no request carries");
}

/// The addresses: stated, or discovered at the issuer; where people consent exactly where they do.
fn check_addresses(connection_type: &ConnectionType, oauth: &Oauth, at: &str, faults: &mut Faults) {
    for (name, template) in oauth.urls() {
        check_url(connection_type, template, &format!("{at}.{name}"), faults);
    }
    let stated = oauth.token_url.is_some();
    faults.unless(
        stated || oauth.issuer.is_some(),
        format!("{at}.token_url"),
        "must be there, or an issuer that is asked",
    );
    let consents = oauth.grant == Grant::AuthorizationCode;
    let good = oauth.authorize_url.is_some() == (consents && stated);
    faults.unless(
        good,
        format!("{at}.authorize_url"),
        "must be there exactly where people consent and token_url is stated",
    );
    faults.unless(stated || oauth.revoke_url.is_none(), format!("{at}.revoke_url"), "is discovered with the others");
    let mut always = vec![&oauth.authorize_url, &oauth.token_url];
    if !stated {
        always.push(&oauth.issuer);
    }
    check_always_set(connection_type, always.into_iter().flatten(), at, faults);
}

/// The secret of the client is global as a rule: one app serves all customers.
fn check_secret(connection_type: &ConnectionType, oauth: &Oauth, at: &str, faults: &mut Faults) {
    let Some(template) = &oauth.client_secret else { return };
    for field in template.holes().filter_map(|key| connection_type.field(key)) {
        faults.unless(field.secret, format!("{at}.client_secret"), "must be a secret");
    }
}

fn check_kept(
    connection_type: &ConnectionType,
    (name, kept): (&str, &Kept),
    request: &RequestTemplate,
    at: &str,
    faults: &mut Faults,
) {
    let is_free = is_key(name) && connection_type.field(name).is_none();
    let is_free = is_free && !["access_token", "refresh_token", "token_type"].contains(&name);
    faults.unless(is_free, at, "must be a name of a-z, 0-9, _ that no field and no token has");
    faults.unless(is_pointer(&kept.at), format!("{at}.at"), "must be a JSON pointer");
    let decides = request.base_urls().flat_map(Template::holes).any(|hole| hole == name);
    // Whatever the pattern lets through has to be an address that is safe to call with the token.
    let is_closed = kept.pattern.as_deref().is_some_and(|text| {
        text.starts_with("https://") && pattern::matches(text, "https://x.example").is_some_and(|matched| !matched)
    });
    let problem = "must begin with https:// and hold the host, for it decides where the token is sent";
    faults.unless(!decides || is_closed, format!("{at}.pattern"), problem);
    let is_pattern = kept.pattern.as_deref().is_none_or(|text| pattern::matches(text, "").is_some());
    faults.unless(is_pattern, format!("{at}.pattern"), "is no regular expression");
}

fn holes<'a>(connection_type: &'a ConnectionType, request: &'a RequestTemplate) -> impl Iterator<Item = &'a str> {
    let auth = request.auth.required().into_iter().chain(request.auth.optional()).map(|(_, template)| template);
    let test = connection_type.test.iter().flat_map(|test| test.call.query.values().chain(test.call.headers.values()));
    auth.chain(request.headers.values()).chain(test).flat_map(Template::holes)
}

/// The texts that a template can become; none where that is not known.
fn possible(connection_type: &ConnectionType, template: &Template) -> Option<Vec<String>> {
    if let Some(text) = template.as_literal() {
        return Some(vec![text.to_owned()]);
    }
    let mut holes = template.holes();
    let field = connection_type.field(holes.next()?)?;
    field.choices.clone().filter(|_| template.parts().len() == 1)
}
