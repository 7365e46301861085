//! A migration is applied while the version before still runs: what that version asks of the database must go on to work.
//!
//! `tests/golden/release.json` holds a whole session of the released version, batch by batch, with the migrations that it
//! came with. It is replayed on the schema of today; `make record-release` makes a new one when a version is released.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyfob::ports::{Param, Statement};
use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::{Batch, Connection};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::plans::{FILTERS, OTHERS, populate, run_everything, run_lists};
use crate::support::Keyfob;
use crate::support::database::{Recorded, Sqlite};

const GOLDEN: &str = "tests/golden/release.json";

/// What a release asked of the database.
#[derive(Serialize, Deserialize)]
struct Release {
    /// Its migrations: the SHA-256 of each file by its name.
    migrations: BTreeMap<String, String>,
    /// Every SQL text, once.
    statements: Vec<String>,
    /// The batches in their order.
    batches: Vec<RecordedBatch>,
}

#[derive(Serialize, Deserialize)]
struct RecordedBatch {
    is_done: bool,
    /// The number of each SQL text, and its parameters.
    statements: Vec<(usize, Vec<Value>)>,
}

impl Release {
    fn read() -> Self {
        serde_json::from_str(&fs::read_to_string(GOLDEN).unwrap()).unwrap()
    }

    fn of(recorded: &[Recorded]) -> Self {
        let mut release = Self { migrations: migrations(), statements: Vec::new(), batches: Vec::new() };
        let mut numbers = BTreeMap::new();
        for Recorded { statements, is_done } in recorded {
            let statements = statements.iter().map(|statement| {
                let number = *numbers.entry(statement.sql.to_string()).or_insert_with(|| {
                    release.statements.push(statement.sql.to_string());
                    release.statements.len() - 1
                });
                (number, statement.params.iter().map(value).collect())
            });
            let statements = statements.collect();
            release.batches.push(RecordedBatch { is_done: *is_done, statements });
        }
        release
    }

    fn batches(&self) -> impl Iterator<Item = (bool, Vec<Statement>)> {
        self.batches.iter().map(|batch| {
            let statement = |(number, params): &(usize, Vec<Value>)| Statement {
                sql: self.statements[*number].clone().into(),
                params: params.iter().map(param).collect(),
            };
            (batch.is_done, batch.statements.iter().map(statement).collect())
        })
    }
}

fn value(param: &Param) -> Value {
    match param {
        Param::Null => Value::Null,
        Param::Integer(number) => (*number).into(),
        Param::Text(text) => text.as_str().into(),
    }
}

fn param(value: &Value) -> Param {
    match value {
        Value::Null => Param::Null,
        Value::String(text) => Param::Text(text.clone()),
        number => Param::Integer(number.as_i64().unwrap()),
    }
}

/// The files of the schema in their order.
fn files() -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir("schema").unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

/// The SHA-256 of each file of the schema, by its name.
fn migrations() -> BTreeMap<String, String> {
    let name = |file: &PathBuf| file.file_name().unwrap().to_str().unwrap().to_owned();
    let digest = |file: &PathBuf| URL_SAFE_NO_PAD.encode(Sha256::digest(fs::read(file).unwrap()));
    files().iter().map(|file| (name(file), digest(file))).collect()
}

#[test]
fn a_migration_that_was_released_is_never_edited() {
    let today = migrations();
    for (name, digest) in Release::read().migrations {
        assert_eq!(today.get(&name), Some(&digest), "schema/{name} is applied already: write another file");
    }
}

#[test]
fn a_new_migration_only_adds() {
    let released = Release::read().migrations;
    let database = Connection::open_in_memory().unwrap();
    for file in files() {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        let sql = fs::read_to_string(&file).unwrap();
        let mut batch = Batch::new(&database, &sql);
        while let Some(mut statement) = batch.next().unwrap() {
            let text = spoken(&statement.expanded_sql().unwrap());
            assert!(
                released.contains_key(&name) || is_additive(&text),
                "schema/{name}: the version before needs it: {text}"
            );
            statement.raw_execute().unwrap();
        }
    }
}

/// The statement without its comments, in one line.
fn spoken(sql: &str) -> String {
    let lines = sql.lines().map(|line| line.split("--").next().unwrap_or_default());
    lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

/// Whether a statement takes nothing away that the version before names. An index that is dropped makes nothing impossible
/// (where a statement asks for it by name, the replay fails), a trigger that is dropped makes way for another.
fn is_additive(sql: &str) -> bool {
    const ADDS: [&str; 9] = [
        "create table ",
        "create virtual table ",
        "create index ",
        "create unique index ",
        "create trigger ",
        "create view ",
        "insert ",
        "drop index ",
        "drop trigger ",
    ];
    let adds_column = sql.starts_with("alter table ") && sql.contains(" add column ");
    // A value for rows of before, in a column that the version before does not know.
    let fills = sql.starts_with("update ");
    adds_column || fills || ADDS.iter().any(|start| sql.starts_with(start))
}

#[test]
fn what_takes_something_away_is_not_additive() {
    for sql in [
        "drop table tests",
        "alter table tests rename to old_tests",
        "alter table tests rename column at to began_at",
        "alter table tests drop column at",
        "delete from tests",
        "drop view v",
        "pragma foreign_keys = on",
    ] {
        assert!(!is_additive(sql), "{sql}");
    }
}

#[test]
fn what_the_released_version_asks_of_the_database_works_on_the_schema_of_today() {
    let (release, database) = (Release::read(), Sqlite::migrated());
    let mut done = 0;
    for (is_done, statements) in release.batches() {
        let texts: Vec<String> = statements.iter().map(|statement| statement.sql.to_string()).collect();
        let outcome = database.run(statements);
        assert_eq!(outcome.is_ok(), is_done, "{:?}\n{}", outcome.err(), texts.join(";\n"));
        done += usize::from(is_done);
    }
    assert!(done > 300 && release.statements.len() > 200, "{done} batches of {} statements", release.statements.len());
}

#[tokio::test]
#[ignore = "writes tests/golden/release.json: `make record-release`, when a version is released"]
async fn record_this_release() {
    let keyfob = Keyfob::working().await;
    keyfob.database.record();
    run_everything(&keyfob).await;
    populate(&keyfob).await;
    run_lists(&keyfob, &FILTERS).await;
    run_lists(&keyfob, &OTHERS).await;
    let release = Release::of(&keyfob.database.recorded());
    fs::write(GOLDEN, serde_json::to_string(&release).unwrap() + "\n").unwrap();
}
