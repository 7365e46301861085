//! Attempts to obtain tokens with a person's consent. Each step is taken once: an update that finds its row in the stage before
//! it tells so, and the next finds none.

use crate::domain::authorization::Authorization;
use crate::domain::id::{AuthorizationId, ConnectionId};
use crate::domain::time::Timestamp;
use crate::ports::Statement;

use super::{Query, json, optional, statement};

/// The row of an attempt `a`.
macro_rules! authorization_json {
    () => {
        "json_object('id', id, 'connection_id', connection_id, 'owner_id', owner_id, 'environment', environment, \
         'browser_hash', browser_hash, 'redirect_uri', redirect_uri, 'return_to', return_to, 'basis', basis, \
         'first_only', json(iif(first_only, 'true', 'false')), 'actor', json(actor), 'state', state, 'error', error, 'created_at', created_at, 'expires_at', expires_at)"
    };
}

/// Inserts an attempt, by the hash of its ticket.
#[must_use]
pub fn insert(attempt: &Authorization, ticket_hash: &str) -> Statement {
    const SQL: &str = "insert into authorizations (id, connection_id, owner_id, environment, ticket_hash, redirect_uri, \
        return_to, basis, actor, state, created_at, expires_at, first_only) \
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'pending', ?10, ?11, ?12)";
    statement(
        SQL,
        [
            attempt.id.as_str().into(),
            attempt.connection_id.as_str().into(),
            attempt.owner_id.as_str().into(),
            attempt.environment.as_str().into(),
            ticket_hash.into(),
            attempt.redirect_uri.as_str().into(),
            attempt.return_to.as_deref().into(),
            attempt.basis.as_str().into(),
            json(&attempt.actor),
            attempt.created_at.into(),
            attempt.expires_at.into(),
            attempt.first_only.into(),
        ],
    )
}

/// Finds an attempt of a connection.
#[must_use]
pub fn find(connection: &ConnectionId, id: &AuthorizationId) -> Query<Option<Authorization>> {
    const SQL: &str =
        concat!("select ", authorization_json!(), " as row from authorizations where id = ?2 and connection_id = ?1");
    optional(statement(SQL, [connection.as_str().into(), id.as_str().into()]))
}

/// Starts the attempt of a ticket, which opens once; none where there is none, or no more.
#[must_use]
pub fn start(
    ticket_hash: &str,
    (state_hash, browser_hash): (&str, &str),
    now: Timestamp,
) -> Query<Option<Authorization>> {
    const SQL: &str = concat!(
        "update authorizations set state = 'started', state_hash = ?2, browser_hash = ?3 \
         where ticket_hash = ?1 and state = 'pending' and expires_at > ?4 returning ",
        authorization_json!(),
        " as row"
    );
    optional(statement(SQL, [ticket_hash.into(), state_hash.into(), browser_hash.into(), now.into()]))
}

/// Finds the attempt that a state belongs to, whatever its stage.
#[must_use]
pub fn find_by_state(state_hash: &str) -> Query<Option<Authorization>> {
    const SQL: &str = concat!("select ", authorization_json!(), " as row from authorizations where state_hash = ?1");
    optional(statement(SQL, [state_hash.into()]))
}

/// Takes the answer of an attempt, once; tells whether it was taken.
#[must_use]
pub fn answer(id: &AuthorizationId, now: Timestamp) -> Query<bool> {
    const SQL: &str = "update authorizations set state = 'answered' \
                       where id = ?1 and state = 'started' and expires_at > ?2 returning 1 as row";
    optional::<u64>(statement(SQL, [id.as_str().into(), now.into()])).map(|row| row.is_some())
}

/// Ends an attempt well.
#[must_use]
pub fn succeed(id: &AuthorizationId) -> Statement {
    statement("update authorizations set state = 'succeeded' where id = ?1", [id.as_str().into()])
}

/// Ends an attempt that came to nothing, with a word that says why.
#[must_use]
pub fn fail(id: &AuthorizationId, error: &str) -> Statement {
    const SQL: &str = "update authorizations set state = 'failed', error = ?2 where id = ?1 and state <> 'succeeded'";
    statement(SQL, [id.as_str().into(), error.into()])
}

/// Deletes attempts that ended before a moment, some at a time.
#[must_use]
pub fn delete_before(moment: Timestamp) -> Statement {
    const SQL: &str = "delete from authorizations where id in \
                       (select id from authorizations where expires_at < ?1 order by expires_at limit 1000)";
    statement(SQL, [moment.into()])
}
