//! What has to be true of a world that has come to rest, whatever failed before.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::world::{Call, World};

/// Each counts what must not be.
const NEVER: [(&str, &str); 28] = [
    (
        "a count of usages that is not their number",
        "select count(*) from connections c \
         where c.usage_count <> (select count(*) from usages u where u.connection_id = c.id)",
    ),
    (
        "a usage of a deleted connection that is no orphan, or the other way round",
        "select count(*) from usages u join connections c on c.id = u.connection_id \
         where (c.deleted_at is null) <> (u.orphaned_at is null)",
    ),
    (
        "a change without its audit row",
        "select count(*) from events e where (select count(*) from audit_events a where a.resource_id = e.connection_id \
         and a.action in ('connection.created', 'connection.updated', 'connection.restored', 'connection.deleted') \
         and a.detail ->> 'version' = e.version) <> 1",
    ),
    (
        "an audit row without its change",
        "select count(*) from audit_events a where a.action in ('connection.created', 'connection.updated', \
         'connection.restored', 'connection.deleted') and not exists \
         (select 1 from events e where e.connection_id = a.resource_id and e.version = a.detail ->> 'version')",
    ),
    (
        "a gap in the versions, or one that history does not know",
        "select count(*) from connections c where c.version <> (select count(*) from events e where e.connection_id = c.id) \
         or c.version <> (select max(version) from events e where e.connection_id = c.id)",
    ),
    (
        "a gap in the revisions",
        "select count(*) from connections c where \
         c.revision <> (select count(*) from revisions r where r.connection_id = c.id) \
         or c.revision <> (select max(number) from revisions r where r.connection_id = c.id)",
    ),
    (
        "history of nothing",
        "select (select count(*) from events where connection_id not in (select id from connections)) \
         + (select count(*) from revisions where connection_id not in (select id from connections)) \
         + (select count(*) from tests where connection_id not in (select id from connections))",
    ),
    (
        "a revision of a live connection whose secrets are gone",
        "select count(*) from revisions r join connections c on c.id = r.connection_id and c.deleted_at is null \
         where r.secrets_revision is not null and not exists (select 1 from vault_entries v \
         where v.owner_id = c.id and v.purpose = 'values' and v.number = r.secrets_revision)",
    ),
    (
        "a current secret of another revision than the history says",
        "select count(*) from connections c join revisions r on r.connection_id = c.id and r.number = c.revision \
         where c.deleted_at is null and c.secrets_revision is not r.secrets_revision",
    ),
    (
        "a secret that outlives its connection",
        "select count(*) from vault_entries where purpose = 'values' and replace(owner_id, '/test', '') \
         not in (select id from connections where deleted_at is null)",
    ),
    (
        "test credentials without their secret, or the other way round",
        "select (select count(*) from connections c where c.test_secret_fields <> '[]' and not exists \
         (select 1 from vault_entries v where v.owner_id = c.id || '/test' and v.number = c.test_version)) \
         + (select count(*) from vault_entries v where v.owner_id like '%/test' and not exists \
         (select 1 from connections c where v.owner_id = c.id || '/test' and v.number = c.test_version))",
    ),
    (
        "a count of customers that is not their number",
        "select count(*) from connections c where c.customer_count <> \
         (select count(*) from connections n where n.template_id = c.id and n.deleted_at is null)",
    ),
    (
        "a customer's connection under a template that is gone",
        "select count(*) from connections c join connections t on t.id = c.template_id \
         where c.deleted_at is null and t.deleted_at is not null",
    ),
    (
        "a customer who is counted wrongly",
        "select (select coalesce(sum(connections), 0) from customers) <> \
         (select count(*) from connections where customer <> '' and deleted_at is null) \
         or (select coalesce(sum(active), 0) from customers) <> \
         (select count(*) from connections where customer <> '' and deleted_at is null and active)",
    ),
    (
        "secrets in use that were entered for another destination",
        "select count(*) from connections where must_reenter and active",
    ),
    (
        "an API key without its audit row, or the other way round",
        "select (select count(*) from api_keys) <> (select count(*) from audit_events where action = 'api_key.created')",
    ),
    (
        "an API key that was revoked without its audit row, or the other way round",
        "select (select count(*) from api_keys where revoked_at is not null) \
         <> (select count(distinct resource_id) from audit_events where action = 'api_key.revoked')",
    ),
    (
        "a session without its audit row",
        "select (select count(*) from embedded_sessions) > \
         (select count(*) from audit_events where action = 'embedded_session.created')",
    ),
    (
        "an origin without its audit row, or the other way round",
        "select (select count(*) from embedded_origins) <> \
         (select count(*) from audit_events where action = 'embedded_origin.created') \
         - (select count(distinct resource_id) from audit_events where action = 'embedded_origin.deleted')",
    ),
    (
        "a signing key without its audit row, or the other way round",
        "select (select count(*) from signing_keys) <> (select count(*) from audit_events where action = 'signing_key.created') \
         - (select count(distinct resource_id) from audit_events where action = 'signing_key.deleted')",
    ),
    (
        "a token that was exchanged without a session, or the other way round",
        "select (select count(*) from embedded_sessions where signing_key_id is not null) \
         < (select count(*) from used_tokens)",
    ),
    (
        "a webhook without its audit row, or the other way round",
        "select (select count(*) from webhooks) <> (select count(*) from audit_events where action = 'webhook.created') \
         - (select count(distinct resource_id) from audit_events where action = 'webhook.deleted')",
    ),
    (
        "a webhook without its secret, or the other way round",
        "select (select count(*) from webhooks w where not exists (select 1 from vault_entries v where v.owner_id = w.id)) \
         + (select count(*) from vault_entries where purpose = 'webhook' and owner_id not in (select id from webhooks))",
    ),
    (
        "a kept answer to what was not created",
        "select count(*) from idempotency i where i.route = 'POST /v1/connections' \
         and i.resource_id not in (select id from connections)",
    ),
    (
        "a counter of the sidebar that is wrong",
        "select (select coalesce(sum(count), 0) from facet_counts where facet = 'provider') \
         <> (select count(*) from connections where deleted_at is null and customer = '')",
    ),
    (
        "a key that nothing checks",
        "select count(*) from vault_entries where key_id not in (select key_id from key_checks)",
    ),
    ("garbage", "select count(*) from garbage"),
    (
        "a tag that is counted wrongly",
        "select (select coalesce(sum(count), 0) from facet_counts where facet = 'tag') \
         <> (select count(*) from connection_tags where customer = '')",
    ),
];

