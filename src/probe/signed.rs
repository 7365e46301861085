//! How a request is signed before it is sent, by the scheme of its connection type. It knows which schemes there are; each
//! is a file of its own.

use std::borrow::Cow;

use super::http::{SECOND_TRY, Subject};
use super::verdict::{Evidence, Ruling};
use super::{aws_sigv4, jwt};
use crate::catalog::file::Rule;
use crate::catalog::signing::{AwsKeys, AwsRole, AwsSigv4, GoogleServiceAccount, Signing, signing};
use crate::domain::reason::Reason;
use crate::egress::Deadline;
use crate::ports::Outbound;

/// A key was checked when it was entered; should it not sign, it is as good as none.
const UNSIGNED: Ruling = Ruling::MISSING;

impl Subject<'_> {
    /// Signs a request, where its connection type does: first obtaining what it is signed with, where that takes a request
    /// of its own.
    ///
    /// # Errors
    /// What it means that this cannot be obtained.
    pub(super) async fn authenticate(self, outbound: &mut Outbound, deadline: &mut Deadline) -> Result<(), Ruling> {
        let signing = signing(self.connection_type, self.settings, self.secrets).map_err(|_| Ruling::MISSING)?;
        match &signing {
            None => Ok(()),
            Some(Signing::AwsSigv4(scheme)) => self.sign_aws(scheme, outbound, deadline).await,
            Some(Signing::GoogleServiceAccount(scheme)) => self.bear_google(scheme, outbound, deadline).await,
            Some(Signing::SnowflakeKeyPair(scheme)) => {
                let token = jwt::snowflake(self.sign, scheme, self.egress.now()).await.ok_or(UNSIGNED)?;
                jwt::bear(outbound, &token).ok_or(UNSIGNED)
            }
        }
    }

    /// Exchanges a signed token for an access token, which the request bears. A test that calls where tokens are exchanged
    /// is the exchange itself. A refusal means what the rules of the file say of it.
    async fn bear_google(
        self,
        scheme: &GoogleServiceAccount,
        outbound: &mut Outbound,
        deadline: &mut Deadline,
    ) -> Result<(), Ruling> {
        let exchange = jwt::google_exchange(self.sign, scheme, self.egress.now()).await.ok_or(UNSIGNED)?;
        if outbound.url == exchange.url {
            *outbound = exchange;
            return Ok(());
        }
        let answer = self.send(exchange, deadline).await?;
        let told: Option<serde_json::Value> = answer.body().ok().and_then(|body| serde_json::from_slice(body).ok());
        let token = told.as_ref().and_then(|told| told.get("access_token")?.as_str());
        match token.filter(|_| answer.status.is_success()) {
            Some(token) => jwt::bear(outbound, token).ok_or(Ruling::unknown(Reason::UnexpectedAnswer)),
            None if answer.status.is_success() => Err(Ruling::unknown(Reason::UnexpectedAnswer)),
            None => Err(Evidence::new(&answer, self.rules(), None).judge()),
        }
    }

    fn rules(&self) -> &[Rule] {
        self.connection_type.test.as_ref().map_or(&[], |test| &test.rules)
    }

    async fn sign_aws(self, scheme: &AwsSigv4, outbound: &mut Outbound, deadline: &mut Deadline) -> Result<(), Ruling> {
        let role_keys = match &scheme.role {
            Some(role) => Some(self.assume(scheme, role, outbound, deadline).await?),
            None => None,
        };
        let keys = role_keys.as_ref().unwrap_or(&scheme.keys);
        self.sign_with(keys, scheme, outbound)
    }

    fn sign_with(self, keys: &AwsKeys, scheme: &AwsSigv4, outbound: &mut Outbound) -> Result<(), Ruling> {
        let scope = (scheme.region.as_str(), scheme.service.as_str());
        aws_sigv4::sign(outbound, keys, scope, self.egress.now()).ok_or(Ruling::MISSING)
    }

    /// Assumes a role, where the test's call goes. A refusal means what it means of the call itself.
    async fn assume(
        self,
        scheme: &AwsSigv4,
        role: &AwsRole,
        outbound: &Outbound,
        deadline: &mut Deadline,
    ) -> Result<AwsKeys, Ruling> {
        let mut tried = false;
        loop {
            let mut request = aws_sigv4::assume_role(role, &outbound.url);
            self.sign_with(&scheme.keys, scheme, &mut request)?;
            let answer = self.send(request, deadline).await?;
            let text = answer.body().map_or(Cow::Borrowed(""), String::from_utf8_lossy);
            if answer.status.is_success() {
                return aws_sigv4::role_keys(&text).ok_or(Ruling::unknown(Reason::UnexpectedAnswer));
            }
            let evidence = Evidence::new(&answer, self.rules(), None);
            if tried || !evidence.wants_second_try() {
                return Err(evidence.judge());
            }
            tried = true;
            self.egress.pause(SECOND_TRY).await;
        }
    }
}
