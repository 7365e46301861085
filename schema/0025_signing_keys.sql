-- The organization signs sessions for its own pages: its public keys, and which of its tokens were exchanged.

create table signing_keys (
    id text primary key,
    environment text not null check (environment in ('development', 'staging', 'production')),
    name text not null,
    algorithm text not null check (algorithm in ('RS256', 'ES256', 'EdDSA')),
    public_key text not null,         -- JWK, the members that its thumbprint covers
    fingerprint text not null,        -- base64url of its SHA-256 thumbprint (RFC 7638)
    created_at integer not null,
    created_by text not null          -- JSON object
) without rowid;

create index signing_keys_environment on signing_keys (environment, id);

-- A token is exchanged once. Its row is kept for as long as it could be sent again.
create table used_tokens (
    signing_key_id text not null,
    token_id text not null,           -- its jti
    forget_at integer not null,
    primary key (signing_key_id, token_id)
) without rowid;

create index used_tokens_forget on used_tokens (forget_at);

-- The key that signed for a session: where it is gone, so is the session. The code before leaves it out and null.
alter table embedded_sessions add column signing_key_id text;
