//! The rows of connections, one at a time. Lists are in `listing`, history in `history`.

use std::collections::BTreeSet;

use crate::catalog::Catalog;
use crate::domain::connection::{Basis, Connection, Found, SuppliedBy};
use crate::domain::environment::Environment;
use crate::domain::health::{Attempt, Source};
use crate::domain::id::ConnectionId;
use crate::domain::reason::Reason;
use crate::domain::text::{StableKey, Tag, fold};
use crate::domain::time::Timestamp;
use crate::ports::{Param, Statement};

use super::row::connection_json;
use super::{Query, json, many, optional, statement};

/// Finds a connection that is not deleted.
#[must_use]
pub fn find_connection(id: &ConnectionId) -> Query<Option<Connection>> {
    const SQL: &str =
        concat!("select ", connection_json!(), " as row from connections c where c.id = ?1 and c.deleted_at is null");
    optional(statement(SQL, [id.as_str().into()]))
}

/// Finds those of an environment that are not deleted, the oldest first.
#[must_use]
pub fn find_all(environment: Environment, ids: &BTreeSet<ConnectionId>) -> Query<Vec<Connection>> {
    const SQL: &str = concat!(
        "select ",
        connection_json!(),
        " as row from json_each(?1) named cross join connections c on c.id = named.value \
          where c.environment = ?2 and c.deleted_at is null order by c.created_at, c.rowid"
    );
    many(statement(SQL, [json(ids), environment.as_str().into()]))
}

/// Tells whether a stable key is taken.
#[must_use]
pub fn is_stable_key_taken(environment: Environment, customer: &str, key: &StableKey) -> Query<bool> {
    const SQL: &str = "select 1 as row from connections \
                       where environment = ?1 and customer = ?2 and stable_key = ?3 and deleted_at is null";
    optional::<u64>(statement(SQL, [environment.as_str().into(), customer.into(), key.as_str().into()]))
        .map(|row| row.is_some())
}

/// Inserts a new connection.
#[must_use]
pub fn insert(connection: &Connection) -> Statement {
    const SQL: &str = "insert into connections (id, environment, provider, connection_type, kind, template_id, customer, \
        supplied_by, name, name_key, description, stable_key, tags, settings, secret_fields, secrets_revision, enabled, \
        embedded, version, revision, verdict, reason, checked_at, verdict_source, stale, last_attempt, facts, \
        granted_scopes, missing_scopes, expires_at, rotate_by, created_at, created_by, modified_at, modified_by, \
        search_text, search_scope, customer_fields) \
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, \
        ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37, ?38)";
    let owner = &connection.owner;
    let identity = [
        connection.id.as_str().into(),
        connection.environment.as_str().into(),
        connection.provider.as_str().into(),
        connection.connection_type.as_str().into(),
        owner.kind.as_str().into(),
        owner.template.as_ref().map(ConnectionId::as_str).into(),
        owner.customer_key().into(),
        owner.supplied_by.map(SuppliedBy::as_str).into(),
    ];
    let created = [connection.history.created_at.into(), json(&connection.history.created_by)];
    let [name, name_key, description, stable_key, tags, search_text] = label(connection);
    let params = identity
        .into_iter()
        .chain([name, name_key, description, stable_key, tags])
        .chain(values(connection))
        .chain(health(connection))
        .chain(created)
        .chain([connection.history.modified_at.into(), json(&connection.history.modified_by)])
        .chain([search_text, search_scope(connection.environment, owner.customer_key()).into()])
        .chain([connection.definition.as_ref().map(|definition| json(&definition.customer_fields)).into()]);
    Statement { sql: SQL.into(), params: params.collect() }
}

/// Writes the changed connection over the row, and leaves dates that did not change to the tests that run meanwhile. The event of
/// the same batch, unique in its version, guards it.
#[must_use]
pub fn update(connection: &Connection, changed: DatesChanged) -> Statement {
    const SQL: &str = "update connections set name = ?2, name_key = ?3, description = ?4, stable_key = ?5, tags = ?6, \
        search_text = ?7, settings = ?8, secret_fields = ?9, secrets_revision = ?10, enabled = ?11, embedded = ?12, \
        version = ?13, revision = ?14, failed_tests = 0, verdict = ?15, reason = ?16, checked_at = ?17, verdict_source = ?18, stale = ?19, \
        last_attempt = ?20, facts = ?21, granted_scopes = ?22, missing_scopes = ?23, \
        expires_at = iif(?28, ?24, expires_at), rotate_by = iif(?29, ?25, rotate_by), \
        modified_at = ?26, modified_by = ?27 where id = ?1 and deleted_at is null";
    let params = [connection.id.as_str().into()]
        .into_iter()
        .chain(label(connection))
        .chain(values(connection))
        .chain(health(connection))
        .chain([connection.history.modified_at.into(), json(&connection.history.modified_by)])
        .chain([changed.expires_at.into(), changed.rotate_by.into()]);
    Statement { sql: SQL.into(), params: params.collect() }
}

