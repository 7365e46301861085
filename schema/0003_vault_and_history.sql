-- What is sealed, what the values were, what happened.

-- The wrapped data key of each sealed blob. Deleting a row makes the secret unreadable everywhere at once.
create table vault_entries (
    owner_id text not null,
    purpose text not null check (purpose in ('values', 'tokens', 'verifier', 'webhook', 'draft')),
    number integer not null,          -- values: the revision; tokens: the generation
    environment text not null,
    vault_ref text not null unique,   -- base64url of SHA-256 of the blob: also the key in KV
    wrapped_key text not null,        -- base64url
    key_id integer not null,
    destinations text not null,       -- JSON array of origins, sorted
    created_at integer not null,
    primary key (owner_id, purpose, number)
) without rowid;

create index vault_entries_key on vault_entries (key_id);

-- A value made from each master key: tells a wrong key before anything is sealed under it.
create table key_checks (
    key_id integer primary key,
    check_value text not null
);

-- Blobs that no row names any more; the scheduled handler deletes them when due.
create table garbage (
    vault_ref text primary key,
    due_at integer not null
) without rowid;

create index garbage_due on garbage (due_at);

-- What a row names is no garbage, even if its batch seemed to fail and was done late.
create trigger vault_entries_take_back after insert on vault_entries begin
    delete from garbage where vault_ref = new.vault_ref;
end;

create table revisions (
    connection_id text not null,
    number integer not null,
    settings text not null,           -- JSON object
    secret_fields text not null,      -- JSON array of field keys
    secrets_revision integer,
    secret_changes text not null,     -- JSON object: field key to added, changed, unchanged, removed
    restored_from integer,
    note text,
    author text not null,             -- JSON object
    created_at integer not null,
    verdict text not null,
    reason text,
    primary key (connection_id, number)
) without rowid;

-- The history of each connection. The unique index is the compare-and-set of every change: two writers of the same
-- version cannot both commit.
create table events (
    seq integer primary key autoincrement,
    connection_id text not null,
    version integer not null,
    event_type text not null,
    revision integer,
    changes text not null,            -- JSON object
    actor text not null,              -- JSON object
    at integer not null,
    tag text not null                 -- HMAC over the row
);

create unique index events_version on events (connection_id, version);

create trigger events_are_not_updated before update on events begin
    select raise(abort, 'events are append-only');
end;

create trigger events_are_not_deleted before delete on events begin
    select raise(abort, 'events are append-only');
end;

-- Who did what. operation_id is that of the committing batch: it tells whether a batch whose answer was lost was done.
create table audit_events (
    seq integer primary key autoincrement,
    operation_id text not null unique,
    at integer not null,
    environment text,
    action text not null,
    resource_id text not null,
    actor text not null,              -- JSON object
    request_id text not null,
    detail text not null,             -- JSON object
    tag text not null                 -- HMAC over the row
);

create index audit_events_resource on audit_events (resource_id, seq);

create trigger audit_events_are_not_updated before update on audit_events begin
    select raise(abort, 'the audit log is append-only');
end;

create trigger audit_events_are_not_deleted before delete on audit_events begin
    select raise(abort, 'the audit log is append-only');
end;

-- Tests of stored connections.
create table tests (
    id text primary key,
    connection_id text not null,
    revision integer not null,
    verdict text not null,
    reason text,
    source text not null,
    at integer not null,
    duration_ms integer not null
) without rowid;

create index tests_connection on tests (connection_id, at, id);
create index tests_at on tests (at);
