//! The providers of the catalogue, each against a stub that follows the provider's own documentation: good, wrong, limited
//! and absent credentials, every documented class of answers, and values at the door.
//!
//! A stub shares no code with the probe and knows nothing of the provider file: it has its answers from the pages that it
//! names, read on the day that it names.

use std::collections::BTreeSet;
use std::time::Duration;

use keyfob::catalog::Catalog;
use keyfob::catalog::destinations::destinations;
use keyfob::catalog::provider::ConnectionType;
use keyfob::catalog::values::{Checked, Part, check};
use keyfob::egress::Policy;
use keyfob::ports::Network;
use keyfob::probe::{self, Finding};
use serde_json::{Value, json};
use url::Url;

use crate::counterpart::{Counterpart, answer};
use crate::ports::{Rerouted, SeededRandom};
use crate::probe::{IMPATIENT, PATIENT, egress, means};
use crate::stub::{Service, Stub};

/// Values of a connection: settings and secrets.
pub(crate) type Values = (Value, Value);

/// A connection type, and its provider as its documentation describes it.
pub(crate) struct Described {
    pub(crate) provider: &'static str,
    pub(crate) connection_type: &'static str,
    pub(crate) service: Service,
    /// Values that the service accepts.
    pub(crate) good: Values,
    /// What a test of them tells for free: `facts`, `granted_scopes`, `expires_at`.
    pub(crate) told: Value,
    /// Values that it refuses.
    pub(crate) wrong: Values,
    /// Values that it accepts in part; none where its documentation tells of none, or no credential of it is such a one.
    pub(crate) limited: Option<Values>,
    /// What its documentation says that it may answer.
    pub(crate) answers: Vec<Documented>,
    /// What becomes of single values: a field, a value, and the value as it is kept or the code of the refusal.
    pub(crate) door: Vec<(&'static str, &'static str, Result<&'static str, &'static str>)>,
}

/// One documented answer, and verdict, reason and action in the words of the API.
pub(crate) struct Documented {
    pub(crate) status: u16,
    pub(crate) headers: &'static [(&'static str, &'static str)],
    pub(crate) body: &'static str,
    pub(crate) meaning: [&'static str; 3],
}

/// An answer without headers of account.
pub(crate) const fn says(status: u16, body: &'static str, meaning: [&'static str; 3]) -> Documented {
    Documented { status, headers: &[], body, meaning }
}

pub(crate) const VALID: [&str; 3] = ["valid", "", "none"];
pub(crate) const LIMITED: [&str; 3] = ["limited", "insufficient_scope", "edit"];
pub(crate) const REJECTED: [&str; 3] = ["invalid", "rejected", "edit"];
pub(crate) const EXPIRED: [&str; 3] = ["invalid", "expired", "edit"];
pub(crate) const GONE: [&str; 3] = ["invalid", "target_not_found", "edit"];
pub(crate) const PAUSE: [&str; 3] = ["unknown", "rate_limited", "retry"];
pub(crate) const DOWN: [&str; 3] = ["unknown", "unreachable", "retry"];
pub(crate) const ODD: [&str; 3] = ["unknown", "unexpected_answer", "retry"];

/// The claims that hold of every provider.
macro_rules! claims {
    () => {
        #[tokio::test]
        async fn a_wrong_credential_is_invalid() {
            crate::providers::wrong(described()).await;
        }

        #[tokio::test]
        async fn an_absent_host_tells_nothing() {
            crate::providers::absent(described()).await;
        }

        #[tokio::test]
        async fn a_good_credential_is_valid_and_what_it_tells_is_kept() {
            crate::providers::good(described()).await;
        }

        #[tokio::test]
        async fn every_documented_answer_has_its_verdict_reason_and_action() {
            crate::providers::documented(described()).await;
        }

        #[test]
        fn values_are_checked_at_the_door() {
            crate::providers::door(described());
        }
    };
}

mod airtable;
mod aws;
mod bigquery;
mod datadog;
mod discord;
mod github;
mod gitlab;
mod google;
mod hubspot;
mod jira;
mod linear;
#[path = "../moto.rs"]
mod moto;
mod notion;
mod openai;
mod pagerduty;
mod s3;
mod sendgrid;
pub(crate) mod slack;
mod snowflake;
mod stripe;
mod twilio;

