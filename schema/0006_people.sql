-- Who is signed in to the dashboard: with an API key, or as a person whom Cloudflare Access vouches for.

-- A session grants nothing of its own: what it may do is read anew at each request, from its key, or from the roles that the
-- operator gives the person. So a revoked key, and a role that is gone, end it at once.
create table dashboard_sessions (
    id text primary key,
    token_hash text not null unique,
    key_hash text,                    -- the token_hash of the key that signed in; null for a person
    email text,                       -- of the person that signed in; null for a key
    person_groups text not null,      -- JSON array: those of the person's groups that a role named
    created_at integer not null,
    expires_at integer not null,
    check ((key_hash is null) <> (email is null))
) without rowid;

create index dashboard_sessions_expiry on dashboard_sessions (expires_at);
