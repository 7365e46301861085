//! API keys, embedded sessions and registered origins. Tokens rest as hashes.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::domain::actor::Actor;
use crate::domain::caller::{KeyCaller, SessionCaller};
use crate::domain::environment::Environment;
use crate::domain::id::{ApiKeyId, ConnectLinkId, ConnectionId, OriginId, SigningKeyId};
use crate::domain::origin::Origin;
use crate::domain::scope::Scope;
use crate::domain::text::{Customer, Name};
use crate::domain::time::Timestamp;
use crate::ports::Statement;

use super::{Query, json, one, optional, statement};

/// An API key without its token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// Its name.
    pub name: Name,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
    /// Where.
    pub environments: BTreeSet<Environment>,
    /// When it was created.
    pub created_at: Timestamp,
    /// Who created it.
    pub created_by: Actor,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

/// A row that a token may stand for, with the hash to compare once more in constant time.
#[derive(Deserialize)]
pub struct Found<T> {
    /// base64url of the SHA-256 of the token.
    pub token_hash: String,
    /// The caller.
    pub caller: T,
}

/// The caller behind the row of an API key.
macro_rules! key_caller_json {
    () => {
        "json_object('id', k.id, 'name', k.name, 'grants', json_object('scopes', json(k.scopes), \
         'environments', json(k.environments), 'expires_at', k.expires_at))"
    };
}
pub(super) use key_caller_json;

/// Finds the caller behind an API key that is neither revoked nor expired.
#[must_use]
pub fn find_key_caller(token_hash: &str, now: Timestamp) -> Query<Option<Found<KeyCaller>>> {
    const SQL: &str = concat!(
        "select json_object('token_hash', k.token_hash, 'caller', ",
        key_caller_json!(),
        ") as row from api_keys k \
         where k.token_hash = ?1 and k.revoked_at is null and coalesce(k.expires_at > ?2, 1)"
    );
    optional(statement(SQL, [token_hash.into(), now.into()]))
}

/// Finds the caller behind an embedded session that lives.
#[must_use]
pub fn find_session_caller(token_hash: &str, now: Timestamp) -> Query<Option<Found<SessionCaller>>> {
    const SQL: &str = "select json_object('token_hash', s.token_hash, 'caller', json_object('id', s.id, \
        'environment', s.environment, 'customer', nullif(s.customer, ''), 'providers', json(s.providers), \
        'connection_types', json(s.connection_types), 'templates', json(s.templates), 'connection', s.connection_id, 'expires_at', s.expires_at)) as row from embedded_sessions s \
        where s.token_hash = ?1 and s.expires_at > ?2 and (s.signing_key_id is null \
        or exists (select 1 from signing_keys k where k.id = s.signing_key_id)) and (s.connect_link_id is null \
        or exists (select 1 from connect_links l where l.id = s.connect_link_id)) and s.created_at > coalesce((select e.ended_at \
        from customer_epochs e where e.environment = s.environment and e.customer = s.customer), -1)";
    optional(statement(SQL, [token_hash.into(), now.into()]))
}

/// Lists API keys that are not revoked, newest first, below a position.
#[must_use]
pub fn list_keys(below: Option<&(Timestamp, ApiKeyId)>, limit: u64) -> Query<Vec<ApiKey>> {
    const SQL: &str = "select json_group_array(json(key)) as row from (select json_object('id', k.id, 'name', k.name, \
        'scopes', json(k.scopes), 'environments', json(k.environments), 'created_at', k.created_at, \
        'created_by', json(k.created_by), 'expires_at', k.expires_at) as key from api_keys k \
        where k.revoked_at is null and (k.created_at, k.id) < (?1, ?2) order by k.created_at desc, k.id desc limit ?3)";
    let (at, id) = below.map_or((1 << 53, "~"), |(at, id)| (at.millis(), id.as_str()));
    one(statement(SQL, [at.into(), id.into(), limit.into()]))
}

/// Finds an API key that is not revoked.
#[must_use]
pub fn find_key(id: &ApiKeyId) -> Query<Option<ApiKey>> {
    const SQL: &str = "select json_object('id', k.id, 'name', k.name, 'scopes', json(k.scopes), \
        'environments', json(k.environments), 'created_at', k.created_at, 'created_by', json(k.created_by), \
        'expires_at', k.expires_at) as row from api_keys k where k.id = ?1 and k.revoked_at is null";
    optional(statement(SQL, [id.as_str().into()]))
}

/// Inserts an API key.
#[must_use]
pub fn insert_key(key: &ApiKey, token_hash: &str) -> Statement {
    const SQL: &str = "insert into api_keys (id, token_hash, name, scopes, environments, created_at, created_by, \
                       expires_at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    statement(
        SQL,
        [
            key.id.as_str().into(),
            token_hash.into(),
            key.name.as_str().into(),
            json(&key.scopes),
            json(&key.environments),
            key.created_at.into(),
            json(&key.created_by),
            key.expires_at.into(),
        ],
    )
}

/// Revokes an API key: it works nowhere at the next request.
#[must_use]
pub fn revoke_key(id: &ApiKeyId, now: Timestamp) -> Statement {
    const SQL: &str = "update api_keys set revoked_at = ?2 where id = ?1 and revoked_at is null";
    statement(SQL, [id.as_str().into(), now.into()])
}

