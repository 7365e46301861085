//! Slack, as its documentation describes it:
//! - <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>, which lists the errors of webhooks
//! - <https://api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks>
//! - <https://docs.slack.dev/reference/methods/auth.test>: status 200 whatever the body says
//! - <https://docs.slack.dev/apis/web-api/rate-limits>
//!
//! Read 2026-11-20.

use serde_json::{Value, json};

use super::*;
use crate::counterpart::{Received, answer};
use crate::stub::{self, Effect};

/// The secret URL of the webhook that exists.
pub(crate) const WEBHOOK_URL: &str = "https://hooks.slack.com/services/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";

const BOT: &str = "xoxb-1111111111-2222222222-plantedPLANTED";

/// Incoming webhooks: a body that is no JSON is `invalid_payload`, any other is posted.
pub(crate) fn webhook(request: &Received) -> Effect {
    let text = |status, body: &str| Effect::Harmless(answer(status, &[("Content-Type", "text/html")], body));
    let known = stub::address(request);
    if request.method != "POST" || !known.starts_with("https://hooks.slack.com/services/") {
        return Effect::Unlisted;
    }
    if known != WEBHOOK_URL {
        let of_team = known.starts_with("https://hooks.slack.com/services/T0PLANTED/");
        return if of_team { text(403, "invalid_token") } else { text(404, "no_service") };
    }
    if serde_json::from_slice::<Value>(&request.body).is_err() {
        return text(400, "invalid_payload");
    }
    Effect::Visible(answer(200, &[], "ok"))
}

fn web_api(request: &Received) -> Effect {
    if stub::call(request) != "POST https://slack.com/api/auth.test" {
        return Effect::Unlisted;
    }
    let known = json!({
        "ok": true, "url": "https://subarachnoid.slack.com/", "team": "Subarachnoid Workspace", "user": "bot",
        "team_id": "T0G9PQBBK", "user_id": "W23456789", "bot_id": "BZYBOTHED", "is_enterprise_install": false,
    });
    match request.header("authorization") {
        Some("Bearer xoxb-1111111111-2222222222-plantedPLANTED") => {
            stub::json_with(200, &[("x-oauth-scopes", "chat:write,channels:read")], &known)
        }
        Some("Bearer xoxb-1111111111-2222222222-restricted") => {
            stub::json(200, &json!({ "ok": false, "error": "team_access_not_granted" }))
        }
        Some(_) => stub::json(200, &json!({ "ok": false, "error": "invalid_auth" })),
        None => stub::json(200, &json!({ "ok": false, "error": "not_authed" })),
    }
}

fn url(url: &str) -> Values {
    (json!({}), json!({ "webhook_url": url }))
}

fn token(token: &str) -> Values {
    (json!({}), json!({ "token": token }))
}

pub(super) fn described() -> Vec<Described> {
    vec![incoming_webhook(), bot_or_user_token()]
}

fn incoming_webhook() -> Described {
    Described {
        provider: "slack",
        connection_type: "incoming_webhook",
        service: webhook,
        good: url(WEBHOOK_URL),
        told: json!({ "facts": {}, "granted_scopes": [], "expires_at": null }),
        wrong: url("https://hooks.slack.com/services/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"),
        limited: None,
        answers: vec![
            says(400, "invalid_payload", VALID),
            says(400, "no_text", VALID),
            says(400, "invalid_token", REJECTED),
            says(400, "user_not_found", ODD),
            says(403, "action_prohibited", REJECTED),
            says(404, "no_service", REJECTED),
            says(404, "channel_not_found", GONE),
            says(410, "channel_is_archived", GONE),
            says(500, "rollup_error", DOWN),
            says(200, "ok", ODD),
        ],
        door: vec![
            (
                "webhook_url",
                "\u{200b} https://hooks.slack.com/services/T0A1/B0A1/aBcDeFgHiJkLmNoPqRsTuVwX ",
                Ok("https://hooks.slack.com/services/T0A1/B0A1/aBcDeFgHiJkLmNoPqRsTuVwX"),
            ),
            ("webhook_url", "https://hooks.slack.com/workflows/T0A1/A0A1/1/x", Err("refused")),
            ("webhook_url", "https://hooks.slack.com/triggers/T0A1/1/x", Err("refused")),
            ("webhook_url", "https://app.slack.com/client/T0A1/C0A1", Err("refused")),
            ("webhook_url", "https://acme.slack.com/archives/C0A1/p1", Err("refused")),
            ("webhook_url", "https://slack.com/api/chat.postMessage", Err("refused")),
            (
                "webhook_url",
                "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
                Err("placeholder"),
            ),
            ("webhook_url", "xoxb-1-2-x", Err("invalid_url")),
        ],
    }
}

fn bot_or_user_token() -> Described {
    Described {
        provider: "slack",
        connection_type: "token",
        service: web_api,
        good: token(BOT),
        told: json!({
            "facts": {
                "team": "Subarachnoid Workspace", "team_id": "T0G9PQBBK", "user": "bot", "user_id": "W23456789",
                "bot_id": "BZYBOTHED", "url": "https://subarachnoid.slack.com/",
            },
            "granted_scopes": ["chat:write", "channels:read"], "expires_at": null,
        }),
        wrong: token("xoxb-1111111111-2222222222-wrong"),
        limited: Some(token("xoxb-1111111111-2222222222-restricted")),
        answers: vec![
            says(200, r#"{"ok":true,"team":"A"}"#, VALID),
            says(200, r#"{"ok":false,"error":"invalid_auth"}"#, REJECTED),
            says(200, r#"{"ok":false,"error":"account_inactive"}"#, REJECTED),
            says(200, r#"{"ok":false,"error":"token_revoked"}"#, REJECTED),
            says(200, r#"{"ok":false,"error":"not_authed"}"#, REJECTED),
            says(200, r#"{"ok":false,"error":"token_expired"}"#, EXPIRED),
            says(200, r#"{"ok":false,"error":"missing_scope"}"#, LIMITED),
            says(200, r#"{"ok":false,"error":"ekm_access_denied"}"#, LIMITED),
            says(200, r#"{"ok":false,"error":"ratelimited"}"#, PAUSE),
            says(200, r#"{"ok":false,"error":"internal_error"}"#, DOWN),
            says(200, r#"{"ok":false,"error":"something_new"}"#, ODD),
            says(200, "<html>ok</html>", ODD),
            says(429, r#"{"ok":false,"error":"ratelimited"}"#, PAUSE),
        ],
        door: vec![
            (
                "token",
                " xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOHcBrzygy\n",
                Ok("xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOHcBrzygy"),
            ),
            ("token", "xoxp-17653672481-19874698323", Ok("xoxp-17653672481-19874698323")),
            ("token", WEBHOOK_URL, Err("refused")),
            ("token", "xapp-1-A0A1-1-abcdef", Err("refused")),
            ("token", "xoxc-1-2-abcdef", Err("refused")),
            ("token", "xoxe-1-abcdef", Err("refused")),
            ("token", "Bearer xoxb-17653672481-1987", Err("refused")),
            ("token", "xoxb-************1234", Err("placeholder")),
        ],
    }
}

claims!();
