//! A line to a server, within the limits. It knows time and size; it does not know what is said on it.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::exchange::{Deadline, Egress, EgressError, SIZE_LIMIT};
use super::server;
use crate::domain::origin::Origin;
use crate::ports::{self, NetworkError};

/// A line that was opened, and has to come to its end before its deadline.
pub struct Line<'a> {
    wire: Box<dyn ports::Line>,
    deadline: &'a mut Deadline,
    /// Bytes that were received, whether encrypted or not.
    received: usize,
    tls: Handshake,
}

/// How far TLS is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Handshake {
    /// Not asked for, or proved by something that was received under it.
    Settled,
    /// Begun; whether it succeeds shows with the first bytes.
    Begun,
}

impl Egress {
    /// Opens a line to a server, which has to be one of the allowed origins.
    ///
    /// # Errors
    /// [`EgressError::Refused`] before anything is sent; `Unreachable` after.
    pub async fn connect<'a>(
        &self,
        deadline: &'a mut Deadline,
        origin: &Origin,
        allowed: &BTreeSet<Origin>,
    ) -> Result<Line<'a>, EgressError> {
        let (host, port) = server::check(origin, allowed, self.policy)?;
        let wire = deadline.or_late(self.connect.connect(&host, port)).await.ok_or(EgressError::Unreachable)??;
        Ok(Line { wire, deadline, received: 0, tls: Handshake::Settled })
    }
}

impl Line<'_> {
    /// Sends bytes.
    ///
    /// # Errors
    /// When the line broke or the time is over.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), EgressError> {
        let sent = self.deadline.or_late(self.wire.send(bytes)).await;
        self.known(sent)
    }

    /// Receives what has come, at least one byte.
    ///
    /// # Errors
    /// When the line broke, the other end closed it, the time is over, or more came than [`SIZE_LIMIT`].
    pub async fn receive(&mut self) -> Result<Bytes, EgressError> {
        let come = self.deadline.or_late(self.wire.receive()).await;
        let come = come.map(|come| come.and_then(|bytes| if bytes.is_empty() { Err(NetworkError) } else { Ok(bytes) }));
        let bytes = self.known(come)?;
        self.received += bytes.len();
        self.tls = Handshake::Settled;
        if self.received > SIZE_LIMIT { Err(EgressError::TooLarge) } else { Ok(bytes) }
    }

    /// Goes on under TLS. That it failed may show only with the first bytes.
    ///
    /// # Errors
    /// [`EgressError::Tls`] when it failed.
    pub async fn start_tls(self) -> Result<Self, EgressError> {
        let Self { wire, deadline, received, .. } = self;
        let wire = deadline.or_late(wire.start_tls()).await.ok_or(EgressError::Timeout)?;
        Ok(Self { wire: wire.map_err(|_| EgressError::Tls)?, deadline, received, tls: Handshake::Begun })
    }

    /// What became of a step: a host that never said anything may as well not be there.
    fn known<T>(&self, step: Option<Result<T, NetworkError>>) -> Result<T, EgressError> {
        match step {
            Some(Ok(done)) => Ok(done),
            Some(Err(NetworkError)) if self.tls == Handshake::Begun => Err(EgressError::Tls),
            None if self.received > 0 => Err(EgressError::Timeout),
            _ => Err(EgressError::Unreachable),
        }
    }
}
