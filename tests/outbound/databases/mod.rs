//! Tests of connections to databases, against real servers that are started here, each with a data directory and a
//! certificate authority of its own.

mod mysql;
mod mysql8;
mod postgresql;
mod recorded;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use keyfob::catalog::Catalog;
use keyfob::catalog::destinations::destinations;
use keyfob::catalog::provider::ConnectionType;
use keyfob::catalog::values::{Checked, Part, check};
use keyfob::domain::origin::Origin;
use keyfob::domain::time::Timestamp;
use keyfob::egress::{Egress, Policy};
use keyfob::ports::{Connect, Line, NetworkError};
use keyfob::probe::{self, Finding};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};
use url::Host;

use crate::ports::{RealNetwork, SeededRandom, SetClock};
use crate::probe::{IMPATIENT, PATIENT, means};

/// A database server that runs until the test ends.
pub(crate) struct Server {
    pub(crate) port: u16,
    /// The certificate authority that vouches for it under the name `localhost`, as PEM.
    ca: Vec<u8>,
    _process: Child,
}

impl Server {
    /// Starts a script of `tests/databases`; it stops its server when this process is gone.
    pub(crate) fn start(script: &str, arguments: &[&str]) -> Self {
        let port = free_port();
        let mut process = Command::new("bash")
            .arg(Path::new("tests/databases").join(script))
            .arg(port.to_string())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ca = line.trim().strip_prefix("ready ").unwrap_or_else(|| panic!("{script} did not start its server"));
        Self { port, ca: std::fs::read(ca).unwrap(), _process: process }
    }
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// TCP that is real, with TLS that verifies as the platform's does, trusting these authorities and no other.
pub(crate) struct Lines(Arc<ClientConfig>);

impl Lines {
    pub(crate) fn trusting(ca: &[u8]) -> Self {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(ca) {
            roots.add(certificate.unwrap()).unwrap();
        }
        let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
        Self(Arc::new(config.with_no_client_auth()))
    }
}

#[async_trait]
impl Connect for Lines {
    async fn connect(&self, host: &Host, port: u16) -> Result<Box<dyn Line>, NetworkError> {
        let host = host.to_string();
        let stream = TcpStream::connect((host.as_str(), port)).await.map_err(|_| NetworkError)?;
        Ok(Box::new(Plain { stream, host, config: Arc::clone(&self.0) }))
    }
}

struct Plain {
    stream: TcpStream,
    host: String,
    config: Arc<ClientConfig>,
}

struct Secure(tokio_rustls::client::TlsStream<TcpStream>);

async fn send(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> Result<(), NetworkError> {
    stream.write_all(bytes).await.map_err(|_| NetworkError)?;
    stream.flush().await.map_err(|_| NetworkError)
}

async fn receive(stream: &mut (impl AsyncRead + Unpin)) -> Result<Bytes, NetworkError> {
    let mut bytes = BytesMut::with_capacity(4096);
    stream.read_buf(&mut bytes).await.map_err(|_| NetworkError)?;
    Ok(bytes.freeze())
}

#[async_trait]
impl Line for Plain {
    async fn send(&mut self, bytes: &[u8]) -> Result<(), NetworkError> {
        send(&mut self.stream, bytes).await
    }

    async fn receive(&mut self) -> Result<Bytes, NetworkError> {
        receive(&mut self.stream).await
    }

    async fn start_tls(self: Box<Self>) -> Result<Box<dyn Line>, NetworkError> {
        let name = ServerName::try_from(self.host).map_err(|_| NetworkError)?;
        let stream = TlsConnector::from(self.config).connect(name, self.stream).await;
        Ok(Box::new(Secure(stream.map_err(|_| NetworkError)?)))
    }
}

#[async_trait]
impl Line for Secure {
    async fn send(&mut self, bytes: &[u8]) -> Result<(), NetworkError> {
        send(&mut self.0, bytes).await
    }

    async fn receive(&mut self) -> Result<Bytes, NetworkError> {
        receive(&mut self.0).await
    }

    async fn start_tls(self: Box<Self>) -> Result<Box<dyn Line>, NetworkError> {
        panic!("TLS within TLS")
    }
}

fn connection_type(provider: &str) -> &'static ConnectionType {
    Catalog::embedded().connection_type(provider, "password").unwrap()
}

/// Values of a connection to this port, as they come through the door, with some of them replaced.
fn values(provider: &str, port: u16, replaced: &Value) -> Result<Checked, Vec<String>> {
    let mut settings =
        json!({ "host": "localhost", "port": port, "database": "app", "user": "scram" }).as_object().unwrap().clone();
    settings.extend(replaced.as_object().unwrap().clone());
    let password = settings.remove("password").unwrap_or_else(|| json!("right"));
    let secrets = serde_json::from_value(json!({ "password": password })).unwrap();
    check(connection_type(provider), settings.into_iter().collect(), secrets, (Part::Whole, false))
        .map_err(|problems| problems.into_iter().map(|of| format!("{} {}", of.pointer, of.code)).collect())
}

/// Tests a connection.
async fn test(provider: &str, lines: Lines, port: u16, replaced: &Value, patience: Duration) -> Finding {
    let Checked { settings, secrets } =
        values(provider, port, replaced).unwrap_or_else(|problems| panic!("{problems:?}"));
    let of = connection_type(provider);
    let origins: BTreeSet<Origin> = destinations(of, &settings, &secrets).unwrap();
    let clock = SetClock::at(Timestamp::from_millis(0)).with_patience(patience);
    let policy = Policy { allow_private_network: true };
    let egress = Egress::new((Arc::new(RealNetwork::new()), Arc::new(lines)), Arc::new(clock), policy);
    probe::test(means(&egress, &SeededRandom::default()), of, &settings, &secrets, &origins).await
}

impl Server {
    /// Tests a connection to it, with some of its values replaced: verdict and reason.
    async fn ask(&self, provider: &str, replaced: &Value) -> (&'static str, &'static str) {
        words(&self.find(provider, replaced).await)
    }

    async fn find(&self, provider: &str, replaced: &Value) -> Finding {
        test(provider, Lines::trusting(&self.ca), self.port, replaced, PATIENT).await
    }
}

fn words(finding: &Finding) -> (&'static str, &'static str) {
    (finding.verdict.as_str(), finding.reason.map_or("", |reason| reason.as_str()))
}

const VALID: (&str, &str) = ("valid", "");
const REJECTED: (&str, &str) = ("invalid", "rejected");

/// What becomes of single values at the door: a field, a value, and the value as it is kept or the code of the refusal.
fn door(provider: &str, cases: &[(&str, Value, Result<Value, &str>)]) {
    for (field, value, expected) in cases {
        let found = values(provider, 5432, &json!({ *field: value })).map(|checked| checked.settings[*field].clone());
        let expected = expected.clone().map_err(|code| vec![format!("/settings/{field} {code}")]);
        assert_eq!(found, expected, "{field} {value}");
    }
}

/// Nobody listens there, or somebody who says nothing.
async fn absent(provider: &str) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = listener.local_addr().unwrap().port();
    for port in [free_port(), silent] {
        let found = test(provider, Lines::trusting(b""), port, &json!({}), IMPATIENT).await;
        assert_eq!(words(&found), ("unknown", "unreachable"));
    }
}
