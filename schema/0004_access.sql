-- Who may ask, from where, how often, and what was already answered.

create table api_keys (
    id text primary key,
    token_hash text not null unique,  -- base64url of SHA-256 of the key
    name text not null,
    scopes text not null,             -- JSON array
    environments text not null,       -- JSON array
    created_at integer not null,
    created_by text not null,         -- JSON object
    expires_at integer,
    revoked_at integer
) without rowid;

create index api_keys_created on api_keys (created_at, id) where revoked_at is null;

create table embedded_sessions (
    id text primary key,
    token_hash text not null unique,
    environment text not null,
    customer text not null default '', -- '' for a builder session
    providers text,                    -- JSON array; null for all
    connection_types text,             -- JSON array; null for all
    templates text,                    -- JSON array; null for all
    created_at integer not null,
    created_by text not null,          -- JSON object
    expires_at integer not null
) without rowid;

create index embedded_sessions_expiry on embedded_sessions (expires_at);

-- Sessions of a customer that were minted up to this moment are dead.
create table customer_epochs (
    environment text not null,
    customer text not null,
    ended_at integer not null,
    primary key (environment, customer)
) without rowid;

create table embedded_origins (
    id text primary key,
    origin text not null unique,
    created_at integer not null,
    created_by text not null          -- JSON object
) without rowid;

-- Answers to requests with an Idempotency-Key, kept for a day.
create table idempotency (
    caller text not null,
    route text not null,
    key text not null,
    request_tag text not null,        -- HMAC over the request
    status integer not null,
    resource_id text not null,
    body text,                        -- null where the answer showed a secret once
    created_at integer not null,
    primary key (caller, route, key)
) without rowid;

create index idempotency_created on idempotency (created_at);

-- Exact rate limits: how often in which window.
create table rate_counters (
    bucket text not null,
    window integer not null,          -- start of the window, milliseconds
    count integer not null,
    primary key (bucket, window)
) without rowid;

create index rate_counters_window on rate_counters (window);
