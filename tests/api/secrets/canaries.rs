//! What is planted: for each secret field two values, with every character that it takes and that encodings treat apart.

use serde_json::{Value, json};

/// Two secrets for one field, the second of which replaces the first.
pub(super) struct Canary {
    pub(super) provider: &'static str,
    pub(super) connection_type: &'static str,
    pub(super) field: &'static str,
    settings: Value,
    pub(super) first: String,
    pub(super) second: String,
}

impl Canary {
    /// A connection with a secret.
    pub(super) fn connection(&self, secret: &str) -> Value {
        json!({
            "environment": "development", "provider": self.provider, "connection_type": self.connection_type,
            "name": "Watched", "settings": self.settings, "secrets": { self.field: secret },
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
    vec![
        webhook("slack", "incoming_webhook", slack("Canary1Canary1Canary1abc"), slack("Canary2Canary2Canary2abc")),
        webhook("discord", "webhook", discord("Canary-1_Canary-1_abcdef"), discord("Canary-2_Canary-2_abcdef")),
        http("bearer", "token", r#"Canary1"\/<&>'{}%41+=~?#"#, r#"Canary2"\/<&>'{}%41+=~?#"#),
        http("basic", "password", r#"Canäry1 "\/ <&> 💳 ü%41+"#, r#"Canäry2 "\/ <&> 💳 ü%41+"#),
        http("header", "header_value", r#"Canary1 "\/<&>'{} %41+=~"#, r#"Canary2 "\/<&>'{} %41+=~"#),
        http("query", "query_value", r#"Canäry1&a=b "\/ 💳 %41+#"#, r#"Canäry2&a=b "\/ 💳 %41+#"#),
    ]
}

fn webhook(provider: &'static str, connection_type: &'static str, first: String, second: String) -> Canary {
    Canary { provider, connection_type, field: "webhook_url", settings: json!({}), first, second }
}

fn http(connection_type: &'static str, field: &'static str, first: &str, second: &str) -> Canary {
    let mut settings = json!({ "base_url": "https://api.acme.dev/v2", "test_path": "/me" });
    if connection_type == "basic" {
        settings["username"] = "ann".into();
    }
    Canary { provider: "http", connection_type, field, settings, first: first.to_owned(), second: second.to_owned() }
}
