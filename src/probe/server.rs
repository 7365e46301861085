//! The test of a server: the line, the conversation of its protocol, and what the two come to. It knows no protocol.

use std::collections::BTreeSet;

use super::facts::fact;
use super::verdict::Ruling;
use super::wire::{End, NO_TLS, ODD, Wire};
use super::{Finding, Means, mysql, postgresql};
use crate::catalog::reach::{Protocol, ServerTemplate};
use crate::catalog::server::{Server, render};
use crate::domain::origin::Origin;
use crate::domain::reason::Reason;
use crate::domain::values::{Secrets, Settings};
use crate::domain::verdict::Verdict;
use crate::egress::{Deadline, Egress, EgressError};
use crate::ports::{Random, Unicode};

/// Where a conversation leads, and with whom it is.
#[derive(Clone, Copy)]
pub(super) struct Guest<'a> {
    /// Whom to be, and how.
    pub(super) server: &'a Server,
    /// For what must never repeat.
    pub(super) random: &'a dyn Random,
    /// For what is hashed after it was brought into one spelling.
    pub(super) unicode: &'a dyn Unicode,
}

/// Tests a connection to a server as its protocol does.
pub(super) async fn test(
    Means { egress, random, unicode, .. }: Means<'_>,
    template: &ServerTemplate,
    settings: &Settings,
    secrets: &Secrets,
    destinations: &BTreeSet<Origin>,
) -> Finding {
    // A value that does not fit its place is as good as none.
    let Ok(server) = render(template, settings, secrets) else { return Ruling::MISSING.into() };
    let mut deadline = egress.deadline();
    let guest = Guest { server: &server, random, unicode };
    let version = match speak(egress, &mut deadline, guest, destinations).await {
        Ok(version) => version,
        Err(End::Ruled(ruling)) => return ruling.into(),
        Err(End::Broken(error)) => return broken(error, &mut deadline).await.into(),
    };
    let mut finding = Finding::from(Ruling { verdict: Verdict::Valid, reason: None });
    let version = version.and_then(|version| fact(&version, secrets));
    finding.facts.extend(version.map(|version| ("server_version".to_owned(), version)));
    finding
}

/// Signs in, asks for a sign of life, and leaves. Tells the version of the server.
async fn speak(
    egress: &Egress,
    deadline: &mut Deadline,
    guest: Guest<'_>,
    destinations: &BTreeSet<Origin>,
) -> Result<Option<String>, End> {
    let line = egress.connect(deadline, &guest.server.origin, destinations).await?;
    match guest.server.protocol {
        Protocol::Postgresql => postgresql::speak(Wire::new(line), guest).await,
        Protocol::Mysql => mysql::speak(Wire::new(line), guest).await,
    }
}

/// What a line that broke means. That nobody answered is told when the deadline has passed, not before: how long it took
/// would tell a host that is refused or absent from one that is filtered.
async fn broken(error: EgressError, deadline: &mut Deadline) -> Ruling {
    match error {
        EgressError::Tls => NO_TLS,
        EgressError::Timeout => Ruling::unknown(Reason::Timeout),
        EgressError::TooLarge => ODD,
        EgressError::Refused(_) | EgressError::Unreachable => {
            deadline.passed().await;
            Ruling::unknown(Reason::Unreachable)
        }
    }
}
