//! The full-text indexes stay in few segments, and find the same.

use std::ops::Range;
use std::time::Duration;

use serde_json::json;

use crate::support::{Keyfob, bearer};

const DAY: Duration = Duration::from_hours(24);
const INDEXES: [&str; 2] = ["trigram", "prefix"];

/// The segments of both indexes, counted where SQLite keeps what each begins with.
fn segments(keyfob: &Keyfob) -> [i64; 2] {
    INDEXES.map(|index| keyfob.database.value(&format!("select count(distinct segid) from connections_{index}_idx")))
}

/// Copies of the first connection, written in one transaction with texts of so many random bytes.
fn write(keyfob: &Keyfob, numbers: Range<usize>, bytes: usize) {
    let columns: String = keyfob.database.value(
        "select group_concat(name) from pragma_table_xinfo('connections') where hidden = 0 and name not in \
         ('rowid', 'id', 'stable_key', 'search_text')",
    );
    let (first, last) = (numbers.start, numbers.end);
    let insert = format!(
        "insert into connections (id, stable_key, search_text, {columns}) \
         with recursive numbers(n) as (select {first} where {first} < {last} union all select n + 1 from numbers where n + 1 < {last}) \
         select 'con_' || printf('%026d', n), 'key-' || n, \
         'acme everywhere number' || n || 'x ' || lower(hex(randomblob({bytes}))), {columns} \
         from numbers, (select * from connections limit 1)"
    );
    keyfob.database.execute(&insert).unwrap();
}

/// Each in a transaction of its own, as connections are created.
fn grow(keyfob: &Keyfob, numbers: Range<usize>) {
    for number in numbers {
        write(keyfob, number..number + 1, 6);
    }
}

/// How many connections a search finds on its first page.
async fn found(keyfob: &Keyfob, word: &str) -> usize {
    let path = format!("/v1/connections?environment=development&limit=100&search={word}");
    keyfob.get(&path).await.expect(200).json()["data"].as_array().unwrap().len()
}

#[tokio::test]
async fn what_was_written_is_one_segment_after_a_day_and_few_at_any_time() {
    let keyfob = Keyfob::working().await;
    keyfob.create(&bearer("Acme")).await;
    grow(&keyfob, 0..400);
    assert!(segments(&keyfob).into_iter().all(|count| count > 3), "{:?}", segments(&keyfob));
    keyfob.tick().await;
    keyfob.tick().await;
    assert_eq!(segments(&keyfob), [1, 1]);
    assert_eq!(keyfob.log.of_job("merge_search"), json!({ "scheduled": "merge_search", "segments": [1, 1] }));
    assert_eq!([found(&keyfob, "everywhere").await, found(&keyfob, "number77x").await], [100, 1]);
    // Within the day small ones become one, and the large one is let alone.
    for round in 1..20 {
        grow(&keyfob, 400 + round * 20..420 + round * 20);
        keyfob.tick().await;
        keyfob.advance(Duration::from_mins(1));
        let now = segments(&keyfob);
        assert!(now.into_iter().all(|count| (2..=8).contains(&count)), "{round}: {now:?}");
    }
    keyfob.advance(DAY);
    keyfob.tick().await;
    keyfob.tick().await;
    assert_eq!(segments(&keyfob), [1, 1]);
    assert_eq!([found(&keyfob, "everywhere").await, found(&keyfob, "number777x").await], [100, 1]);
    for index in INDEXES {
        let check = format!("insert into connections_{index} (connections_{index}) values ('integrity-check')");
        keyfob.database.execute(&check).unwrap();
    }
}

#[tokio::test]
async fn where_there_is_one_segment_nothing_is_merged() {
    let keyfob = Keyfob::working().await;
    keyfob.create(&bearer("Acme")).await;
    for (grown, merges) in [(0, 0), (1, 2)] {
        grow(&keyfob, 0..grown);
        keyfob.database.record();
        keyfob.tick().await;
        let asked = keyfob.database.recorded().into_iter().flat_map(|batch| batch.statements);
        assert_eq!(asked.filter(|statement| statement.sql.contains("'merge'")).count(), merges);
    }
}

#[tokio::test]
async fn a_tick_merges_a_bounded_part_and_the_next_goes_on() {
    let keyfob = Keyfob::working().await;
    keyfob.create(&bearer("Acme")).await;
    // The pages of a tick are not all of this.
    for batch in 0..8 {
        write(&keyfob, batch * 1000..batch * 1000 + 1000, 80);
    }
    let mut rounds = 0;
    while segments(&keyfob)[0] > 1 {
        rounds += 1;
        let before: i64 = keyfob.database.value("select total_changes()");
        keyfob.tick().await;
        let changed = keyfob.database.value::<i64>("select total_changes()") - before;
        assert!(changed < 4000, "{changed} rows");
        assert!(rounds < 20);
    }
    assert!(rounds > 1, "one tick did it all");
}
