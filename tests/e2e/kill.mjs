// Kills Keyfob at random moments while 16 clients write, starts it again on the same state, and reads everything back. Knows
// what each client was told, hence what has to be there.
//
// What was acknowledged is there and equal. Of a change whose answer was lost, all is there or nothing; a create is sent once
// more with the same Idempotency-Key, and then there is one connection.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { newApiKey, newMasterKeys } from "../../scripts/keys.mjs";
import { bearer, GENEROUS, ifMatch } from "./bodies.mjs";
import { request } from "./keyfob.mjs";

const CLIENTS = 16;
// When after the first answer, in milliseconds.
const EARLIEST = 10;
const LATEST = 2_500;

// What must be 0 in the database, whatever was killed.
const NEVER = {
  "a change without its audit row": `select count(*) as n from events e where not exists (select 1 from audit_events a
    where a.resource_id = e.connection_id and a.detail ->> 'version' = e.version)`,
  "a gap in the versions": `select count(*) as n from connections c
    where c.version <> (select count(*) from events e where e.connection_id = c.id)`,
  "a gap in the revisions": `select count(*) as n from connections c
    where c.revision <> (select count(*) from revisions r where r.connection_id = c.id)`,
  "a connection without its secret": `select count(*) as n from connections c where c.deleted_at is null and not exists
    (select 1 from vault_entries v where v.owner_id = c.id and v.number = c.secrets_revision)`,
};

// Kills `kills` times; tells `say` how far it is. Gives the counts.
export async function killAndRead({ kills, seed, say = () => {} }) {
  const dice = diceOf(seed);
  const stateDir = await mkdtemp(join(tmpdir(), "keyfob-kill-"));
  const vars = { MASTER_KEYS: newMasterKeys(), ROOT_API_KEY: newApiKey(), RATE_LIMITS: GENEROUS };
  const counts = { kills: 0, acknowledged: 0, unanswered: 0, doneUnanswered: 0, lost: 0, unreadable: 0, connections: 0 };
  const all = [];
  let host = await startHost({ stateDir, vars });
  try {
    for (let kill = 1; kill <= kills; kill++) {
      const touched = new Set();
      const moment = EARLIEST + (dice() % (LATEST - EARLIEST));
      const told = () => host.killIn(moment);
      await Promise.all(Array.from({ length: CLIENTS }, () => write(host, dice, { all, touched, counts, told })));
      await host.dead;
      counts.kills++;
      await checkFiles(stateDir);
      host = await startHost({ stateDir, vars });
      for (const connection of touched) await settle(host, connection, counts);
      await Promise.all([...touched].map((connection) => read(host, connection, counts)));
      say(`kill ${kill} of ${kills}, seed ${seed}: ${JSON.stringify(counts)}`);
    }
    await readAll(host, all, counts);
    host.killIn(0);
    await host.dead;
    await checkFiles(stateDir);
    return counts;
  } finally {
    host.killIn(0);
    await host.dead;
    await rm(stateDir, { recursive: true, force: true });
  }
}

// mulberry32: small, and the same numbers from the same seed.
function diceOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

