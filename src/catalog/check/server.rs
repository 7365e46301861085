//! The rules for how a server is reached: all of its parts are there, and those that decide where secrets go are marked.

use super::Faults;
use super::request::{check_always_set, check_text};
use crate::catalog::file::ConnectionType;
use crate::catalog::reach::{ServerTemplate, Tls};
use crate::catalog::template::Template;

pub(super) fn check(connection_type: &ConnectionType, server: &ServerTemplate, at: &str, faults: &mut Faults) {
    let own = connection_type.test.is_some() || connection_type.no_test.is_some() || connection_type.message.is_some();
    faults.unless(
        !own,
        format!("{at}.test"),
        "is that of the protocol: test, no_test and message do not go with server",
    );
    let at = format!("{at}.server");
    for (name, template) in server.templates() {
        faults.unless(!template.is_empty(), format!("{at}.{name}"), "must not be empty");
        check_text(connection_type, template, &format!("{at}.{name}"), faults);
    }
    check_always_set(connection_type, server.templates().into_iter().map(|(_, template)| template), &at, faults);
    let secret = server.password.holes().filter_map(|key| connection_type.field(key)).all(|field| field.secret);
    faults.unless(secret, format!("{at}.password"), "must come from a field that is a secret");
    for key in server.deciding().into_iter().flat_map(Template::holes) {
        let marked = connection_type.field(key).is_none_or(|field| field.destination && !field.secret);
        faults.unless(
            marked,
            format!("{at}.{key}"),
            "decides where secrets go: its field must be destination = true, no secret",
        );
    }
    let words = server.tls.as_literal().map(|word| vec![word.to_owned()]).or_else(|| {
        let field = server.tls.holes().next().and_then(|key| connection_type.field(key))?;
        field.choices.clone()
    });
    let known = |word: &String| Tls::parse(server.protocol, word).is_some();
    let good = words.is_some_and(|words| words.iter().all(known));
    faults.unless(
        good,
        format!("{at}.tls"),
        "must be a word of the protocol, or a field whose enum holds nothing else",
    );
}
