-- Connect links: one customer connects one account without embedding. Good for once, and for a week at most.

create table connect_links (
    id text primary key,
    token_hash text not null unique,  -- base64url of SHA-256 of the token
    environment text not null check (environment in ('development', 'staging', 'production')),
    customer text not null,
    provider text not null,
    connection_type text not null,
    template_id text,                 -- where it connects under a template
    connection_id text,               -- where it is for one connection that the customer has
    created_at integer not null,
    created_by text not null,         -- JSON object
    expires_at integer not null
) without rowid;

create index connect_links_environment on connect_links (environment, id);
create index connect_links_customer on connect_links (environment, customer, id);
create index connect_links_expiry on connect_links (expires_at);

-- A link is redeemed once: the second row of a link violates the key, and a link that is gone makes it null; either aborts
-- the batch.
create table used_links (
    link_id text primary key,
    used_at integer not null
) without rowid;

create index used_links_used on used_links (used_at);

-- The link that a session came from: where it is gone, so is the session. The code before leaves both out and null.
alter table embedded_sessions add column connect_link_id text;
-- The one connection that a session is limited to; null for all that its other limits allow.
alter table embedded_sessions add column connection_id text;
