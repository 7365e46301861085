//! What Keyfob needs from the world: a database, a blob store, static files, the network, signatures, time, randomness,
//! a log.
//!
//! Each trait has a thin implementation in `platform` (Workers) and another in the tests. Faults are injected by
//! wrapping them.

use std::borrow::Cow;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use http::{HeaderMap, Method, StatusCode};
use url::{Host, Url};

use crate::domain::time::Timestamp;

/// A value bound to a numbered parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Param {
    /// SQL `null`.
    Null,
    /// An integer within ±2^53: the platform binds it as a double.
    Integer(i64),
    /// A text.
    Text(String),
}

/// One SQL statement with its parameters.
///
/// A statement that reads returns one column, a JSON text: one crossing between JS and wasm a row, whatever its width.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The SQL, lower case, numbered parameters.
    pub sql: Cow<'static, str>,
    /// The parameters, `?1` first.
    pub params: Vec<Param>,
}

/// What one statement returned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    /// The JSON text of each row.
    pub rows: Vec<String>,
    /// Rows that the database read, indexes included.
    pub rows_read: u64,
}

/// Why a batch was not done, or may not have been done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseError {
    /// A unique constraint refused it; nothing of the batch was done. Names the columns: `table.column, table.column`.
    #[error("unique constraint on {0}")]
    Unique(String),
    /// Anything else. The batch may have been done all the same.
    #[error("database: {0}")]
    Failed(String),
}

/// An SQLite database that executes batches, each as one transaction.
#[async_trait]
pub trait Database: Send + Sync {
    /// Executes the statements as one transaction, in one round trip.
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, DatabaseError>;
}

/// A blob could not be stored, read, listed or deleted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("blob store: {0}")]
pub struct BlobError(pub String);

/// Some of the keys of a blob store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys {
    /// The keys; possibly none though there are more.
    pub keys: Vec<String>,
    /// Where the next page begins; none after the last.
    pub cursor: Option<String>,
}

/// A key-value store of immutable blobs. A blob that was just written may not be visible yet.
#[async_trait]
pub trait BlobStore: Send + Sync {
    /// Stores a blob. The key is its content address, so writing it twice is the same as once.
    async fn put(&self, key: &str, blob: Vec<u8>) -> Result<(), BlobError>;
    /// Reads a blob, possibly from a cache that keeps it (or its absence) for so long; `None` for the store's default.
    async fn get(&self, key: &str, cache: Option<Duration>) -> Result<Option<Vec<u8>>, BlobError>;
    /// Deletes a blob; deleting what is not there is no error.
    async fn delete(&self, key: &str) -> Result<(), BlobError>;
    /// Lists at most 1,000 keys, from the first or from a cursor on. One that was just stored may be missing, one that was
    /// just deleted may still be there.
    async fn list(&self, cursor: Option<&str>) -> Result<Keys, BlobError>;
}

/// The static files could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("static files: {0}")]
pub struct AssetError(pub String);

/// The static files that are deployed with this Worker.
#[async_trait]
pub trait Assets: Send + Sync {
    /// Reads the file at a path such as `/providers/slack.json`; `None` where there is none.
    async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, AssetError>;
}

/// A request that leaves Keyfob. It may hold secrets: it has no `Debug`.
pub struct Outbound {
    /// The method.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Bytes,
}

/// The head of an answer, and its body as it arrives, decompressed.
pub struct Inbound {
    /// The status. A redirect is an answer like any other.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: BoxStream<'static, Result<Bytes, NetworkError>>,
}

/// No answer, for whatever reason: refused, filtered and absent hosts look the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the network gave no answer")]
pub struct NetworkError;

/// The network. Nothing but the module `egress` calls it: that is where the guard stands.
#[async_trait]
pub trait Network: Send + Sync {
    /// Sends a request without following redirects.
    async fn send(&self, request: Outbound) -> Result<Inbound, NetworkError>;
}

/// A line to a server: bytes that go and come in order, without bounds between them.
#[async_trait]
pub trait Line: Send {
    /// Sends all of these bytes.
    async fn send(&mut self, bytes: &[u8]) -> Result<(), NetworkError>;
    /// Receives what has arrived, or waits for it; nothing once the other end has closed.
    async fn receive(&mut self) -> Result<Bytes, NetworkError>;
    /// Goes on under TLS. The certificate is verified against public authorities and for the host that was connected to.
    /// An error may show here, or with the first bytes that are sent or received.
    async fn start_tls(self: Box<Self>) -> Result<Box<dyn Line>, NetworkError>;
}

/// TCP. Nothing but the module `egress` calls it: that is where the guard stands.
#[async_trait]
pub trait Connect: Send + Sync {
    /// Connects, unencrypted at first.
    async fn connect(&self, host: &Host, port: u16) -> Result<Box<dyn Line>, NetworkError>;
}

/// A public key, of exactly one signature algorithm: what verifies with a key is never what a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// RSASSA-PKCS1-v1_5 with SHA-256 (`RS256`, RFC 7518, section 3.3): modulus and exponent, big-endian.
    Rs256 {
        /// The modulus.
        n: Vec<u8>,
        /// The exponent.
        e: Vec<u8>,
    },
    /// ECDSA over P-256 with SHA-256 (`ES256`, RFC 7518, section 3.4): the point; signatures are R ‖ S.
    Es256 {
        /// Its x coordinate, big-endian.
        x: [u8; 32],
        /// Its y coordinate, big-endian.
        y: [u8; 32],
    },
    /// Ed25519 (`EdDSA`, RFC 8037).
    Ed25519 {
        /// The point, encoded.
        x: [u8; 32],
    },
}

impl PublicKey {
    /// What tokens call its algorithm (RFC 7518, section 3.1; RFC 8037, section 3.1).
    #[must_use]
    pub const fn algorithm(&self) -> &'static str {
        match self {
            Self::Rs256 { .. } => "RS256",
            Self::Es256 { .. } => "ES256",
            Self::Ed25519 { .. } => "EdDSA",
        }
    }
}

/// Public-key signatures, which the platform makes and verifies faster, and in fewer bytes, than code of ours.
#[async_trait]
pub trait Sign: Send + Sync {
    /// Tells whether this is a signature of the message by the owner of the key. A key that is none verifies nothing.
    async fn verify(&self, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool;
    /// Signs a message by RSASSA-PKCS1-v1_5 with SHA-256 (`RS256`), with an RSA private key in the DER of PKCS#8. None where
    /// the key is none.
    async fn sign_rs256(&self, pkcs8: &[u8], message: &[u8]) -> Option<Vec<u8>>;
}

/// Time.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The present moment. It may stand still while code computes.
    fn now(&self) -> Timestamp;
    /// Waits.
    async fn sleep(&self, duration: Duration);
}

/// Cryptographically secure randomness.
pub trait Random: Send + Sync {
    /// Fills the buffer.
    fn fill(&self, buffer: &mut [u8]);
}

/// Unicode, as far as its tables weigh more than asking the platform for them.
pub trait Unicode: Send + Sync {
    /// The compatibility composition (NFKC) of a text.
    fn nfkc(&self, text: &str) -> String;
}

/// Where log lines go, one JSON object each.
pub trait Log: Send + Sync {
    /// Writes one line.
    fn line(&self, line: &str);
}

/// A cheap, inexact limiter of failed authentications.
#[async_trait]
pub trait Throttle: Send + Sync {
    /// Counts one failure from this address, and says whether there were too many.
    async fn too_many_failures(&self, address: &str) -> bool;
}
