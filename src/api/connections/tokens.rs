//! The OAuth tokens of a connection, fresh: renewed before they end, and exactly once, whoever asks at the same time.
//!
//! One that asks takes a lease in the database and renews; the others wait for its tokens, or go on with the old ones while they
//! live. New tokens are stored before anybody gets them. See `docs/decisions.md` for what happens when somebody dies in between.

mod stored;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::api::error::ApiError;
use crate::app::App;
use crate::catalog::destinations::destinations;
use crate::catalog::file::{Grant, Oauth};
use crate::catalog::oauth::{self as catalog_oauth, Client};
use crate::catalog::provider::ConnectionType;
use crate::domain::connection::Connection;
use crate::domain::health::Source;
use crate::domain::id::{ConnectionId, OperationId};
use crate::domain::origin::Origin;
use crate::domain::time::Timestamp;
use crate::domain::tokens::HeldTokens;
use crate::domain::values::{Secrets, Settings};
use crate::oauth::{self, Credential, Failed, Tokens};
use crate::ports::Statement;
use crate::store::sources::Sources;
use crate::store::tokens::TokensRow;
use crate::store::{self, tokens};
use crate::vault::{Digest, Entry, KeyRing};

use super::lacking::Lacking;
use super::tested::Tested;
use super::values::{self, Draft};

/// How long a renewal may take: one exchange, and storing what came of it.
const LEASE: Duration = Duration::from_secs(30);
/// While the old access token lives so long, nobody waits for a new one.
const ENOUGH: Duration = Duration::from_secs(30);
/// How long between two looks at the renewal of somebody else, and how many looks there are: 15 s, longer than an exchange.
const LOOK: Duration = Duration::from_millis(150);
const LOOKS: u32 = 100;
/// The longest pause after failures.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// Tokens that can be used now.
pub struct Fresh {
    /// The access token, and what else requests need.
    pub secrets: Secrets,
    /// Where they may be sent.
    pub destinations: BTreeSet<Origin>,
    /// What is known of them.
    pub held: HeldTokens,
}

/// What ends the pauses of those whose type obtains tokens: with other values the provider may say something else.
#[must_use]
pub fn resumed<'a>(changed: impl IntoIterator<Item = &'a Connection>) -> Option<Statement> {
    let obtains = |connection: &&Connection| values::type_of(connection).is_ok_and(|of| of.oauth.is_some());
    let changed: Vec<&ConnectionId> = changed.into_iter().filter(obtains).map(|connection| &connection.id).collect();
    if changed.is_empty() { None } else { Some(tokens::resume(&changed)) }
}

/// When tokens are renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renew {
    /// When they are due.
    Due,
    /// Never: what is tried out must not touch what is stored.
    Never,
    /// Also when they are of this generation: the provider refused it.
    Refused(u64),
}

/// A connection whose tokens are wanted, with its effective values.
pub struct Subject<'a> {
    app: &'a App,
    ring: &'a KeyRing,
    sources: &'a Sources,
    connection_type: &'static ConnectionType,
    settings: &'a Settings,
    secrets: &'a Secrets,
    client: Client<'static>,
    file: &'static Oauth,
    basis: String,
}

impl<'a> Subject<'a> {
    /// What a connection with these values obtains tokens with; none where its type does not use OAuth.
    ///
    /// # Errors
    /// 409 where a value that is needed is not there.
    pub fn new(
        (app, ring): (&'a App, &'a KeyRing),
        sources: &'a Sources,
        (settings, secrets): (&'a Settings, &'a Secrets),
    ) -> Result<Option<Self>, ApiError> {
        let connection_type = values::type_of(&sources.connection)?;
        let Some(file) = &connection_type.oauth else { return Ok(None) };
        let client = catalog_oauth::client(connection_type, settings, secrets);
        let client = client.map_err(|_| super::effective::INCOMPLETE)?.ok_or(super::effective::INCOMPLETE)?;
        let basis = basis(connection_type, &client, settings);
        Ok(Some(Self { app, ring, sources, connection_type, settings, secrets, client, file, basis }))
    }

