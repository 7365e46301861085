-- Whose credentials: templates, the customers' connections under them, and test credentials.

-- Of a template: the fields of which each customer has values of its own; the others are global. Null for all other kinds.
alter table connections add column customer_fields text;       -- JSON array of field keys
-- Of a template: how many connections of customers stand under it. A batch that expects another template than there is
-- makes it null, which aborts the batch.
alter table connections add column customer_count integer not null default 0;
-- Of a customer's connection: its secrets up to this revision were entered for where the template does not send them any more.
alter table connections add column reenter_through integer not null default 0;
alter table connections add column must_reenter integer not null generated always as (
    coalesce(secrets_revision <= reenter_through, 0)
) virtual;
-- What test runs of the builder use, laid over the values; all null where there is nothing. The secrets are those of the
-- owner '<id>/test' in vault_entries, the version that set them being their number.
alter table connections add column test_settings text;         -- JSON object
alter table connections add column test_secret_fields text;    -- JSON array of field keys
alter table connections add column test_version integer;

-- One connection for each template and customer.
create unique index connections_customer_template on connections (template_id, customer)
where deleted_at is null and template_id is not null;

create trigger connections_template_insert after insert on connections when new.template_id is not null begin
    update connections set customer_count = customer_count + 1 where id = new.template_id;
end;

create trigger connections_template_delete after update of deleted_at on connections
when old.deleted_at is null and new.deleted_at is not null and new.template_id is not null begin
    update connections set customer_count = customer_count - 1 where id = new.template_id;
end;

-- The customers that have connections, for their list. Triggers keep it.
create table customers (
    environment text not null,
    customer text not null,
    connections integer not null,
    active integer not null,          -- of these connections
    primary key (environment, customer)
) without rowid;

insert into customers (environment, customer, connections, active)
select environment, customer, count(*), sum(active) from connections
where customer <> '' and deleted_at is null group by environment, customer;

-- So few that deleting a customer is one batch, whatever was created.
create trigger customers_limit before insert on connections
when new.customer <> '' and (select c.connections from customers c
    where c.environment = new.environment and c.customer = new.customer) >= 200 begin
    select raise(abort, 'too many connections of a customer');
end;

create trigger customers_insert after insert on connections when new.customer <> '' begin
    insert into customers (environment, customer, connections, active)
    values (new.environment, new.customer, 1, new.active)
    on conflict do update set connections = connections + 1, active = active + excluded.active;
end;

create trigger customers_status after update of enabled, verdict on connections
when new.customer <> '' and new.active <> old.active and new.deleted_at is null begin
    update customers set active = active + new.active - old.active
    where environment = new.environment and customer = new.customer;
end;

create trigger customers_delete after update of deleted_at on connections
when new.customer <> '' and old.deleted_at is null and new.deleted_at is not null begin
    update customers set connections = connections - 1, active = active - old.active
    where environment = new.environment and customer = new.customer;
    delete from customers where environment = new.environment and customer = new.customer and connections = 0;
end;

-- When it is tested again: as before, but a verdict that a change of the template made stale is tested as soon as the change
-- spread it out to, and what must be entered again is not tested at all. Takes the place of next_test_at.
alter table connections add column test_due_at integer generated always as (
    iif(enabled and deleted_at is null and kind <> 'template' and not must_reenter
        and coalesce(iif(stale, coalesce(test_put_off, 0), retest_at) < expires_at, 1),
        iif(stale, coalesce(test_put_off, 0), retest_at), null)
) virtual;

create index connections_test_due on connections (test_due_at) where test_due_at is not null;
drop index connections_next_test;
