//! A line to a server, read in pieces of known length, and how a conversation on it may end early.

use crate::domain::reason::Reason;
use crate::egress::{EgressError, Line};

use super::verdict::Ruling;

/// Why a conversation ended early.
#[derive(Debug)]
pub(super) enum End {
    /// What the server said decides.
    Ruled(Ruling),
    /// The line did.
    Broken(EgressError),
}

impl From<Ruling> for End {
    fn from(ruling: Ruling) -> Self {
        Self::Ruled(ruling)
    }
}

impl From<EgressError> for End {
    fn from(error: EgressError) -> Self {
        Self::Broken(error)
    }
}

/// The server said something that tells nothing about the credential.
pub(super) const ODD: Ruling = Ruling::unknown(Reason::UnexpectedAnswer);

/// The server does not do TLS, or does not prove who it is.
pub(super) const NO_TLS: Ruling = Ruling::unknown(Reason::TlsFailed);

/// Without TLS the server does not go on, or wants what must not be sent.
pub(super) const NEEDS_TLS: Ruling = Ruling::unknown(Reason::TlsRequired);

/// The line, and what came on it and was not looked at yet.
pub(super) struct Wire<'a> {
    line: Line<'a>,
    come: Vec<u8>,
    /// Whether what is sent is encrypted, and the server has proved who it is.
    pub(super) is_secure: bool,
}

impl<'a> Wire<'a> {
    pub(super) const fn new(line: Line<'a>) -> Self {
        Self { line, come: Vec::new(), is_secure: false }
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<(), End> {
        Ok(self.line.send(bytes).await?)
    }

    /// The next so many bytes.
    pub(super) async fn take(&mut self, length: usize) -> Result<Vec<u8>, End> {
        while self.come.len() < length {
            self.come.extend_from_slice(&self.line.receive().await?);
        }
        let rest = self.come.split_off(length);
        Ok(std::mem::replace(&mut self.come, rest))
    }

    /// The next so many bytes, as an array.
    pub(super) async fn array<const N: usize>(&mut self) -> Result<[u8; N], End> {
        self.take(N).await?.try_into().map_err(|_| ODD.into())
    }

    /// Goes on under TLS. What came before it and was not asked for may be from anybody: then there is no going on.
    pub(super) async fn start_tls(self) -> Result<Self, End> {
        if !self.come.is_empty() {
            return Err(ODD.into());
        }
        Ok(Self { line: self.line.start_tls().await?, come: Vec::new(), is_secure: true })
    }
}

/// Splits off a text that ends with a zero byte.
pub(super) fn split_text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    let (text, rest) = bytes.split_at(end);
    Some((text, rest.get(1..)?))
}
