//! Delivers what the outbox holds. At least once: an attempt whose record is lost is made again, under the same id. Endpoints
//! are served side by side, each one message after the other, so that one in trouble holds up nobody else.

use std::time::Duration;

use serde_json::json;

use crate::api::audited::{self, Entry};
use crate::api::connections::values::{check_key, find_key_check};
use crate::api::error::ApiError;
use crate::app::App;
use crate::domain::actor::Actor;
use crate::domain::audit::AuditAction;
use crate::domain::time::Timestamp;
use crate::domain::webhook::{Message, Webhook};
use crate::store::webhooks::{self, Attempted};
use crate::store::{self, secrets, vault_entries};
use crate::vault::{KeyRing, Opened};
use crate::webhook::{self, Endpoint, SECRET, Then};

use super::{Done, Work, alarm, side_by_side};

/// So many messages a tick, shared by the endpoints. Where each endpoint is gone after its first, they ask 500 statements.
const PER_TICK: usize = 100;
/// No attempt begins later in a tick than this.
const BEGINNING: Duration = Duration::from_secs(30);
/// How long a tick keeps what it took: longer than the platform lets it live.
const LEASE: Duration = Duration::from_mins(15);
/// When messages are looked at again that were not tried: the next tick.
const SOON: Duration = Duration::from_mins(1);

/// What became of the messages that an endpoint was served in one round.
#[derive(Default)]
struct Served {
    taken: usize,
    delivered: usize,
    failed: usize,
    /// Whether it may be sent more in this tick.
    goes_on: bool,
}

/// Delivers some of them. Without the right master key nothing is taken.
///
/// # Errors
/// When the storage failed, or the master key is missing or another one.
pub(super) async fn run(app: &App) -> Result<Done, ApiError> {
    let (known, listening) = find_key_check(app).and(webhooks::list_listening(app.now())).run(&*app.database).await?;
    let mut all = Served::default();
    if !listening.is_empty() {
        let ring = app.ring()?;
        check_key(ring, ring.primary_id(), known.as_deref())?;
        let tick = Tick { app, ring, end: app.now() + BEGINNING };
        let mut hungry: Vec<&Webhook> = listening.iter().collect();
        // What some leave of their share the others get, in rounds.
        while !hungry.is_empty() && all.taken < PER_TICK && app.now() <= tick.end {
            let left = PER_TICK - all.taken;
            hungry.truncate(left);
            let share = left / hungry.len();
            let work = hungry
                .into_iter()
                .map(|webhook| -> Work<'_, _> { Box::pin(async move { (webhook, tick.serve(webhook, share).await) }) });
            let round = side_by_side(work.collect()).await;
            hungry = Vec::new();
            for (webhook, served) in round {
                all.taken += served.taken;
                all.delivered += served.delivered;
                all.failed += served.failed;
                if served.goes_on && served.taken == share {
                    hungry.push(webhook);
                }
            }
        }
    }
    let Served { taken, delivered, failed, .. } = all;
    Ok(Done::from_iter([
        ("delivered".to_owned(), delivered.into()),
        ("failed".to_owned(), failed.into()),
        ("left".to_owned(), (taken - delivered - failed).into()),
    ]))
}

/// What follows an attempt for its endpoint.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// It may be sent another message.
    GoOn,
    /// It is left alone for so long.
    Pause(Duration),
}

/// What the endpoints of one tick have in common.
#[derive(Clone, Copy)]
struct Tick<'a> {
    app: &'a App,
    ring: &'a KeyRing,
    /// When no attempt begins any more.
    end: Timestamp,
}

