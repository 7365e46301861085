-- Which steps of workflows use which connection. A step uses one connection of an environment.

create table usages (
    environment text not null check (environment in ('development', 'staging', 'production')),
    workflow text not null,
    step text not null,
    connection_id text not null,
    registered_at integer not null,
    registered_by text not null,      -- JSON object
    orphaned_at integer,              -- when its connection was deleted
    orphaned integer not null generated always as (orphaned_at is not null) virtual,
    primary key (environment, workflow, step)
) without rowid;

create index usages_connection on usages (connection_id, workflow, step);
create index usages_orphaned on usages (environment, orphaned, workflow, step);

-- A step comes to use only what is there, whoever was first.
create trigger usages_insert_live before insert on usages
when not exists (select 1 from connections where id = new.connection_id and deleted_at is null) begin
    select raise(abort, 'usage of a deleted connection');
end;

create trigger usages_update_live before update of connection_id on usages
when not exists (select 1 from connections where id = new.connection_id and deleted_at is null) begin
    select raise(abort, 'usage of a deleted connection');
end;

-- The counts that connections show; no statement can forget them.
create trigger usages_count_insert after insert on usages begin
    update connections set usage_count = usage_count + 1 where id = new.connection_id;
end;

create trigger usages_count_move after update of connection_id on usages when new.connection_id <> old.connection_id begin
    update connections set usage_count = usage_count - 1 where id = old.connection_id;
    update connections set usage_count = usage_count + 1 where id = new.connection_id;
end;

create trigger usages_count_delete after delete on usages begin
    update connections set usage_count = usage_count - 1 where id = old.connection_id;
end;

-- What a deleted connection leaves behind is listed, and can still be given another one.
create trigger usages_orphan after update of deleted_at on connections
when old.deleted_at is null and new.deleted_at is not null and old.usage_count > 0 begin
    update usages set orphaned_at = new.deleted_at where connection_id = new.id;
end;
