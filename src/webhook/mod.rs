//! Messages to registered endpoints: how they look on the wire, how they are signed, what answers mean, when they are tried
//! again. Follows the specification of Standard Webhooks
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>):
//!
//! ```text
//! POST <the endpoint's address>
//! webhook-id:        <id of the message, the same in every attempt>
//! webhook-timestamp: <Unix seconds of this attempt>
//! webhook-signature: v1,<base64 of HMAC-SHA256(secret, id "." timestamp "." body)>
//!
//! {"type":"connection.status_changed","timestamp":"<when it happened>","data":{…}}
//!
//! secret = 32 random bytes; shown as "whsec_" ‖ base64
//! ```
//!
//! It knows neither outbox nor vault.

mod outcome;
mod signature;

pub use outcome::{Outcome, Then, next_attempt};
pub use signature::new_secret;

use std::collections::BTreeSet;

use bytes::Bytes;
use http::Method;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use url::Url;

use crate::domain::origin::Origin;
use crate::domain::time::Timestamp;
use crate::domain::values::Secret;
use crate::domain::webhook::Message;
use crate::egress::Egress;
use crate::ports::Outbound;

/// What endpoints see as the sender.
const AGENT: HeaderValue = HeaderValue::from_static(concat!("Keyfob/", env!("CARGO_PKG_VERSION")));

/// The key under which the secret of an endpoint is sealed.
pub const SECRET: &str = "secret";

/// An endpoint that is about to be told something.
pub struct Endpoint<'a> {
    /// Where it listens.
    pub url: &'a str,
    /// What messages to it are signed with.
    pub secret: &'a Secret,
    /// The only places that get to see such a signature.
    pub destinations: &'a BTreeSet<Origin>,
}

/// Sends a message, and tells what came of it.
pub async fn send(egress: &Egress, to: &Endpoint<'_>, message: &Message, now: Timestamp) -> Outcome {
    let Some(request) = request(to, message, now) else { return Outcome::UNREACHABLE };
    match egress.exchange(request, to.destinations).await {
        Ok(answer) => Outcome::of(&answer, now),
        Err(error) => Outcome::from(error),
    }
}

/// The request of one attempt; none for an address or a secret that is none.
fn request(to: &Endpoint<'_>, message: &Message, now: Timestamp) -> Option<Outbound> {
    let Message { id, event_type, at, detail, .. } = message;
    // Neither a word of ours nor a time has anything to escape, and what the outbox holds is JSON already.
    let body = format!(r#"{{"type":"{}","timestamp":"{at}","data":{detail}}}"#, event_type.as_str());
    let seconds = (now.millis() / 1000).to_string();
    let signature = signature::sign(to.secret, &[id.as_str(), &seconds, &body])?;
    let text = |value: &str| HeaderValue::from_str(value).ok();
    let headers = HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (USER_AGENT, AGENT),
        (HeaderName::from_static("webhook-id"), text(id.as_str())?),
        (HeaderName::from_static("webhook-timestamp"), text(&seconds)?),
        (HeaderName::from_static("webhook-signature"), text(&signature)?),
    ]);
    Some(Outbound { method: Method::POST, url: Url::parse(to.url).ok()?, headers, body: Bytes::from(body) })
}
