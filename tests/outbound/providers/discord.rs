//! Discord, as its documentation describes it:
//! - <https://discord.com/developers/docs/resources/webhook#get-webhook-with-token>: needs no authentication, shows the token
//! - <https://discord.com/developers/docs/topics/opcodes-and-status-codes#json>
//! - <https://discord.com/developers/docs/resources/user#get-current-user>
//! - <https://discord.com/developers/docs/reference#authentication>: `Bot` before the token
//! - <https://discord.com/developers/docs/topics/rate-limits#invalid-request-limit-aka-cloudflare-bans>
//!
//! Read 2026-11-20.

use serde_json::json;

use super::*;
use crate::counterpart::{Received, answer};
use crate::stub::{self, Effect};

/// The secret URL of the webhook that exists.
pub(crate) const WEBHOOK_URL: &str = "https://discord.com/api/webhooks/223704706495545344/Planted-token_0123456789-0123456789-0123456789-0123456789-0123456789";

const BOT: &str = "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs";

/// Webhooks: GET shows the webhook and its token, anything else is posted.
pub(crate) fn webhook(request: &Received) -> Effect {
    let known = stub::address(request);
    let (webhook, token) = WEBHOOK_URL.rsplit_once('/').unwrap();
    if !known.starts_with("https://discord.com/api/webhooks/") {
        return Effect::Unlisted;
    }
    if known.split('?').next() != Some(WEBHOOK_URL) {
        let (status, code) = if known.starts_with(webhook) { (401, 50027) } else { (404, 10015) };
        return stub::json(status, &json!({ "message": "Unknown", "code": code }));
    }
    if request.method != "GET" {
        return Effect::Visible(answer(204, &[], ""));
    }
    stub::json(
        200,
        &json!({
            "type": 1, "id": "223704706495545344", "name": "Alerts", "channel_id": "199737254929760256",
            "guild_id": "199737254929760256", "token": token, "url": WEBHOOK_URL,
        }),
    )
}

fn api(request: &Received) -> Effect {
    if stub::call(request) != "GET https://discord.com/api/v10/users/@me" {
        return Effect::Unlisted;
    }
    if request.header("authorization") != Some("Bot MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs") {
        return stub::json(401, &json!({ "message": "401: Unauthorized", "code": 0 }));
    }
    stub::json(
        200,
        &json!({ "id": "80351110224678912", "username": "Nelly", "discriminator": "1337", "bot": true, "email": null }),
    )
}

fn url(url: &str) -> Values {
    (json!({}), json!({ "webhook_url": url }))
}

fn token(token: &str) -> Values {
    (json!({}), json!({ "bot_token": token }))
}

pub(super) fn described() -> Vec<Described> {
    vec![
        Described {
            provider: "discord",
            connection_type: "webhook",
            service: webhook,
            good: url(WEBHOOK_URL),
            told: json!({
                "facts": { "channel_id": "199737254929760256", "guild_id": "199737254929760256", "name": "Alerts" },
                "granted_scopes": [], "expires_at": null,
            }),
            wrong: url(&WEBHOOK_URL.replace("Planted", "Another")),
            limited: None,
            answers: vec![
                says(200, r#"{"id":"1"}"#, VALID),
                says(404, r#"{"message":"Unknown Webhook","code":10015}"#, REJECTED),
                says(401, r#"{"message":"Invalid Webhook Token","code":50027}"#, REJECTED),
                says(403, "error code: 1015", ODD),
                says(404, "not found", ODD),
            ],
            door: vec![
                ("webhook_url", "https://discord.com/api/webhooks/1/x", Err("pattern")),
                ("webhook_url", "https://discord.com/api/webhooks/223704706495545344/abc/slack", Err("refused")),
            ],
        },
        Described {
            provider: "discord",
            connection_type: "bot_token",
            service: api,
            good: token(BOT),
            told: json!({
                "facts": { "bot_id": "80351110224678912", "username": "Nelly" }, "granted_scopes": [], "expires_at": null,
            }),
            wrong: token("MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.wrongWRONGwrongWRONGwrong00"),
            limited: None,
            answers: vec![
                says(200, r#"{"id":"80351110224678912"}"#, VALID),
                says(200, "{}", ODD),
                says(401, r#"{"message":"401: Unauthorized","code":0}"#, REJECTED),
                says(403, "error code: 1015", ODD),
                says(429, r#"{"message":"You are being rate limited.","retry_after":64.57,"global":false}"#, PAUSE),
            ],
            door: vec![
                ("bot_token", "\tMTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs", Ok(BOT)),
                ("bot_token", "Bot MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs", Err("refused")),
                ("bot_token", "198622483471925248", Err("refused")),
                ("bot_token", WEBHOOK_URL, Err("refused")),
            ],
        },
    ]
}

claims!();
