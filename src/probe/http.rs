//! The declarative test: one call that the provider file describes, and what its answer says. It knows how a test goes,
//! not what any provider is.

use std::collections::BTreeSet;
use std::time::Duration;

use ::http::header::{ACCEPT, HeaderValue, USER_AGENT};

use super::facts::Told;
use super::verdict::{Evidence, Ruling};
use super::{Finding, Means};
use crate::catalog::file::{Call, Test};
use crate::catalog::provider::ConnectionType;
use crate::catalog::request::{self, Credential};
use crate::catalog::statuses::Statuses;
use crate::domain::origin::Origin;
use crate::domain::reason::Reason;
use crate::domain::values::{Secrets, Settings};
use crate::domain::verdict::Verdict;
use crate::egress::{Answer, Deadline, Egress, EgressError, UNREACHED};
use crate::ports::{Outbound, Sign};

/// What the outside sees as the sender.
const AGENT: HeaderValue = HeaderValue::from_static(concat!("Keyfob/", env!("CARGO_PKG_VERSION")));

/// A connection whose test is under way.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) egress: &'a Egress,
    pub(super) sign: &'a dyn Sign,
    pub(super) connection_type: &'a ConnectionType,
    pub(super) settings: &'a Settings,
    pub(super) secrets: &'a Secrets,
    /// The only origins that get to see a secret.
    pub(super) destinations: &'a BTreeSet<Origin>,
}

/// Tests a connection by the call that its file describes, comparison included.
pub(super) async fn test(
    Means { egress, sign, .. }: Means<'_>,
    connection_type: &ConnectionType,
    settings: &Settings,
    secrets: &Secrets,
    destinations: &BTreeSet<Origin>,
) -> Finding {
    let subject = Subject { egress, sign, connection_type, settings, secrets, destinations };
    let Some(test) = connection_type.harmless_test() else {
        return Ruling::unknown(Reason::NoTest).into();
    };
    subject.find(test, &mut egress.deadline()).await.unwrap_or_else(Finding::from)
}

impl Subject<'_> {
    /// Calls, judges, and where the file asks for it calls again without the credential.
    async fn find(self, test: &Test, deadline: &mut Deadline) -> Result<Finding, Ruling> {
        // A list that is none expects nothing: it must not widen what counts as valid.
        let expected = request::expected(test, self.settings).map_err(|_| Ruling::MISSING)?;
        let answer = self.ask(test, Credential::Sent, expected.clone(), deadline).await?;
        let evidence = Evidence::new(&answer, &test.rules, expected.clone());
        let ruling = evidence.judge();
        if ruling.verdict.is_usable() && test.compare_without_credential {
            self.compare(ruling.verdict, test, expected, deadline).await?;
        }
        let mut finding = Finding::from(ruling);
        if ruling.verdict.is_usable() {
            // The body of a limited answer is about what is lacking.
            let is_whole = ruling.verdict == Verdict::Valid;
            let json = evidence.json().filter(|_| is_whole);
            let body = evidence.text().filter(|_| is_whole);
            let told = Told { json, text: body, headers: &answer.headers, secrets: self.secrets };
            finding.facts = told.facts(&test.facts);
            finding.granted_scopes = test.granted_scopes.as_ref().map(|place| told.scopes(place)).unwrap_or_default();
            finding.expires_at = test.expires_at.as_ref().and_then(|place| told.time(place));
        }
        Ok(finding)
    }

    /// Makes the call of a test, or the one that stands in for it, and where its file says so a second time.
    async fn ask(
        self,
        test: &Test,
        credential: Credential,
        expected: Option<Statuses>,
        deadline: &mut Deadline,
    ) -> Result<Answer, Ruling> {
        let mut tried = false;
        loop {
            let answer = match (self.call(&test.call, credential, deadline).await, &test.else_call) {
                (Err(Ruling::NO_CALL), Some(call)) => self.call(call, credential, deadline).await,
                (asked, _) => asked,
            }?;
            if tried || !Evidence::new(&answer, &test.rules, expected.clone()).wants_second_try() {
                return Ok(answer);
            }
            tried = true;
            self.egress.pause(SECOND_TRY).await;
        }
    }

    /// Refuses a verdict that an anonymous call gets as well, or a better one: then the credential was not what decided.
    /// A call that got no useful answer shows nothing either way.
    async fn compare(
        self,
        verdict: Verdict,
        test: &Test,
        expected: Option<Statuses>,
        deadline: &mut Deadline,
    ) -> Result<(), Ruling> {
        let anonymous = self.ask(test, Credential::Withheld, expected.clone(), deadline).await?;
        let ruling = Evidence::new(&anonymous, &test.rules, expected).judge();
        if ruling.verdict == Verdict::Valid || ruling.verdict == verdict {
            return Err(Ruling::unknown(Reason::CredentialNotChecked));
        }
        match ruling.reason {
            Some(Reason::RateLimited | Reason::Unreachable | Reason::Timeout) => Err(ruling),
            _ => Ok(()),
        }
    }

    /// Sends one call. That nobody answered is told when the deadline has passed, not before: how long it took would
    /// tell a host that is refused or absent from one that is filtered.
    ///
    /// # Errors
    /// What no answer means: a value is missing, the call does not exist for these values, or nobody answered.
    pub(super) async fn call(
        self,
        call: &Call,
        credential: Credential,
        deadline: &mut Deadline,
    ) -> Result<Answer, Ruling> {
        let rendered = request::call(self.connection_type, call, self.settings, self.secrets, credential);
        // A value that does not fit its place is as good as none.
        let mut outbound = rendered.map_err(|_| Ruling::MISSING)?.ok_or(Ruling::NO_CALL)?;
        if credential == Credential::Sent {
            self.authenticate(&mut outbound, deadline).await?;
        }
        self.send(outbound, deadline).await
    }

    /// Sends one request, whatever it is for.
    ///
    /// # Errors
    /// What no answer means.
    pub(super) async fn send(self, mut outbound: Outbound, deadline: &mut Deadline) -> Result<Answer, Ruling> {
        outbound.headers.entry(USER_AGENT).or_insert(AGENT);
        outbound.headers.entry(ACCEPT).or_insert(HeaderValue::from_static("application/json"));
        match self.egress.exchange_before(deadline, outbound, self.destinations).await {
            Ok(answer) if !UNREACHED.contains(&answer.status.as_u16()) => Ok(answer),
            Err(EgressError::Timeout) => Err(Ruling::unknown(Reason::Timeout)),
            _ => {
                deadline.passed().await;
                Err(Ruling::unknown(Reason::Unreachable))
            }
        }
    }
}

/// How long is waited before a second try: AWS may refuse a right key for so long after a wrong one of the same id.
pub(super) const SECOND_TRY: Duration = Duration::from_secs(5);
