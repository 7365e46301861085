//! Everything that a request may use: database, blobs, egress, clock, randomness, log, configuration.

use std::sync::Arc;

use crate::config::Config;
use crate::domain::id::{RANDOM_BYTES, RequestId};
use crate::domain::time::Timestamp;
use crate::egress::{Egress, Policy};
use crate::ports::{BlobStore, Clock, Database, Log, Network, Random, Throttle};
use crate::trace::{Trace, Traced};

/// The ports and the configuration of one isolate.
pub struct Ports {
    /// Metadata.
    pub database: Arc<dyn Database>,
    /// Encrypted secrets.
    pub blobs: Arc<dyn BlobStore>,
    /// The network, not guarded yet: the app's egress is.
    pub network: Arc<dyn Network>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// The log.
    pub log: Arc<dyn Log>,
    /// The limiter of failed authentications.
    pub throttle: Arc<dyn Throttle>,
}

/// What a request may use, with the trace of that request.
#[derive(Clone)]
pub struct App {
    /// Metadata.
    pub database: Arc<dyn Database>,
    /// Encrypted secrets.
    pub blobs: Arc<dyn BlobStore>,
    /// The guarded network.
    pub egress: Egress,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// The log.
    pub log: Arc<dyn Log>,
    /// The limiter of failed authentications.
    pub throttle: Arc<dyn Throttle>,
    /// The configuration.
    pub config: Arc<Config>,
    /// What this request does.
    pub trace: Arc<Trace>,
}

impl App {
    /// Makes what the requests of an isolate use.
    #[must_use]
    pub fn new(ports: Ports, config: Config) -> Self {
        let policy = Policy { allow_private_network: config.allow_private_network };
        let id = new_request_id(&*ports.clock, &*ports.random);
        Self {
            database: ports.database,
            blobs: ports.blobs,
            egress: Egress::new(ports.network, Arc::clone(&ports.clock), policy),
            clock: ports.clock,
            random: ports.random,
            log: ports.log,
            throttle: ports.throttle,
            config: Arc::new(config),
            trace: Arc::new(Trace::new(id)),
        }
    }

    /// The same for one request: its database and blob calls are counted in a trace of its own.
    #[must_use]
    pub fn for_request(&self) -> Self {
        let trace = Arc::new(Trace::new(new_request_id(&*self.clock, &*self.random)));
        Self {
            database: Arc::new(Traced { port: Arc::clone(&self.database), trace: Arc::clone(&trace) }),
            blobs: Arc::new(Traced { port: Arc::clone(&self.blobs), trace: Arc::clone(&trace) }),
            trace,
            ..self.clone()
        }
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Fresh randomness.
    #[must_use]
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes);
        bytes
    }
}

fn new_request_id(clock: &dyn Clock, random: &dyn Random) -> RequestId {
    let mut bytes = [0; RANDOM_BYTES];
    random.fill(&mut bytes);
    RequestId::new(clock.now(), bytes)
}
