//! The one batch of a change: all of it or nothing, and an answer even when the database's answer was lost.

use crate::domain::id::OperationId;
use crate::ports::{Database, DatabaseError, Statement};

use super::{Query, StoreError, optional, statement};

/// What refused a commit. Nothing of it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflict {
    /// Somebody else made this version of the connection first.
    Version,
    /// Another connection of the same environment and customer has this stable key.
    StableKey,
    /// The same request with the same idempotency key was answered meanwhile.
    Idempotency,
    /// The origin is registered already.
    Origin,
    /// The usages of the connection are others than were read.
    Usages,
    /// A step would come to use a connection that is deleted.
    Deleted,
    /// The environment has as many webhooks as it may have.
    Webhooks,
    /// There are as many origins as there may be.
    Origins,
    /// The template is another than was read, or has other customers.
    Template,
    /// The customer has a connection under the template.
    Customer,
    /// The customer has as many connections as one may have.
    Customers,
    /// The customer has other connections than were read.
    CustomerChanged,
    /// The environment has as many signing keys as it may have.
    SigningKeys,
    /// The token was exchanged before.
    TokenUsed,
    /// The key that signed the token is gone, or its customer's sessions were ended since.
    TokenEnded,
    /// The connect link was redeemed before.
    LinkUsed,
    /// The connect link is gone, or its time is over.
    LinkEnded,
    /// Another tick summarised these resolves.
    Resolves,
    /// The master key is not the one that the database knows by its number.
    MasterKey,
}

/// Why a commit was not done.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Another change was first; nothing was done.
    #[error("conflict: {0:?}")]
    Conflict(Conflict),
    /// The database failed, and nothing was done as far as it tells.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The statements of one change. Its audit row carries the operation id; every commit has exactly one.
pub struct Commit {
    operation: OperationId,
    statements: Vec<Statement>,
}

impl Commit {
    /// Begins a commit.
    #[must_use]
    pub const fn new(operation: OperationId) -> Self {
        Self { operation, statements: Vec::new() }
    }

    /// The id that its audit row carries.
    #[must_use]
    pub const fn operation(&self) -> &OperationId {
        &self.operation
    }

    /// Puts a statement before all others: the idempotency row, so that its conflict is the one reported.
    pub fn put_first(&mut self, statement: Statement) {
        self.statements.insert(0, statement);
    }

    /// Adds a statement.
    pub fn push(&mut self, statement: Statement) {
        self.statements.push(statement);
    }

    /// Adds statements.
    pub fn extend(&mut self, statements: impl IntoIterator<Item = Statement>) {
        self.statements.extend(statements);
    }

    /// The statements alone.
    #[must_use]
    pub fn into_statements(self) -> Vec<Statement> {
        self.statements
    }

    /// Executes the batch. When the database's answer is an error, looks whether it was done all the same: the answer may
    /// have been lost, or the batch sent twice, and then its own rows are what the second one meets.
    ///
    /// # Errors
    /// When another change was first, or the database failed and the batch was not done.
    pub async fn run(self, database: &dyn Database) -> Result<(), CommitError> {
        match database.batch(self.statements).await {
            Ok(_) => Ok(()),
            Err(DatabaseError::Failed(message)) if message.contains(WRONG_KEY) => {
                Err(CommitError::Conflict(Conflict::MasterKey))
            }
            Err(error) => match find_operation(&self.operation).run(database).await {
                Ok(Some(_)) => Ok(()),
                _ => Err(refusal(error)),
            },
        }
    }
}

/// What SQLite says when the check of the master key aborts a batch.
const WRONG_KEY: &str = "NOT NULL constraint failed: key_checks.check_value";

/// What SQLite says when a guard aborts a batch: a column that is null for this reason alone, or a trigger's own words.
const GUARDS: [(&str, Conflict); 12] = [
    ("NOT NULL constraint failed: customers.connections", Conflict::CustomerChanged),
    // The template is another, or has other customers, than the batch expects.
    ("NOT NULL constraint failed: connections.customer_count", Conflict::Template),
    ("too many connections of a customer", Conflict::Customers),
    // The usages are others than the batch expects.
    ("NOT NULL constraint failed: connections.usage_count", Conflict::Usages),
    ("usage of a deleted connection", Conflict::Deleted),
    ("NOT NULL constraint failed: webhooks.environment", Conflict::Webhooks),
    ("NOT NULL constraint failed: embedded_origins.origin", Conflict::Origins),
    ("NOT NULL constraint failed: resolves.hour", Conflict::Resolves),
    ("NOT NULL constraint failed: signing_keys.environment", Conflict::SigningKeys),
    ("NOT NULL constraint failed: used_tokens.signing_key_id", Conflict::TokenEnded),
    ("NOT NULL constraint failed: used_tokens.forget_at", Conflict::TokenEnded),
    ("NOT NULL constraint failed: used_links.link_id", Conflict::LinkEnded),
];

fn refusal(error: DatabaseError) -> CommitError {
    if let DatabaseError::Failed(message) = &error
        && let Some((_, conflict)) = GUARDS.iter().find(|(guard, _)| message.contains(guard))
    {
        return CommitError::Conflict(*conflict);
    }
    let DatabaseError::Unique(columns) = &error else { return StoreError::from(error).into() };
    let conflict = match columns.as_str() {
        "events.connection_id, events.version" => Conflict::Version,
        "connections.environment, connections.customer, connections.stable_key" => Conflict::StableKey,
        "connections.template_id, connections.customer" => Conflict::Customer,
        "idempotency.caller, idempotency.route, idempotency.key" => Conflict::Idempotency,
        "embedded_origins.origin" => Conflict::Origin,
        "used_tokens.signing_key_id, used_tokens.token_id" => Conflict::TokenUsed,
        "used_links.link_id" => Conflict::LinkUsed,
        _ => return StoreError::from(error).into(),
    };
    CommitError::Conflict(conflict)
}

fn find_operation(operation: &OperationId) -> Query<Option<u64>> {
    const SQL: &str = "select seq as row from audit_events where operation_id = ?1";
    optional(statement(SQL, [operation.as_str().into()]))
}