    /// The client.
    #[must_use]
    pub const fn client(&self) -> &Client<'static> {
        &self.client
    }

    /// What the tokens belong to: the same client, at the same server, for the same destinations.
    #[must_use]
    pub fn basis(&self) -> &str {
        &self.basis
    }

    /// Where the client proves itself.
    ///
    /// # Errors
    /// When it cannot be said: a fault of ours, for the values were checked.
    pub fn allowed(&self) -> Result<BTreeSet<Origin>, ApiError> {
        destinations(self.connection_type, self.settings, self.secrets).map_err(|_| super::effective::INCOMPLETE)
    }

    /// Tokens that can be used now.
    ///
    /// # Errors
    /// When the storage failed; inside, why there are none.
    pub async fn fresh(&self, renew: Renew) -> Result<Result<Fresh, Lacking>, ApiError> {
        let mut reread: Option<Option<TokensRow>> = None;
        for look in 1..=LOOKS {
            let row = reread.as_ref().map_or(self.sources.tokens.as_ref(), Option::as_ref);
            match self.step(row, renew, look == LOOKS).await? {
                Step::Done(fresh) => return Ok(Ok(*fresh)),
                Step::Lacking(lacking) => return Ok(Err(lacking)),
                Step::Again => {}
                Step::Wait => self.app.clock.sleep(LOOK).await,
            }
            reread = Some(tokens::find(&self.owner()).run(&*self.app.database).await?);
        }
        Ok(Err(Lacking::Pending))
    }

    fn owner(&self) -> String {
        self.sources.tokens_owner()
    }

    fn connection(&self) -> &Connection {
        &self.sources.connection
    }

    async fn step(&self, row: Option<&TokensRow>, renew: Renew, is_last: bool) -> Result<Step, ApiError> {
        let now = self.app.now();
        let usable = row.filter(|row| row.held.generation > 0 && row.held.basis == self.basis);
        let is_code = self.file.grant == Grant::AuthorizationCode;
        let Some(row) = usable.or_else(|| row.filter(|_| !is_code)) else {
            if is_code {
                let is_other = row.is_some_and(|row| row.held.generation > 0);
                return Ok(Step::Lacking(if is_other { Lacking::Other } else { Lacking::NotAuthorized }));
            }
            self.prepare().await?;
            return Ok(Step::Again);
        };
        let held = &row.held;
        if held.ended_at.is_some() && is_code {
            return Ok(Step::Lacking(Lacking::Ended));
        }
        let lives = usable.is_some() && held.live_at(now);
        let is_refused = renew == Renew::Refused(held.generation);
        if lives && !is_refused && (renew == Renew::Never || !held.is_due(now)) {
            return self.use_now(row).await;
        }
        if is_code && !held.is_renewable {
            return if lives { self.use_now(row).await } else { Ok(Step::Lacking(Lacking::Ended)) };
        }
        if renew == Renew::Never {
            return Ok(Step::Lacking(Lacking::Pending));
        }
        // What was refused is not handed out again because nothing better is to be had.
        let does = lives && !is_refused;
        let is_busy = held.leased_until > now;
        if held.paused_until > now || (is_busy && ((does && held.live_at(now + ENOUGH)) || is_last)) {
            let failed = || held.failure.as_deref().and_then(Failed::parse).unwrap_or(Failed::Unreachable);
            let lacking = if is_busy { Lacking::Pending } else { Lacking::Paused(failed()) };
            return if does { self.use_now(row).await } else { Ok(Step::Lacking(lacking)) };
        }
        if is_busy {
            return Ok(Step::Wait);
        }
        self.renew(row, does).await
    }

    /// Makes something to lease, where there was nothing yet.
    async fn prepare(&self) -> Result<(), ApiError> {
        let id = &self.connection().id;
        let prepare = tokens::prepare(&self.owner(), id, &self.basis, self.app.now());
        store::run(&*self.app.database, vec![prepare]).await?;
        // A connection that was deleted meanwhile has nothing that could be prepared.
        let found = tokens::find(&self.owner()).run(&*self.app.database).await?;
        found.map(drop).ok_or(ApiError::NotFound)
    }

    async fn use_now(&self, row: &TokensRow) -> Result<Step, ApiError> {
        self.open(row).await.map(|fresh| Step::Done(Box::new(fresh)))
    }

    /// Opens tokens that live. Where the newest are not visible here yet, those that they renewed do, while these live long enough.
    async fn open(&self, row: &TokensRow) -> Result<Fresh, ApiError> {
        let held = &row.held;
        let opened = self.open_entry(held.generation, row.entry.as_ref()).await;
        let lives_on = held.previous_until.is_some_and(|end| end > self.app.now() + ENOUGH);
        match (opened, row.previous.as_ref().filter(|_| lives_on)) {
            (Err(ApiError::SecretPending), Some(previous)) => {
                let generation = held.generation - 1;
                let fresh = self.open_entry(generation, Some(previous)).await?;
                let held = HeldTokens { generation, expires_at: held.previous_until, ..held.clone() };
                Ok(Fresh { held, ..fresh })
            }
            (opened, _) => opened.map(|fresh| Fresh { held: held.clone(), ..fresh }),
        }
    }

    async fn open_entry(&self, generation: u64, entry: Option<&Entry>) -> Result<Fresh, ApiError> {
        let opened = values::open(self.app, self.ring, Some(generation), entry).await?;
        let held = HeldTokens::default();
        Ok(Fresh { secrets: opened.secrets, destinations: opened.destinations, held })
    }

    /// Renews the tokens of a row, if nobody else does.
    async fn renew(&self, row: &TokensRow, does: bool) -> Result<Step, ApiError> {
        let (app, owner, now) = (self.app, self.owner(), self.app.now());
        // A refresh token goes where the entry that holds it says, whatever the settings say now.
        let (before, allowed) = match self.file.grant {
            Grant::AuthorizationCode => {
                let opened = self.open_entry(row.held.generation, row.entry.as_ref()).await?;
                let allowed = self.allowed()?.intersection(&opened.destinations).cloned().collect();
                (opened.secrets, allowed)
            }
            Grant::ClientCredentials => (Secrets::default(), self.allowed()?),
        };
        let lease = OperationId::new(now, app.random());
        let taken = tokens::lease(&owner, row.held.generation, lease.as_str(), (now, now + LEASE));
        let (known, is_taken) = values::find_key_check(app).and(taken).run(&*app.database).await?;
        // Under a wrong key nothing could be stored, and what is spent would be lost.
        values::check_key(self.ring, self.ring.primary_id(), known.as_deref())?;
        if !is_taken {
            return Ok(Step::Again);
        }
        let began = app.now();
        let credential = match before.0.get(Tokens::REFRESH) {
            Some(refresh) => Credential::Refresh(refresh),
            None => Credential::Client,
        };
        match self.obtain(&credential, &allowed).await {
            Ok(mut obtained) => {
                let generation = row.held.generation + 1;
                if matches!(credential, Credential::Refresh(_)) {
                    // Scopes that are not told are those of before (RFC 6749, section 6).
                    obtained.scopes.get_or_insert_with(|| row.held.granted_scopes.clone());
                }
                let previous_until = row.held.expires_at.filter(|_| does);
                match self.store(&obtained.over(before), (generation, previous_until), Vec::new()).await? {
                    Some(fresh) => Ok(Step::Done(Box::new(fresh))),
                    None => Ok(Step::Again),
                }
            }
            Err(Failed::Grant) if self.file.grant == Grant::AuthorizationCode => self.end(row, began).await,
            Err(failed) => {
                let pause = (app.now() + pause_after(row.held.failures), failed.as_str());
                store::run(&*app.database, vec![tokens::pause(&owner, lease.as_str(), pause)]).await?;
                // The old ones do while they live.
                if does { self.use_now(row).await } else { Ok(Step::Lacking(Lacking::Failed(failed))) }
            }
        }
    }

    /// Asks the server for tokens.
    async fn obtain(&self, credential: &Credential<'_>, allowed: &BTreeSet<Origin>) -> Result<Tokens, Failed> {
        let (egress, mut deadline) = (&self.app.egress, self.app.egress.deadline());
        let addresses = oauth::addresses(egress, &self.client, allowed, &mut deadline).await?;
        oauth::obtain(egress, &self.client, (&addresses.token, allowed), credential, &mut deadline).await
    }

    /// The provider says that the consent has ended: believed only if nobody renewed meanwhile.
    async fn end(&self, row: &TokensRow, began: Timestamp) -> Result<Step, ApiError> {
        let (app, owner) = (self.app, self.owner());
        let found = tokens::find(&owner).run(&*app.database).await?;
        if found.is_none_or(|now| now.held.generation != row.held.generation) {
            return Ok(Step::Again);
        }
        let finding = Lacking::Ended.finding();
        let tested = Tested::record(app, finding, self.sources.basis(), Source::Authorization, began);
        let mut statements = vec![tokens::end(&owner, row.held.generation, app.now())];
        statements.extend(tested.store(&self.connection().id));
        store::run(&*app.database, statements).await?;
        Ok(Step::Lacking(Lacking::Ended))
    }

    /// Exchanges the code of a consent, and gives the tokens.
    ///
    /// # Errors
    /// Why there are none.
    pub async fn exchange(&self, code: oauth::Code<'_>) -> Result<Tokens, Failed> {
        let allowed = self.allowed().map_err(|_| Failed::Unexpected)?;
        self.obtain(&Credential::Code(code), &allowed).await
    }
}

