//! Time, randomness, the log, and the limiter of failed authentications.

use std::time::Duration;

use async_trait::async_trait;
use gloo_timers::future::TimeoutFuture;
use js_sys::JsString;
use worker::RateLimiter;
use worker::send::SendFuture;

use crate::domain::time::Timestamp;
use crate::ports;

/// The platform's clock. It stands still while code computes.
pub(super) struct Clock;

#[async_trait]
impl ports::Clock for Clock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::cast_possible_truncation, reason = "whole milliseconds")]
        Timestamp::from_millis(js_sys::Date::now() as i64)
    }

    async fn sleep(&self, duration: Duration) {
        // Not worker's own Delay: it expects the handle of a timer to be a number, as it is not where Node's timers are on.
        let millis = u32::try_from(duration.as_millis()).unwrap_or(u32::MAX);
        SendFuture::new(TimeoutFuture::new(millis)).await;
    }
}

/// The platform's secure randomness.
pub(super) struct Random;

impl ports::Random for Random {
    fn fill(&self, buffer: &mut [u8]) {
        // The platform has no way to refuse; were there one, a panic is better than a key of zeros.
        #[expect(clippy::expect_used, reason = "no key may be made without randomness")]
        getrandom::fill(buffer).expect("the platform gives randomness");
    }
}

/// The platform's tables of Unicode: those of JavaScript.
pub(super) struct Unicode;

impl ports::Unicode for Unicode {
    fn nfkc(&self, text: &str) -> String {
        JsString::from(text).normalize("NFKC").into()
    }
}

/// The platform's console, one JSON object a line.
pub(super) struct Console;

impl ports::Log for Console {
    fn line(&self, line: &str) {
        log(line);
    }
}

/// Writes one line.
pub(super) fn log(line: &str) {
    worker::console_log!("{line}");
}

/// The rate-limit binding.
pub(super) struct Throttle(pub(super) RateLimiter);

#[async_trait]
impl ports::Throttle for Throttle {
    async fn too_many_failures(&self, address: &str) -> bool {
        // A limiter that fails must not lock everybody out: it is a shield, not the lock.
        SendFuture::new(self.0.limit(address.to_owned())).await.is_ok_and(|outcome| !outcome.success)
    }
}
