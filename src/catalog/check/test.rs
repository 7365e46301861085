//! The rules for tests and messages: what is called, and that a test harms nothing.

use super::request::{check_headers, check_path, check_text};
use super::rule::{self, is_header, is_pointer};
use super::{Faults, uses};
use crate::catalog::file::{Auth, Call, ConnectionType, FieldType, Message, Place, RequestTemplate, SideEffect, Test};
use crate::catalog::statuses::Statuses;
use crate::catalog::template::{Template, is_key};
use crate::domain::verdict::Verdict;

/// What a fact must not be: the credential itself, which some providers repeat in their answers.
const CREDENTIALS: [&str; 6] = ["token", "secret", "password", "key", "access_token", "refresh_token"];

pub(super) fn check(connection_type: &ConnectionType, request: &RequestTemplate, at: &str, faults: &mut Faults) {
    let stated = connection_type.test.is_some() != connection_type.no_test.is_some();
    faults.unless(stated, format!("{at}.test"), "must be there, or no_test with the reason; not both");
    if let Some(reason) = &connection_type.no_test {
        faults.text(format!("{at}.no_test"), reason);
    }
    if let Some(test) = &connection_type.test {
        check_test(connection_type, test, &format!("{at}.test"), faults);
        check_comparison(connection_type, request, test, &format!("{at}.test.compare_without_credential"), faults);
    }
    if let Some(message) = &connection_type.message {
        check_message(connection_type, message, &format!("{at}.message"), faults);
    }
}

fn check_test(connection_type: &ConnectionType, test: &Test, at: &str, faults: &mut Faults) {
    check_call(connection_type, &test.call, &["GET", "HEAD", "POST"], at, faults);
    if let Some(call) = &test.else_call {
        check_call(connection_type, call, &["GET", "HEAD", "POST"], &format!("{at}.else_call"), faults);
    }
    faults.unless(
        test.side_effect != SideEffect::Visible,
        format!("{at}.side_effect"),
        "of a test must not be visible",
    );
    let posts_message = connection_type.message.as_ref().is_some_and(|message| {
        message.call.method == test.call.method
            && message.call.path == test.call.path
            && is_json(test.call.body.as_deref())
    });
    faults.unless(!posts_message, format!("{at}.call.body"), "goes where messages go, so it must not be JSON");
    rule::check(&test.rules, at, faults);
    let provable = test.expect.is_some() || test.rules.iter().any(|rule| rule.verdict == Verdict::Valid);
    faults.unless(provable, format!("{at}.rules"), "must hold a rule with the verdict valid, or expect be there");
    check_expect(connection_type, test.expect.as_ref(), &format!("{at}.expect"), faults);
    for (name, place) in &test.facts {
        faults.unless(is_key(name), format!("{at}.facts.{name}"), "must be a name of a-z, 0-9, _");
        check_place(place, &format!("{at}.facts.{name}"), faults);
    }
    for (name, place) in [("granted_scopes", &test.granted_scopes), ("expires_at", &test.expires_at)] {
        if let Some(place) = place {
            check_place(place, &format!("{at}.{name}"), faults);
        }
    }
}

fn check_place(place: &Place, at: &str, faults: &mut Faults) {
    let good = match place {
        Place::Body(pointer) => {
            let last = pointer.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
            is_pointer(pointer) && !CREDENTIALS.contains(&last.as_str())
        }
        Place::Header { header } => is_header(header) && !matches!(header.as_str(), "set-cookie" | "authorization"),
        Place::Xml { xml } => {
            let name = xml.to_ascii_lowercase();
            is_element(xml) && !CREDENTIALS.iter().any(|credential| name.contains(&credential.replace('_', "")))
        }
    };
    let problem = "must be a JSON pointer, { header = … } in small letters or { xml = … }, and not to a credential";
    faults.unless(good, at, problem);
}

fn is_element(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(|c| c.is_ascii_alphanumeric())
}

