//! The claims about values at the door: refusals first.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::catalog::Catalog;

const SLACK: &str = "https://hooks.slack.com/services/T0A1B2C3D/B0A1B2C3D/aBcDeFgHiJkLmNoPqRsTuVwX";

fn embedded(provider: &str, connection_type: &str) -> &'static ConnectionType {
    Catalog::embedded().connection_type(provider, connection_type).unwrap()
}

/// A connection type with a field of every kind, and one that depends on another.
fn form() -> ConnectionType {
    let field = |key: &str, more: Value| {
        let mut field = json!({ "key": key, "label": key, "type": "text" });
        field.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        field
    };
    let when = |field: &str, is: Value| json!({ "field": field, "is": is });
    serde_json::from_value(json!({
        "key": "k", "name": "n",
        "reach": { "request": { "base_url": "https://a.example", "auth": { "scheme": "none" } } },
        "unavailable": { "ca_certificate": "Not here: do that." },
        "fields": [
            field("how", json!({ "enum": ["key", "password"], "default": "password" })),
            field("fine", json!({ "type": "boolean" })),
            field("number", json!({ "type": "integer" })),
            field("user", json!({ "visible_when": when("how", json!(["password"])), "required": true })),
            field("key", json!({ "visible_when": when("how", json!(["key"])), "required": true, "secret": true })),
            field("pem", json!({ "type": "multiline", "secret": true })),
        ],
    }))
    .unwrap()
}

#[test]
fn what_cannot_be_done_is_refused_with_the_reason_whichever_group_it_is_sent_in() {
    for (settings, secrets, pointer) in [
        (json!({ "user": "u", "ca_certificate": "x" }), json!({}), "/settings/ca_certificate"),
        (json!({ "user": "u" }), json!({ "ca_certificate": "x" }), "/secrets/ca_certificate"),
    ] {
        let problems = run(&form(), &settings, &secrets).err().unwrap();
        let told: Vec<_> = problems.iter().map(|of| (of.pointer.as_str(), of.code, of.detail.as_str())).collect();
        assert_eq!(told, [(pointer, "unavailable", "Not here: do that.")]);
    }
}

fn run(connection_type: &ConnectionType, settings: &Value, secrets: &Value) -> Result<Checked, Vec<ValueProblem>> {
    let settings = serde_json::from_value(settings.clone()).unwrap();
    check(connection_type, settings, serde_json::from_value(secrets.clone()).unwrap(), (Part::Whole, false))
}

/// The problems as `pointer code`.
fn problems(connection_type: &ConnectionType, settings: &Value, secrets: &Value) -> Vec<String> {
    let problems = run(connection_type, settings, secrets).err().unwrap_or_default();
    problems.into_iter().map(|problem| format!("{} {}", problem.pointer, problem.code)).collect()
}

/// The codes for one value of the Slack webhook URL.
fn slack(url: &str) -> Vec<String> {
    problems(embedded("slack", "incoming_webhook"), &json!({}), &json!({ "webhook_url": url }))
}

fn bearer(settings: Value, token: &str) -> Vec<String> {
    let mut settings = settings;
    settings["base_url"] = settings.get("base_url").cloned().unwrap_or_else(|| json!("https://api.example.com"));
    problems(embedded("http", "bearer"), &settings, &json!({ "token": token }))
}

fn good(connection_type: &ConnectionType, settings: &Value, secrets: &Value) -> (Value, Vec<(String, String)>) {
    let checked = run(connection_type, settings, secrets).map_err(|problems| format!("{problems:?}")).unwrap();
    let secrets =
        checked.secrets.0.iter().map(|(key, secret)| (key.clone(), secret.expose_secret().to_owned())).collect();
    (json!(checked.settings), secrets)
}

#[test]
fn an_unknown_field_is_refused_wherever_it_is() {
    let found = problems(&form(), &json!({ "user": "ann", "a/b~c": 1 }), &json!({ "webhook": "x" }));
    assert_eq!(found, ["/secrets/webhook unknown_field", "/settings/a~1b~0c unknown_field"]);
}

#[test]
fn a_secret_sent_as_a_setting_is_refused() {
    let found = problems(embedded("slack", "incoming_webhook"), &json!({ "webhook_url": SLACK }), &json!({}));
    assert_eq!(found, ["/secrets/webhook_url missing", "/settings/webhook_url is_secret"]);
}

#[test]
fn a_setting_sent_as_a_secret_is_refused() {
    let found = problems(embedded("http", "none"), &json!({}), &json!({ "base_url": "https://a.example" }));
    assert_eq!(found, ["/secrets/base_url not_secret", "/settings/base_url missing"]);
}