pub(crate) use discord::WEBHOOK_URL as DISCORD_URL;
pub(crate) use discord::webhook as discord_webhook;
pub(crate) use slack::WEBHOOK_URL as SLACK_URL;
pub(crate) use slack::webhook as slack_webhook;

fn all() -> Vec<Described> {
    let providers = [
        airtable::described(),
        aws::described(),
        bigquery::described(),
        datadog::described(),
        discord::described(),
        github::described(),
        gitlab::described(),
        google::described(),
        hubspot::described(),
        jira::described(),
        linear::described(),
        notion::described(),
        openai::described(),
        pagerduty::described(),
        s3::described(),
        sendgrid::described(),
        slack::described(),
        snowflake::described(),
        stripe::described(),
        twilio::described(),
    ];
    providers.into_iter().flatten().collect()
}

#[test]
fn every_connection_type_has_its_stub() {
    // The generic provider is tested against services of its own, in `probe`; databases against real ones, in `databases`.
    let own = ["http", "mysql", "postgresql"];
    let catalog = Catalog::embedded().providers().iter().filter(|provider| !own.contains(&provider.key.as_str()));
    let types = catalog.flat_map(|provider| {
        let of = |of: &ConnectionType| (provider.key.clone(), of.key.clone());
        // What uses OAuth is tested in `oauth`.
        provider.connection_types.iter().filter(|of| of.oauth.is_none()).map(of).collect::<Vec<_>>()
    });
    let described = all().into_iter().map(|of| (of.provider.to_owned(), of.connection_type.to_owned()));
    assert_eq!(described.collect::<BTreeSet<_>>(), types.collect::<BTreeSet<_>>());
}

#[test]
fn every_stub_names_its_pages_and_their_day_and_shares_no_code_with_the_probe() {
    let files = std::fs::read_dir("tests/outbound/providers").unwrap().map(|entry| entry.unwrap().path());
    let stubs: Vec<_> = files.filter(|path| !path.ends_with("mod.rs")).collect();
    assert!(stubs.len() > 15, "{stubs:?}");
    for path in stubs {
        let text = std::fs::read_to_string(&path).unwrap();
        let head: String = text.lines().take_while(|line| line.starts_with("//!")).collect();
        let is_day = |word: &str| word.starts_with("20") && word.split('-').map(str::len).eq([4, 2, 2]);
        let dated = head.split("ead ").skip(1).any(|rest| rest.get(..10).is_some_and(is_day));
        assert!(head.contains("https://") && dated, "{} names no page, or no day", path.display());
        assert!(!text.contains("keyfob::"), "{} uses what it is to prove", path.display());
    }
}

fn connection_type(of: &Described) -> &'static ConnectionType {
    Catalog::embedded().connection_type(of.provider, of.connection_type).unwrap()
}

fn checked(of: &Described, (settings, secrets): &Values) -> Result<Checked, Vec<String>> {
    let values = (serde_json::from_value(settings.clone()).unwrap(), serde_json::from_value(secrets.clone()).unwrap());
    let problem = |problem: keyfob::catalog::values::ValueProblem| format!("{} {}", problem.pointer, problem.code);
    check(connection_type(of), values.0, values.1, (Part::Whole, false))
        .map_err(|problems| problems.into_iter().map(problem).collect())
}

async fn test(of: &Described, network: impl Network + 'static, values: &Values) -> Finding {
    test_for(PATIENT, of, network, values).await
}

async fn test_for(patience: Duration, of: &Described, network: impl Network + 'static, values: &Values) -> Finding {
    let checked =
        checked(of, values).unwrap_or_else(|problems| panic!("{} {}: {problems:?}", of.provider, of.connection_type));
    let Checked { settings, secrets } = &checked;
    let origins = destinations(connection_type(of), settings, secrets).unwrap();
    let egress = egress(network, Policy::default(), patience);
    probe::test(means(&egress, &SeededRandom::default()), connection_type(of), settings, secrets, &origins).await
}

