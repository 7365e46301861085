//! Everything that a request may use: database, blobs, static files, egress, clock, randomness, log, configuration.

pub mod deferred;
pub mod uses;

use std::sync::Arc;

use crate::config::Config;
use crate::domain::attention::Radar;
use crate::domain::id::{RANDOM_BYTES, RequestId};
use crate::domain::time::Timestamp;
use crate::egress::{Egress, Policy};
use crate::people::SignIn;
use crate::ports::{Assets, BlobStore, Clock, Connect, Database, Log, Network, Random, Sign, Throttle, Unicode};
use crate::probe::Means;
use crate::trace::{Trace, Traced};
use crate::vault::{KeyRing, KeyRingError};

use deferred::Deferred;
use uses::Uses;

/// The ports and the configuration of one isolate.
pub struct Ports {
    /// Metadata.
    pub database: Arc<dyn Database>,
    /// Encrypted secrets.
    pub blobs: Arc<dyn BlobStore>,
    /// What is deployed beside the Worker.
    pub assets: Arc<dyn Assets>,
    /// The network, not guarded yet: the app's egress is.
    pub network: Arc<dyn Network>,
    /// TCP, likewise.
    pub connect: Arc<dyn Connect>,
    /// Public-key signatures.
    pub sign: Arc<dyn Sign>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Unicode.
    pub unicode: Arc<dyn Unicode>,
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
    /// What is deployed beside the Worker.
    pub assets: Arc<dyn Assets>,
    /// The guarded network.
    pub egress: Egress,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Unicode.
    pub unicode: Arc<dyn Unicode>,
    /// Public-key signatures.
    pub sign: Arc<dyn Sign>,
    /// The log.
    pub log: Arc<dyn Log>,
    /// The limiter of failed authentications.
    pub throttle: Arc<dyn Throttle>,
    /// Sign-in through Cloudflare Access, where it is configured.
    pub sign_in: Option<Arc<SignIn>>,
    /// The configuration.
    pub config: Arc<Config>,
    /// What this request does.
    pub trace: Arc<Trace>,
    /// What this request leaves for after its answer.
    pub deferred: Deferred,
    /// What this isolate counts.
    pub uses: Arc<Uses>,
}

impl App {
    /// Makes what the requests of an isolate use.
    #[must_use]
    pub fn new(ports: Ports, config: Config) -> Self {
        let policy = Policy { allow_private_network: config.allow_private_network };
        let id = new_request_id(&*ports.clock, &*ports.random);
        let egress = Egress::new((ports.network, ports.connect), Arc::clone(&ports.clock), policy);
        let sign_in = config.access.clone().map(|settings| {
            Arc::new(SignIn::new(settings, egress.clone(), Arc::clone(&ports.clock), Arc::clone(&ports.sign)))
        });
        Self {
            database: ports.database,
            blobs: ports.blobs,
            assets: ports.assets,
            egress,
            clock: ports.clock,
            random: ports.random,
            unicode: ports.unicode,
            sign: ports.sign,
            log: ports.log,
            throttle: ports.throttle,
            sign_in,
            config: Arc::new(config),
            uses: Arc::new(Uses::new(id.to_string())),
            trace: Arc::new(Trace::new(id)),
            deferred: Deferred::default(),
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
            deferred: Deferred::default(),
            ..self.clone()
        }
    }

    /// The master keys.
    ///
    /// # Errors
    /// When they are missing or malformed.
    pub fn ring(&self) -> Result<&KeyRing, &KeyRingError> {
        self.config.ring.as_ref()
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What the test of a connection needs.
    #[must_use]
    pub fn means(&self) -> Means<'_> {
        Means { egress: &self.egress, random: &*self.random, unicode: &*self.unicode, sign: &*self.sign }
    }

    /// What dates are seen from: now, as far as the configured horizon.
    #[must_use]
    pub fn radar(&self) -> Radar {
        Radar { now: self.now(), horizon: self.config.horizon }
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
