// The master key rotates in real workerd while clients read and write, and an older copy of the database is put back under a
// stopped workerd, as Time Travel does it.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { cp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { bearer, GENEROUS, ifMatch, lineOf } from "./bodies.mjs";
import { startKeyfob } from "./keyfob.mjs";

const ENTRIES = 600;
const CLIENTS = 4;
const keys = { 1: randomBytes(32).toString("base64"), 2: randomBytes(32).toString("base64") };
const ring = (primary, ...ids) => JSON.stringify({ primary, keys: Object.fromEntries(ids.map((id) => [id, keys[id]])) });

let keyfob;
// What each connection resolves to, by id: its secret and its version.
const known = new Map();
before(async () => {
  keyfob = await startKeyfob({ vars: { RATE_LIMITS: GENEROUS, MASTER_KEYS: ring(1, 1) } });
  await inParallel(Array.from({ length: ENTRIES }, (_, number) => number), create);
});
after(() => keyfob?.stop());

async function inParallel(items, act) {
  const left = [...items];
  await Promise.all(Array.from({ length: 8 }, async () => {
    while (left.length > 0) await act(left.pop());
  }));
}

async function create(number) {
  const token = `token-${number}`;
  const answer = await keyfob.request("POST", "/v1/connections?test=false", { body: bearer({ name: `Number ${number}`, token }) });
  assert.equal(answer.status, 201, answer.text);
  known.set(answer.json.id, { token, version: 1 });
}

async function change(id) {
  const { version } = known.get(id);
  const token = `token-of-${version + 1}`;
  const answer = await keyfob.request("PATCH", `/v1/connections/${id}?test=false`, { body: { secrets: { token } }, headers: ifMatch(version) });
  assert.equal(answer.status, 200, answer.text);
  known.set(id, { token, version: version + 1 });
}

async function read(id, token = known.get(id).token) {
  const answer = await keyfob.request("GET", `/v1/connections/${id}/credentials`);
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.json.secrets.token, token);
}

async function rewrap() {
  const answer = await keyfob.request("POST", "/v1/keys/rewrap");
  assert.equal(answer.status, 200, answer.text);
  assert.equal((await lineOf(keyfob, answer)).blob_calls, 0);
  return answer.json.rewrap;
}

// The folder of D1 below the state, whatever Miniflare calls it.
async function databaseFolder() {
  const files = await readdir(keyfob.stateDir, { recursive: true });
  const file = files.find((file) => file.endsWith(".sqlite") && /d1/i.test(file) && !file.includes("metadata"));
  return join(keyfob.stateDir, file, "..");
}

let copy;
test("every entry is wrapped anew while clients read and write, without one failure", async () => {
  await keyfob.restart({ vars: { MASTER_KEYS: ring(1, 1, 2) } });
  await read([...known.keys()][0]);
  await keyfob.restart({
    vars: { MASTER_KEYS: ring(2, 1, 2) },
    async whileStopped() {
      copy = { folder: `${keyfob.stateDir}-copy`, known: new Map(known) };
      await cp(await databaseFolder(), copy.folder, { recursive: true });
    },
  });
  const ids = [...known.keys()];
  let done = false;
  let requests = 0;
  const client = async (number) => {
    const own = ids.filter((_, at) => at % CLIENTS === number);
    for (let round = 0; !done; round++, requests++) {
      const id = own[(round * 31) % own.length];
      await (round % 4 === 0 ? change(id) : read(id));
    }
  };
  const clients = Array.from({ length: CLIENTS }, (_, number) => client(number));
  let progress = await rewrap();
  assert.ok(progress.waiting > 0 && !progress.done);
  while (!progress.done) progress = await rewrap();
  done = true;
  await Promise.all(clients);
  assert.ok(requests > 0 && progress.waiting + progress.unavailable + progress.unopenable === 0);
});

// The logs need a key until checkpoints under the newer one cover their rows.
test("with the old key out of the ring everything is read, once it is removable", async () => {
  const isRemovable = async () => (await keyfob.request("GET", "/v1/keys")).json.data.find(({ id }) => id === 1).removable;
  for (let ticks = 0; ticks < 10 && !(await isRemovable()); ticks++) await keyfob.scheduled();
  assert.ok(await isRemovable());
  await keyfob.restart({ vars: { MASTER_KEYS: ring(2, 2) } });
  await inParallel(known.keys(), (id) => read(id));
  const { json } = await keyfob.request("GET", "/v1/keys");
  assert.deepEqual(json.data.map(({ id, state }) => [id, state]), [[2, "primary"]]);
  assert.ok(!JSON.stringify(json).includes(keys[2]));
});

test("an older copy of the database opens, and every head of then is read", async () => {
  for (const id of [...known.keys()].slice(0, 20)) {
    const answer = await keyfob.request("DELETE", `/v1/connections/${id}`, { headers: ifMatch(known.get(id).version) });
    assert.equal(answer.status, 204, answer.text);
  }
  await keyfob.scheduled();
  const restore = async () => {
    const folder = await databaseFolder();
    await rm(folder, { recursive: true });
    await cp(copy.folder, folder, { recursive: true });
    await rm(copy.folder, { recursive: true });
  };
  await keyfob.restart({ vars: { MASTER_KEYS: ring(2, 2) }, whileStopped: restore });
  const { json } = await keyfob.request("GET", "/v1/keys");
  assert.deepEqual([json.data[0].id, json.data[0].state, json.rewrap.unavailable], [1, "missing", ENTRIES]);
  const [first] = copy.known.keys();
  assert.equal((await keyfob.request("GET", `/v1/connections/${first}/credentials`)).json.code, "key_unavailable");
  // The retired key was kept.
  await keyfob.restart({ vars: { MASTER_KEYS: ring(2, 1, 2) } });
  await inParallel(copy.known.keys(), (id) => read(id, copy.known.get(id).token));
});

test("the scheduled handler goes on by itself until nothing waits", async () => {
  await keyfob.scheduled();
  const { json } = await keyfob.request("GET", "/v1/keys");
  assert.deepEqual([json.rewrap.rewrapped, json.rewrap.done], [ENTRIES, true]);
  const line = keyfob.logs.findLast((line) => line.includes('"scheduled":"rewrap"'));
  assert.equal(JSON.parse(line.slice(line.indexOf("{"))).entries, ENTRIES);
});
