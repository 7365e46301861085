// What the scheduled handler does by itself in workerd: it tests again what nobody tested for a day, and tells endpoints what
// changed, signed.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { bearer, ifMatch } from "./bodies.mjs";
import { startApi, startService } from "./counterpart.mjs";
import { startKeyfob } from "./keyfob.mjs";

let keyfob, api, endpoint;
const received = [];
const answers = [];
before(async () => {
  api = await startApi("token-of-a-test");
  endpoint = await startService(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    received.push({ headers: request.headers, body });
    response.writeHead(answers.shift() ?? 204).end();
  });
  keyfob = await startKeyfob();
});
after(() => Promise.all([keyfob?.stop(), api?.stop(), endpoint?.stop()]));

async function run(sql, ...values) {
  const database = await keyfob.database();
  return (await database.prepare(sql).bind(...values).all()).results;
}

function verifies({ headers, body }, secret) {
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  return headers["webhook-signature"] === `v1,${createHmac("sha256", key).update(signed).digest("base64")}`;
}

test("a scheduled test turns a connection, and its endpoint is told once it answers", async () => {
  const body = { environment: "development", url: `${endpoint.origin}/in`, event_types: ["connection.status_changed"] };
  const { status, json: webhook } = await keyfob.request("POST", "/v1/webhooks", { body });
  assert.equal(status, 201);
  const settings = { test_path: "/me" };
  const { json: created } = await keyfob.request("POST", "/v1/connections", { body: bearer({ base_url: api.origin, settings }) });
  assert.equal(created.status, "active");

  api.accepts.delete("token-of-a-test");
  await keyfob.scheduled();
  assert.equal(api.requests.length, 2, "tested with and without its credential, when it was saved");
  await run("update connections set last_attempt = json_set(last_attempt, '$.at', cast(json_extract(last_attempt, '$.at') - ? as integer))", 2 * 86_400_000);
  await run("update connections set checked_at = checked_at - ?", 2 * 86_400_000);
  answers.push(500);
  await keyfob.scheduled();
  const { json: now } = await keyfob.request("GET", `/v1/connections/${created.id}`);
  assert.deepEqual([now.status, now.health.verdict, now.health.source], ["not_active", "invalid", "schedule"]);

  // The message of this tick's test is delivered by the next one; the endpoint fails first.
  await keyfob.scheduled();
  await run("update webhook_deliveries set next_attempt_at = 0 where next_attempt_at is not null");
  await keyfob.scheduled();
  assert.equal(received.length, 2);
  assert.equal(received[0].headers["webhook-id"], received[1].headers["webhook-id"]);
  assert.ok(received.every((message) => verifies(message, webhook.secret)));
  const { type, data } = JSON.parse(received[1].body);
  assert.deepEqual([type, data.connection_id, data.status, data.reason], ["connection.status_changed", created.id, "not_active", "rejected"]);
  const { json: log } = await keyfob.request("GET", `/v1/webhooks/${webhook.id}/deliveries`);
  assert.deepEqual(log.data.map(({ state, attempts, outcome }) => [state, attempts, outcome]), [["delivered", 2, "2xx"]]);
});

test("what comes near is told once, and a deleted webhook nothing more", async () => {
  const body = { environment: "development", url: `${endpoint.origin}/in`, event_types: ["connection.rotation_due"] };
  const { json: webhook } = await keyfob.request("POST", "/v1/webhooks", { body });
  const { json: created } = await keyfob.request("POST", "/v1/connections?test=false", { body: bearer({ name: "Rotated" }) });
  const change = (version, days) => {
    const rotate_by = new Date(Date.now() + days * 86_400_000).toISOString();
    return keyfob.request("PATCH", `/v1/connections/${created.id}`, { body: { rotate_by }, headers: ifMatch(version) });
  };
  assert.deepEqual((await change(1, 3)).json.attention, ["rotation_due"]);
  received.length = 0;
  for (let tick = 0; tick < 3; tick++) await keyfob.scheduled();
  assert.deepEqual(received.map(({ body }) => JSON.parse(body).type), ["connection.rotation_due"]);
  assert.equal((await keyfob.request("DELETE", `/v1/webhooks/${webhook.id}`)).status, 204);
  await change(2, 4);
  await keyfob.scheduled();
  assert.equal(received.length, 1);
  assert.deepEqual(await run("select owner_id from vault_entries where owner_id = ?", webhook.id), []);
});