/// Clears the test credentials of a connection: they were entered for where its values are not sent any more.
#[must_use]
pub fn clear_test_credentials(id: &ConnectionId) -> Statement {
    const SQL: &str = "update connections set test_settings = null, test_secret_fields = null, test_version = null \
                       where id = ?1 and deleted_at is null";
    statement(SQL, [id.as_str().into()])
}

/// Which dates a change is about: those that a person set, and an expiry that goes or comes with new values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DatesChanged {
    /// When the credential expires.
    pub expires_at: bool,
    /// By when it should be rotated.
    pub rotate_by: bool,
}

/// Writes what a person changed beside the values, and leaves the health, and an expiry that nobody spoke of, to the tests that
/// run meanwhile.
#[must_use]
pub fn update_label(connection: &Connection, changed: DatesChanged) -> Statement {
    const SQL: &str = "update connections set name = ?2, name_key = ?3, description = ?4, stable_key = ?5, tags = ?6, \
        search_text = ?7, enabled = ?8, embedded = ?9, version = ?10, \
        expires_at = iif(?15, ?11, expires_at), rotate_by = iif(?16, ?12, rotate_by), \
        modified_at = ?13, modified_by = ?14 where id = ?1 and deleted_at is null";
    let params = [connection.id.as_str().into()].into_iter().chain(label(connection)).chain([
        connection.switches.enabled.into(),
        connection.switches.embedded.into(),
        connection.history.version.into(),
        connection.dates.expires_at.into(),
        connection.dates.rotate_by.into(),
        connection.history.modified_at.into(),
        json(&connection.history.modified_by),
        changed.expires_at.into(),
        changed.rotate_by.into(),
    ]);
    Statement { sql: SQL.into(), params: params.collect() }
}

/// Marks a connection as deleted; its row stays for its history.
#[must_use]
pub fn delete(id: &ConnectionId, version: u64, at: Timestamp) -> Statement {
    const SQL: &str = "update connections set deleted_at = ?2, version = ?3, settings = '{}', facts = '{}', \
        test_settings = null, test_secret_fields = null, test_version = null where id = ?1 and deleted_at is null";
    statement(SQL, [id.as_str().into(), at.into(), version.into()])
}

/// Whether an attempt (`?3` its verdict, `?5` its time) takes the place of the health: a definitive verdict does unless a newer
/// one is known, `unknown` only while there is none.
macro_rules! takes {
    () => {
        "((?3 <> 'unknown' or verdict = 'unknown') and (verdict = 'unknown' or coalesce(checked_at, 0) <= ?5))"
    };
}

/// Stores what a test found, where the tested values are still the current ones.
///
/// `unknown` never takes the place of a definitive verdict of the same revision: it shows in the last attempt. Facts, scopes and
/// expiry come from the verdict that counts, and stay where its test learned none.
#[must_use]
pub fn store_attempt(
    id: &ConnectionId,
    basis: Basis,
    attempt: &Attempt,
    found: &Found,
    expires_at: Option<Timestamp>,
) -> Statement {
    const SQL: &str = concat!(
        "update connections set verdict = iif(",
        takes!(),
        ", ?3, verdict), reason = iif(",
        takes!(),
        ", ?4, reason), \
         checked_at = iif(",
        takes!(),
        ", ?5, checked_at), verdict_source = iif(",
        takes!(),
        ", ?6, verdict_source), \
         stale = iif(",
        takes!(),
        ", 0, stale), \
         last_attempt = iif(coalesce(last_attempt ->> 'at', 0) <= ?5, ?7, last_attempt), \
         facts = iif(?8 <> '{}' and ",
        takes!(),
        ", ?8, facts), granted_scopes = iif(?9 <> '[]' and ",
        takes!(),
        ", ?9, granted_scopes), missing_scopes = iif(?9 <> '[]' and ",
        takes!(),
        ", ?13, missing_scopes), \
         failed_tests = case when ?3 in ('valid', 'limited') then 0 \
         when ?3 = 'invalid' and ?6 = 'schedule' then failed_tests + 1 else failed_tests end, \
         expires_at = iif(kind <> 'template' and ",
        takes!(),
        ", coalesce(?10, expires_at), expires_at) where id = ?1 and revision = ?2 and deleted_at is null \
         and not must_reenter and ?11 is (select t.revision from connections t where t.id = connections.template_id) \
         and (kind <> 'template' or ?12 is test_version)"
    );
    statement(
        SQL,
        [
            id.as_str().into(),
            basis.revision.into(),
            attempt.verdict.as_str().into(),
            attempt.reason.map(Reason::as_str).into(),
            attempt.at.into(),
            attempt.source.as_str().into(),
            attempt_json(attempt),
            json(&found.facts),
            json(&found.granted_scopes),
            expires_at.into(),
            basis.template_revision.into(),
            basis.test_version.into(),
            json(&found.missing_scopes),
        ],
    )
}

