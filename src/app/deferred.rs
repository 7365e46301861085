//! Work that is done after the answer. The platform does it within the request, whose I/O it uses; whoever serves the router
//! without doing it loses it, as a dying isolate would.

use std::mem;
use std::sync::{Arc, Mutex};

use futures_util::future::{BoxFuture, join_all};

/// The work that one request left for after its answer.
#[derive(Clone, Default)]
pub struct Deferred(Arc<Mutex<Vec<BoxFuture<'static, ()>>>>);

impl Deferred {
    /// Leaves some work.
    pub fn push(&self, work: impl Future<Output = ()> + Send + 'static) {
        if let Ok(mut deferred) = self.0.lock() {
            deferred.push(Box::pin(work));
        }
    }

    /// Whether there is any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.lock().is_ok_and(|deferred| deferred.is_empty())
    }

    /// Does it.
    pub async fn run(self) {
        let work = self.0.lock().map(|mut deferred| mem::take(&mut *deferred)).unwrap_or_default();
        join_all(work).await;
    }
}
