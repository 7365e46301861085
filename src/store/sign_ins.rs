//! Sessions of the dashboard. Their tokens rest as hashes.

use serde::Deserialize;

use crate::domain::caller::KeyCaller;
use crate::domain::email::Email;
use crate::domain::id::DashboardSessionId;
use crate::domain::time::Timestamp;
use crate::ports::Statement;

use super::access::{Found, key_caller_json};
use super::{Query, json, optional, statement};

/// A session of the dashboard, and who signed in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SignedIn {
    /// Its id.
    pub id: DashboardSessionId,
    /// The hash of the key that signed in; none for a person.
    pub key_hash: Option<String>,
    /// That key, while it is neither revoked nor expired, unless it is the root key.
    pub key: Option<KeyCaller>,
    /// The person that signed in; none for a key.
    pub email: Option<Email>,
    /// Those of the person's groups that a role named.
    pub groups: Vec<String>,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Finds a session that lives, by the hash of its token, with the key that signed in.
#[must_use]
pub fn find(token_hash: &str, now: Timestamp) -> Query<Option<Found<SignedIn>>> {
    const SQL: &str = concat!(
        "select json_object('token_hash', s.token_hash, 'caller', json_object('id', s.id, 'key_hash', s.key_hash, \
         'key', iif(k.id is null, null, ",
        key_caller_json!(),
        "), 'email', s.email, 'groups', json(s.person_groups), 'expires_at', s.expires_at)) as row \
         from dashboard_sessions s left join api_keys k on k.token_hash = s.key_hash \
         and k.revoked_at is null and coalesce(k.expires_at > ?2, 1) where s.token_hash = ?1 and s.expires_at > ?2"
    );
    optional(statement(SQL, [token_hash.into(), now.into()]))
}

/// Inserts a session.
#[must_use]
pub fn insert(session: &SignedIn, token_hash: &str, now: Timestamp) -> Statement {
    const SQL: &str = "insert into dashboard_sessions (id, token_hash, key_hash, email, person_groups, created_at, \
                       expires_at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    statement(
        SQL,
        [
            session.id.as_str().into(),
            token_hash.into(),
            session.key_hash.as_deref().into(),
            session.email.as_ref().map(Email::as_str).into(),
            json(&session.groups),
            now.into(),
            session.expires_at.into(),
        ],
    )
}

/// Ends a session: its token works nowhere at the next request.
#[must_use]
pub fn delete(id: &DashboardSessionId) -> Statement {
    statement("delete from dashboard_sessions where id = ?1", [id.as_str().into()])
}

/// Deletes sessions that ended before a moment, some at a time.
#[must_use]
pub fn delete_before(moment: Timestamp) -> Statement {
    const SQL: &str = "delete from dashboard_sessions where id in \
                       (select id from dashboard_sessions where expires_at < ?1 order by expires_at limit 1000)";
    statement(SQL, [moment.into()])
}