/// What a session lives no longer than.
#[derive(Debug, Clone, Copy)]
pub enum Voucher<'a> {
    /// The key that signed for it.
    SigningKey(&'a SigningKeyId),
    /// The link that was redeemed for it.
    ConnectLink(&'a ConnectLinkId),
}

/// Inserts an embedded session; one that something vouches for lives no longer than that.
#[must_use]
pub fn insert_session(
    session: &SessionCaller,
    token_hash: &str,
    (now, author): (Timestamp, &Actor),
    voucher: Option<Voucher<'_>>,
) -> Statement {
    const SQL: &str = "insert into embedded_sessions (id, token_hash, environment, customer, providers, connection_types, \
        created_at, created_by, expires_at, signing_key_id, templates, connect_link_id, connection_id) \
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    let (signing_key, link) = match voucher {
        None => (None, None),
        Some(Voucher::SigningKey(id)) => (Some(id.as_str()), None),
        Some(Voucher::ConnectLink(id)) => (None, Some(id.as_str())),
    };
    statement(
        SQL,
        [
            session.id.as_str().into(),
            token_hash.into(),
            session.environment.as_str().into(),
            session.customer.as_ref().map_or("", Customer::as_str).into(),
            session.providers.as_ref().map(json).into(),
            session.connection_types.as_ref().map(json).into(),
            now.into(),
            json(author),
            session.expires_at.into(),
            signing_key.into(),
            session.templates.as_ref().map(json).into(),
            link.into(),
            session.connection.as_ref().map(ConnectionId::as_str).into(),
        ],
    )
}

/// Ends every session of a customer that was minted up to now.
#[must_use]
pub fn end_sessions(environment: Environment, customer: &Customer, now: Timestamp) -> Statement {
    const SQL: &str = "insert into customer_epochs (environment, customer, ended_at) values (?1, ?2, ?3) \
                       on conflict do update set ended_at = max(ended_at, excluded.ended_at)";
    statement(SQL, [environment.as_str().into(), customer.as_str().into(), now.into()])
}

/// Deletes sessions that ended before a moment, some at a time.
#[must_use]
pub fn delete_sessions_before(moment: Timestamp) -> Statement {
    const SQL: &str = "delete from embedded_sessions where id in \
                       (select id from embedded_sessions where expires_at < ?1 order by expires_at limit 1000)";
    statement(SQL, [moment.into()])
}

/// A registered origin: pages of it may embed Keyfob and call the embedded API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbeddedOrigin {
    /// Its id.
    pub id: OriginId,
    /// The origin.
    pub origin: Origin,
    /// When it was registered.
    pub created_at: Timestamp,
    /// Who registered it.
    pub created_by: Actor,
}

/// The most origins that a deployment may register: they are listed whole.
pub const MAX_ORIGINS: u64 = 100;

macro_rules! origin_json {
    () => {
        "json_object('id', o.id, 'origin', o.origin, 'created_at', o.created_at, 'created_by', json(o.created_by))"
    };
}

/// Lists the registered origins.
#[must_use]
pub fn list_origins() -> Query<Vec<EmbeddedOrigin>> {
    const SQL: &str = concat!(
        "select json_group_array(json(origin)) as row from (select ",
        origin_json!(),
        " as origin from embedded_origins o order by o.origin limit ?1)"
    );
    one(statement(SQL, [MAX_ORIGINS.into()]))
}

/// Finds a registered origin by its id.
#[must_use]
pub fn find_origin(id: &OriginId) -> Query<Option<EmbeddedOrigin>> {
    const SQL: &str = concat!("select ", origin_json!(), " as row from embedded_origins o where o.id = ?1");
    optional(statement(SQL, [id.as_str().into()]))
}

/// Tells whether an origin, spelled exactly so, is registered.
#[must_use]
pub fn is_registered(origin: &str) -> Query<bool> {
    const SQL: &str = "select 1 as row from embedded_origins where origin = ?1";
    optional::<u64>(statement(SQL, [origin.into()])).map(|row| row.is_some())
}

/// Counts the registered origins.
#[must_use]
pub fn count_origins() -> Query<u64> {
    let sql = "select count(*) as row from (select 1 from embedded_origins limit ?1)";
    one(statement(sql, [MAX_ORIGINS.into()]))
}

/// Registers an origin; aborts its batch where there are as many as there may be.
#[must_use]
pub fn insert_origin(origin: &EmbeddedOrigin) -> Statement {
    const SQL: &str = "insert into embedded_origins (id, origin, created_at, created_by) \
        values (?1, iif((select count(*) from (select 1 from embedded_origins limit ?5)) < ?5, ?2, null), ?3, ?4)";
    let id = origin.id.as_str().into();
    let created = [origin.created_at.into(), json(&origin.created_by)];
    let [created_at, created_by] = created;
    statement(SQL, [id, origin.origin.as_str().into(), created_at, created_by, MAX_ORIGINS.into()])
}

/// Removes a registered origin.
#[must_use]
pub fn delete_origin(id: &OriginId) -> Statement {
    statement("delete from embedded_origins where id = ?1", [id.as_str().into()])
}
