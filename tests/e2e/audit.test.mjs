// The audit log in real workerd: sealed by the scheduled handler, verified, and resolves counted after their answers.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bearer } from "./bodies.mjs";
import { startKeyfob } from "./keyfob.mjs";

let keyfob;
before(async () => {
  keyfob = await startKeyfob();
});
after(() => keyfob?.stop());

const run = async (sql) => (await (await keyfob.database()).prepare(sql).all()).results;
const verify = async () => (await keyfob.request("GET", "/v1/audit-events/verification")).json;

test("what was logged is sealed, verified, and a row that was changed is named", async () => {
  for (const name of ["One", "Two", "Three"]) {
    const { status } = await keyfob.request("POST", "/v1/connections?test=false", { body: bearer({ name }) });
    assert.equal(status, 201);
  }
  const unsealed = await verify();
  assert.deepEqual(unsealed.logs.map(({ unsealed }) => unsealed), [3, 3]);
  assert.equal(unsealed.broken, null);
  assert.equal((await keyfob.scheduled()).outcome, "ok");
  const sealed = await verify();
  assert.deepEqual(sealed.logs.map(({ sealed_up_to, unsealed }) => [sealed_up_to, unsealed]), [[3, 0], [3, 0]]);
  assert.deepEqual([sealed.broken, sealed.rows_verified, sealed.next_cursor], [null, 6, null]);
  const lines = keyfob.logs.filter((line) => line.includes('"scheduled":"seal_'));
  for (const { head } of sealed.logs) assert.ok(lines.some((line) => line.includes(head)), head);

  await run("drop trigger audit_events_are_not_updated");
  await run("update audit_events set actor = json_set(actor, '$.name', 'Somebody else') where seq = 2");
  assert.deepEqual((await verify()).broken, { log: "audit_events", seq: 2, fault: "row_changed" });
  await run("update audit_events set actor = json_set(actor, '$.name', 'Root key') where seq = 2");
  assert.equal((await verify()).broken, null);
});

test("a resolve is counted after its answer, and is one write for many", async () => {
  const { json } = await keyfob.request("POST", "/v1/connections?test=false", { body: bearer({ name: "Used" }) });
  const resolve = () => keyfob.request("GET", `/v1/connections/${json.id}/credentials`);
  const answers = await Promise.all(Array.from({ length: 50 }, resolve));
  assert.ok(answers.every(({ status }) => status === 200));
  const counted = () => run(`select count, environment from resolves where connection_id = '${json.id}'`);
  for (let tries = 0; (await counted()).length === 0; tries++) {
    assert.ok(tries < 100, "the count is written after the answer");
    await new Promise((done) => setTimeout(done, 50));
  }
  assert.equal((await counted()).length, 1);
  const { json: connection } = await keyfob.request("GET", `/v1/connections/${json.id}`);
  assert.ok(connection.last_used_at);

  await run("update resolves set hour = hour - 7200000");
  await keyfob.scheduled();
  const path = "/v1/audit-events?action=connection.credentials_resolved";
  const { data } = (await keyfob.request("GET", path)).json;
  assert.equal(data.length, 1);
  assert.equal(data[0].resource_id, json.id);
  assert.ok(data[0].detail.count >= 1 && data[0].detail.count <= 50);
  assert.deepEqual(await counted(), []);
});
