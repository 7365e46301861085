//! The claims about the embedded catalogue, and about what each provider's file says.

use http::Method;
use serde_json::{Value, json};

use super::Catalog;
use super::file::Rule;
use super::provider::{ConnectionType, Provider};
use super::read::{files, read};
use super::request::{Credential, call, expected, render};
use crate::domain::reason::Reason;
use crate::domain::values::{Secret, Secrets, Settings};
use crate::domain::verdict::Verdict;
use crate::ports::Outbound;

const SLACK: &str = "https://hooks.slack.com/services/T0A1B2C3D/B0A1B2C3D/aBcDeFgHiJkLmNoPqRsTuVwX";

fn embedded(provider: &str, connection_type: &str) -> &'static ConnectionType {
    Catalog::embedded().connection_type(provider, connection_type).unwrap()
}

fn secrets(values: &[(&str, &str)]) -> Secrets {
    values.iter().map(|(key, value)| ((*key).to_owned(), Secret::new((*value).to_owned()))).collect()
}

fn settings(values: &Value) -> Settings {
    serde_json::from_value(values.clone()).unwrap()
}

fn test_of(connection_type: &ConnectionType, settings: &Settings, secrets: &Secrets) -> Option<Outbound> {
    let test = connection_type.test.as_ref().unwrap();
    call(connection_type, &test.call, settings, secrets, Credential::Sent).map_err(|error| error.to_string()).unwrap()
}

/// What the rules conclude from an answer, in the words of the file format; `None` where none matches.
fn conclusion(rules: &[Rule], status: u16, body: &str) -> Option<(Verdict, Option<Reason>)> {
    let json: Value = serde_json::from_str(body).unwrap_or_default();
    let matches = |rule: &&Rule| {
        let any = &rule.body_contains_any;
        let contained = any.is_empty() || any.iter().any(|text| body.contains(text.as_str()));
        let at = |pointer: &str| json.pointer(pointer).cloned();
        let equal = rule
            .json
            .as_ref()
            .is_none_or(|found| at(&found.pointer).is_some_and(|value| found.equals_any.contains(&value)));
        rule.status.contains(status) && contained && equal
    };
    rules.iter().find(matches).map(|rule| (rule.verdict, rule.reason))
}

#[test]
fn what_is_not_there_is_not_found() {
    let catalog = Catalog::embedded();
    assert!(catalog.provider("nothing").is_none());
    assert!(catalog.connection_type("slack", "nothing").is_none());
    assert!(catalog.connection_type("discord", "incoming_webhook").is_none());
}

#[test]
fn a_text_that_is_no_catalogue_is_refused() {
    for text in ["", "{}", "[{}]", "[{\"key\":\"a\"}]"] {
        assert!(Catalog::from_json(text).is_err(), "{text}");
    }
    assert_eq!(Catalog::from_json("[]").unwrap(), Catalog::default());
}

#[test]
fn the_embedded_catalogue_holds_every_provider() {
    let keys = |types: &[ConnectionType]| types.iter().map(|found| found.key.clone()).collect::<Vec<_>>();
    let found: Vec<_> = Catalog::embedded()
        .providers()
        .iter()
        .map(|found| (found.key.as_str(), keys(&found.connection_types)))
        .collect();
    assert_eq!(
        json!(found),
        json!([
            ["airtable", ["token"]],
            ["atlassian", ["oauth"]],
            ["aws", ["access_keys"]],
            ["bigquery", ["service_account"]],
            ["datadog", ["application_key", "api_key"]],
            ["discord", ["webhook", "bot_token"]],
            ["github", ["token", "oauth_app", "github_app"]],
            ["gitlab", ["token"]],
            ["google", ["service_account", "oauth"]],
            ["http", ["bearer", "basic", "header", "query", "none"]],
            ["hubspot", ["access_token", "oauth"]],
            ["jira", ["api_token"]],
            ["linear", ["api_key", "oauth"]],
            ["microsoft", ["oauth"]],
            ["mysql", ["password"]],
            ["notion", ["token", "oauth"]],
            ["oauth2", ["authorization_code", "openid_connect", "client_credentials"]],
            ["openai", ["api_key"]],
            ["pagerduty", ["api_key"]],
            ["postgresql", ["password"]],
            ["s3", ["access_keys", "compatible"]],
            ["salesforce", ["oauth"]],
            ["sendgrid", ["api_key"]],
            ["slack", ["incoming_webhook", "token", "oauth_bot", "oauth_user", "oauth_webhook"]],
            ["snowflake", ["key_pair", "programmatic_access_token"]],
            ["stripe", ["api_key"]],
            ["twilio", ["api_key", "auth_token"]],
            ["zoom", ["oauth"]],
        ])
    );
}

