// Definitions move between environments in real D1 and KV: exported, imported twice, and 500 with secrets at once.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bearer } from "./bodies.mjs";
import { startApi } from "./counterpart.mjs";
import { startKeyfob } from "./keyfob.mjs";

let keyfob;
let api;
before(async () => {
  api = await startApi("token-of-a-test", "entered");
  keyfob = await startKeyfob();
});
after(async () => {
  await keyfob?.stop();
  await api?.stop();
});

const connection = (rest = {}) => bearer({ base_url: api.origin, settings: { test_path: "/me" }, ...rest });

async function ok(method, path, body, status = 200) {
  const answer = await keyfob.request(method, path, { body });
  assert.equal(answer.status, status, answer.text.slice(0, 500));
  return answer.json;
}

const importInto = (environment, document, query = "dry_run=false") =>
  ok("POST", `/v1/import?environment=${environment}&${query}`, document);

test("what is built in development is exported, planned, imported, and the second time nothing is done", async () => {
  for (const name of ["One", "Two", "Three"]) await ok("POST", "/v1/connections", connection({ name }), 201);
  const document = await ok("GET", "/v1/export?environment=development");
  assert.ok(!JSON.stringify(document).includes("token-of"), "no secret");
  assert.equal(document.connections.length, 3);
  const plan = await importInto("production", document, "dry_run=true");
  assert.deepEqual(plan.counts, { create: 3, change: 0, unchanged: 0, conflict: 0, needs_secrets: 3 });
  assert.deepEqual((await importInto("production", document)).counts, plan.counts);
  assert.equal((await importInto("production", document)).counts.unchanged, 3);

  const { data } = await ok("GET", "/v1/connections?environment=production&reason=missing");
  assert.equal(data.length, 3);
  const path = `/v1/connections/${data[0].id}`;
  const entered = await keyfob.request("PATCH", path, { body: { secrets: { token: "entered" } }, headers: { "if-match": '"1"' } });
  assert.deepEqual([entered.status, entered.json?.status], [200, "active"], entered.text);

  const renamed = document.connections.map((one) => ({ ...one, name: `${one.name}, renamed`, tags: ["moved"] }));
  const changed = await importInto("production", { ...document, connections: renamed });
  assert.equal(changed.counts.change, 3);
  const search = await ok("GET", "/v1/connections?environment=production&search=renamed&tag=moved");
  assert.equal(search.data.length, 3);
  assert.equal(search.data.find(({ id }) => id === data[0].id).status, "active", "its secret and verdict stay");

  const copy = await ok("POST", `${path}/copy`, { environment: "staging" }, 201);
  assert.deepEqual([copy.stable_key, copy.health.reason], [data[0].stable_key, "missing"]);
});

test("500 connections with secrets move in at once, and each can be resolved", async () => {
  const connections = Array.from({ length: 500 }, (_, number) => {
    const { environment: _environment, provider, connection_type, settings } = connection();
    return { stable_key: `moved-${number}`, provider, connection_type, name: `Moved ${number}`, settings, secrets: { token: `secret-${number}` } };
  });
  const document = { format: "keyfob/definitions/1", connections };
  assert.equal((await importInto("staging", document)).counts.create, 500);
  assert.equal((await importInto("staging", document)).counts.unchanged, 500);
  for (const number of [0, 250, 499]) {
    const { secrets } = await ok("GET", `/v1/credentials?environment=staging&stable_key=moved-${number}`);
    assert.equal(secrets.token, `secret-${number}`);
  }
  connections[7].secrets.token = "another";
  assert.deepEqual((await importInto("staging", document)).counts, { create: 0, change: 1, unchanged: 499, conflict: 0, needs_secrets: 0 });
});