#[test]
fn a_value_of_another_type_is_refused() {
    for (key, value) in [
        ("user", json!(1)),
        ("user", json!(true)),
        ("user", json!(["a"])),
        ("user", json!({ "a": 1 })),
        ("number", json!("1")),
        ("number", json!(1.5)),
        ("number", json!(9_007_199_254_740_993_i64)),
        ("number", json!(u64::MAX)),
        ("fine", json!("true")),
        ("fine", json!(0)),
    ] {
        let mut settings = json!({ "user": "ann" });
        settings[key] = value;
        assert_eq!(problems(&form(), &settings, &json!({})), [format!("/settings/{key} wrong_type")], "{settings}");
    }
}

#[test]
fn a_missing_required_value_is_refused() {
    assert_eq!(slack(""), ["/secrets/webhook_url missing"]);
    assert_eq!(slack(" \n\u{feff}"), ["/secrets/webhook_url missing"]);
    assert_eq!(problems(&form(), &json!({}), &json!({})), ["/settings/user missing"]);
    assert_eq!(problems(&form(), &json!({ "user": null }), &json!({})), ["/settings/user missing"]);
}

#[test]
fn a_value_that_is_not_asked_for_is_refused() {
    let found = problems(&form(), &json!({ "how": "key", "user": "ann" }), &json!({ "key": "abc" }));
    assert_eq!(found, ["/settings/user not_visible"]);
    assert_eq!(problems(&form(), &json!({ "user": "ann" }), &json!({ "key": "abc" })), ["/secrets/key not_visible"]);
}

#[test]
fn where_the_deciding_value_is_wrong_nothing_is_said_about_what_it_decides() {
    let found = problems(&form(), &json!({ "how": "magic", "user": "ann" }), &json!({}));
    assert_eq!(found, ["/settings/how enum"]);
}

#[test]
fn a_slack_url_elsewhere_is_refused() {
    for url in [
        "https://hooks.slack.com.evil.example/services/T0A1B2C3D/B0A1B2C3D/aBcDeFgHiJkLmNoPqRsTuVwX",
        "https://hooks-slack.com/services/T0A1B2C3D/B0A1B2C3D/aBcDeFgHiJkLmNoPqRsTuVwX",
        "https://evil.example/?https://hooks.slack.com/services/T0A1B2C3D/B0A1B2C3D/aBcDeFgHiJkLmNoPqRsTuVwX",
        "https://hooks.slack.com:8443/services/T0A1B2C3D/B0A1B2C3D/aBcDeFgHiJkLmNoPqRsTuVwX",
        "https://hooks.slack.com/services/T0A1B2C3D/B0A1B2C3D",
        "https://hooks.slack.com/services/T0A1B2C3D/B0A1B2C3D/aBcDeFgHiJkLmNoPqRsTuVwX?x=1",
        "https://hooks.slack.com/services/../x/T0A1B2C3D/B0A1B2C3D/aBcDeFgHiJkLmNoPqRsTuVwX",
    ] {
        assert_eq!(slack(url), ["/secrets/webhook_url pattern"], "{url}");
    }
    let http = SLACK.replace("https", "http");
    assert_eq!(slack(&http), ["/secrets/webhook_url insecure_url"]);
    assert_eq!(slack(&SLACK.replace("//", "//user:pass@")), ["/secrets/webhook_url url_with_user"]);
    assert_eq!(slack(&format!("{SLACK}#x")), ["/secrets/webhook_url url_with_fragment"]);
    assert_eq!(slack("hooks.slack.com/services"), ["/secrets/webhook_url invalid_url"]);
}

#[test]
fn a_slack_workflow_url_is_refused_with_the_reason() {
    for kind in ["workflows", "triggers"] {
        let url = format!("https://hooks.slack.com/{kind}/T0A1B2C3D/A0A1B2C3D/1234/abc");
        let found =
            run(embedded("slack", "incoming_webhook"), &json!({}), &json!({ "webhook_url": url })).err().unwrap();
        assert_eq!(found[0].code, "refused");
        assert!(found[0].detail.contains("Workflow Builder"), "{}", found[0].detail);
    }
}

