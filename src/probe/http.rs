//! The declarative test: one call that the provider file describes, and what its answer says. It knows how a test goes,
//! not what any provider is.

use std::collections::BTreeSet;

use ::http::header::{ACCEPT, HeaderValue, USER_AGENT};

use super::verdict::{Evidence, Ruling};
use super::{Finding, facts};
use crate::catalog::file::{Call, ConnectionType, SideEffect, Test};
use crate::catalog::request::{self, Credential};
use crate::catalog::statuses::Statuses;
use crate::domain::origin::Origin;
use crate::domain::reason::Reason;
use crate::domain::values::{Secrets, Settings};
use crate::domain::verdict::Verdict;
use crate::egress::{Answer, Egress};

/// What the outside sees as the sender.
const AGENT: HeaderValue = HeaderValue::from_static(concat!("Keyfob/", env!("CARGO_PKG_VERSION")));

/// A connection whose test is under way.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) egress: &'a Egress,
    pub(super) connection_type: &'a ConnectionType,
    pub(super) settings: &'a Settings,
    pub(super) secrets: &'a Secrets,
    /// The only origins that get to see a secret.
    pub(super) destinations: &'a BTreeSet<Origin>,
}

/// Tests a connection without any visible effect at the provider. The whole test, comparison included, takes no
/// longer than one exchange may.
///
/// `unknown` / `no_test` where the type has no test, or a field that its test needs has no value.
pub async fn test(
    egress: &Egress,
    connection_type: &ConnectionType,
    settings: &Settings,
    secrets: &Secrets,
    destinations: &BTreeSet<Origin>,
) -> Finding {
    let subject = Subject { egress, connection_type, settings, secrets, destinations };
    let harmless = |test: &&Test| test.side_effect != SideEffect::Visible;
    let Some(test) = connection_type.test.as_ref().filter(harmless) else {
        return Ruling::unknown(Reason::NoTest).into();
    };
    match egress.in_time(subject.find(test)).await {
        Ok(Ok(finding)) => finding,
        Ok(Err(ruling)) => ruling.into(),
        Err(timeout) => Ruling::from(timeout).into(),
    }
}

impl Subject<'_> {
    /// Calls, judges, and where the file asks for it calls again without the credential.
    async fn find(self, test: &Test) -> Result<Finding, Ruling> {
        // A list that is none expects nothing: it must not widen what counts as valid.
        let expected = request::expected(test, self.settings).map_err(|_| Ruling::MISSING)?;
        let answer = self.call(&test.call, Credential::Sent).await?;
        let evidence = evidence(&answer, test, expected.clone());
        let ruling = evidence.judge();
        if ruling.verdict.is_usable() && test.compare_without_credential {
            self.compare(ruling.verdict, test, expected).await?;
        }
        let mut finding = Finding::from(ruling);
        if let (Verdict::Valid, Some(json)) = (ruling.verdict, evidence.json()) {
            finding.facts = facts::pick(json, &test.facts, self.secrets);
        }
        Ok(finding)
    }

    /// Refuses a verdict that an anonymous call gets as well, or a better one: then the credential was not what decided.
    /// A call that got no useful answer shows nothing either way.
    async fn compare(self, verdict: Verdict, test: &Test, expected: Option<Statuses>) -> Result<(), Ruling> {
        let anonymous = self.call(&test.call, Credential::Withheld).await?;
        let ruling = evidence(&anonymous, test, expected).judge();
        if ruling.verdict == Verdict::Valid || ruling.verdict == verdict {
            return Err(Ruling::unknown(Reason::CredentialNotChecked));
        }
        match ruling.reason {
            Some(Reason::RateLimited | Reason::Unreachable | Reason::Timeout) => Err(ruling),
            _ => Ok(()),
        }
    }

    /// Sends one call.
    ///
    /// # Errors
    /// What no answer means: a value is missing, the call does not exist for these values, or nobody answered.
    pub(super) async fn call(self, call: &Call, credential: Credential) -> Result<Answer, Ruling> {
        let rendered = request::call(self.connection_type, call, self.settings, self.secrets, credential);
        // A value that does not fit its place is as good as none.
        let mut outbound = rendered.map_err(|_| Ruling::MISSING)?.ok_or(Ruling::unknown(Reason::NoTest))?;
        outbound.headers.entry(USER_AGENT).or_insert(AGENT);
        outbound.headers.entry(ACCEPT).or_insert(HeaderValue::from_static("application/json"));
        Ok(self.egress.exchange(outbound, self.destinations).await?)
    }
}

fn evidence<'a>(answer: &Answer, test: &'a Test, expected: Option<Statuses>) -> Evidence<'a> {
    Evidence::new(answer.status.as_u16(), answer.body().ok(), &test.rules, expected)
}
