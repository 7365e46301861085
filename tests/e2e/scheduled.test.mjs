// The scheduled handler deletes what has served its time, and nothing else.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bearer, ifMatch } from "./bodies.mjs";
import { startKeyfob } from "./keyfob.mjs";

const DAY = 24 * 60 * 60 * 1000;

let keyfob;
before(async () => {
  keyfob = await startKeyfob();
});
after(() => keyfob?.stop());

const blobs = async () => (await (await keyfob.blobs()).list()).keys.map(({ name }) => name);

async function run(sql, ...values) {
  const database = await keyfob.database();
  return (await database.prepare(sql).bind(...values).all()).results;
}

async function createAndDelete(name) {
  const { json } = await keyfob.request("POST", "/v1/connections?test=false", { body: bearer({ name }) });
  const [{ vault_ref }] = await run("select vault_ref from vault_entries where owner_id = ?", json.id);
  const deleted = await keyfob.request("DELETE", `/v1/connections/${json.id}`, { headers: ifMatch(1) });
  assert.equal(deleted.status, 204);
  return vault_ref;
}

test("a blob is deleted when it is due, 31 days after its connection, and not before", async () => {
  const due = await createAndDelete("Due");
  const later = await createAndDelete("Later");
  const { json: kept } = await keyfob.request("POST", "/v1/connections?test=false", { body: bearer({ name: "Kept" }) });
  const garbage = await run("select due_at from garbage");
  assert.equal(garbage.length, 2);
  for (const { due_at } of garbage) assert.ok(Math.abs(due_at - Date.now() - 31 * DAY) < DAY / 24);

  await keyfob.scheduled();
  assert.equal((await blobs()).length, 3);

  await run("update garbage set due_at = 0 where vault_ref = ?", due);
  const { outcome } = await keyfob.scheduled();
  assert.equal(outcome, "ok");
  const left = await blobs();
  assert.equal(left.length, 2);
  assert.ok(!left.includes(due) && left.includes(later));
  assert.deepEqual(await run("select vault_ref from garbage"), [{ vault_ref: later }]);
  const { json } = await keyfob.request("GET", `/v1/connections/${kept.id}/credentials`);
  assert.equal(json.secrets.token, "token-of-a-test");
});

test("an answer kept for an Idempotency-Key is forgotten after a day", async () => {
  const create = () => {
    const headers = { "idempotency-key": "once" };
    return keyfob.request("POST", "/v1/connections?test=false", { body: bearer({ name: "Once" }), headers });
  };
  const first = await create();
  await keyfob.scheduled();
  assert.equal((await create()).json.id, first.json.id);
  await run("update idempotency set created_at = created_at - ?", DAY + 60_000);
  await keyfob.scheduled();
  assert.notEqual((await create()).json.id, first.json.id);
});

test("the full-text indexes become one segment each, and find the same", async () => {
  for (let number = 0; number < 12; number += 1) {
    const body = bearer({ name: `Merged ${number}` });
    assert.equal((await keyfob.request("POST", "/v1/connections?test=false", { body })).status, 201);
  }
  const segments = async (index) => (await run(`select count(distinct segid) as n from connections_${index}_idx`))[0].n;
  const search = async () => {
    const { json } = await keyfob.request("GET", "/v1/connections?environment=development&search=merged&limit=100");
    return json.data.map(({ id }) => id);
  };
  assert.ok((await segments("trigram")) > 1 && (await segments("prefix")) > 1);
  const found = await search();
  assert.equal(found.length, 12);
  // Everything is merged once a day at most, and a tick of a test before this one may have been that.
  await run("delete from search_merge");
  for (let tick = 0; tick < 3; tick += 1) await keyfob.scheduled();
  assert.deepEqual([await segments("trigram"), await segments("prefix")], [1, 1]);
  assert.deepEqual(await search(), found);
  const line = keyfob.logs.filter((text) => text.includes('"scheduled":"merge_search"')).at(-1);
  assert.deepEqual(JSON.parse(line), { scheduled: "merge_search", segments: [1, 1] });
});

test("it says what it did, in one log line", async () => {
  const lines = keyfob.logs.filter((line) => line.includes('"scheduled":"sweep"'));
  assert.ok(lines.length >= 2);
  assert.ok(lines.some((line) => line.includes('"blobs_deleted":1')));
  assert.ok(lines.every((line) => !line.includes("failure")));
});

test("a blob that no row names becomes garbage, and no other does", async () => {
  const store = await keyfob.blobs();
  const orphan = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";
  await store.put(orphan, "left by a Worker that died");
  await run("delete from orphan_walk");
  await keyfob.scheduled();
  const named = await run("select vault_ref from vault_entries");
  const garbage = (await run("select vault_ref from garbage")).map((row) => row.vault_ref);
  assert.ok(garbage.includes(orphan));
  assert.ok(named.length > 0 && named.every((row) => !garbage.includes(row.vault_ref)));
});
