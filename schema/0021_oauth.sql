-- OAuth 2.0: what is known of the tokens of a connection, and the attempts to obtain them with a person's consent.

-- The tokens themselves rest in the vault (purpose 'tokens'), the generation being the number of their entry: unique, so that two
-- refreshes of one generation cannot both be stored.
create table oauth_tokens (
    owner_id text primary key,                     -- a connection; '<id>/test' for the test credentials of a template
    connection_id text not null,                   -- null for one that is deleted, which aborts the batch
    generation integer not null,                   -- 0 before there are any
    basis text not null,                           -- hash over client, server and destinations that they were obtained with
    token_type text not null,
    granted_scopes text not null,                  -- JSON array of texts
    missing_scopes text not null,                  -- JSON array of texts: asked for and not granted
    is_renewable integer not null,                 -- without a person
    obtained_at integer not null,
    expires_at integer,
    previous_until integer,                        -- those before may stand in for them: a renewal of what lives
    renew_at integer,                              -- when they are due to be renewed by themselves
    lease text,                                    -- who is about to spend the refresh token
    leased_until integer not null default 0,
    failures integer not null default 0,           -- attempts in a row that nobody answered usefully
    paused_until integer not null default 0,       -- no attempt before this
    ended_at integer                               -- the provider said that the consent has ended
) without rowid;

create index oauth_tokens_renew on oauth_tokens (renew_at) where renew_at is not null;

-- Attempts to obtain tokens with a person's consent. Ticket, state and the secret of the browser rest as hashes.
create table authorizations (
    id text primary key,
    connection_id text not null,
    owner_id text not null,
    environment text not null,
    ticket_hash text not null unique,              -- opens /oauth/start once
    state_hash text unique,                        -- comes back to /oauth/callback once
    browser_hash text,                             -- of the cookie that has to come with it
    redirect_uri text not null,
    return_to text,
    basis text not null,
    actor text not null,                           -- JSON object: who asked
    state text not null check (state in ('pending', 'started', 'answered', 'succeeded', 'failed')),
    error text,                                    -- a word of a closed list
    created_at integer not null,
    expires_at integer not null
) without rowid;

create index authorizations_expires on authorizations (expires_at);
create index authorizations_connection on authorizations (connection_id);