/// Verdict, reason and action in the words of the API.
fn meaning(finding: &Finding) -> [String; 3] {
    let action = finding.reason.map(|reason| serde_json::to_value(reason.action()).unwrap());
    let action = action.as_ref().and_then(Value::as_str).unwrap_or("none");
    [
        finding.verdict.as_str().to_owned(),
        finding.reason.map_or("", |reason| reason.as_str()).to_owned(),
        action.to_owned(),
    ]
}

async fn good(described: Vec<Described>) {
    for of in described {
        let stub = Stub::start(of.service).await;
        let finding = test(&of, stub.network(), &of.good).await;
        assert_eq!(meaning(&finding), VALID, "{}", of.connection_type);
        let told = json!({
            "facts": finding.facts, "granted_scopes": finding.granted_scopes, "expires_at": finding.expires_at,
        });
        assert_eq!(told, of.told, "{}", of.connection_type);
    }
}

async fn wrong(described: Vec<Described>) {
    for of in described {
        let stub = Stub::start(of.service).await;
        assert_eq!(meaning(&test(&of, stub.network(), &of.wrong).await), REJECTED, "{}", of.connection_type);
    }
}

#[tokio::test]
async fn a_limited_credential_is_limited() {
    let mut without = Vec::new();
    for of in all() {
        let name = format!("{} {}", of.provider, of.connection_type);
        let Some(limited) = &of.limited else {
            without.push(name);
            continue;
        };
        let stub = Stub::start(of.service).await;
        assert_eq!(meaning(&test(&of, stub.network(), limited).await), LIMITED, "{name}");
    }
    assert_eq!(without, TELL_NO_LIMITS);
}

/// Connection types whose test nobody is refused who may sign in: who he is, or that the credential exists, is told to all.
const TELL_NO_LIMITS: [&str; 7] = [
    "airtable token",
    "datadog api_key",
    "datadog application_key",
    "discord webhook",
    "discord bot_token",
    "jira api_token",
    "slack incoming_webhook",
];

async fn absent(described: Vec<Described>) {
    for of in described {
        // Nobody listens on the port of a counterpart that is gone.
        let nobody = Url::parse("http://127.0.0.1:9/").unwrap();
        assert_eq!(
            meaning(&test_for(IMPATIENT, &of, Rerouted::to(nobody), &of.good).await),
            DOWN,
            "{}",
            of.connection_type
        );
    }
}

async fn documented(described: Vec<Described>) {
    for of in described {
        // Every provider may ask for a pause, be down, or answer through something that stands before it.
        let anywhere = [
            says(429, "", PAUSE),
            says(500, "", DOWN),
            says(503, "<html>Maintenance</html>", DOWN),
            says(302, "", ODD),
            says(404, "<html>Not Found</html>", ODD),
        ];
        let own = of.answers.iter().map(|of| of.status).collect::<BTreeSet<_>>();
        let anywhere = anywhere.iter().filter(|any| !own.contains(&any.status) || any.status == 429);
        for documented in of.answers.iter().chain(anywhere) {
            let Documented { status, headers, body, meaning: expected } = documented;
            let (status, headers, body) = (*status, *headers, *body);
            let counterpart = Counterpart::start(move |_| answer(status, headers, body)).await;
            let finding = test(&of, Rerouted::to(counterpart.url("/")), &of.good).await;
            assert_eq!(meaning(&finding), *expected, "{} {status} {body}", of.connection_type);
        }
    }
}

fn door(described: Vec<Described>) {
    for of in described {
        for (field, value, expected) in &of.door {
            let (mut settings, mut secrets) = of.good.clone();
            let secret = connection_type(&of).field(field).unwrap().secret;
            let (group, values) = if secret { ("secrets", &mut secrets) } else { ("settings", &mut settings) };
            values[*field] = json!(value);
            let found = checked(&of, &(settings, secrets)).map(|checked| {
                let kept = checked.settings.get(*field).and_then(Value::as_str).map(str::to_owned);
                kept.or_else(|| checked.secrets.0.get(*field).map(|secret| secret.expose_secret().to_owned()))
            });
            let expected = match expected {
                Ok(kept) => Ok(Some((*kept).to_owned())),
                Err(code) => Err(vec![format!("/{group}/{field} {code}")]),
            };
            assert_eq!(found, expected, "{} {field}", of.connection_type);
        }
    }
}
