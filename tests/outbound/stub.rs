//! Strict stubs of providers on loopback: they answer what the provider's documentation says, and fail the test that makes
//! them do anything with a visible effect which it did not announce, or asks for what the documentation does not list.

use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::counterpart::{Counterpart, Received, Reply, answer};
use crate::ports::Rerouted;

/// What a request does at a provider.
pub(crate) enum Effect {
    /// Nothing that anybody sees.
    Harmless(Reply),
    /// Something that people see.
    Visible(Reply),
    /// Nobody knows: the stub does not have it from the documentation.
    Unlisted,
}

/// What stands in for a provider.
pub(crate) type Service = fn(&Received) -> Effect;

/// A running stub.
pub(crate) struct Stub {
    pub(crate) counterpart: Counterpart,
    seen: Arc<Mutex<Seen>>,
    announced: usize,
}

#[derive(Default)]
struct Seen {
    visible: usize,
    unlisted: Vec<String>,
}

impl Stub {
    pub(crate) async fn start(service: Service) -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let noted = Arc::clone(&seen);
        let counterpart =
            Counterpart::start(move |request| note(service(request), request, &mut noted.lock().unwrap()));
        Self { counterpart: counterpart.await, seen, announced: 0 }
    }

    /// Announces one more visible effect.
    pub(crate) fn announce_message(&mut self) {
        self.announced += 1;
    }

    /// A network on which every provider is this one.
    pub(crate) fn network(&self) -> Rerouted {
        Rerouted::to(self.counterpart.url("/"))
    }
}

fn note(effect: Effect, request: &Received, seen: &mut Seen) -> Reply {
    match effect {
        Effect::Harmless(reply) => reply,
        Effect::Visible(reply) => {
            seen.visible += 1;
            reply
        }
        Effect::Unlisted => {
            seen.unlisted.push(format!("{} {}", request.method, address(request)));
            answer(501, &[], "")
        }
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let seen = self.seen.lock().unwrap();
        assert!(seen.visible == self.announced, "{} visible effects, {} announced", seen.visible, self.announced);
        assert!(seen.unlisted.is_empty(), "the documentation does not list {:?}", seen.unlisted);
    }
}

/// The address that a request was meant for.
pub(crate) fn address(request: &Received) -> String {
    format!("https://{}{}", request.header("host").unwrap_or_default(), request.target)
}

/// Method and address, to match on.
pub(crate) fn call(request: &Received) -> String {
    format!("{} {}", request.method, address(request))
}

/// An answer in JSON that nobody but the caller sees.
pub(crate) fn json(status: u16, body: &Value) -> Effect {
    json_with(status, &[], body)
}

/// The same with further headers.
pub(crate) fn json_with(status: u16, headers: &[(&str, &str)], body: &Value) -> Effect {
    let headers = [&[("Content-Type", "application/json")], headers].concat();
    Effect::Harmless(answer(status, &headers, body.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(service: Service) {
        let stub = Stub::start(service).await;
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        client.get(stub.counterpart.url("/")).send().await.unwrap();
    }

    #[tokio::test]
    #[should_panic(expected = "the documentation does not list")]
    async fn a_request_that_is_not_listed_fails_the_run() {
        ask(|_| Effect::Unlisted).await;
    }

    #[tokio::test]
    #[should_panic(expected = "1 visible effects, 0 announced")]
    async fn a_visible_effect_that_nobody_announced_fails_the_run() {
        ask(|_| Effect::Visible(answer(200, &[], ""))).await;
    }
}
