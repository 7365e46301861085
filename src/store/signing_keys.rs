//! Signing keys, and the tokens of them that were exchanged.

use serde::Deserialize;

use crate::domain::actor::Actor;
use crate::domain::environment::Environment;
use crate::domain::id::SigningKeyId;
use crate::domain::text::{Customer, Name, TokenId};
use crate::domain::time::Timestamp;
use crate::ports::Statement;

use super::{Query, json, one, optional, statement};

/// The most signing keys that an environment may have: they are listed whole.
pub const MAX_SIGNING_KEYS: u64 = 20;

/// A public key with which the organization's server signs sessions.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SigningKey {
    /// Its id: what tokens name as `kid`.
    pub id: SigningKeyId,
    /// The environment of the sessions.
    pub environment: Environment,
    /// Its name.
    pub name: Name,
    /// The one algorithm that it verifies.
    pub algorithm: String,
    /// Its JWK.
    pub public_key: String,
    /// The thumbprint of the JWK.
    pub fingerprint: String,
    /// When it was registered.
    pub created_at: Timestamp,
    /// Who registered it.
    pub created_by: Actor,
}

macro_rules! signing_key_json {
    () => {
        "json_object('id', k.id, 'environment', k.environment, 'name', k.name, 'algorithm', k.algorithm, \
         'public_key', k.public_key, 'fingerprint', k.fingerprint, 'created_at', k.created_at, \
         'created_by', json(k.created_by))"
    };
}

/// Lists the signing keys of an environment, the oldest first.
#[must_use]
pub fn list(environment: Environment) -> Query<Vec<SigningKey>> {
    const SQL: &str = concat!(
        "select json_group_array(json(signing_key)) as row from (select ",
        signing_key_json!(),
        " as signing_key from signing_keys k where k.environment = ?1 order by k.id limit ?2)"
    );
    one(statement(SQL, [environment.as_str().into(), MAX_SIGNING_KEYS.into()]))
}

/// Finds a signing key.
#[must_use]
pub fn find(id: &SigningKeyId) -> Query<Option<SigningKey>> {
    const SQL: &str = concat!("select ", signing_key_json!(), " as row from signing_keys k where k.id = ?1");
    optional(statement(SQL, [id.as_str().into()]))
}

/// Counts the signing keys of an environment.
#[must_use]
pub fn count(environment: Environment) -> Query<u64> {
    const SQL: &str = "select count(*) as row from (select 1 from signing_keys where environment = ?1 limit ?2)";
    one(statement(SQL, [environment.as_str().into(), MAX_SIGNING_KEYS.into()]))
}

/// Registers a signing key; aborts its batch where the environment has as many as it may have.
#[must_use]
pub fn insert(key: &SigningKey) -> Statement {
    const SQL: &str = "insert into signing_keys (id, environment, name, algorithm, public_key, fingerprint, created_at, \
        created_by) values (?1, iif((select count(*) from signing_keys where environment = ?2) < ?9, ?2, null), \
        ?3, ?4, ?5, ?6, ?7, ?8)";
    statement(
        SQL,
        [
            key.id.as_str().into(),
            key.environment.as_str().into(),
            key.name.as_str().into(),
            key.algorithm.as_str().into(),
            key.public_key.as_str().into(),
            key.fingerprint.as_str().into(),
            key.created_at.into(),
            json(&key.created_by),
            MAX_SIGNING_KEYS.into(),
        ],
    )
}

/// Deletes a signing key: no token of it is exchanged, and no session that it signed for lives, at the next request.
#[must_use]
pub fn delete(id: &SigningKeyId) -> Statement {
    statement("delete from signing_keys where id = ?1", [id.as_str().into()])
}

/// A token that is exchanged now.
#[derive(Debug, Clone, Copy)]
pub struct UsedToken<'a> {
    /// The key that signed it.
    pub signing_key: &'a SigningKey,
    /// Its id.
    pub id: &'a TokenId,
    /// When it was signed, to the second.
    pub issued_at: Timestamp,
    /// Until when it could be sent again.
    pub forget_at: Timestamp,
}

/// Notes that a token was exchanged. Aborts its batch where it was before, where its key is gone, or where the sessions of its
/// customer were ended since it was signed.
#[must_use]
pub fn insert_used(token: &UsedToken<'_>, customer: Option<&Customer>) -> Statement {
    const SQL: &str = "insert into used_tokens (signing_key_id, token_id, forget_at) \
        values ((select k.id from signing_keys k where k.id = ?1), ?2, iif(exists (select 1 from customer_epochs e \
        where e.environment = ?4 and e.customer = ?5 and e.ended_at >= ?6), null, ?3))";
    statement(
        SQL,
        [
            token.signing_key.id.as_str().into(),
            token.id.as_str().into(),
            token.forget_at.into(),
            token.signing_key.environment.as_str().into(),
            customer.map_or("", Customer::as_str).into(),
            token.issued_at.into(),
        ],
    )
}

/// Forgets tokens that could be sent again until before a moment, some at a time.
#[must_use]
pub fn delete_used_before(moment: Timestamp) -> Statement {
    const SQL: &str = "delete from used_tokens where (signing_key_id, token_id) in (select signing_key_id, token_id \
                       from used_tokens where forget_at < ?1 order by forget_at limit 1000)";
    statement(SQL, [moment.into()])
}
