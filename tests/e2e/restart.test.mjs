// What is stored outlives the Worker; without the right master key, secrets do not open and the rest is still read.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { newMasterKeys } from "../../scripts/keys.mjs";
import { bearer, ifMatch } from "./bodies.mjs";
import { startKeyfob } from "./keyfob.mjs";

const TOKEN = "a-token-0123456789";
const LIST = "/v1/connections?environment=development";

let keyfob;
let id;
before(async () => {
  keyfob = await startKeyfob();
  id = (await keyfob.request("POST", "/v1/connections?test=false", { body: bearer({ token: TOKEN }) })).json.id;
});
after(() => keyfob?.stop());

async function metadataIsRead() {
  const list = await keyfob.request("GET", LIST);
  assert.deepEqual([list.status, list.json.data.map((connection) => connection.id)], [200, [id]]);
  assert.equal((await keyfob.request("GET", `/v1/connections/${id}/events`)).json.data.length, 1);
}

async function secretsAreRefused() {
  const reveal = { fields: ["token"], reason: "A test." };
  const change = { secrets: { token: "another" } };
  const answers = [
    await keyfob.request("GET", `/v1/connections/${id}/credentials`),
    await keyfob.request("POST", `/v1/connections/${id}/reveal`, { body: reveal }),
    await keyfob.request("PATCH", `/v1/connections/${id}?test=false`, { body: change, headers: ifMatch(1) }),
    await keyfob.request("POST", "/v1/connections?test=false", { body: bearer({ name: "Another" }) }),
  ];
  for (const answer of answers) assert.deepEqual([answer.status, answer.json.code], [503, "key_unavailable"], answer.text);
}

test("after a restart everything reads as before", async () => {
  await keyfob.restart();
  await metadataIsRead();
  const { json } = await keyfob.request("GET", `/v1/connections/${id}/credentials`);
  assert.equal(json.secrets.token, TOKEN);
});

test("with another master key under the same number, metadata is served and secrets are not", async () => {
  await keyfob.restart({ vars: { MASTER_KEYS: newMasterKeys() } });
  await metadataIsRead();
  await secretsAreRefused();
});

for (const MASTER_KEYS of ["", "nonsense", '{"primary":2,"keys":{}}']) {
  test(`with master keys that are none (${MASTER_KEYS || "unset"}), metadata is served and secrets are not`, async () => {
    await keyfob.restart({ vars: { MASTER_KEYS } });
    await metadataIsRead();
    await secretsAreRefused();
  });
}

test("with the right master key again, everything reads as before and nothing was added", async () => {
  await keyfob.restart();
  await metadataIsRead();
  const { json } = await keyfob.request("GET", `/v1/connections/${id}/credentials`);
  assert.equal(json.secrets.token, TOKEN);
});

test("the development switch in production stops everything but the word that says so", async () => {
  await keyfob.restart({ vars: { KEYFOB_DEPLOYMENT: "production", ALLOW_PRIVATE_NETWORK: "true" } });
  for (const path of [LIST, "/v1/providers", `/v1/connections/${id}/credentials`, "/healthz"]) {
    const answer = await keyfob.request("GET", path);
    assert.deepEqual([answer.status, answer.json.code], [503, "misconfigured"], path);
  }
  assert.ok(keyfob.logs.some((line) => line.includes("ALLOW_PRIVATE_NETWORK")));
});
