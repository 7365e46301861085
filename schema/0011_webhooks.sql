-- Who is told when the status of a connection changes, or one of its dates comes near.

create table webhooks (
    id text primary key,
    environment text not null check (environment in ('development', 'staging', 'production')),
    url text not null,
    event_types text not null,        -- JSON array
    created_at integer not null,
    created_by text not null,         -- JSON object
    disabled_at integer               -- its endpoint answered that it is gone
) without rowid;

create index webhooks_environment on webhooks (environment, id);

-- Outbox and log in one: a row for each event and each endpoint that asked for it, written in the very batch of the change.
-- No endpoint, no row.
create table webhook_deliveries (
    seq integer primary key autoincrement,
    id text not null unique,
    webhook_id text not null,
    event_type text not null,
    connection_id text not null,
    detail text not null,             -- JSON object: never a value, a setting or a name
    at integer not null,              -- when it happened
    attempts integer not null default 0,
    outcome text,                     -- of the last attempt: 2xx, 5xx, timeout …; never what was answered
    attempted_at integer,
    delivered_at integer,
    next_attempt_at integer           -- null once delivered or given up; a tick that works on it moves it on
);

create index webhook_deliveries_due on webhook_deliveries (webhook_id, next_attempt_at) where next_attempt_at is not null;
create index webhook_deliveries_log on webhook_deliveries (webhook_id, seq);
create index webhook_deliveries_at on webhook_deliveries (at);

-- An id is a random one, in the digits that typed ids have (hexadecimal digits are among them).
create trigger connections_status_notify after update of enabled, verdict on connections
when new.active <> old.active and new.deleted_at is null begin
    insert into webhook_deliveries (id, webhook_id, event_type, connection_id, detail, at, next_attempt_at)
    select 'dlv_0' || substr(lower(hex(randomblob(13))), 1, 25), w.id, 'connection.status_changed', new.id,
        json_object('connection_id', new.id, 'environment', new.environment, 'provider', new.provider,
            'connection_type', new.connection_type, 'kind', new.kind, 'revision', new.revision,
            'status', iif(new.active, 'active', 'not_active'), 'previous_status', iif(old.active, 'active', 'not_active'),
            'enabled', json(iif(new.enabled, 'true', 'false')), 'verdict', new.verdict, 'reason', new.reason),
        max(new.modified_at, coalesce(new.last_attempt ->> 'at', 0)),
        max(new.modified_at, coalesce(new.last_attempt ->> 'at', 0))
    from webhooks w
    where w.environment = new.environment and w.disabled_at is null
        and exists (select 1 from json_each(w.event_types) where value = 'connection.status_changed');
end;

-- The dates of which the endpoints were told: once for each date, whatever else changes.
alter table connections add column announced_expiry integer;
alter table connections add column announced_rotation integer;
alter table connections add column expiry_to_announce integer generated always as (
    iif(enabled and deleted_at is null and expires_at is not announced_expiry, expires_at, null)
) virtual;
alter table connections add column rotation_to_announce integer generated always as (
    iif(enabled and deleted_at is null and rotate_by is not announced_rotation, rotate_by, null)
) virtual;

create index connections_expiry_to_announce on connections (environment, expiry_to_announce)
where expiry_to_announce is not null;
create index connections_rotation_to_announce on connections (environment, rotation_to_announce)
where rotation_to_announce is not null;
