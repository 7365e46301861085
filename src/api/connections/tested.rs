//! A test that was made: as history and health record it, and before values are saved.

use crate::api::error::ApiError;
use crate::api::limits;
use crate::app::App;
use crate::domain::connection::{Basis, Found};
use crate::domain::health::{Attempt, Source};
use crate::domain::id::{ConnectionId, TestId};
use crate::domain::time::Timestamp;
use crate::ports::Statement;
use crate::probe::Finding;
use crate::store;
use crate::store::tests::Test;

use super::values::Draft;

/// A test that was made, as history and health record it.
pub struct Tested {
    /// The entry of the tests' history.
    pub test: Test,
    /// The values that were tested.
    pub basis: Basis,
    /// What was found beside the verdict.
    pub finding: Finding,
}

impl Tested {
    /// Tests a draft.
    pub async fn run(app: &App, draft: &Draft, basis: Basis, source: Source) -> Self {
        let began = app.now();
        let finding = draft.test(app).await;
        Self::record(app, finding, basis, source, began)
    }

    /// Records what a test found.
    #[must_use]
    pub fn record(app: &App, finding: Finding, basis: Basis, source: Source, began: Timestamp) -> Self {
        let at = app.now();
        let test = Test {
            id: TestId::new(at, app.random()),
            revision: basis.revision,
            verdict: finding.verdict,
            reason: finding.reason,
            source,
            at,
            duration_ms: u64::try_from(at.millis() - began.millis()).unwrap_or(0),
        };
        Self { test, basis, finding }
    }

    /// The attempt that it was.
    #[must_use]
    pub const fn attempt(&self) -> Attempt {
        self.test.attempt()
    }

    /// The statements that store it, for a revision that is stored already.
    #[must_use]
    pub fn store(&self, id: &ConnectionId) -> [Statement; 3] {
        let attempt = self.attempt();
        [
            store::connections::store_attempt(id, self.basis, &attempt, &self.found(), self.finding.expires_at),
            store::history::store_attempt(id, self.basis.revision, &attempt),
            store::tests::insert(id, &self.test),
        ]
    }

    /// Stores a test of values that are the current ones.
    ///
    /// # Errors
    /// When the storage failed.
    pub async fn keep(&self, app: &App, id: &ConnectionId) -> Result<(), ApiError> {
        store::run(&*app.database, self.store(id).into()).await?;
        Ok(())
    }

    /// What was found beside the verdict, as the connection keeps it.
    pub(super) fn found(&self) -> Found {
        let Finding { facts, granted_scopes, missing_scopes, .. } = self.finding.clone();
        Found { facts, granted_scopes, missing_scopes }
    }
}

/// Tests a draft that is about to be saved, unless the caller does not want it.
///
/// # Errors
/// 429 when there were too many tests.
pub async fn test_before_save(
    app: &App,
    draft: &Draft,
    (bucket, basis): (&str, Basis),
    wanted: bool,
) -> Result<Option<Tested>, ApiError> {
    if !wanted {
        return Ok(None);
    }
    limits::count_test(app, bucket, draft.hosts()).await?;
    Ok(Some(Tested::run(app, draft, basis, Source::Save).await))
}