#[test]
fn the_embedded_catalogue_is_what_logic_needs_of_the_files() {
    assert_eq!(&files().iter().map(Provider::from).collect::<Catalog>(), Catalog::embedded());
}

#[test]
fn what_is_only_shown_is_not_in_the_worker() {
    let embedded = include_str!(concat!(env!("OUT_DIR"), "/catalog.json"));
    let files = files();
    let shown = files.iter().flat_map(|file| {
        let of_type = file.connection_types.iter().flat_map(|of| {
            let of_field = of.fields.iter().flat_map(|field| [&field.help, &field.obtain]);
            of.guide.steps.iter().chain([&of.description, &of.guide.rotation, &of.guide.not_proven]).chain(of_field)
        });
        of_type.chain([&file.icon])
    });
    for text in shown {
        assert!(!embedded.contains(text.as_str()), "{text}");
    }
}

#[test]
fn the_committed_page_about_the_providers_is_the_generated_one() {
    let committed = std::fs::read_to_string("docs/providers.md").unwrap_or_default();
    let generated = include_str!(concat!(env!("OUT_DIR"), "/providers.md"));
    assert!(committed == generated, "docs/providers.md is stale: run `make providers-doc` and commit it");
}

#[test]
fn a_catalogue_survives_its_json() {
    let json = serde_json::to_string(Catalog::embedded().providers()).unwrap();
    assert_eq!(&Catalog::from_json(&json).unwrap(), Catalog::embedded());
}

#[test]
fn the_example_of_the_format_is_a_provider() {
    let text = include_str!("../../docs/providers-format.md");
    let example = text.split("```toml").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let icon = &files()[0].icon;
    assert_eq!(read("acme", example, icon).err(), None);
}

#[test]
fn the_slack_test_sends_a_body_that_cannot_be_posted() {
    let sent =
        test_of(embedded("slack", "incoming_webhook"), &Settings::new(), &secrets(&[("webhook_url", SLACK)])).unwrap();
    assert_eq!((sent.method, sent.url.as_str()), (Method::POST, SLACK));
    assert_eq!(sent.headers["content-type"], "application/json");
    assert!(serde_json::from_slice::<Value>(&sent.body).is_err() && !sent.body.is_empty());
}

#[test]
fn slack_answers_mean_what_slack_says() {
    let rules = &embedded("slack", "incoming_webhook").test.as_ref().unwrap().rules;
    let (valid, rejected, gone) = (
        Some((Verdict::Valid, None)),
        Some((Verdict::Invalid, Some(Reason::Rejected))),
        Some((Verdict::Invalid, Some(Reason::TargetNotFound))),
    );
    for (status, body, meaning) in [
        (400, "invalid_token", rejected),
        (403, "invalid_token", rejected),
        (403, "action_prohibited", rejected),
        (404, "no_service", rejected),
        (404, "channel_not_found", gone),
        (410, "channel_is_archived", gone),
        (400, "invalid_payload", valid),
        (400, "no_text", valid),
        (400, "missing_text_or_fallback_or_attachments", valid),
        (400, "user_not_found", None),
        (200, "ok", None),
        (429, "", None),
        (500, "rollup_error", None),
        (302, "", None),
    ] {
        assert_eq!(conclusion(rules, status, body), meaning, "{status} {body}");
    }
}

#[test]
fn the_discord_test_posts_nothing_and_drops_the_token() {
    let url = format!("https://discord.com/api/webhooks/123456789012345678/{}", "a".repeat(68));
    let discord = embedded("discord", "webhook");
    let sent = test_of(discord, &Settings::new(), &secrets(&[("webhook_url", &url)])).unwrap();
    assert_eq!((sent.method, sent.url.as_str(), sent.body.len()), (Method::GET, url.as_str(), 0));
    let facts: Vec<_> = discord.test.as_ref().unwrap().facts.keys().collect();
    assert_eq!(facts, ["channel_id", "guild_id", "name"]);
}

