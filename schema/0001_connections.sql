-- Connections, and everything that a list of them needs.
--
-- A deleted connection stays as a row with deleted_at: its events name it. Every index leaves deleted rows out.
-- customer is '' for the organization's own connections and for templates, so that (environment, customer) is the
-- prefix of every walk: the organization's list, or one customer's.
-- Nothing is unique across environment and customer but ids, so that the data can spread over many databases.

create table connections (
    rowid integer primary key,
    id text not null unique,
    environment text not null check (environment in ('development', 'staging', 'production')),
    provider text not null,
    connection_type text not null,
    kind text not null check (kind in ('organization', 'template', 'customer')),
    template_id text,
    customer text not null default '',
    supplied_by text check (supplied_by in ('customer', 'organization')),
    name text not null,
    name_key text not null,                    -- the name, folded: what lists sort by
    description text not null,
    stable_key text not null,
    tags text not null,                        -- JSON array of texts
    settings text not null,                    -- JSON object
    secret_fields text not null,               -- JSON array of field keys
    secrets_revision integer,                  -- number of the vault entry that holds the secrets
    enabled integer not null,
    embedded integer not null,
    version integer not null,
    revision integer not null,
    verdict text not null check (verdict in ('valid', 'limited', 'invalid', 'unknown')),
    reason text,
    checked_at integer,
    verdict_source text,
    stale integer not null default 0,
    last_attempt text,                         -- JSON object
    facts text not null default '{}',          -- JSON object of texts
    granted_scopes text not null default '[]', -- JSON array of texts
    missing_scopes text not null default '[]', -- JSON array of texts
    expires_at integer,
    rotate_by integer,
    usage_count integer not null default 0,
    last_used_at integer,
    created_at integer not null,
    created_by text not null,                  -- JSON object
    modified_at integer not null,
    modified_by text not null,                 -- JSON object
    deleted_at integer,
    search_text text not null,                 -- name, description, provider and tags, folded
    search_scope text not null,                -- three letters: which list the row belongs to (see 0002)
    active integer not null generated always as (enabled and verdict in ('valid', 'limited')) virtual,
    check ((kind = 'customer') = (customer <> ''))
);

create unique index connections_stable_key on connections (environment, customer, stable_key) where deleted_at is null;

-- One walk a filter and sort: a page reads its own rows and no others.
create index connections_name on connections (environment, customer, name_key) where deleted_at is null;
create index connections_created on connections (environment, customer, created_at) where deleted_at is null;
create index connections_modified on connections (environment, customer, modified_at) where deleted_at is null;
create index connections_provider_name on connections (environment, customer, provider, name_key) where deleted_at is null;
create index connections_provider_created on connections (environment, customer, provider, created_at) where deleted_at is null;
create index connections_provider_modified on connections (environment, customer, provider, modified_at) where deleted_at is null;
create index connections_type_name on connections (environment, customer, connection_type, name_key) where deleted_at is null;
create index connections_type_created on connections (environment, customer, connection_type, created_at) where deleted_at is null;
create index connections_type_modified on connections (environment, customer, connection_type, modified_at) where deleted_at is null;
create index connections_status_name on connections (environment, customer, active, name_key) where deleted_at is null;
create index connections_status_created on connections (environment, customer, active, created_at) where deleted_at is null;
create index connections_status_modified on connections (environment, customer, active, modified_at) where deleted_at is null;
create index connections_verdict_name on connections (environment, customer, verdict, name_key) where deleted_at is null;
create index connections_verdict_created on connections (environment, customer, verdict, created_at) where deleted_at is null;
create index connections_verdict_modified on connections (environment, customer, verdict, modified_at) where deleted_at is null;
create index connections_embedded_name on connections (environment, customer, embedded, name_key) where deleted_at is null;
create index connections_embedded_created on connections (environment, customer, embedded, created_at) where deleted_at is null;
create index connections_embedded_modified on connections (environment, customer, embedded, modified_at) where deleted_at is null;
create index connections_kind_name on connections (environment, kind, name_key) where deleted_at is null;
create index connections_kind_created on connections (environment, kind, created_at) where deleted_at is null;
create index connections_kind_modified on connections (environment, kind, modified_at) where deleted_at is null;
create index connections_template_name on connections (environment, template_id, name_key) where deleted_at is null and template_id is not null;
create index connections_template_created on connections (environment, template_id, created_at) where deleted_at is null and template_id is not null;
create index connections_template_modified on connections (environment, template_id, modified_at) where deleted_at is null and template_id is not null;

-- The tags of connections, each row with the sort keys, so that a tag is one more walk. Triggers keep it.
create table connection_tags (
    connection integer not null,
    tag text not null,
    environment text not null,
    customer text not null,
    name_key text not null,
    created_at integer not null,
    modified_at integer not null,
    primary key (connection, tag)
) without rowid;

create index connection_tags_name on connection_tags (environment, customer, tag, name_key, connection);
create index connection_tags_created on connection_tags (environment, customer, tag, created_at, connection);
create index connection_tags_modified on connection_tags (environment, customer, tag, modified_at, connection);

create trigger connections_tags_insert after insert on connections when new.tags <> '[]' begin
    insert into connection_tags (connection, tag, environment, customer, name_key, created_at, modified_at)
    select new.rowid, value, new.environment, new.customer, new.name_key, new.created_at, new.modified_at from json_each(new.tags);
end;

create trigger connections_tags_update after update of tags on connections when new.tags <> old.tags and new.deleted_at is null begin
    delete from connection_tags where connection = new.rowid;
    insert into connection_tags (connection, tag, environment, customer, name_key, created_at, modified_at)
    select new.rowid, value, new.environment, new.customer, new.name_key, new.created_at, new.modified_at from json_each(new.tags);
end;

create trigger connections_tags_sort after update of name_key, modified_at on connections
when new.tags = old.tags and new.tags <> '[]' and new.deleted_at is null begin
    update connection_tags set name_key = new.name_key, modified_at = new.modified_at where connection = new.rowid;
end;

create trigger connections_tags_delete after update of deleted_at on connections
when old.deleted_at is null and new.deleted_at is not null begin
    delete from connection_tags where connection = new.rowid;
end;