fn check_message(connection_type: &ConnectionType, message: &Message, at: &str, faults: &mut Faults) {
    check_call(connection_type, &message.call, &["POST", "PUT"], at, faults);
    faults.unless(is_json(message.call.body.as_deref()), format!("{at}.call.body"), "must be JSON");
    let delivered = message.rules.iter().any(|rule| rule.verdict == Verdict::Valid);
    faults.unless(delivered, format!("{at}.rules"), "must hold a rule with the verdict valid");
    rule::check(&message.rules, at, faults);
}

fn is_json(body: Option<&str>) -> bool {
    body.is_some_and(|body| serde_json::from_str::<serde_json::Value>(body).is_ok())
}

fn check_call(connection_type: &ConnectionType, call: &Call, methods: &[&str], at: &str, faults: &mut Faults) {
    let at = format!("{at}.call");
    let possible = possible_methods(connection_type, &call.method);
    let good = !possible.is_empty() && possible.iter().all(|method| methods.contains(method));
    let problem =
        format!("must be one of {}, or the hole of a field whose enum holds nothing else", methods.join(", "));
    faults.unless(good, format!("{at}.method"), &problem);
    check_path(connection_type, &call.path, &format!("{at}.path"), faults);
    for (name, template) in &call.query {
        check_text(connection_type, template, &format!("{at}.query.{name}"), faults);
    }
    check_headers(connection_type, &call.headers, &format!("{at}.headers"), faults);
    let bodiless = possible.iter().any(|method| matches!(*method, "GET" | "HEAD"));
    faults.unless(!(bodiless && call.body.is_some()), format!("{at}.body"), "has no place in a GET or HEAD");
    check_members(connection_type, call, &format!("{at}.body_members"), faults);
}

/// Checks what is added to a body: it is a JSON object, and has no such members yet.
fn check_members(connection_type: &ConnectionType, call: &Call, at: &str, faults: &mut Faults) {
    let text = call.body.as_deref().unwrap_or_default();
    let object = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).ok();
    for (name, template) in &call.body_members {
        let free = object.as_ref().is_some_and(|object| !object.contains_key(name));
        faults.unless(free, at, "are for a body that is a JSON object without them");
        check_text(connection_type, template, &format!("{at}.{name}"), faults);
    }
}

fn possible_methods<'a>(connection_type: &'a ConnectionType, method: &'a Template) -> Vec<&'a str> {
    if let Some(method) = method.as_literal() {
        return vec![method];
    }
    let field = only_hole(method).and_then(|key| connection_type.field(key));
    let choices = field.and_then(|field| field.choices.as_ref());
    choices.map(|choices| choices.iter().map(String::as_str).collect()).unwrap_or_default()
}

fn only_hole(template: &Template) -> Option<&str> {
    template.holes().next().filter(|_| template.parts().len() == 1)
}

fn check_expect(connection_type: &ConnectionType, expect: Option<&Template>, at: &str, faults: &mut Faults) {
    let Some(expect) = expect else { return };
    let field = only_hole(expect).and_then(|key| connection_type.field(key));
    let good = match (expect.as_literal(), field) {
        (Some(list), _) => Statuses::parse(list).is_ok_and(|list| !rule::holds_undecided(&list)),
        (None, Some(field)) => field.value_type == FieldType::Statuses,
        (None, None) => false,
    };
    faults.unless(good, at, "must be a list without 429 and 5xx, or the hole of a field of type statuses");
}

fn check_comparison(
    connection_type: &ConnectionType,
    request: &RequestTemplate,
    test: &Test,
    at: &str,
    faults: &mut Faults,
) {
    let has_credential = !matches!(request.auth, Auth::None {});
    if test.compare_without_credential {
        let removable = has_credential && !uses::has_secret_outside_auth(connection_type, request, test);
        faults.unless(removable, at, "needs a credential that stands in request.auth and nowhere else");
    } else {
        let path_of_user = test
            .call
            .path
            .holes()
            .any(|key| connection_type.field(key).is_some_and(|field| field.value_type == FieldType::Path));
        faults.unless(
            !(has_credential && path_of_user),
            at,
            "must be true: a path that a person chooses may be public",
        );
    }
}
