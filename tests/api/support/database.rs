//! The database port over SQLite in memory, on the same migrations, with D1's limits: what D1 refuses is refused here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::sync::{Mutex, OnceLock};

use async_trait::async_trait;
use keyfob::ports::{Database, DatabaseError, Param, Rows, Statement};
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ToSql};

/// D1's limits (its documentation, "Limits").
const LIMITS: [(Limit, i32); 7] = [
    (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 50),
    (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 5),
    (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 100),
    (Limit::SQLITE_LIMIT_COLUMN, 100),
    (Limit::SQLITE_LIMIT_EXPR_DEPTH, 100),
    (Limit::SQLITE_LIMIT_FUNCTION_ARG, 32),
    (Limit::SQLITE_LIMIT_SQL_LENGTH, 100_000),
];

/// An SQLite database in memory.
pub(crate) struct Sqlite {
    connection: Mutex<Connection>,
    /// Every SQL text that was executed.
    executed: Mutex<BTreeSet<String>>,
    /// What the next batches do instead of what they should.
    faults: Mutex<Vec<Fault>>,
    /// Every batch since recording began, and whether it was done.
    recorded: Mutex<Option<Vec<Recorded>>>,
}

/// A batch as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recorded {
    pub(crate) statements: Vec<Statement>,
    pub(crate) is_done: bool,
}

/// How a batch fails.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// It does not.
    Nothing,
    /// Before anything was done.
    Before,
    /// After everything was done: the answer is lost.
    After,
}

impl Sqlite {
    /// An empty database; the migrations run once, and every other is a copy.
    pub(crate) fn migrated() -> Self {
        static EMPTY: OnceLock<Vec<u8>> = OnceLock::new();
        Self::of(EMPTY.get_or_init(|| {
            let connection = Connection::open_in_memory().unwrap();
            migrate(&connection);
            Self::over(connection).file()
        }))
    }

