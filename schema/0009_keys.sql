-- How much is wrapped under each master key, so that rotating them costs the same at any size.

-- An entry that does not open under its own key, although that key is the right one: it cannot be wrapped anew, and must not
-- stand in the way of the others. The code before leaves it out and null.
alter table vault_entries add column unopenable_at integer;

-- What waits to be wrapped anew, and what cannot be, is a stretch of this index each. It does all that the old one did.
create index vault_entries_wrapped on vault_entries (key_id, unopenable_at);
drop index vault_entries_key;

-- Counted by triggers: no statement can forget it.
create table key_counts (
    key_id integer primary key,
    entries integer not null,
    unopenable integer not null          -- of these entries
);

insert into key_counts (key_id, entries, unopenable) select key_id, count(*), 0 from vault_entries group by key_id;

create trigger vault_entries_count_insert after insert on vault_entries begin
    insert into key_counts (key_id, entries, unopenable) values (new.key_id, 1, new.unopenable_at is not null)
    on conflict do update set entries = entries + 1, unopenable = unopenable + excluded.unopenable;
end;

create trigger vault_entries_count_delete after delete on vault_entries begin
    update key_counts set entries = entries - 1, unopenable = unopenable - (old.unopenable_at is not null)
    where key_id = old.key_id;
end;

create trigger vault_entries_count_update after update of key_id, unopenable_at on vault_entries begin
    update key_counts set entries = entries - 1, unopenable = unopenable - (old.unopenable_at is not null)
    where key_id = old.key_id;
    insert into key_counts (key_id, entries, unopenable) values (new.key_id, 1, new.unopenable_at is not null)
    on conflict do update set entries = entries + 1, unopenable = unopenable + excluded.unopenable;
end;

-- A kept answer is tagged under a master key, which has to stay until the answer is forgotten.
create index idempotency_tag on idempotency (request_tag);