/// Sets the test credentials of a connection, or clears them. The verdict of a template is about them and is written along;
/// that of other kinds is left to the tests that run meanwhile.
#[must_use]
pub fn update_test_credentials(connection: &Connection) -> Statement {
    const SQL: &str = "update connections set test_settings = ?2, test_secret_fields = ?3, test_version = ?4, \
        version = ?5, modified_at = ?6, modified_by = ?7 where id = ?1 and deleted_at is null";
    const OF_TEMPLATE: &str = "update connections set test_settings = ?2, test_secret_fields = ?3, test_version = ?4, \
        version = ?5, modified_at = ?6, modified_by = ?7, verdict = ?8, reason = ?9, checked_at = ?10, \
        verdict_source = ?11, stale = ?12, last_attempt = ?13, facts = ?14, granted_scopes = ?15, missing_scopes = ?16, \
        expires_at = ?17, rotate_by = ?18 where id = ?1 and deleted_at is null";
    let test = connection.test_credentials.as_ref();
    let params = [
        connection.id.as_str().into(),
        test.map(|test| json(&test.settings)).into(),
        test.map(|test| json(&test.secret_fields)).into(),
        test.map(|test| test.version).into(),
        connection.history.version.into(),
        connection.history.modified_at.into(),
        json(&connection.history.modified_by),
    ];
    if connection.definition.is_none() {
        return statement(SQL, params);
    }
    Statement { sql: OF_TEMPLATE.into(), params: params.into_iter().chain(health(connection)).collect() }
}

/// Marks connections as deleted, whose next version the events of the same batch have; see [`delete`].
#[must_use]
pub fn delete_all(ids: &[&ConnectionId], at: Timestamp) -> Statement {
    const SQL: &str = "update connections set deleted_at = ?2, version = version + 1, settings = '{}', facts = '{}', \
        test_settings = null, test_secret_fields = null, test_version = null \
        where id in (select value from json_each(?1)) and deleted_at is null";
    statement(SQL, [json(&ids), at.into()])
}

/// Notes that the credentials of a connection were resolved, and with them those of its template.
#[must_use]
pub fn touch_last_used(id: &ConnectionId, at: Timestamp) -> Statement {
    const SQL: &str = "update connections set last_used_at = ?2 where deleted_at is null and id in \
        (select ?1 union all select template_id from connections where id = ?1 and template_id is not null)";
    statement(SQL, [id.as_str().into(), at.into()])
}

/// The token that keeps a search inside one list; the schema's comment lists them.
#[must_use]
pub fn search_scope(environment: Environment, customer: &str) -> &'static str {
    match (environment, customer.is_empty()) {
        (Environment::Development, true) => "deo",
        (Environment::Development, false) => "dec",
        (Environment::Staging, true) => "sto",
        (Environment::Staging, false) => "stc",
        (Environment::Production, true) => "pro",
        (Environment::Production, false) => "prc",
    }
}

/// Name, its sort key, description, stable key, tags, search text.
fn label(connection: &Connection) -> [Param; 6] {
    let label = &connection.label;
    let provider = Catalog::embedded().provider(&connection.provider).map_or("", |provider| provider.name.as_str());
    let tags: Vec<&str> = label.tags.iter().map(Tag::as_str).collect();
    let text =
        [label.name.as_str(), label.description.as_str(), &connection.provider, provider, &tags.join(" ")].join("\n");
    [
        label.name.as_str().into(),
        fold(label.name.as_str()).into(),
        label.description.as_str().into(),
        label.stable_key.as_str().into(),
        json(&label.tags),
        fold(&text).into(),
    ]
}

/// Settings, secret fields, revision of the secrets, switches, version, revision.
fn values(connection: &Connection) -> [Param; 7] {
    [
        json(&connection.values.settings),
        json(&connection.values.secret_fields),
        connection.values.secrets_revision.into(),
        connection.switches.enabled.into(),
        connection.switches.embedded.into(),
        connection.history.version.into(),
        connection.history.revision.into(),
    ]
}

/// Verdict, reason, time, source, stale, last attempt, facts, scopes, dates.
fn health(connection: &Connection) -> [Param; 11] {
    let (health, found) = (&connection.health, &connection.found);
    [
        health.verdict.as_str().into(),
        health.reason.map(Reason::as_str).into(),
        health.checked_at.into(),
        health.source.map(Source::as_str).into(),
        health.stale.into(),
        connection.last_attempt.as_ref().map_or(Param::Null, attempt_json),
        json(&found.facts),
        json(&found.granted_scopes),
        json(&found.missing_scopes),
        connection.dates.expires_at.into(),
        connection.dates.rotate_by.into(),
    ]
}

/// An attempt as its column holds it: times as integers, as in every row.
fn attempt_json(attempt: &Attempt) -> Param {
    json(&serde_json::json!({
        "verdict": attempt.verdict,
        "reason": attempt.reason,
        "at": attempt.at.millis(),
        "source": attempt.source,
    }))
}
