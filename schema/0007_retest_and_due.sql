-- When a connection is tested again by itself, and when it ends: both follow from its other columns, so no statement can
-- forget them, and each has an index of its own.

-- Scheduled tests in a row that found the current values invalid.
alter table connections add column failed_tests integer not null default 0;
-- No scheduled test before this: a tick works on it, or put it off.
alter table connections add column test_put_off integer;

-- A day after the last attempt (or after the last change, while there is none); 2, 4 and 7 days after failures; a week where
-- there is no test. Up to a tenth of a day more, which differs from row to row: what was stored together spreads out.
alter table connections add column retest_at integer generated always as (
    max(coalesce(test_put_off, 0), coalesce(last_attempt ->> 'at', modified_at)
        + 86400000 * iif(coalesce(last_attempt ->> 'reason' = 'no_test', 0) or failed_tests >= 3, 7, 1 << failed_tests)
        + rowid * 48271 % 8640000)
) virtual;

-- The same, where it is tested at all: not once it is disabled, deleted or expired, and never a template.
alter table connections add column next_test_at integer generated always as (
    iif(enabled and deleted_at is null and kind <> 'template' and coalesce(retest_at < expires_at, 1), retest_at, null)
) virtual;

create index connections_next_test on connections (next_test_at) where next_test_at is not null;

-- The first day on which somebody has to act: it expires, or is to be rotated.
alter table connections add column due_at integer generated always as (
    min(coalesce(expires_at, rotate_by), coalesce(rotate_by, expires_at))
) virtual;

create index connections_due on connections (environment, customer, due_at) where deleted_at is null and due_at is not null;
create index connections_kind_due on connections (environment, kind, due_at) where deleted_at is null and due_at is not null;
