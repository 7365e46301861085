//! Where things rest: every SQL statement of the project, and rows to domain types.
//!
//! A [`Query`] is a statement (or several) with the way to read its rows; queries are joined with [`Query::and`], so that
//! one round trip answers all that a handler needs. A [`Commit`](commit::Commit) is the one batch of a change.

pub mod access;
pub mod audit;
pub mod authorizations;
pub mod chain;
pub mod checkpoints;
pub mod commit;
pub mod connect_links;
pub mod connections;
pub mod customers;
pub mod embedded;
pub mod facets;
pub mod filter;
pub mod garbage;
pub mod history;
pub mod idempotency;
pub mod keys;
pub mod listing;
pub mod many;
pub mod rates;
pub mod resolves;
pub mod retests;
pub mod row;
pub mod search_merge;
pub mod secrets;
pub mod sign_ins;
pub mod signing_keys;
pub mod sources;
pub mod templates;
pub mod tests;
pub mod tokens;
pub mod transfer;
pub mod usages;
pub mod vault_entries;
pub mod walk;
pub mod webhooks;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::time::Timestamp;
use crate::ports::{Database, DatabaseError, Param, Rows, Statement};

/// A read or a commit failed for a reason of ours.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A row is not what the code expects: a fault of the schema or of the data, never of the caller. Shows the place and
    /// never the row, which holds values.
    #[error("a row does not parse at column {}", .0.column())]
    Row(#[from] serde_json::Error),
    /// A statement returned fewer rows than it must.
    #[error("a row is missing")]
    Missing,
}

/// What the statements of a round trip returned, to be read in their order.
pub type RowsOf = std::vec::IntoIter<Rows>;

type Read<T> = Box<dyn FnOnce(&mut RowsOf) -> Result<T, StoreError> + Send>;

/// Statements that read, and how their rows become a `T`.
pub struct Query<T> {
    statements: Vec<Statement>,
    read: Read<T>,
}

impl<T: Send + 'static> Query<T> {
    /// Reads with both queries in one round trip.
    #[must_use]
    pub fn and<U: Send + 'static>(mut self, other: Query<U>) -> Query<(T, U)> {
        self.statements.extend(other.statements);
        let (left, right) = (self.read, other.read);
        Query { statements: self.statements, read: Box::new(|rows| Ok((left(rows)?, right(rows)?))) }
    }

    /// Turns what was read into something else.
    #[must_use]
    pub fn map<U: Send + 'static>(self, into: impl FnOnce(T) -> U + Send + 'static) -> Query<U> {
        let read = self.read;
        Query { statements: self.statements, read: Box::new(|rows| read(rows).map(into)) }
    }

    /// Reads, in one round trip; none at all where there is nothing to ask.
    ///
    /// # Errors
    /// When the database fails, or a row does not parse.
    pub async fn run(self, database: &dyn Database) -> Result<T, StoreError> {
        (self.read)(&mut run(database, self.statements).await?)
    }

    /// Its statements, and how their rows are read.
    pub(crate) fn into_parts(self) -> (Vec<Statement>, Read<T>) {
        (self.statements, self.read)
    }
}

/// Executes statements in one round trip; none at all where there is nothing to ask.
///
/// # Errors
/// When the database fails.
pub async fn run(database: &dyn Database, statements: Vec<Statement>) -> Result<RowsOf, StoreError> {
    let rows = if statements.is_empty() { Vec::new() } else { database.batch(statements).await? };
    Ok(rows.into_iter())
}

/// A query that asks nothing.
#[must_use]
pub fn nothing() -> Query<()> {
    Query { statements: Vec::new(), read: Box::new(|_| Ok(())) }
}

/// A statement that returns nothing, beside queries in the same batch.
fn done(statement: Statement) -> Query<()> {
    let read: Read<()> = Box::new(|rows| {
        let _ = rows.next();
        Ok(())
    });
    Query { statements: vec![statement], read }
}

/// A query for at most one row.
fn optional<T: DeserializeOwned + Send + 'static>(statement: Statement) -> Query<Option<T>> {
    Query {
        statements: vec![statement],
        read: Box::new(|rows| first(rows).map(|row| Ok(serde_json::from_str(&row)?)).transpose()),
    }
}

/// A query for exactly one row.
fn one<T: DeserializeOwned + Send + 'static>(statement: Statement) -> Query<T> {
    Query {
        statements: vec![statement],
        read: Box::new(|rows| Ok(serde_json::from_str(&first(rows).ok_or(StoreError::Missing)?)?)),
    }
}

/// A query for any number of rows.
fn many<T: DeserializeOwned + Send + 'static>(statement: Statement) -> Query<Vec<T>> {
    Query {
        statements: vec![statement],
        read: Box::new(|rows| {
            let rows = rows.next().map(|rows| rows.rows).unwrap_or_default();
            Ok(rows.iter().map(|row| serde_json::from_str(row)).collect::<Result<_, _>>()?)
        }),
    }
}

/// A query for the text of exactly one row, for who parses it borrowed.
fn text(statement: Statement) -> Query<String> {
    Query { statements: vec![statement], read: Box::new(|rows| first(rows).ok_or(StoreError::Missing)) }
}

fn first(rows: &mut RowsOf) -> Option<String> {
    rows.next().and_then(|rows| rows.rows.into_iter().next())
}

/// A statement from its SQL and parameters.
fn statement<const N: usize>(sql: &'static str, params: [Param; N]) -> Statement {
    Statement { sql: sql.into(), params: params.into() }
}

/// JSON text for a column that holds JSON.
fn json(value: &impl Serialize) -> Param {
    serde_json::to_string(value).map_or(Param::Null, Param::Text)
}

impl From<&str> for Param {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Param {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Param {
    fn from(value: bool) -> Self {
        Self::Integer(i64::from(value))
    }
}

impl From<i64> for Param {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<u64> for Param {
    fn from(number: u64) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<u32> for Param {
    fn from(number: u32) -> Self {
        Self::Integer(i64::from(number))
    }
}

impl From<Timestamp> for Param {
    fn from(time: Timestamp) -> Self {
        Self::Integer(time.millis())
    }
}

impl<T: Into<Param>> From<Option<T>> for Param {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
