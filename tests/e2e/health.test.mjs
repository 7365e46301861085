// What a connection's health says follows what its service says.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bearer, GENEROUS } from "./bodies.mjs";
import { startApi } from "./counterpart.mjs";
import { startKeyfob } from "./keyfob.mjs";

const TOKEN = "a-token-0123456789";

let keyfob;
let api;
let id;
before(async () => {
  api = await startApi(TOKEN);
  keyfob = await startKeyfob({ vars: { RATE_LIMITS: GENEROUS } });
  const body = bearer({ base_url: api.origin, token: TOKEN, settings: { test_path: "/me" } });
  id = (await keyfob.request("POST", "/v1/connections", { body })).json.id;
});
after(async () => {
  await keyfob?.stop();
  await api?.stop();
});

async function healthAfterTest() {
  const tested = await keyfob.request("POST", `/v1/connections/${id}/tests`, { body: {} });
  assert.equal(tested.status, 201, tested.text);
  const { json } = await keyfob.request("GET", `/v1/connections/${id}`);
  return [json.status, json.health.verdict, json.health.reason, json.last_attempt.verdict];
}

test("a credential that the service refuses is invalid, and valid again when it accepts it", async () => {
  assert.deepEqual(await healthAfterTest(), ["active", "valid", null, "valid"]);
  api.accepts.delete(TOKEN);
  assert.deepEqual(await healthAfterTest(), ["not_active", "invalid", "rejected", "invalid"]);
  api.accepts.add(TOKEN);
  assert.deepEqual(await healthAfterTest(), ["active", "valid", null, "valid"]);
});

test("a service that is not there leaves the verdict, and shows in the last attempt", async () => {
  await api.stop();
  assert.deepEqual(await healthAfterTest(), ["active", "valid", null, "unknown"]);
});
