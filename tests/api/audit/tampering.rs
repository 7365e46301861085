//! A thousand random ways to tamper with the logs, each found.

use serde_json::{Value, json};

use super::chain::{break_in, verify};
use crate::lists::model::Dice;
use crate::support::{Keyfob, bearer, path_of};

const TIMES: u64 = 1_000;
const CHECKPOINT: [&str; 7] = ["number", "first_seq", "last_seq", "row_digests", "hash", "sealed_at", "tag"];

/// A log of either kind: its table, and its columns but `seq`.
struct Log {
    name: &'static str,
    columns: &'static [&'static str],
    sealed: i64,
    last: i64,
}

/// Both logs, sealed in several checkpoints, with rows behind them that are not sealed yet.
async fn lived() -> (Keyfob, [Log; 2]) {
    let keyfob = Keyfob::working().await;
    for round in 0..6 {
        let path = path_of(&keyfob.create(&bearer(&format!("Acme {round}"))).await);
        for version in 1..5 {
            keyfob.patch(&path, version, &json!({ "name": format!("{round} {version}") })).await.expect(200);
        }
        keyfob.key(&["transfer"], &["development"]).await;
        if round < 5 {
            keyfob.tick().await;
        }
    }
    assert_eq!(verify(&keyfob).await.0, Vec::<Value>::new());
    break_in(&keyfob);
    let last = |name: &str| keyfob.database.value(&format!("select max(seq) from {name}"));
    let sealed = |name: &str| {
        keyfob.database.value(&format!("select max(last_seq) from audit_checkpoints where log = '{name}'"))
    };
    let audit = ["operation_id", "at", "environment", "action", "resource_id", "actor", "request_id", "detail", "tag"];
    let events = ["connection_id", "version", "event_type", "revision", "changes", "actor", "at", "tag"];
    let log = |name: &'static str, columns: &[&'static str]| Log {
        name,
        columns: columns.to_vec().leak(),
        sealed: sealed(name),
        last: last(name),
    };
    let logs = [log("audit_events", &audit), log("events", &events)];
    for log in &logs {
        assert!(log.sealed >= 25 && log.last > log.sealed, "{} {}", log.sealed, log.last);
        let keep = format!("create table kept_{0} as select seq, {1} from {0}", log.name, log.columns.join(", "));
        keyfob.database.execute(&keep).unwrap();
    }
    keyfob.database.execute("create table kept_checkpoints as select * from audit_checkpoints").unwrap();
    (keyfob, logs)
}

/// Puts everything back.
fn restore(keyfob: &Keyfob, logs: &[Log]) {
    for Log { name, columns, last, .. } in logs {
        let columns = columns.join(", ");
        let back = format!(
            "delete from {name}; insert into {name} (seq, {columns}) select seq, {columns} from kept_{name}; \
             update sqlite_sequence set seq = {last} where name = '{name}'"
        );
        keyfob.database.execute(&back).unwrap();
    }
    let back = "delete from audit_checkpoints; insert into audit_checkpoints select * from kept_checkpoints";
    keyfob.database.execute(back).unwrap();
}

/// SQL that tampers with a log in some way. Now and then it changes nothing, or is refused by a constraint.
fn tamper(dice: &mut Dice, log: &Log) -> String {
    let name = log.name;
    let row = 1 + i64::try_from(dice.roll(log.last.unsigned_abs())).unwrap();
    let sealed = 1 + i64::try_from(dice.roll(log.sealed.unsigned_abs())).unwrap();
    let column = *dice.pick(log.columns);
    let columns = log.columns.join(", ");
    match dice.roll(14) {
        0 => format!("update {name} set {column} = {column} || '{}' where seq = {row}", dice.roll(10)),
        1 => {
            format!("update {name} set {column} = (select {column} from {name} where seq = {sealed}) where seq = {row}")
        }
        2 => format!("update {name} set {column} = cast({column} as blob) where seq = {row}"),
        3 => format!("update {name} set {column} = '' where seq = {row}"),
        4 => format!("update {name} set {column} = replace(replace({column}, 'a', 'b'), '1', '2') where seq = {row}"),
        5 => format!("delete from {name} where seq = {row}"),
        6 => format!("delete from {name} where seq >= {row}"),
        7 => format!(
            "delete from {name} where seq = {sealed}; update {name} set seq = -seq where seq > {sealed}; \
                      update {name} set seq = -seq - 1 where seq < 0"
        ),
        8 | 9 => {
            let other = 1 + i64::try_from(dice.roll(log.last.unsigned_abs())).unwrap();
            format!(
                "update {name} set seq = -1 where seq = {sealed}; update {name} set seq = {sealed} where seq = {other}; \
                 update {name} set seq = {other} where seq = -1"
            )
        }
        10 => {
            let place = *dice.pick(&[-1, 0, i64::MIN, log.last + 1, log.last + 2, i64::MAX - 1]);
            let unique = if name == "events" { "version" } else { "operation_id" };
            let values = columns.replacen(unique, &format!("{unique} || '7'"), 1);
            format!("insert into {name} (seq, {columns}) select {place}, {values} from {name} where seq = {row}")
        }
        11 => {
            let number = 1 + dice.roll(5);
            format!(
                "delete from audit_checkpoints where log = '{name}' and number = {number} \
                     and number < (select max(number) from audit_checkpoints where log = '{name}')"
            )
        }
        _ => {
            let (column, number) = (*dice.pick(&CHECKPOINT), 1 + dice.roll(5));
            let value = match dice.roll(3) {
                0 if column.contains("seq") || column == "number" || column == "sealed_at" => format!("{column} + 1"),
                0 => format!("replace({column}, substr({column}, 9, 1), 'x')"),
                1 => format!("(select {column} from audit_checkpoints where number = {})", 1 + dice.roll(5)),
                _ => format!("{column} - 1"),
            };
            format!("update audit_checkpoints set {column} = {value} where log = '{name}' and number = {number}")
        }
    }
}

#[tokio::test]
async fn a_thousand_random_edits_deletions_and_reorderings_are_all_found() {
    // A failure tells the seed: SEED=… repeats it.
    let seed = std::env::var("SEED").map_or_else(|_| new_seed(), |seed| seed.parse().unwrap());
    let (keyfob, logs) = lived().await;
    let untouched = keyfob.database.dump();
    let mut dice = Dice(seed);
    let mut found = 0;
    while found < TIMES {
        let log = dice.pick(&logs);
        let sql = tamper(&mut dice, log);
        let is_done = keyfob.database.execute(&sql).is_ok();
        if keyfob.database.dump() != untouched {
            let (broken, _) = verify(&keyfob).await;
            assert_eq!(broken.len(), 1, "SEED={seed} number {found}, {is_done}: {sql}\n{broken:?}");
            assert_eq!(broken[0]["log"], log.name, "SEED={seed} number {found}: {sql}");
            found += 1;
        }
        restore(&keyfob, &logs);
        if found == 1 {
            assert_eq!(keyfob.database.dump(), untouched);
        }
    }
}

/// A seed of its own for every run.
fn new_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0)
}
