//! The tests of stored connections.

use serde::{Deserialize, Serialize};

use crate::domain::health::Attempt;
use crate::domain::health::{Source, Verdict};
use crate::domain::id::{ConnectionId, TestId};
use crate::domain::reason::Reason;
use crate::domain::time::Timestamp;
use crate::ports::Statement;

use super::{Query, one, statement};

/// One test of a stored connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Test {
    /// Its id.
    pub id: TestId,
    /// The revision that was tested.
    pub revision: u64,
    /// What it found.
    pub verdict: Verdict,
    /// Why, unless the verdict is `valid`.
    pub reason: Option<Reason>,
    /// Who asked.
    pub source: Source,
    /// When it ended.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

impl Test {
    /// The test as an attempt.
    #[must_use]
    pub const fn attempt(&self) -> Attempt {
        Attempt { verdict: self.verdict, reason: self.reason, at: self.at, source: self.source }
    }
}

/// Lists the tests of a connection below a position, newest first.
#[must_use]
pub fn list(id: &ConnectionId, below: Option<&(Timestamp, TestId)>, limit: u64) -> Query<Vec<Test>> {
    const SQL: &str = "select json_group_array(json(test)) as row from (select json_object('id', t.id, \
        'revision', t.revision, 'verdict', t.verdict, 'reason', t.reason, 'source', t.source, 'at', t.at, \
        'duration_ms', t.duration_ms) as test from tests t where t.connection_id = ?1 and (t.at, t.id) < (?2, ?3) \
        order by t.at desc, t.id desc limit ?4)";
    let (at, test) = below.map_or((1 << 53, "~"), |(at, test)| (at.millis(), test.as_str()));
    one(statement(SQL, [id.as_str().into(), at.into(), test.into(), limit.into()]))
}

/// Inserts a test. One that is there already is the same: its batch was sent twice.
#[must_use]
pub fn insert(id: &ConnectionId, test: &Test) -> Statement {
    const SQL: &str = "insert into tests (id, connection_id, revision, verdict, reason, source, at, duration_ms) \
                       values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) on conflict (id) do nothing";
    statement(
        SQL,
        [
            test.id.as_str().into(),
            id.as_str().into(),
            test.revision.into(),
            test.verdict.as_str().into(),
            test.reason.map(Reason::as_str).into(),
            test.source.as_str().into(),
            test.at.into(),
            test.duration_ms.into(),
        ],
    )
}

/// Deletes tests from before a moment, some at a time.
#[must_use]
pub fn delete_before(moment: Timestamp) -> Statement {
    const SQL: &str = "delete from tests where id in (select id from tests where at < ?1 order by at limit 1000)";
    statement(SQL, [moment.into()])
}
