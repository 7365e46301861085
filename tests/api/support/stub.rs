//! Strict stubs of providers: they follow the documented answers, and fail the test that makes them do anything with a
//! visible effect which it did not announce.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::counterpart::{Counterpart, Received, Reply, answer};
use crate::ports::Rerouted;

/// The secret URL of the Slack webhook that exists.
pub(crate) const SLACK_URL: &str = "https://hooks.slack.com/services/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";

/// The secret URL of the Discord webhook that exists.
pub(crate) const DISCORD_URL: &str = "https://discord.com/api/webhooks/223704706495545344/Planted-token_0123456789-0123456789-0123456789-0123456789-0123456789";

/// A provider on loopback that counts what people would see.
pub(crate) struct Stub {
    pub(crate) counterpart: Counterpart,
    visible: Arc<AtomicUsize>,
    announced: usize,
}

impl Stub {
    /// Slack's incoming webhooks: a body that is no JSON is `invalid_payload`, any other is posted.
    pub(crate) async fn slack() -> Self {
        Self::start(slack).await
    }

    /// Discord's webhooks: GET shows the webhook and its token, anything else is posted.
    pub(crate) async fn discord() -> Self {
        Self::start(discord).await
    }

    /// Announces one more visible effect.
    pub(crate) fn announce_message(&mut self) {
        self.announced += 1;
    }

    /// A network on which every provider is this one.
    pub(crate) fn network(&self) -> Rerouted {
        Rerouted::to(self.counterpart.url("/"))
    }

    async fn start(rule: fn(&Received, &AtomicUsize) -> Reply) -> Self {
        let visible = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&visible);
        Self { counterpart: Counterpart::start(move |request| rule(request, &seen)).await, visible, announced: 0 }
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        let visible = self.visible.load(Ordering::SeqCst);
        assert!(
            std::thread::panicking() || visible == self.announced,
            "{visible} visible effects, {} announced",
            self.announced
        );
    }
}

/// The address that a request was meant for.
fn address(request: &Received) -> String {
    format!("https://{}{}", request.header("host").unwrap_or_default(), request.target)
}

fn slack(request: &Received, visible: &AtomicUsize) -> Reply {
    let text = |status, body: &str| answer(status, &[("Content-Type", "text/html")], body);
    let known = address(request);
    if request.method != "POST" {
        return text(405, "method_not_allowed");
    }
    if known != SLACK_URL {
        return if known.starts_with("https://hooks.slack.com/services/T0PLANTED/") {
            text(403, "invalid_token")
        } else {
            text(404, "no_service")
        };
    }
    if serde_json::from_slice::<Value>(&request.body).is_err() {
        return text(400, "invalid_payload");
    }
    visible.fetch_add(1, Ordering::SeqCst);
    text(200, "ok")
}

fn discord(request: &Received, visible: &AtomicUsize) -> Reply {
    let known = address(request);
    let (webhook, token) = DISCORD_URL.rsplit_once('/').unwrap();
    if known != DISCORD_URL {
        let (status, code) = if known.starts_with(webhook) { (401, 50027) } else { (404, 10015) };
        return json_answer(status, &json!({ "message": "Unknown", "code": code }));
    }
    if request.method != "GET" {
        visible.fetch_add(1, Ordering::SeqCst);
        return answer(204, &[], "");
    }
    let shown = json!({ "type": 1, "id": "223704706495545344", "name": "Alerts", "channel_id": "199737254929760256", "guild_id": "199737254929760256", "token": token, "url": DISCORD_URL });
    json_answer(200, &shown)
}

/// An answer in JSON.
pub(crate) fn json_answer(status: u16, body: &Value) -> Reply {
    answer(status, &[("Content-Type", "application/json")], body.to_string())
}
