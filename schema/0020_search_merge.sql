-- When the full-text indexes were last begun to be merged into one segment each: a search looks its words up in every segment,
-- and writing makes more of them. One row; none before the first time.
create table search_merge (
    id integer primary key check (id = 1),
    began_at integer not null
);
