-- The audit log is read by filters, and sealed in a chain of checkpoints.

-- Who did it, as an index can walk it.
alter table audit_events add column actor_id text generated always as (actor ->> 'id') virtual;

-- One walk a filter, newest first, each within a span of time. The one by resource takes the place of the one by
-- (resource_id, seq), which no statement used.
create index audit_events_at on audit_events (at);
create index audit_events_environment on audit_events (environment, at);
create index audit_events_action on audit_events (action, at);
create index audit_events_actor on audit_events (actor_id, at);
create index audit_events_resource_at on audit_events (resource_id, at);
drop index audit_events_resource;

-- Each checkpoint seals the rows that follow those of the one before it, and the hash of the one before it: the tag of the
-- newest vouches for every row up to there, so that a row outlives the master key that its own tag was made under.
-- Strict: whatever is put here by hand is still an integer or a text, so that it can be read and named.
create table audit_checkpoints (
    log text not null check (log in ('audit_events', 'events')),
    number integer not null,
    first_seq integer not null,
    last_seq integer not null,        -- first_seq - 1 where it seals no row, only the one before it under a newer key
    row_digests text not null,        -- base64url of the SHA-256 of each row, one after the other
    hash text not null,               -- base64url of SHA-256 over the range, the hash before and the digests
    sealed_at integer not null,
    tag text not null,                -- HMAC over hash and range
    primary key (log, number)
) strict, without rowid;

create trigger audit_checkpoints_are_not_updated before update on audit_checkpoints begin
    select raise(abort, 'checkpoints are append-only');
end;

create trigger audit_checkpoints_are_not_deleted before delete on audit_checkpoints begin
    select raise(abort, 'checkpoints are append-only');
end;

-- Who resolved the credentials of which connection, by the hour, as each isolate counts it. Rows are replaced by one entry
-- of the audit log once their hour is over.
create table resolves (
    hour integer not null,            -- its beginning
    connection_id text not null,
    caller_id text not null,
    isolate text not null,
    environment text not null,
    actor text not null,              -- JSON object
    count integer not null,           -- all that the isolate counted in this hour, so that writing it twice is the same as once
    first_at integer not null,
    last_at integer not null,
    primary key (hour, connection_id, caller_id, isolate)
) without rowid;
