//! Every change of every route leaves one entry, and what fails leaves none.

use crate::access::table::{Need, table};
use crate::access::world::World;
use crate::support::ROOT;
use crate::support::database::Fault::{Before, Nothing};

/// Routes that are no reads, and change nothing that somebody would have to answer for: tests, reports that start one, and a
/// rewrap where nothing waits, and test credentials that are not there.
const NO_CHANGES: [&str; 9] = [
    "POST /v1/connections/plan",
    "DELETE /v1/connections/{id}/test-credentials",
    "POST /v1/tests",
    "POST /v1/connections/{id}/tests",
    "POST /v1/connections/{id}/reports",
    "POST /v1/keys/rewrap",
    "POST /v1/embedded/connections/{id}/tests",
    "POST /v1/embedded/tests",
    "DELETE /v1/embedded/connections/{id}/test-credentials",
];

#[test]
fn every_route_that_is_no_read_is_audited_or_named_here() {
    let silent: Vec<String> = table()
        .iter()
        .filter(|row| !matches!(row.method, "GET" | "OPTIONS") && row.audited.is_empty() && row.need != Need::Body)
        .map(|row| format!("{} {}", row.method, row.path))
        .collect();
    assert_eq!(silent, NO_CHANGES);
}

#[tokio::test]
async fn a_change_that_fails_leaves_no_entry_and_one_that_succeeds_leaves_one() {
    let authorization = format!("Bearer {ROOT}");
    for row in table().iter().filter(|row| !row.audited.is_empty() && matches!(row.need, Need::Scope(_))) {
        for call in 0.. {
            let world = World::new().await;
            let counts = || {
                let mut counts = world.keyfob.database.counts();
                counts.remove("garbage");
                counts
            };
            let before = counts();
            world.keyfob.database.fail_next(&[vec![Nothing; call], vec![Before; 2]].concat());
            let answer = world.ask(row, Some(&authorization)).await;
            if answer.status == row.status {
                let entries = i64::try_from(row.audited.split_whitespace().count()).unwrap();
                assert_eq!(counts()["audit_events"], before["audit_events"] + entries, "{} {}", row.method, row.path);
                assert!(call > 0, "{} {} asks the database", row.method, row.path);
                break;
            }
            assert_eq!(answer.problem().0, 503, "{} {} {call}: {}", row.method, row.path, answer.text);
            assert_eq!(counts(), before, "{} {} {call}", row.method, row.path);
        }
    }
}