    /// A database of its own from the bytes of another.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.deserialize_read_exact("main", bytes, bytes.len(), false).unwrap();
        Self::over(connection)
    }

    /// Opens a copy of a database, migrated by whoever made it.
    pub(crate) fn open(file: &Path) -> Self {
        Self::over(Connection::open(file).unwrap())
    }

    /// Copies the database to a file, as it stands.
    pub(crate) fn copy_to(&self, file: &Path) {
        self.connection.lock().unwrap().execute("vacuum into ?1", [file.to_str().unwrap()]).unwrap();
    }

    fn over(connection: Connection) -> Self {
        for (limit, value) in LIMITS {
            connection.set_limit(limit, value).unwrap();
        }
        connection.set_prepared_statement_cache_capacity(200);
        Self {
            connection: connection.into(),
            executed: Mutex::default(),
            faults: Mutex::default(),
            recorded: Mutex::default(),
        }
    }

    /// Keeps every batch from now on.
    pub(crate) fn record(&self) {
        *self.recorded.lock().unwrap() = Some(Vec::new());
    }

    /// The batches since recording began.
    pub(crate) fn recorded(&self) -> Vec<Recorded> {
        self.recorded.lock().unwrap().clone().unwrap_or_default()
    }

    /// Lets the next batches fail, one fault each.
    pub(crate) fn fail_next(&self, faults: &[Fault]) {
        self.faults.lock().unwrap().extend(faults.iter().rev());
    }

    /// Takes back the faults that are still to come.
    pub(crate) fn forget_faults(&self) {
        self.faults.lock().unwrap().clear();
    }

    /// One value of a query.
    pub(crate) fn value<T: rusqlite::types::FromSql>(&self, sql: &str) -> T {
        self.connection.lock().unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// Executes SQL as nobody's API would.
    pub(crate) fn execute(&self, sql: &str) -> Result<(), rusqlite::Error> {
        self.connection.lock().unwrap().execute_batch(sql)
    }

    /// How many rows each table has, but those that count how often somebody asked.
    pub(crate) fn counts(&self) -> BTreeMap<String, i64> {
        let names = "select json_group_array(name) from sqlite_master where type = 'table' and sql not like 'create virtual%' \
                     and name not like 'sqlite_%' and name not like 'connections\\__%\\_%' escape '\\' \
                     and name <> 'rate_counters'";
        let names: Vec<String> = serde_json::from_str(&self.value::<String>(names)).unwrap();
        let count = |name: String| (self.value(&format!("select count(*) from {name}")), name);
        names.into_iter().map(count).map(|(count, name)| (name, count)).collect()
    }

    /// Every text in every table, for a search for secrets.
    pub(crate) fn dump(&self) -> String {
        let connection = self.connection.lock().unwrap();
        let mut tables = connection.prepare("select name from sqlite_master where type = 'table'").unwrap();
        let tables: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let mut dump = String::new();
        for table in tables {
            let mut rows = connection.prepare(&format!("select * from \"{table}\"")).unwrap();
            let columns = rows.column_count();
            let mut rows = rows.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                for column in 0..columns {
                    writeln!(dump, "{:?}", row.get_ref(column).unwrap()).unwrap();
                    if let ValueRef::Text(text) | ValueRef::Blob(text) = row.get_ref(column).unwrap() {
                        dump.push_str(&String::from_utf8_lossy(text));
                        dump.push('\n');
                    }
                }
            }
        }
        dump
    }

    /// The bytes of the database file, pages that are free included.
    pub(crate) fn file(&self) -> Vec<u8> {
        self.connection.lock().unwrap().serialize("main").unwrap().to_vec()
    }

    /// The plan of every statement that was executed so far, by its SQL.
    pub(crate) fn plans(&self) -> Vec<(String, Vec<String>)> {
        let connection = self.connection.lock().unwrap();
        let executed = self.executed.lock().unwrap();
        let plan = |sql: &String| {
            let mut statement = connection.prepare(&format!("explain query plan {sql}")).unwrap();
            let count = statement.parameter_count();
            let nulls: Vec<&dyn ToSql> = vec![&rusqlite::types::Null; count];
            let lines = statement.query_map(&*nulls, |row| row.get(3)).unwrap().map(Result::unwrap).collect();
            (sql.clone(), lines)
        };
        executed.iter().map(plan).collect()
    }

    /// Executes a batch.
    pub(crate) fn run(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, DatabaseError> {
        let recorded = self.recorded.lock().unwrap().is_some().then(|| statements.clone());
        let outcome = self.execute_all(statements);
        if let (Some(statements), Some(all)) = (recorded, self.recorded.lock().unwrap().as_mut()) {
            all.push(Recorded { statements, is_done: outcome.is_ok() });
        }
        outcome
    }

    fn execute_all(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, DatabaseError> {
        let mut connection = self.connection.lock().unwrap();
        let transaction = connection.transaction().map_err(|error| failure(&error))?;
        let mut results = Vec::new();
        for statement in statements {
            self.executed.lock().unwrap().insert(statement.sql.to_string());
            results.push(execute(&transaction, &statement).map_err(|error| failure(&error))?);
        }
        transaction.commit().map_err(|error| failure(&error))?;
        Ok(results)
    }
}

fn migrate(connection: &Connection) {
    let mut files: Vec<_> = std::fs::read_dir("schema").unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    for file in files {
        connection.execute_batch(&std::fs::read_to_string(file).unwrap()).unwrap();
    }
}

#[async_trait]
impl Database for Sqlite {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, DatabaseError> {
        // Other requests may come between any two batches.
        tokio::task::yield_now().await;
        let fault = self.faults.lock().unwrap().pop();
        let lost = || DatabaseError::Failed("the connection was lost".to_owned());
        match fault {
            Some(Fault::Before) => Err(lost()),
            Some(Fault::After) => self.run(statements).and(Err(lost())),
            Some(Fault::Nothing) | None => self.run(statements),
        }
    }
}

fn execute(connection: &Connection, statement: &Statement) -> rusqlite::Result<Rows> {
    let mut prepared = connection.prepare_cached(&statement.sql)?;
    assert_eq!(prepared.parameter_count(), statement.params.len(), "{}", statement.sql);
    let values: Vec<Box<dyn ToSql>> = statement.params.iter().map(value).collect();
    let values: Vec<&dyn ToSql> = values.iter().map(AsRef::as_ref).collect();
    if prepared.column_count() == 0 {
        prepared.execute(&*values)?;
        return Ok(Rows::default());
    }
    assert!(prepared.column_names().eq(["row"]), "a statement that reads returns one column named row");
    let rows = prepared.query_map(&*values, |row| row.get_ref(0).map(|value| json(&value)))?;
    Ok(Rows { rows: rows.collect::<Result<_, _>>()?, ..Rows::default() })
}

/// A parameter as D1 binds it: its integers are doubles, and a column or a cast has to make them integers again.
fn value(param: &Param) -> Box<dyn ToSql> {
    match param {
        Param::Null => Box::new(rusqlite::types::Null),
        #[expect(clippy::cast_precision_loss, reason = "the port promises integers within 2^53")]
        Param::Integer(number) => Box::new(*number as f64),
        Param::Text(text) => Box::new(text.clone()),
    }
}

fn json(value: &ValueRef<'_>) -> String {
    match value {
        ValueRef::Text(text) => String::from_utf8(text.to_vec()).unwrap(),
        ValueRef::Integer(number) => number.to_string(),
        other => panic!("a row is JSON text or an integer, not {other:?}"),
    }
}

fn failure(error: &rusqlite::Error) -> DatabaseError {
    let message = error.to_string();
    match message.strip_prefix("UNIQUE constraint failed: ") {
        Some(columns) => DatabaseError::Unique(columns.to_owned()),
        None => DatabaseError::Failed(message),
    }
}