/// Lets the world come to rest and checks everything that must be true then. Gives the token of each revision that can be
/// read, by connection and number.
pub(crate) fn check(world: &World) -> BTreeMap<(String, u64), String> {
    world.calm();
    world.settle();
    for (what, sql) in NEVER {
        assert_eq!(world.database.value::<i64>(sql), 0, "{what}");
    }
    let named = "select json_group_array(vault_ref) from (select vault_ref from vault_entries order by vault_ref)";
    let mut stored = world.kv.keys();
    stored.sort_unstable();
    assert_eq!(json!(stored), list(world, named), "the blob store holds exactly what rows name");
    let revisions = "select json_group_array(json_array(c.id, r.number, r.secret_fields ->> 0)) from connections c join revisions r \
                     on r.connection_id = c.id where c.deleted_at is null and r.secrets_revision is not null";
    let revisions = list(world, revisions);
    revisions.as_array().unwrap().iter().map(|revision| read(world, revision)).collect()
}

/// Every revision is readable, the current one to workflows too.
fn read(world: &World, revision: &Value) -> ((String, u64), String) {
    let (id, number) = (revision[0].as_str().unwrap().to_owned(), revision[1].as_u64().unwrap());
    let field = revision[2].as_str().unwrap();
    let body = json!({ "fields": [field], "reason": "why", "revision": number });
    let revealed = world.expect(200, &Call::new("POST", format!("/v1/connections/{id}/reveal"), body)).json();
    ((id, number), revealed["secrets"][field].as_str().unwrap().to_owned())
}

/// A JSON list that the database makes.
pub(crate) fn list(world: &World, sql: &str) -> Value {
    serde_json::from_str(&world.database.value::<String>(sql)).unwrap()
}
