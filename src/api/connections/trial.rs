//! The test of a draft: by its provider's call, with the tokens that its type needs.

use std::collections::BTreeSet;

use crate::app::App;
use crate::catalog::file::{Grant, Oauth};
use crate::catalog::oauth::{Client, client};
use crate::catalog::template::Template;
use crate::domain::origin::Origin;
use crate::domain::reason::Reason;
use crate::domain::values::{Secrets, Settings};
use crate::domain::verdict::Verdict;
use crate::oauth::{self, Credential};
use crate::probe::{self, Finding};

use super::lacking::Lacking;
use super::tokens::copy;
use super::values::Draft;

/// Tokens with which a draft is tried.
struct Trial {
    secrets: Secrets,
    destinations: BTreeSet<Origin>,
    granted: Vec<String>,
    missing: Vec<String>,
}

impl Draft {
    /// Tests the values, harming nothing.
    pub async fn test(&self, app: &App) -> Finding {
        let Some(file) = &self.connection_type.oauth else {
            return probe::test(app.means(), self.connection_type, &self.settings, &self.secrets, &self.destinations)
                .await;
        };
        let trial = match self.trial(app, file).await {
            Ok(trial) => trial,
            Err(lacking) => return lacking.finding(),
        };
        let (settings, secrets) = hand_over(file, (&self.settings, &self.secrets), &trial.secrets);
        let found = probe::test(app.means(), self.connection_type, &settings, &secrets, &trial.destinations).await;
        trial.judge(found)
    }

    /// Sends the message of its type; none where it has none.
    pub async fn send_message(&self, app: &App) -> Option<Finding> {
        let Self { connection_type, settings, secrets, destinations, .. } = self;
        let Some(file) = &connection_type.oauth else {
            return probe::send_message(app.means(), connection_type, settings, secrets, destinations).await;
        };
        match self.trial(app, file).await {
            Ok(trial) => {
                let (settings, secrets) = hand_over(file, (settings, secrets), &trial.secrets);
                probe::send_message(app.means(), connection_type, &settings, &secrets, &trial.destinations).await
            }
            Err(lacking) => Some(lacking.finding()),
        }
    }

    /// Whether it is of no use before a person consents at the provider.
    #[must_use]
    pub fn waits_for_consent(&self) -> bool {
        self.connection_type.oauth.as_ref().is_some_and(|oauth| oauth.grant == Grant::AuthorizationCode)
    }

    async fn trial(&self, app: &App, file: &Oauth) -> Result<Trial, Lacking> {
        match (file.grant, &self.tokens) {
            (Grant::AuthorizationCode, Some(Ok(fresh))) => Ok(Trial {
                secrets: copy(&fresh.secrets),
                destinations: fresh.destinations.clone(),
                granted: fresh.held.granted_scopes.clone(),
                missing: fresh.held.missing_scopes.clone(),
            }),
            (Grant::AuthorizationCode, Some(Err(lacking))) => Err(*lacking),
            (Grant::AuthorizationCode, None) => Err(Lacking::NotAuthorized),
            // That the client is accepted is what is to be shown: a token from before would show nothing.
            (Grant::ClientCredentials, _) => self.try_client(app).await,
        }
    }

    async fn try_client(&self, app: &App) -> Result<Trial, Lacking> {
        let client = client(self.connection_type, &self.settings, &self.secrets).ok().flatten();
        let client = client.ok_or(Lacking::NotAuthorized)?;
        let obtained = self.obtain(app, &client).await.map_err(Lacking::Failed)?;
        let granted = obtained.scopes.unwrap_or_else(|| client.scopes.clone());
        let missing = oauth::missing_scopes(&client, &granted);
        Ok(Trial { secrets: obtained.secrets, destinations: self.destinations.clone(), granted, missing })
    }

    async fn obtain(&self, app: &App, client: &Client<'_>) -> Result<oauth::Tokens, oauth::Failed> {
        let mut deadline = app.egress.deadline();
        let addresses = oauth::addresses(&app.egress, client, &self.destinations, &mut deadline).await?;
        let at = (&addresses.token, &self.destinations);
        oauth::obtain(&app.egress, client, at, &Credential::Client, &mut deadline).await
    }
}

impl Trial {
    /// What the test of the provider's call means of the whole. Without such a call the token speaks for itself: the provider
    /// gave it, and it lives.
    fn judge(self, found: Finding) -> Finding {
        let found = if found.reason == Some(Reason::NoTest) { Finding::bare(Verdict::Valid, None) } else { found };
        let found = if found.verdict == Verdict::Valid && !self.missing.is_empty() {
            Finding { verdict: Verdict::Limited, reason: Some(Reason::InsufficientScope), ..found }
        } else {
            found
        };
        if !found.verdict.is_usable() {
            return found;
        }
        let granted_scopes = if found.granted_scopes.is_empty() { self.granted } else { found.granted_scopes };
        Finding { granted_scopes, missing_scopes: self.missing, ..found }
    }
}

/// The values as requests get them: with the tokens, and without what only the authorization server sees.
#[must_use]
pub fn hand_over(file: &Oauth, (settings, secrets): (&Settings, &Secrets), tokens: &Secrets) -> (Settings, Secrets) {
    let client: BTreeSet<&str> = file.client_secret.iter().flat_map(Template::holes).collect();
    let mut settings = settings.clone();
    let own = secrets.0.iter().filter(|(field, _)| !client.contains(field.as_str()));
    let mut secrets: Secrets = own.map(|(field, secret)| (field.clone(), secret.copy())).collect();
    for name in file.provides() {
        let Some(token) = tokens.0.get(name) else { continue };
        match file.answer.keep.get(name).filter(|kept| !kept.secret) {
            Some(_) => drop(settings.insert(name.to_owned(), token.expose_secret().into())),
            None => drop(secrets.0.insert(name.to_owned(), token.copy())),
        }
    }
    (settings, secrets)
}
