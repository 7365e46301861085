//! The page `docs/providers.md`: what each provider file says, for readers. Only the build script and the tests write it.

use super::file::{Call, ConnectionType, Field, Provider, RequestTemplate, SideEffect, Test};
use super::reach::{Protocol, Reach};

const HEAD: &str = "\
# Providers

Made from the files in `providers/` by `make providers-doc`; a test fails while it is stale.

What can be connected, what is asked for and where it is obtained, what the test does, and what it cannot see. No test posts,
creates or changes anything. Each file names the pages of the provider's documentation that it was written from.
";

/// Writes the page; the providers are sorted by key.
#[must_use]
pub(crate) fn document(providers: &[Provider]) -> String {
    let contents = providers.iter().map(|provider| {
        let types = provider.connection_types.iter().map(|of| of.name.as_str()).collect::<Vec<_>>().join(", ");
        format!("| [{}](#{}) | {types} |\n", provider.name, provider.name.to_lowercase().replace(' ', "-"))
    });
    let contents = contents.collect::<String>();
    let chapters = providers.iter().map(chapter).collect::<String>();
    format!("{HEAD}\n| provider | connection types |\n|---|---|\n{contents}{chapters}")
}

fn chapter(provider: &Provider) -> String {
    let types = provider.connection_types.iter().map(|of| section(&provider.key, of)).collect::<String>();
    format!("\n## {}\n\n<{}>\n{types}", provider.name, provider.homepage)
}

fn section(provider: &str, of: &ConnectionType) -> String {
    let ConnectionType { key, name, description, guide, .. } = of;
    let rows = of.fields.iter().map(row).collect::<String>();
    let test = match (&of.reach, &of.test, &of.no_test) {
        (Reach::Server(server), _, _) => spoken(server.protocol).to_owned(),
        (Reach::Request(request), Some(test), _) => tested(request, test),
        (Reach::Request(_), None, reason) => format!("There is none: {}", reason.as_deref().unwrap_or_default()),
    };
    let message = match &of.message {
        Some(_) => {
            "\n**Message.** With `mode=send_message` one fixed, labelled text is sent: the only proof of delivery.\n"
        }
        None => "",
    };
    format!(
        "\n### {name}: `{provider}` / `{key}`\n\n{description} Guide: <{}>\n\n\
         | field | what | where it is obtained |\n|---|---|---|\n{rows}\n\
         **Least permissions.** {}\n\n**Test.** {test}\n\n**What Connected does not prove.** {}\n\n**Rotation.** {}\n{message}{}",
        guide.url,
        guide.least_permissions,
        guide.not_proven,
        guide.rotation,
        unavailable(of)
    )
}

fn unavailable(of: &ConnectionType) -> String {
    let rows = of.unavailable.iter().map(|(key, reason)| format!("- `{key}`: {reason}")).collect::<Vec<_>>().join("\n");
    if rows.is_empty() { rows } else { format!("\n**What is refused, and why.**\n\n{rows}\n") }
}

/// What the test of a protocol does, in `probe`.
const fn spoken(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Postgresql => {
            "Connects, with TLS unless that is switched off, signs in by SCRAM-SHA-256, MD5 or (under TLS only) a password in \
             clear text, asks `select 1`, and says goodbye. It leaves a line in the server's log where that logs connections. \
             What the server tells for free is kept: `server_version`."
        }
        Protocol::Mysql => {
            "Connects, with TLS unless that is switched off, signs in by `caching_sha2_password` or `mysql_native_password`, \
             sends a ping, and says goodbye. It leaves a line in the server's log where that logs connections. What the server \
             tells for free is kept: `server_version`."
        }
    }
}

fn row(field: &Field) -> String {
    let marks = [
        (field.secret, "secret"),
        (field.required, "required"),
        (!field.required, "optional"),
        (field.destination, "decides where secrets go"),
        (field.is_customer_specific(), "customer-specific"),
    ];
    let marks = marks.into_iter().filter(|(marked, _)| *marked).map(|(_, mark)| mark).collect::<Vec<_>>().join(", ");
    let default = field.default.as_ref().map(|default| format!(" Default `{default}`.")).unwrap_or_default();
    let cell = |text: &str| text.replace('|', "\\|");
    format!(
        "| {} `{}`: {marks} | {}{} | {} |\n",
        cell(&field.label),
        field.key,
        cell(&field.help),
        cell(&default),
        cell(&field.obtain)
    )
}

fn tested(request: &RequestTemplate, test: &Test) -> String {
    let query = test.call.query.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
    let query = if query.is_empty() { query } else { format!("?{query}") };
    let effect = match test.side_effect {
        SideEffect::None => "It leaves no trace.",
        SideEffect::Logged => "It leaves a line in a log of the provider's.",
        SideEffect::Billable => "It costs money.",
        SideEffect::Visible => "People see it.",
    };
    let facts = test.facts.keys().map(|name| format!("`{name}`"));
    let scopes = test.granted_scopes.iter().map(|_| "granted scopes".to_owned());
    let expiry = test.expires_at.iter().map(|_| "the expiry".to_owned());
    let kept = facts.chain(scopes).chain(expiry).collect::<Vec<_>>().join(", ");
    let kept = if kept.is_empty() { kept } else { format!(" What the answer tells for free is kept: {kept}.") };
    let twice = if test.compare_without_credential {
        " It is repeated without the credential: the same answer proves nothing."
    } else {
        ""
    };
    let instead =
        |call: &Call| format!(" Where no value is given for it: `{} {}{}`.", call.method, request.base_url, call.path);
    let instead = test.else_call.as_ref().map(instead).unwrap_or_default();
    let again = if test.rules.iter().any(|rule| rule.second_try) {
        " A refusal is believed when it is repeated five seconds later."
    } else {
        ""
    };
    format!(
        "`{} {}{}{query}`.{instead} {effect}{twice}{again}{kept}",
        test.call.method, request.base_url, test.call.path
    )
}