/// The same tokens once more.
#[must_use]
pub fn copy(secrets: &Secrets) -> Secrets {
    secrets.0.iter().map(|(name, secret)| (name.clone(), secret.copy())).collect()
}

/// What to do next about tokens.
enum Step {
    /// Use these.
    Done(Box<Fresh>),
    /// There are none.
    Lacking(Lacking),
    /// Look again.
    Again,
    /// Look again a little later.
    Wait,
}

/// How long nobody tries after failures in a row: 2 s, 4 s, 8 s …
fn pause_after(failures: u32) -> Duration {
    Duration::from_secs(2_u64.saturating_pow(failures.min(8) + 1)).min(LONGEST_PAUSE)
}

/// A hash over what tokens belong to.
fn basis(connection_type: &ConnectionType, client: &Client<'_>, settings: &Settings) -> String {
    let token_url = client.token_url.as_ref().map_or("", url::Url::as_str);
    let mut parts = vec![client.id.clone(), token_url.to_owned(), client.issuer.clone().unwrap_or_default()];
    // A person consents to scopes; a client has those that it asks for.
    if client.file.grant == Grant::ClientCredentials {
        parts.extend(client.scopes.iter().chain(client.token_parameters.values()).cloned());
    }
    for field in connection_type.fields.iter().filter(|field| field.destination) {
        parts.push(field.key.clone());
        parts.push(settings.get(&field.key).map(ToString::to_string).unwrap_or_default());
    }
    Digest::of(&parts.iter().map(String::as_bytes).collect::<Vec<_>>()).to_string()
}

/// Gives a draft the tokens with which it is tested, where a person's consent gives them.
///
/// # Errors
/// When the storage failed.
pub async fn attach(app: &App, ring: &KeyRing, sources: &Sources, draft: &mut Draft) -> Result<(), ApiError> {
    if draft.waits_for_consent() { renew(app, ring, sources, draft, Renew::Due).await } else { Ok(()) }
}

/// The same for any type that uses OAuth, renewing what is due or refused.
///
/// # Errors
/// When the storage failed.
pub async fn renew(
    app: &App,
    ring: &KeyRing,
    sources: &Sources,
    draft: &mut Draft,
    renew: Renew,
) -> Result<(), ApiError> {
    let values = (&draft.settings, &draft.secrets);
    let Some(subject) = Subject::new((app, ring), sources, values)? else { return Ok(()) };
    draft.tokens = Some(subject.fresh(renew).await?);
    Ok(())
}