impl Tick<'_> {
    /// Serves one endpoint. What goes wrong with it stays with it: what was taken waits for the end of the lease.
    async fn serve(self, webhook: &Webhook, share: usize) -> Served {
        let mut served = Served::default();
        if let Err(error) = self.deliver(webhook, share, &mut served).await {
            served.goes_on = false;
            alarm(self.app, "deliver", webhook.id.as_str(), &error);
        }
        served
    }

    async fn deliver(self, webhook: &Webhook, share: usize, served: &mut Served) -> Result<(), ApiError> {
        let (database, now) = (&*self.app.database, self.app.now());
        let share = u64::try_from(share).unwrap_or(1);
        let mut untried = webhooks::claim(&webhook.id, now, now + LEASE, share).run(database).await?;
        if untried.is_empty() {
            return Ok(());
        }
        served.taken = untried.len();
        let outcome = self.deliver_each(webhook, &mut untried, served).await;
        let pause = match &outcome {
            Ok(Next::Pause(pause)) => (*pause).max(SOON),
            _ => SOON,
        };
        let until = self.app.now() + pause;
        let mut left = Vec::new();
        if !untried.is_empty() {
            left.push(webhooks::leave(&untried, until));
        }
        if pause > SOON {
            left.push(webhooks::pause(&webhook.id, until));
        }
        store::run(database, left).await?;
        served.goes_on = outcome? == Next::GoOn;
        Ok(())
    }

    /// Tries one after the other, until the endpoint is in trouble or the tick has lasted long enough.
    async fn deliver_each(
        self,
        webhook: &Webhook,
        untried: &mut Vec<Message>,
        served: &mut Served,
    ) -> Result<Next, ApiError> {
        let Some(opened) = self.open(webhook).await? else { return Ok(Next::Pause(SOON)) };
        let Some(secret) = opened.secrets.0.get(SECRET) else {
            return Err(ApiError::Internal("ALARM: vault: a webhook without a secret".to_owned()));
        };
        let to = Endpoint { url: &webhook.url, secret, destinations: &opened.destinations };
        while self.app.now() <= self.end
            && let Some(message) = take_first(untried)
        {
            let next = self.attempt(webhook, &to, &message, served).await?;
            if next != Next::GoOn {
                return Ok(next);
            }
        }
        Ok(Next::GoOn)
    }

    /// Opens its secret; none where somebody deleted the webhook meanwhile.
    async fn open(self, webhook: &Webhook) -> Result<Option<Opened>, ApiError> {
        let database = &*self.app.database;
        let Some(entry) = vault_entries::find_of_webhook(&webhook.id).run(database).await? else {
            return match webhooks::find(&webhook.id).run(database).await? {
                None => Ok(None),
                Some(_) => Err(ApiError::Internal("ALARM: vault: a webhook without an entry".to_owned())),
            };
        };
        Ok(Some(secrets::open(&*self.app.blobs, self.ring, self.app.now(), &entry).await?))
    }

    /// Tries one message and records what came of it.
    async fn attempt(
        self,
        webhook: &Webhook,
        to: &Endpoint<'_>,
        message: &Message,
        served: &mut Served,
    ) -> Result<Next, ApiError> {
        let outcome = webhook::send(&self.app.egress, to, message, self.app.now()).await;
        let now = self.app.now();
        let [chance] = self.app.random();
        let again = |asked| webhook::next_attempt(message.attempts + 1, asked, now, chance);
        let (next, follows) = match outcome.then {
            Then::Delivered => (None, Next::GoOn),
            Then::Again(asked) => (again(asked), Next::GoOn),
            Then::Pause(asked) => (again(asked), Next::Pause(asked.unwrap_or(SOON))),
            Then::Gone => (None, Next::Pause(SOON)),
        };
        let is_delivered = outcome.then == Then::Delivered;
        let attempted = Attempted { outcome: outcome.word, at: now, is_delivered, next };
        store::run(&*self.app.database, vec![webhooks::record(message.seq, attempted)]).await?;
        *(if is_delivered { &mut served.delivered } else { &mut served.failed }) += 1;
        if outcome.then == Then::Gone {
            self.disable(webhook).await?;
        }
        Ok(follows)
    }

    /// An endpoint that says that it is gone is told nothing any more.
    async fn disable(self, webhook: &Webhook) -> Result<(), ApiError> {
        let entry = Entry {
            environment: Some(webhook.environment),
            action: AuditAction::WebhookDisabled,
            resource_id: webhook.id.to_string(),
            detail: json!({ "outcome": "gone" }),
        };
        let mut commit = audited::begin(self.app, &Actor::system(), entry)?;
        commit.extend(webhooks::disable(&webhook.id, self.app.now()));
        Ok(commit.run(&*self.app.database).await?)
    }
}

/// Takes the message that was written first: what an update returns has no order.
fn take_first(messages: &mut Vec<Message>) -> Option<Message> {
    let (at, _) = messages.iter().enumerate().min_by_key(|(_, message)| message.seq)?;
    Some(messages.swap_remove(at))
}