#[test]
fn discord_answers_mean_what_discord_says() {
    let rules = &embedded("discord", "webhook").test.as_ref().unwrap().rules;
    let rejected = Some((Verdict::Invalid, Some(Reason::Rejected)));
    for (status, body, meaning) in [
        (404, r#"{"message":"Unknown Webhook","code":10015}"#, rejected),
        (401, r#"{"message":"Invalid Webhook Token","code":50027}"#, rejected),
        (403, "blocked", Some((Verdict::Unknown, Some(Reason::UnexpectedAnswer)))),
        (404, "not found", None),
        (429, "{}", None),
        (200, "{}", Some((Verdict::Valid, None))),
    ] {
        assert_eq!(conclusion(rules, status, body), meaning, "{status} {body}");
    }
}

#[test]
fn messages_are_json_and_go_where_the_webhook_is() {
    for (provider, connection_type, url, sent_to) in [
        ("slack", "incoming_webhook", SLACK, SLACK.to_owned()),
        (
            "discord",
            "webhook",
            "https://discord.com/api/webhooks/1/a",
            "https://discord.com/api/webhooks/1/a?wait=true".to_owned(),
        ),
    ] {
        let connection_type = embedded(provider, connection_type);
        let message = connection_type.message.as_ref().unwrap();
        let sent =
            call(connection_type, &message.call, &Settings::new(), &secrets(&[("webhook_url", url)]), Credential::Sent);
        let sent = sent.ok().flatten().unwrap();
        assert_eq!((sent.method, sent.url.as_str()), (Method::POST, sent_to.as_str()));
        assert!(serde_json::from_slice::<Value>(&sent.body).unwrap().to_string().contains("Keyfob"));
        assert_eq!(conclusion(&message.rules, 200, "ok"), Some((Verdict::Valid, None)));
    }
}

#[test]
fn http_without_a_test_path_has_no_test() {
    for connection_type in &Catalog::embedded().provider("http").unwrap().connection_types {
        let settings = settings(&json!({
            "base_url": "https://a.example", "test_method": "GET", "username": "u", "header_name": "X-Key", "query_name": "key",
        }));
        let secrets = secrets(&[("token", "t"), ("password", "p"), ("header_value", "h"), ("query_value", "q")]);
        assert!(test_of(connection_type, &settings, &secrets).is_none(), "{}", connection_type.key);
    }
}

#[test]
fn http_tests_are_compared_without_the_credential_where_there_is_one() {
    for connection_type in &Catalog::embedded().provider("http").unwrap().connection_types {
        let compared = connection_type.test.as_ref().unwrap().compare_without_credential;
        assert_eq!(compared, connection_type.key != "none", "{}", connection_type.key);
    }
}

#[test]
fn an_http_test_goes_below_the_base_url() {
    let values = json!({ "base_url": "https://a.example/v2", "test_path": "/me?full=1", "test_method": "HEAD", "test_expect": "204" });
    let (http, settings) = (embedded("http", "bearer"), settings(&values));
    let sent = test_of(http, &settings, &secrets(&[("token", "t")])).unwrap();
    assert_eq!((sent.method, sent.url.as_str()), (Method::HEAD, "https://a.example/v2/me?full=1"));
    assert_eq!(sent.headers["authorization"], "Bearer t");
    let expected = expected(http.test.as_ref().unwrap(), &settings).unwrap().unwrap();
    assert!(expected.contains(204) && !expected.contains(200));
}

#[test]
fn a_workflow_gets_what_it_needs_to_reach_the_provider() {
    let values = settings(&json!({ "base_url": "https://a.example/v2", "query_name": "key" }));
    let request = render(embedded("http", "query").request().unwrap(), &values, &secrets(&[("query_value", "q&a")]))
        .ok()
        .unwrap();
    let shown = serde_json::to_value(request).unwrap();
    assert_eq!(shown, json!({ "base_url": "https://a.example/v2", "headers": {}, "query": { "key": "q&a" } }));
}
