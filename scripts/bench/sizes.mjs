// Databases of any number of connections, made once and kept in .bench/: rows first, indexes and triggers after, straight
// into the SQLite file while no workerd has it open. A million takes some minutes; through D1 it would take hours.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { INSERT, since } from "../../tests/seed.mjs";

const CACHE = ".bench";
const SCHEMA = "schema";

// What the triggers would have kept, had they been there.
const KEPT = `
insert into connection_tags (connection, tag, environment, customer, name_key, created_at, modified_at)
  select c.rowid, j.value, c.environment, c.customer, c.name_key, c.created_at, c.modified_at
  from connections c, json_each(c.tags) j;
insert into facet_counts (environment, facet, value, count)
  select environment, 'provider', provider, count(*) from connections where customer = '' group by 1, 3;
insert into facet_counts (environment, facet, value, count)
  select environment, 'status', iif(active, 'active', 'not_active'), count(*) from connections where customer = '' group by 1, 3;
insert into facet_counts (environment, facet, value, count)
  select environment, 'tag', tag, count(*) from connection_tags where customer = '' group by 1, 3;`;

// Puts a database of so many connections, a fifth of them customers' own, in the place of the one at `path`.
export async function place(count, path) {
  await copyFile(await made(count), path);
  for (const suffix of ["-wal", "-shm"]) await rm(path + suffix, { force: true });
}

export async function bytesEach(count) {
  return (await stat(await made(count))).size / count;
}

async function made(count) {
  const migrations = await Promise.all((await readdir(SCHEMA)).sort().map((name) => readFile(join(SCHEMA, name), "utf8")));
  const hash = createHash("sha256").update([...migrations, INSERT, KEPT].join("\n")).digest("hex").slice(0, 12);
  const path = join(CACHE, `${count}-${hash}.sqlite`);
  if (existsSync(path)) return path;
  await mkdir(CACHE, { recursive: true });
  for (const old of await readdir(CACHE)) if (old.startsWith(`${count}-`)) await rm(join(CACHE, old));
  make(`${path}.part`, count, migrations);
  await rename(`${path}.part`, path);
  return path;
}

function make(path, count, migrations) {
  const database = new DatabaseSync(path);
  database.exec("pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -1000000; pragma temp_store = memory");
  for (const sql of migrations) database.exec(sql);
  const tables = "'connections', 'connection_tags'";
  const later = database
    .prepare(`select type, name, sql from sqlite_schema where tbl_name in (${tables}) and type in ('index', 'trigger') and sql is not null`)
    .all();
  for (const { type, name } of later) database.exec(`drop ${type} ${name}`);
  database.exec("begin");
  database.prepare(INSERT).run(1, count, 1, since());
  database.exec(KEPT);
  for (const table of ["connections_trigram", "connections_prefix"]) database.exec(`insert into ${table} (${table}) values ('rebuild')`);
  for (const { sql } of later) database.exec(sql);
  database.exec("commit");
  database.close();
}