// A Keyfob in a process group of its own, so that workerd goes with it and nothing else does.
async function startHost(options) {
  const host = spawn(process.execPath, [new URL("host.mjs", import.meta.url).pathname, JSON.stringify(options)], {
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const dead = new Promise((resolve) => host.once("close", resolve));
  const ready = new Promise((resolve, reject) => {
    // Before that line wrangler may name the .dev.vars that it found.
    createInterface({ input: host.stdout }).on("line", (line) => line.startsWith("{") && resolve(JSON.parse(line)));
    dead.then(() => reject(new Error("the host ended before it was ready")));
  });
  const killGroup = () => {
    try {
      process.kill(-host.pid, "SIGKILL");
    } catch (error) {
      if (error.code !== "ESRCH") throw error;
    }
  };
  process.once("exit", killGroup);
  const { url, rootKey } = await ready;
  const state = { isKilled: false, isDoomed: false };
  return {
    dead: dead.then(() => process.removeListener("exit", killGroup)),
    state,
    send: (method, path, rest) => request(url, method, path, { key: rootKey, ...rest }),
    killIn(ms) {
      if (state.isDoomed) return;
      state.isDoomed = true;
      setTimeout(() => {
        state.isKilled = true;
        killGroup();
      }, ms);
    },
  };
}

// One client: writes until there is nobody to write to, which is some time after the first of all was `told` something. Its connections are its own, so it knows what each has to be.
async function write(host, dice, { all, touched, counts, told }) {
  const own = [];
  while (!host.state.isKilled) {
    const live = own.filter(({ isDeleted, pending }) => !isDeleted && !pending);
    const roll = dice() % 10;
    const connection = live.length > 0 && roll >= 4 ? live[dice() % live.length] : newConnection(dice, all, own);
    touched.add(connection);
    const change = connection.version === 0 ? creation(connection) : changeOf(connection, roll, dice);
    connection.pending = change;
    const answer = await host.send(change.method, change.path, change).catch(() => undefined);
    if (!answer || answer.status >= 500) {
      counts.unanswered++;
      if (!host.state.isKilled) await sleep(5);
      continue;
    }
    assert.equal(answer.status, change.status, answer.text);
    counts.acknowledged++;
    told();
    connection.pending = undefined;
    done(connection, change, answer.json?.id);
  }
}

function newConnection(dice, all, own) {
  const name = `connection-${all.length}-${dice()}`;
  const connection = { id: undefined, key: name, name, token: `token-of-${name}`, version: 0, revision: 0, isDeleted: false };
  all.push(connection);
  own.push(connection);
  return connection;
}

function creation({ key, name, token }) {
  const headers = { "idempotency-key": key };
  const after = { version: 1, revision: 1 };
  return { method: "POST", path: "/v1/connections?test=false", body: bearer({ name, token }), headers, status: 201, after };
}

function changeOf(connection, roll, dice) {
  const { id, version, revision } = connection;
  const path = `/v1/connections/${id}?test=false`;
  const headers = ifMatch(version);
  if (roll === 9) return { method: "DELETE", path: `/v1/connections/${id}`, headers, status: 204, after: { isDeleted: true } };
  if (roll >= 7) {
    const name = `renamed-${dice()}`;
    return { method: "PATCH", path, body: { name }, headers, status: 200, after: { name, version: version + 1 } };
  }
  const token = `token-${dice()}-${version}`;
  const after = { token, version: version + 1, revision: revision + 1 };
  return { method: "PATCH", path, body: { secrets: { token } }, headers, status: 200, after };
}

function done(connection, change, id) {
  Object.assign(connection, change.after);
  connection.id ??= id;
}

// Finds out what became of a change whose answer was lost.
async function settle(host, connection, counts) {
  const change = connection.pending;
  if (!change) return;
  connection.pending = undefined;
  if (change.method === "POST") {
    const answer = await host.send(change.method, change.path, change);
    assert.equal(answer.status, 201, answer.text);
    counts.doneUnanswered += answer.headers["idempotency-replayed"] === "true";
    return done(connection, change, answer.json.id);
  }
  const { status, json, text } = await host.send("GET", `/v1/connections/${connection.id}`);
  if (change.method === "DELETE") assert.ok(status === 404 || (status === 200 && json.version === connection.version), text);
  else assert.ok(status === 200 && [connection.version, change.after.version].includes(json.version), text);
  const isDone = status === 404 || json.version === change.after.version;
  counts.doneUnanswered += isDone;
  if (isDone) done(connection, change);
}

// What is there is what was acknowledged.
async function read(host, connection, counts) {
  const path = `/v1/connections/${connection.id}`;
  const [shown, resolved] = [await host.send("GET", path), await host.send("GET", `${path}/credentials`)];
  if (connection.isDeleted) {
    assert.deepEqual([shown.status, resolved.status], [404, 404], `${connection.id} was deleted`);
    return;
  }
  const { name, version, revision, token } = connection;
  const found = shown.json && { name: shown.json.name, version: shown.json.version, revision: shown.json.revision };
  if (shown.status !== 200) counts.lost++;
  else if (resolved.status !== 200) counts.unreadable++;
  assert.equal(shown.status, 200, `${connection.id} is lost: ${shown.text}`);
  assert.deepEqual(found, { name, version, revision });
  assert.equal(resolved.status, 200, `${connection.id} is not readable: ${resolved.text}`);
  assert.equal(resolved.json.secrets.token, token);
}

// Everything that was ever acknowledged, and that there is nothing else.
async function readAll(host, all, counts) {
  for (let at = 0; at < all.length; at += CLIENTS) {
    await Promise.all(all.slice(at, at + CLIENTS).map((connection) => read(host, connection, counts)));
  }
  const listed = [];
  for (let cursor = ""; cursor !== null; ) {
    const { json } = await host.send("GET", `/v1/connections?environment=development&limit=100${cursor && `&cursor=${cursor}`}`);
    listed.push(...json.data.map(({ id }) => id));
    cursor = json.next_cursor;
  }
  const live = all.filter(({ isDeleted }) => !isDeleted).map(({ id }) => id);
  assert.deepEqual(listed.sort(), live.sort());
  counts.connections = live.length;
}

// The files of every database, as the kill left them: on a copy, for whoever opens one mends it.
async function checkFiles(stateDir) {
  const copy = await mkdtemp(join(tmpdir(), "keyfob-kill-copy-"));
  try {
    await cp(stateDir, copy, { recursive: true });
    const entries = await readdir(copy, { recursive: true, withFileTypes: true });
    const files = entries.filter(({ name }) => name.endsWith(".sqlite")).map((entry) => join(entry.parentPath, entry.name));
    assert.ok(files.length >= 2, `databases of D1 and KV, not ${files}`);
    let checked = 0;
    for (const file of files) {
      const database = new DatabaseSync(file);
      assert.deepEqual(database.prepare("pragma integrity_check").all().map((row) => row.integrity_check), ["ok"], file);
      if (database.prepare("select 1 from sqlite_master where name = 'connections'").get()) {
        for (const [what, sql] of Object.entries(NEVER)) assert.equal(database.prepare(sql).get().n, 0, what);
        checked++;
      }
      database.close();
    }
    assert.equal(checked, 1, "Keyfob's database is among them");
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}
