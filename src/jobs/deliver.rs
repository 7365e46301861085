//! Delivers what the outbox holds. At least once: an attempt whose record is lost is made again, under the same id. Endpoints
//! are served side by side, each one message after the other, so that one in trouble holds up nobody else.

use std::sync::atomic::{AtomicUsize, Ordering};
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
use crate::store::{StoreError, secrets, vault_entries};
use crate::vault::{KeyRing, Opened};
use crate::webhook::{self, Endpoint, SECRET, Then};

use super::{Done, Work, alarm, side_by_side};

/// So many messages a tick, shared by the endpoints.
const PER_TICK: usize = 100;
/// No attempt begins later in a tick than this.
const BEGINNING: Duration = Duration::from_secs(30);
/// How long a tick keeps what it took: longer than the platform lets it live.
const LEASE: Duration = Duration::from_mins(15);
/// When messages are looked at again that were not tried: the next tick.
const SOON: Duration = Duration::from_mins(1);

/// What became of the messages of a tick.
#[derive(Default)]
struct Tally {
    taken: AtomicUsize,
    delivered: AtomicUsize,
    failed: AtomicUsize,
}

/// Delivers some of them. Without the right master key nothing is taken.
///
/// # Errors
/// When the storage failed, or the master key is missing or another one.
pub(super) async fn run(app: &App) -> Result<Done, ApiError> {
    let (known, listening) = find_key_check(app).and(webhooks::list_listening()).run(&*app.database).await?;
    let tally = Tally::default();
    if !listening.is_empty() {
        let ring = app.ring()?;
        check_key(ring, ring.primary_id(), known.as_deref())?;
        let share = (PER_TICK / listening.len()).max(1);
        let tick = Tick { app, ring, share, end: app.now() + BEGINNING, tally: &tally };
        side_by_side(listening.iter().map(|webhook| -> Work<'_> { Box::pin(tick.serve(webhook)) }).collect()).await;
    }
    let Tally { taken, delivered, failed } = tally;
    let [taken, delivered, failed] = [taken, delivered, failed].map(AtomicUsize::into_inner);
    Ok(Done::from_iter([
        ("delivered".to_owned(), delivered.into()),
        ("failed".to_owned(), failed.into()),
        ("left".to_owned(), (taken - delivered - failed).into()),
    ]))
}

/// What the endpoints of one tick have in common.
struct Tick<'a> {
    app: &'a App,
    ring: &'a KeyRing,
    /// Messages to each endpoint.
    share: usize,
    /// When no attempt begins any more.
    end: Timestamp,
    tally: &'a Tally,
}

impl Tick<'_> {
    /// Serves one endpoint. What goes wrong with it stays with it: what was taken waits for the end of the lease.
    async fn serve(&self, webhook: &Webhook) {
        if let Err(error) = self.deliver(webhook).await {
            alarm(self.app, "deliver", webhook.id.as_str(), &error);
        }
    }

    async fn deliver(&self, webhook: &Webhook) -> Result<(), ApiError> {
        let (database, now) = (&*self.app.database, self.app.now());
        let share = u64::try_from(self.share).unwrap_or(1);
        let mut untried = webhooks::claim(&webhook.id, now, now + LEASE, share).run(database).await?;
        if untried.is_empty() {
            return Ok(());
        }
        self.tally.taken.fetch_add(untried.len(), Ordering::Relaxed);
        let outcome = self.deliver_each(webhook, &mut untried).await;
        let left: Vec<_> = untried.iter().map(|message| webhooks::leave(message.seq, now + SOON)).collect();
        if !left.is_empty() {
            database.batch(left).await.map_err(StoreError::from)?;
        }
        outcome
    }

    /// Tries one after the other, until the endpoint is in trouble or the tick has lasted long enough.
    async fn deliver_each(&self, webhook: &Webhook, untried: &mut Vec<Message>) -> Result<(), ApiError> {
        let opened = self.open(webhook).await?;
        let Some(secret) = opened.secrets.0.get(SECRET) else {
            return Err(ApiError::Internal("ALARM: vault: a webhook without a secret".to_owned()));
        };
        let to = Endpoint { url: &webhook.url, secret, destinations: &opened.destinations };
        while self.app.now() <= self.end
            && let Some(message) = take_first(untried)
        {
            if !self.attempt(webhook, &to, &message).await? {
                break;
            }
        }
        Ok(())
    }

    async fn open(&self, webhook: &Webhook) -> Result<Opened, ApiError> {
        let entry = vault_entries::find_of_webhook(&webhook.id).run(&*self.app.database).await?;
        let entry = entry.ok_or_else(|| ApiError::Internal("ALARM: vault: a webhook without an entry".to_owned()))?;
        Ok(secrets::open(&*self.app.blobs, self.ring, self.app.now(), &entry).await?)
    }

    /// Tries one message and records what came of it; tells whether the endpoint may be sent the next one.
    async fn attempt(&self, webhook: &Webhook, to: &Endpoint<'_>, message: &Message) -> Result<bool, ApiError> {
        let outcome = webhook::send(&self.app.egress, to, message, self.app.now()).await;
        let now = self.app.now();
        let [chance] = self.app.random();
        let again = |asked| webhook::next_attempt(message.attempts + 1, asked, now, chance);
        let (next, goes_on) = match outcome.then {
            Then::Delivered => (None, true),
            Then::Again(asked) => (again(asked), true),
            Then::Pause(asked) => (again(asked), false),
            Then::Gone => (None, false),
        };
        let is_delivered = outcome.then == Then::Delivered;
        let attempted = Attempted { outcome: outcome.word, at: now, is_delivered, next };
        let record = webhooks::record(message.seq, attempted);
        self.app.database.batch(vec![record]).await.map_err(StoreError::from)?;
        let counted = if is_delivered { &self.tally.delivered } else { &self.tally.failed };
        counted.fetch_add(1, Ordering::Relaxed);
        if outcome.then == Then::Gone {
            self.disable(webhook).await?;
        }
        Ok(goes_on)
    }

    /// An endpoint that says that it is gone is told nothing any more.
    async fn disable(&self, webhook: &Webhook) -> Result<(), ApiError> {
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