#[test]
fn a_discord_url_of_another_kind_is_refused() {
    let token = "a".repeat(68);
    let run = |url: &str| problems(embedded("discord", "webhook"), &json!({}), &json!({ "webhook_url": url }));
    let good = format!("https://discord.com/api/webhooks/123456789012345678/{token}");
    for (url, code) in [
        (format!("{good}/slack"), "refused"),
        (format!("{good}/github"), "refused"),
        (good.replace("discord.com", "discord.com.evil.example"), "pattern"),
        (good.replace("discord.com", "evildiscord.com"), "pattern"),
        (good.replace("123456789012345678", "123"), "pattern"),
        (good.replace("webhooks", "channels"), "pattern"),
    ] {
        assert_eq!(run(&url), [format!("/secrets/webhook_url {code}")], "{url}");
    }
    for host in ["discordapp.com", "ptb.discord.com", "canary.discord.com"] {
        assert!(run(&good.replace("discord.com", host)).is_empty(), "{host}");
    }
    assert!(run(&good.replace("/api/", "/api/v10/")).is_empty());
}

#[test]
fn placeholders_are_refused() {
    for token in ["********", "••••", "<your-token>", "xxxxxxxx", "REDACTED", "{{token}}"] {
        assert_eq!(bearer(json!({}), token), ["/secrets/token placeholder"], "{token}");
    }
    assert_eq!(bearer(json!({ "test_path": "..." }), "t0k3n"), ["/settings/test_path placeholder"]);
    let sample = "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX";
    assert_eq!(slack(sample), ["/secrets/webhook_url placeholder"]);
}

#[test]
fn control_characters_are_refused() {
    for text in ["a\0b", "a\nb", "a\r\nb", "a\tb", "a\u{1b}b", "a\u{2028}b", "a\u{7f}"] {
        assert_eq!(
            problems(&form(), &json!({ "user": text }), &json!({})),
            ["/settings/user control_character"],
            "{text:?}"
        );
    }
    for text in ["a\0b", "a\rb"] {
        assert_eq!(
            problems(&form(), &json!({ "user": "a" }), &json!({ "pem": text })),
            ["/secrets/pem control_character"],
            "{text:?}"
        );
    }
}

#[test]
fn what_is_too_long_is_refused() {
    let (fits, long) = ("é".repeat(4096), "é".repeat(4096) + "x");
    assert_eq!(problems(&form(), &json!({ "user": long }), &json!({})), ["/settings/user too_long"]);
    assert!(problems(&form(), &json!({ "user": fits }), &json!({})).is_empty());
    let many: serde_json::Map<_, _> = (0..9).map(|n| (n.to_string(), json!("x".repeat(8000)))).collect();
    assert_eq!(problems(&form(), &json!(many), &json!({})), ["/settings too_long"]);
    assert_eq!(problems(&form(), &json!({ "x".repeat(70_000): 1 }), &json!({})), ["/settings too_long"]);
}

#[test]
fn a_token_that_no_header_carries_is_refused() {
    for token in ["töken", "two words"] {
        assert_eq!(bearer(json!({}), token), ["/secrets/token pattern"], "{token}");
    }
    assert_eq!(bearer(json!({}), "Bearer abc"), ["/secrets/token refused"]);
}

#[test]
fn a_value_that_does_not_fit_its_place_is_refused() {
    let mut connection_type = embedded("http", "bearer").clone();
    let token = connection_type.fields.iter_mut().find(|field| field.key == "token").unwrap();
    (token.pattern, token.pattern_help) = (None, None);
    let found = problems(&connection_type, &json!({ "base_url": "https://a.example" }), &json!({ "token": "töken" }));
    assert_eq!(found, ["/secrets/token unfit"]);
}

#[test]
fn a_header_of_the_connection_itself_is_refused() {
    for name in ["Host", "content-length", "Cookie", "CF-Connecting-IP"] {
        let settings = json!({ "base_url": "https://a.example", "header_name": name });
        let found = problems(embedded("http", "header"), &settings, &json!({ "header_value": "abc" }));
        assert_eq!(found, ["/settings/header_name refused"], "{name}");
    }
    let settings = json!({ "base_url": "https://a.example", "header_name": "Authorization" });
    assert!(problems(embedded("http", "header"), &settings, &json!({ "header_value": "abc" })).is_empty());
}

#[test]
fn bad_settings_of_a_test_are_refused() {
    for (key, value, code) in [
        ("test_path", "me", "invalid_path"),
        ("test_path", "//evil.example", "invalid_path"),
        ("test_path", "/../admin", "invalid_path"),
        ("test_path", "https://evil.example/", "invalid_path"),
        ("test_method", "POST", "enum"),
        ("test_method", "get", "enum"),
        ("test_expect", "200 OK", "invalid_statuses"),
        ("test_expect", "200-299, 503", "pattern"),
        ("test_expect", "5xx", "pattern"),
        ("base_url", "https://a.example/?x=1", "pattern"),
    ] {
        assert_eq!(bearer(json!({ key: value }), "abc"), [format!("/settings/{key} {code}")], "{value}");
    }
}

