//! Webhooks, their outbox and its log.
//!
//! A trigger writes the message of a changed status (see the schema); those of coming dates are written here.

use crate::domain::environment::Environment;
use crate::domain::id::{ConnectionId, WebhookId};
use crate::domain::time::Timestamp;
use crate::domain::webhook::{Delivery, Message, Occasion, Webhook};
use crate::ports::Statement;

use super::{Query, done, json, many, one, optional, statement};

/// The most webhooks that an environment may have: they are listed whole.
pub const MAX_WEBHOOKS: u64 = 20;

macro_rules! webhook_json {
    () => {
        "json_object('id', w.id, 'environment', w.environment, 'url', w.url, 'event_types', json(w.event_types), \
         'created_at', w.created_at, 'created_by', json(w.created_by), 'disabled_at', w.disabled_at)"
    };
}

/// Lists the webhooks of an environment, the oldest first.
#[must_use]
pub fn list(environment: Environment) -> Query<Vec<Webhook>> {
    const SQL: &str = concat!(
        "select json_group_array(json(webhook)) as row from (select ",
        webhook_json!(),
        " as webhook from webhooks w where w.environment = ?1 order by w.id limit ?2)"
    );
    one(statement(SQL, [environment.as_str().into(), MAX_WEBHOOKS.into()]))
}

/// Lists those of every environment that are told something, be it later.
#[must_use]
pub fn list_enabled() -> Query<Vec<Webhook>> {
    list_listening(Timestamp::from_millis(1 << 53))
}

/// Lists those of every environment that are told something now: not those that asked for a pause.
#[must_use]
pub fn list_listening(now: Timestamp) -> Query<Vec<Webhook>> {
    const SQL: &str = concat!(
        "select json_group_array(json(webhook)) as row from (select ",
        webhook_json!(),
        " as webhook from webhooks w indexed by webhooks_environment where w.disabled_at is null \
         and coalesce(w.paused_until <= ?1, 1) order by w.environment, w.id limit ?2)"
    );
    one(statement(SQL, [now.into(), (MAX_WEBHOOKS * 3).into()]))
}

/// Finds a webhook.
#[must_use]
pub fn find(id: &WebhookId) -> Query<Option<Webhook>> {
    const SQL: &str = concat!("select ", webhook_json!(), " as row from webhooks w where w.id = ?1");
    optional(statement(SQL, [id.as_str().into()]))
}

/// Counts the webhooks of an environment.
#[must_use]
pub fn count(environment: Environment) -> Query<u64> {
    const SQL: &str = "select count(*) as row from (select 1 from webhooks where environment = ?1 limit ?2)";
    one(statement(SQL, [environment.as_str().into(), MAX_WEBHOOKS.into()]))
}

/// Inserts a webhook; aborts its batch where the environment has as many as it may have.
#[must_use]
pub fn insert(webhook: &Webhook) -> Statement {
    const SQL: &str = "insert into webhooks (id, environment, url, event_types, created_at, created_by) \
        values (?1, iif((select count(*) from webhooks where environment = ?2) < ?7, ?2, null), ?3, ?4, ?5, ?6)";
    statement(
        SQL,
        [
            webhook.id.as_str().into(),
            webhook.environment.as_str().into(),
            webhook.url.as_str().into(),
            json(&webhook.event_types),
            webhook.created_at.into(),
            json(&webhook.created_by),
            MAX_WEBHOOKS.into(),
        ],
    )
}

/// Deletes a webhook with what it was to be told. Its log goes with its age: nobody can read it any more.
#[must_use]
pub fn delete(id: &WebhookId) -> [Statement; 2] {
    const PENDING: &str = "delete from webhook_deliveries where seq in (select seq from webhook_deliveries \
        indexed by webhook_deliveries_due where webhook_id = ?1 and next_attempt_at is not null limit 10000)";
    [statement("delete from webhooks where id = ?1", [id.as_str().into()]), statement(PENDING, [id.as_str().into()])]
}

/// Tells a webhook nothing from now on, and gives up what it was to be told.
#[must_use]
pub fn disable(id: &WebhookId, now: Timestamp) -> [Statement; 2] {
    const DISABLE: &str = "update webhooks set disabled_at = ?2 where id = ?1 and disabled_at is null";
    const GIVE_UP: &str = "update webhook_deliveries set next_attempt_at = null where seq in (select seq from \
        webhook_deliveries indexed by webhook_deliveries_due where webhook_id = ?1 and next_attempt_at is not null \
        limit 10000)";
    [statement(DISABLE, [id.as_str().into(), now.into()]), statement(GIVE_UP, [id.as_str().into()])]
}

/// A kind of date that endpoints are told of: its columns, and what a message calls it.
struct Kind {
    occasion: Occasion,
    /// The date while it was not told yet; its index is named after it.
    untold: &'static str,
    told: &'static str,
    field: &'static str,
}

const EXPIRY: Kind =
    Kind { occasion: Occasion::Expiring, untold: "expiry_to_announce", told: "announced_expiry", field: "expires_at" };
const ROTATION: Kind = Kind {
    occasion: Occasion::RotationDue,
    untold: "rotation_to_announce",
    told: "announced_rotation",
    field: "rotate_by",
};

/// The span of dates that are told: those after `since` and up to `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Dates up to here are past telling.
    pub since: Timestamp,
    /// Dates beyond are not near yet.
    pub until: Timestamp,
}

/// Writes the messages of expiries, at most a hundred, and notes that they are written. One batch; gives the connections.
#[must_use]
pub fn announce_expiries(environment: Environment, span: Span, now: Timestamp) -> Query<Vec<ConnectionId>> {
    announce(&EXPIRY, environment, span, now)
}

