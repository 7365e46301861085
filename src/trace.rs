//! What one request did, for its log line: round trips, rows read, who asked. Never a value.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;

use crate::domain::id::RequestId;
use crate::ports::{BlobError, BlobStore, Database, DatabaseError, Keys, Rows, Statement};

/// The trace of one request.
#[derive(Debug)]
pub struct Trace {
    /// The id that the answer carries.
    pub id: RequestId,
    /// Calls of the database.
    pub database_calls: AtomicU64,
    /// Statements that they held.
    pub statements: AtomicU64,
    /// Calls of the blob store.
    pub blob_calls: AtomicU64,
    /// Rows that the database read.
    pub rows_read: AtomicU64,
    /// The caller's id, once known.
    pub caller: OnceLock<String>,
    /// Why a token was refused, in words that tell nothing of it.
    pub refusal: OnceLock<String>,
    /// The origin of the page that asks, once it is known to be registered.
    pub registered_origin: OnceLock<String>,
}

impl Trace {
    /// Begins the trace of a request.
    #[must_use]
    pub const fn new(id: RequestId) -> Self {
        Self {
            id,
            database_calls: AtomicU64::new(0),
            statements: AtomicU64::new(0),
            blob_calls: AtomicU64::new(0),
            rows_read: AtomicU64::new(0),
            caller: OnceLock::new(),
            refusal: OnceLock::new(),
            registered_origin: OnceLock::new(),
        }
    }
}

/// A port that counts what a request asks of it.
pub struct Traced<P: ?Sized> {
    /// The port.
    pub port: Arc<P>,
    /// Where to count.
    pub trace: Arc<Trace>,
}

#[async_trait]
impl Database for Traced<dyn Database> {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, DatabaseError> {
        self.trace.database_calls.fetch_add(1, Ordering::Relaxed);
        self.trace.statements.fetch_add(u64::try_from(statements.len()).unwrap_or(u64::MAX), Ordering::Relaxed);
        let rows = self.port.batch(statements).await?;
        self.trace.rows_read.fetch_add(rows.iter().map(|rows| rows.rows_read).sum(), Ordering::Relaxed);
        Ok(rows)
    }
}

#[async_trait]
impl BlobStore for Traced<dyn BlobStore> {
    async fn put(&self, key: &str, blob: Vec<u8>) -> Result<(), BlobError> {
        self.trace.blob_calls.fetch_add(1, Ordering::Relaxed);
        self.port.put(key, blob).await
    }

    async fn get(&self, key: &str, cache: Option<Duration>) -> Result<Option<Vec<u8>>, BlobError> {
        self.trace.blob_calls.fetch_add(1, Ordering::Relaxed);
        self.port.get(key, cache).await
    }

    async fn delete(&self, key: &str) -> Result<(), BlobError> {
        self.trace.blob_calls.fetch_add(1, Ordering::Relaxed);
        self.port.delete(key).await
    }

    async fn list(&self, cursor: Option<&str>) -> Result<Keys, BlobError> {
        self.trace.blob_calls.fetch_add(1, Ordering::Relaxed);
        self.port.list(cursor).await
    }
}
