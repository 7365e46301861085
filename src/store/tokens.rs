//! The rows of OAuth tokens: who may renew them, and what became of it. The tokens are in the vault.
//!
//! Exactly one renews. The lease keeps the others away, and where it did not (whoever holds it may sleep longer than it lasts), the
//! number of the vault entry does: it is unique, so that only one renewal of a generation can be stored.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::domain::id::ConnectionId;
use crate::domain::time::Timestamp;
use crate::domain::tokens::HeldTokens;
use crate::ports::Statement;
use crate::vault::Entry;

use super::vault_entries::entry_json;
use super::{Query, json, many, optional, statement};

/// What SQLite says when tokens are stored for a connection that was deleted meanwhile.
pub const DELETED: &str = "NOT NULL constraint failed: oauth_tokens.connection_id";

/// The tokens of a connection, with the entries that hold them.
#[derive(Deserialize)]
pub struct TokensRow {
    /// What is known of them.
    pub held: HeldTokens,
    /// The entry of the newest generation.
    pub entry: Option<Entry>,
    /// The entry of the one before.
    pub previous: Option<Entry>,
}

/// The row of tokens `g`.
macro_rules! tokens_json {
    () => {
        concat!(
            "json_object('held', json_object('generation', g.generation, 'basis', g.basis, 'token_type', g.token_type, \
             'granted_scopes', json(g.granted_scopes), 'missing_scopes', json(g.missing_scopes), \
             'is_renewable', json(iif(g.is_renewable, 'true', 'false')), 'obtained_at', g.obtained_at, \
             'expires_at', g.expires_at, 'previous_until', g.previous_until, 'renew_at', g.renew_at, 'leased_until', g.leased_until, 'failures', g.failures, \
             'paused_until', g.paused_until, 'failure', g.failure, 'ended_at', g.ended_at), 'entry', json((select ",
            entry_json!(),
            " from vault_entries v where v.owner_id = g.owner_id and v.purpose = 'tokens' and v.number = g.generation)), \
             'previous', json((select ",
            entry_json!(),
            " from vault_entries v where v.owner_id = g.owner_id and v.purpose = 'tokens' and v.number = g.generation - 1)))"
        )
    };
}
pub(super) use tokens_json;

/// Finds the tokens of an owner.
#[must_use]
pub fn find(owner: &str) -> Query<Option<TokensRow>> {
    const SQL: &str = concat!("select ", tokens_json!(), " as row from oauth_tokens g where g.owner_id = ?1");
    optional(statement(SQL, [owner.into()]))
}

/// Makes the row of an owner that has no tokens yet, so that there is something to lease.
#[must_use]
pub fn prepare(owner: &str, connection: &ConnectionId, basis: &str, now: Timestamp) -> Statement {
    const SQL: &str = "insert into oauth_tokens (owner_id, connection_id, generation, basis, token_type, granted_scopes, \
        missing_scopes, is_renewable, obtained_at) select ?1, c.id, 0, ?3, '', '[]', '[]', 1, ?4 from connections c \
        where c.id = ?2 and c.deleted_at is null on conflict do nothing";
    statement(SQL, [owner.into(), connection.as_str().into(), basis.into(), now.into()])
}

/// Takes the lease of a generation, unless somebody has it or a pause is under way; tells whether it was taken.
#[must_use]
pub fn lease(owner: &str, generation: u64, lease: &str, (now, until): (Timestamp, Timestamp)) -> Query<bool> {
    const SQL: &str = "update oauth_tokens set lease = ?3, leased_until = ?5 where owner_id = ?1 and generation = ?2 \
        and leased_until <= ?4 and paused_until <= ?4 and ended_at is null returning 1 as row";
    let params = [owner.into(), generation.into(), lease.into(), now.into(), until.into()];
    optional::<u64>(statement(SQL, params)).map(|row| row.is_some())
}

/// Gives a lease back after an attempt that came to nothing, with a pause before the next, and why.
#[must_use]
pub fn pause(owner: &str, lease: &str, (until, failure): (Timestamp, &str)) -> Statement {
    const SQL: &str = "update oauth_tokens set lease = null, leased_until = 0, failures = failures + 1, paused_until = ?3, \
        failure = ?4, renew_at = iif(renew_at is null, null, max(renew_at, ?3)) where owner_id = ?1 and lease = ?2";
    statement(SQL, [owner.into(), lease.into(), until.into(), failure.into()])
}

