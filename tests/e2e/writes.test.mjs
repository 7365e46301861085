// Writers at once, in real workerd: D1's unique violation is the compare-and-set, and nothing is left behind.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bearer, GENEROUS, ifMatch, lineOf } from "./bodies.mjs";
import { startService } from "./counterpart.mjs";
import { startKeyfob } from "./keyfob.mjs";

let keyfob;
before(async () => {
  keyfob = await startKeyfob({ vars: { RATE_LIMITS: GENEROUS } });
});
after(() => keyfob?.stop());

// A service that accepts every token, and answers once `number` requests that carry one are waiting: writers whose values
// are tested against it have all read before any of them commits.
async function startMeeting(number) {
  const waiting = [];
  return startService((request, response) => {
    if (!request.headers.authorization) return response.writeHead(401).end();
    waiting.push(response);
    if (waiting.length === number) for (const held of waiting.splice(0)) held.writeHead(204).end();
  });
}

const create = (body, headers = {}) => keyfob.request("POST", "/v1/connections?test=false", { body, headers });

async function count(sql) {
  const database = await keyfob.database();
  return (await database.prepare(`select count(*) as n from ${sql}`).first()).n;
}

// Every blob has a row that names it, or one that has it deleted later.
async function blobsWithoutRow() {
  const { keys } = await (await keyfob.blobs()).list();
  const database = await keyfob.database();
  const rows = await database.prepare("select vault_ref from vault_entries union select vault_ref from garbage").all();
  const known = new Set(rows.results.map((row) => row.vault_ref));
  return keys.map((key) => key.name).filter((name) => !known.has(name));
}

test("of two changes of one version one is done, and the other is told 412 by the database", async () => {
  const meeting = await startMeeting(2);
  const settings = { test_path: "/" };
  const { json: created } = await create(bearer({ name: "Two writers", base_url: meeting.origin, settings }));
  for (let version = 1; version <= 10; version++) {
    const answers = await Promise.all(
      ["one", "two"].map((writer) => {
        const body = { secrets: { token: `token-${writer}-${version}` } };
        return keyfob.request("PATCH", `/v1/connections/${created.id}`, { body, headers: ifMatch(version) });
      }),
    );
    const statuses = answers.map(({ status }) => status).sort();
    assert.deepEqual(statuses, [200, 412], answers.map(({ text }) => text).join("\n"));
    const lost = answers.find(({ status }) => status === 412);
    assert.equal(lost.json.code, "version_mismatch");
    const won = answers.indexOf(answers.find(({ status }) => status === 200)) === 0 ? "one" : "two";
    const { json } = await keyfob.request("GET", `/v1/connections/${created.id}/credentials`);
    assert.equal(json.secrets.token, `token-${won}-${version}`);
    // One read alone: If-Match was stale already. A second call: the commit itself was refused.
    assert.ok((await lineOf(keyfob, lost)).database_calls > 1, "the two never met in the database");
  }
  await meeting.stop();
  assert.deepEqual(await blobsWithoutRow(), []);
});

test("of 32 changes of one version one is done, and 31 are told 412", async () => {
  const { json: created } = await create(bearer({ name: "32 writers" }));
  const answers = await Promise.all(
    Array.from({ length: 32 }, (_, writer) => {
      const body = { secrets: { token: `token-of-${writer}` } };
      return keyfob.request("PATCH", `/v1/connections/${created.id}?test=false`, { body, headers: ifMatch(1) });
    }),
  );
  const statuses = answers.map(({ status }) => status).sort();
  assert.deepEqual(statuses, [200, ...Array.from({ length: 31 }, () => 412)], answers.map(({ text }) => text).join("\n"));
  const winner = answers.findIndex(({ status }) => status === 200);
  const { json } = await keyfob.request("GET", `/v1/connections/${created.id}/credentials`);
  assert.equal(json.secrets.token, `token-of-${winner}`);
  assert.deepEqual(await blobsWithoutRow(), []);
});

test("of two connections with one stable key one is created", async () => {
  const meeting = await startMeeting(2);
  for (let round = 0; round < 10; round++) {
    const settings = { test_path: "/" };
    const body = bearer({ name: "Same", stable_key: `same-${round}`, base_url: meeting.origin, settings });
    const answers = await Promise.all([1, 2].map(() => keyfob.request("POST", "/v1/connections", { body })));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409], answers.map(({ text }) => text).join("\n"));
    const lost = answers.find(({ status }) => status === 409);
    assert.equal(lost.json.code, "stable_key_taken");
    assert.ok((await lineOf(keyfob, lost)).database_calls > 1, "the two never met in the database");
  }
  await meeting.stop();
  assert.deepEqual(await blobsWithoutRow(), []);
});

test("one Idempotency-Key from 32 clients at once makes one connection and one answer", async () => {
  const meeting = await startMeeting(32);
  const before = await count("connections");
  const body = bearer({ name: "Once", base_url: meeting.origin, settings: { test_path: "/" } });
  const headers = { "idempotency-key": "once" };
  const answers = await Promise.all(
    Array.from({ length: 32 }, () => keyfob.request("POST", "/v1/connections", { body, headers })),
  );
  await meeting.stop();
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([201]), answers.map(({ text }) => text).join("\n"));
  assert.equal(new Set(answers.map(({ text }) => text)).size, 1);
  assert.equal(new Set(answers.map(({ headers }) => headers.location)).size, 1);
  assert.equal(answers.filter(({ headers }) => headers["idempotency-replayed"] === "true").length, 31);
  assert.equal((await count("connections")) - before, 1);
  assert.deepEqual(await blobsWithoutRow(), []);
});

test("the same key with another body is refused", async () => {
  const answer = await create(bearer({ name: "Twice" }), { "idempotency-key": "once" });
  assert.deepEqual([answer.status, answer.json.code], [422, "idempotency_key_reused"]);
});
