-- Since when a connection has not been used: since its last resolve, or since it was created where there was none. It follows
-- from its other columns, so no statement can forget it.
alter table connections add column idle_since integer generated always as (coalesce(last_used_at, created_at)) virtual;

create index connections_idle on connections (environment, customer, idle_since) where deleted_at is null;
create index connections_kind_idle on connections (environment, kind, idle_since) where deleted_at is null;