/// Ends the pauses of connections, and of those that stand under them: the values are others now.
#[must_use]
pub fn resume(connections: &[&ConnectionId]) -> Statement {
    const SQL: &str = "update oauth_tokens set failures = 0, paused_until = 0, failure = null where owner_id in \
        (select value from json_each(?1) union all select value || '/test' from json_each(?1) union all \
        select c.id from json_each(?1) n cross join connections c on c.template_id = n.value where c.deleted_at is null)";
    statement(SQL, [json(&connections)])
}

/// Notes that the provider said that the consent of a generation has ended.
#[must_use]
pub fn end(owner: &str, generation: u64, at: Timestamp) -> Statement {
    const SQL: &str = "update oauth_tokens set lease = null, leased_until = 0, renew_at = null, ended_at = ?3 \
        where owner_id = ?1 and generation = ?2";
    statement(SQL, [owner.into(), generation.into(), at.into()])
}

/// Stores what is known of new tokens, whose entry is inserted in the same batch. For a connection that is deleted meanwhile it
/// aborts the batch.
#[must_use]
pub fn put(owner: &str, connection: &ConnectionId, held: &HeldTokens) -> Statement {
    const SQL: &str = "insert into oauth_tokens (owner_id, connection_id, generation, basis, token_type, granted_scopes, \
        missing_scopes, is_renewable, obtained_at, expires_at, renew_at, previous_until) values (?1, \
        (select id from connections where id = ?2 and deleted_at is null), ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) \
        on conflict do update set connection_id = excluded.connection_id, generation = excluded.generation, \
        basis = excluded.basis, token_type = excluded.token_type, granted_scopes = excluded.granted_scopes, \
        missing_scopes = excluded.missing_scopes, is_renewable = excluded.is_renewable, \
        obtained_at = excluded.obtained_at, expires_at = excluded.expires_at, renew_at = excluded.renew_at, \
        previous_until = excluded.previous_until, \
        lease = null, leased_until = 0, failures = 0, paused_until = 0, failure = null, ended_at = null";
    statement(
        SQL,
        [
            owner.into(),
            connection.as_str().into(),
            held.generation.into(),
            held.basis.as_str().into(),
            held.token_type.as_str().into(),
            json(&held.granted_scopes),
            json(&held.missing_scopes),
            held.is_renewable.into(),
            held.obtained_at.into(),
            held.expires_at.into(),
            held.renew_at.into(),
            held.previous_until.into(),
        ],
    )
}

/// Forgets the generations before the last but one, and leaves their blobs to the scheduled handler.
#[must_use]
pub fn forget_before(owner: &str, generation: u64, due: Timestamp) -> [Statement; 2] {
    const GARBAGE: &str = "insert into garbage (vault_ref, due_at) select vault_ref, ?3 from vault_entries \
        where owner_id = ?1 and purpose = 'tokens' and number < ?2 - 1 on conflict do nothing";
    const DELETE: &str = "delete from vault_entries where owner_id = ?1 and purpose = 'tokens' and number < ?2 - 1";
    [
        statement(GARBAGE, [owner.into(), generation.into(), due.into()]),
        statement(DELETE, [owner.into(), generation.into()]),
    ]
}

/// Forgets what is known of the tokens of connections that are deleted, and the attempts to obtain some.
#[must_use]
pub fn forget(connections: &[&str]) -> [Statement; 2] {
    const TOKENS: &str = "delete from oauth_tokens where owner_id in \
        (select value from json_each(?1) union all select value || '/test' from json_each(?1))";
    const ATTEMPTS: &str = "delete from authorizations where connection_id in (select value from json_each(?1))";
    [statement(TOKENS, [json(&connections)]), statement(ATTEMPTS, [json(&connections)])]
}

/// Tells whose tokens are due to be renewed, those that wait longest first.
#[must_use]
pub fn list_due(now: Timestamp, limit: u64) -> Query<Vec<ConnectionId>> {
    const SQL: &str = "select json_quote(connection_id) as row from oauth_tokens indexed by oauth_tokens_renew \
                       where renew_at <= ?1 order by renew_at limit ?2";
    many::<ConnectionId>(statement(SQL, [now.into(), limit.into()]))
        .map(|due| due.into_iter().collect::<BTreeSet<_>>().into_iter().collect())
}

/// Puts a renewal off that cannot be made as things are.
#[must_use]
pub fn put_off(connection: &ConnectionId, until: Timestamp) -> Statement {
    const SQL: &str = "update oauth_tokens set renew_at = ?2 where owner_id in (?1, ?1 || '/test') \
                       and renew_at is not null";
    statement(SQL, [connection.as_str().into(), until.into()])
}
