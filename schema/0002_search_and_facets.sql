-- Text search and the counters of the sidebar, both kept by triggers: no statement can forget them.
--
-- Two full-text indexes over the same text, which is folded before it is stored: trigrams find a word of three and more
-- characters anywhere, prefixes find shorter words where they begin. search_scope is one token, so that a search stays
-- inside one list: 'deo' = development, organization; 'stc' = staging, customers; and so on.

create virtual table connections_trigram using fts5 (
    search_scope, search_text, content = 'connections', content_rowid = 'rowid', tokenize = 'trigram'
);

create virtual table connections_prefix using fts5 (
    search_scope, search_text, content = 'connections', content_rowid = 'rowid', tokenize = 'unicode61', prefix = '1 2'
);

create trigger connections_search_insert after insert on connections begin
    insert into connections_trigram (rowid, search_scope, search_text) values (new.rowid, new.search_scope, new.search_text);
    insert into connections_prefix (rowid, search_scope, search_text) values (new.rowid, new.search_scope, new.search_text);
end;

create trigger connections_search_update after update of search_text on connections
when new.search_text <> old.search_text and new.deleted_at is null begin
    insert into connections_trigram (connections_trigram, rowid, search_scope, search_text)
    values ('delete', old.rowid, old.search_scope, old.search_text);
    insert into connections_prefix (connections_prefix, rowid, search_scope, search_text)
    values ('delete', old.rowid, old.search_scope, old.search_text);
    insert into connections_trigram (rowid, search_scope, search_text) values (new.rowid, new.search_scope, new.search_text);
    insert into connections_prefix (rowid, search_scope, search_text) values (new.rowid, new.search_scope, new.search_text);
end;

create trigger connections_search_delete after update of deleted_at on connections
when old.deleted_at is null and new.deleted_at is not null begin
    insert into connections_trigram (connections_trigram, rowid, search_scope, search_text)
    values ('delete', old.rowid, old.search_scope, old.search_text);
    insert into connections_prefix (connections_prefix, rowid, search_scope, search_text)
    values ('delete', old.rowid, old.search_scope, old.search_text);
end;

-- How many of the organization's connections and templates have each value of a facet. Customers' are counted on demand.
create table facet_counts (
    environment text not null,
    facet text not null check (facet in ('provider', 'tag', 'status')),
    value text not null,
    count integer not null,
    primary key (environment, facet, value)
) without rowid;

create trigger connections_facets_insert after insert on connections when new.customer = '' begin
    insert into facet_counts (environment, facet, value, count)
    values (new.environment, 'provider', new.provider, 1),
           (new.environment, 'status', iif(new.active, 'active', 'not_active'), 1)
    on conflict do update set count = count + 1;
end;

create trigger connections_facets_status after update of enabled, verdict on connections
when new.customer = '' and new.active <> old.active and new.deleted_at is null begin
    update facet_counts set count = count - 1
    where environment = old.environment and facet = 'status' and value = iif(old.active, 'active', 'not_active');
    insert into facet_counts (environment, facet, value, count)
    values (new.environment, 'status', iif(new.active, 'active', 'not_active'), 1)
    on conflict do update set count = count + 1;
end;

create trigger connections_facets_delete after update of deleted_at on connections
when new.customer = '' and old.deleted_at is null and new.deleted_at is not null begin
    update facet_counts set count = count - 1
    where environment = old.environment and facet = 'status' and value = iif(old.active, 'active', 'not_active');
    update facet_counts set count = count - 1
    where environment = old.environment and facet = 'provider' and value = old.provider;
end;

create trigger connection_tags_facets_insert after insert on connection_tags when new.customer = '' begin
    insert into facet_counts (environment, facet, value, count) values (new.environment, 'tag', new.tag, 1)
    on conflict do update set count = count + 1;
end;

create trigger connection_tags_facets_delete after delete on connection_tags when old.customer = '' begin
    update facet_counts set count = count - 1
    where environment = old.environment and facet = 'tag' and value = old.tag;
end;
