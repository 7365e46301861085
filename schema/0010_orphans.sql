-- How far the walk over the blob store has come that looks for blobs which no row names: a Worker that dies between
-- storing a blob and committing leaves one. One row; none before the first walk.
create table orphan_walk (
    id integer primary key check (id = 1),
    began_at integer not null,
    cursor text                       -- of the blob store: where the next page begins; null when the walk is over
);