#[test]
fn every_problem_is_told_at_once_and_none_holds_a_value() {
    let settings = json!({ "base_url": "ftp://s3cr3t", "test_method": "s3cr3t", "test_expect": "s3cr3t", "x": "s3cr3t", "test_path": 7 });
    let found = run(embedded("http", "bearer"), &settings, &json!({ "token": "s3cr3t \u{0} s3cr3t" })).err().unwrap();
    let pointers: Vec<_> = found.iter().map(|problem| problem.pointer.as_str()).collect();
    let expected = [
        "/secrets/token",
        "/settings/base_url",
        "/settings/test_expect",
        "/settings/test_method",
        "/settings/test_path",
        "/settings/x",
    ];
    assert_eq!(pointers, expected);
    assert!(!format!("{found:?}").contains("s3cr3t"));
}

#[test]
fn http_is_accepted_in_development_alone() {
    let settings = Settings::from([("base_url".to_owned(), json!("http://127.0.0.1:8080"))]);
    let checked =
        |allow_http| check(embedded("http", "none"), settings.clone(), Secrets::default(), (Part::Whole, allow_http));
    assert_eq!(checked(false).err().unwrap()[0].code, "insecure_url");
    assert_eq!(checked(true).ok().unwrap().settings["base_url"], json!("http://127.0.0.1:8080"));
}

#[test]
fn what_pasting_adds_is_cut() {
    let (settings, secrets) = good(
        embedded("http", "bearer"),
        &json!({ "base_url": " HTTPS://API.Example.com/\r\n" }),
        &json!({ "token": "\u{feff}\u{200b} abc\u{a0}\n" }),
    );
    assert_eq!(settings["base_url"], json!("https://api.example.com"));
    assert_eq!(secrets, [("token".to_owned(), "abc".to_owned())]);
}

#[test]
fn lines_are_kept_where_there_may_be_several() {
    let (_, secrets) = good(&form(), &json!({ "user": "ann" }), &json!({ "pem": "\n-----BEGIN\r\n\tx\n-----END\n" }));
    assert_eq!(secrets, [("pem".to_owned(), "-----BEGIN\n\tx\n-----END".to_owned())]);
}

#[test]
fn defaults_are_filled_in_where_a_field_is_shown() {
    let (settings, _) = good(embedded("http", "none"), &json!({ "base_url": "https://a.example" }), &json!({}));
    assert_eq!(settings, json!({ "base_url": "https://a.example", "test_expect": "200-299", "test_method": "GET" }));
}

#[test]
fn checked_values_are_checked_to_the_same() {
    let values =
        json!({ "base_url": "https://xn--bcher-kva.example/ü b".replace(' ', "%20"), "test_expect": " 200 , 3xx " });
    let (once, _) = good(embedded("http", "none"), &values, &json!({}));
    assert_eq!(good(embedded("http", "none"), &once, &json!({})).0, once);
}

proptest! {
    #[test]
    fn any_values_are_checked_without_a_panic(
        texts in prop::collection::vec(prop_oneof![r"\PC{0,20}", r"(https?://)?[a-z./:@%?#\[\]]{0,16}", any::<String>()], 6),
    ) {
        let keys = ["base_url", "test_path", "test_expect", "test_method", "header_name", "x"];
        let settings: Settings = keys.iter().zip(&texts).map(|(key, text)| ((*key).to_owned(), json!(text))).collect();
        for connection_type in Catalog::embedded().providers().iter().flat_map(|provider| &provider.connection_types) {
            let secrets = connection_type.fields.iter().filter(|field| field.secret);
            let secrets: Secrets = secrets.zip(&texts).map(|(field, text)| (field.key.clone(), Secret::new(text.clone()))).collect();
            let known = settings.iter().filter(|(key, _)| connection_type.field(key).is_some());
            let known: Settings = known.map(|(key, value)| (key.clone(), value.clone())).collect();
            if let Ok(checked) = check(connection_type, known, secrets, (Part::Whole, true)) {
                let settings = checked.settings.clone();
                let again = check(connection_type, checked.settings, checked.secrets, (Part::Whole, true)).ok();
                prop_assert_eq!(again.map(|again| again.settings), Some(settings));
            }
        }
    }
}