/// Likewise of rotations.
#[must_use]
pub fn announce_rotations(environment: Environment, span: Span, now: Timestamp) -> Query<Vec<ConnectionId>> {
    announce(&ROTATION, environment, span, now)
}

fn announce(kind: &Kind, environment: Environment, span: Span, now: Timestamp) -> Query<Vec<ConnectionId>> {
    let Kind { occasion, untold, told, field } = kind;
    let coming = format!(
        "select rowid from connections indexed by connections_{untold} where environment = ?1 \
         and {untold} > ?2 and {untold} <= ?3 order by {untold}, rowid limit 100"
    );
    let tell = format!(
        "insert into webhook_deliveries (id, webhook_id, event_type, connection_id, detail, at, next_attempt_at) \
         select 'dlv_0' || substr(lower(hex(randomblob(13))), 1, 25), w.id, ?4, c.id, \
         json_object('connection_id', c.id, 'environment', c.environment, 'provider', c.provider, \
         'connection_type', c.connection_type, 'kind', c.kind, 'revision', c.revision, '{field}', \
         strftime('%Y-%m-%dT%H:%M:%fZ', c.{untold} / 1000.0, 'unixepoch')), ?5, ?5 \
         from ({coming}) walked cross join connections c on c.rowid = walked.rowid \
         cross join webhooks w on w.environment = ?1 and w.disabled_at is null \
         and exists (select 1 from json_each(w.event_types) where value = ?4)"
    );
    let note =
        format!("update connections set {told} = {untold} where rowid in ({coming}) returning json_quote(id) as row");
    let between = || vec![environment.as_str().into(), span.since.into(), span.until.into()];
    let mut params = between();
    params.extend([occasion.as_str().into(), now.into()]);
    let tell = Statement { sql: tell.into(), params };
    done(tell).and(many(Statement { sql: note.into(), params: between() })).map(|((), told)| told)
}

/// Takes some messages to an endpoint that are due, the most overdue ones, so that no other tick does before `until`.
#[must_use]
pub fn claim(id: &WebhookId, now: Timestamp, until: Timestamp, limit: u64) -> Query<Vec<Message>> {
    const SQL: &str = "update webhook_deliveries set next_attempt_at = ?3 where seq in (select seq from webhook_deliveries \
        indexed by webhook_deliveries_due where webhook_id = ?1 and next_attempt_at <= ?2 order by next_attempt_at limit ?4) \
        returning json_object('seq', seq, 'id', id, 'event_type', event_type, 'at', at, 'detail', detail, \
        'attempts', attempts) as row";
    many(statement(SQL, [id.as_str().into(), now.into(), until.into(), limit.into()]))
}

/// What came of an attempt, and what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempted {
    /// What came of it, in a word.
    pub outcome: &'static str,
    /// When.
    pub at: Timestamp,
    /// Whether the endpoint took the message.
    pub is_delivered: bool,
    /// When it is tried again; not at all where absent.
    pub next: Option<Timestamp>,
}

/// Records an attempt.
#[must_use]
pub fn record(seq: u64, attempted: Attempted) -> Statement {
    const SQL: &str = "update webhook_deliveries set attempts = attempts + 1, outcome = ?2, attempted_at = ?3, \
                       delivered_at = iif(?4, ?3, null), next_attempt_at = ?5 \
                       where seq = ?1 and next_attempt_at is not null";
    let Attempted { outcome, at, is_delivered, next } = attempted;
    statement(SQL, [seq.into(), outcome.into(), at.into(), is_delivered.into(), next.into()])
}

/// Leaves messages that were taken and not tried to a later tick.
#[must_use]
pub fn leave(messages: &[Message], until: Timestamp) -> Statement {
    const SQL: &str = "update webhook_deliveries set next_attempt_at = ?2 \
                       where seq in (select value from json_each(?1)) and next_attempt_at is not null";
    let seqs: Vec<u64> = messages.iter().map(|message| message.seq).collect();
    statement(SQL, [json(&seqs), until.into()])
}

/// Tells a webhook nothing until then: its endpoint asked for it.
#[must_use]
pub fn pause(id: &WebhookId, until: Timestamp) -> Statement {
    statement("update webhooks set paused_until = ?2 where id = ?1", [id.as_str().into(), until.into()])
}

/// Lists the deliveries of a webhook below a place, the newest first.
#[must_use]
pub fn list_deliveries(id: &WebhookId, below: Option<u64>, limit: u64) -> Query<Vec<Delivery>> {
    const NO_BOUND: u64 = 1 << 53;
    const SQL: &str = "select json_group_array(json(delivery)) as row from (select json_object('seq', d.seq, 'id', d.id, \
        'event_type', d.event_type, 'connection_id', d.connection_id, 'at', d.at, 'state', \
        case when d.delivered_at is not null then 'delivered' when d.next_attempt_at is not null then 'pending' \
        else 'failed' end, 'attempts', d.attempts, 'outcome', d.outcome, 'attempted_at', d.attempted_at, \
        'next_attempt_at', d.next_attempt_at) as delivery from webhook_deliveries d \
        where d.webhook_id = ?1 and d.seq < ?2 order by d.seq desc limit ?3)";
    one(statement(SQL, [id.as_str().into(), below.unwrap_or(NO_BOUND).into(), limit.into()]))
}

/// Deletes deliveries of what happened before a moment, some at a time, whatever became of them.
#[must_use]
pub fn delete_deliveries_before(moment: Timestamp) -> Statement {
    const SQL: &str = "delete from webhook_deliveries where seq in \
                       (select seq from webhook_deliveries where at < ?1 order by at limit 1000)";
    statement(SQL, [moment.into()])
}
