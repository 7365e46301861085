// The life of a connection, from its creation to its end, against a live service.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bearer, GENEROUS, ifMatch } from "./bodies.mjs";
import { startApi } from "./counterpart.mjs";
import { startKeyfob } from "./keyfob.mjs";

const FIRST = "first-token-0123456789";
const SECOND = "second-token-0123456789";

let keyfob;
let api;
before(async () => {
  api = await startApi(FIRST);
  keyfob = await startKeyfob({ vars: { RATE_LIMITS: GENEROUS } });
});
after(async () => {
  await keyfob?.stop();
  await api?.stop();
});

async function ask(expected, method, path, options) {
  const answer = await keyfob.request(method, path, options);
  assert.equal(answer.status, expected, `${method} ${path}: ${answer.text}`);
  return answer;
}

test("a connection is created, tested, listed, revealed, rotated, resolved, embedded and deleted", async (t) => {
  let id;
  await t.test("created: its values are tested first", async () => {
    const body = bearer({ base_url: api.origin, token: FIRST, settings: { test_path: "/me" }, tags: ["billing"], embedded: true });
    const { json, headers, text } = await ask(201, "POST", "/v1/connections", { body });
    id = json.id;
    assert.equal(json.status, "active");
    assert.equal(json.health.verdict, "valid");
    assert.equal(json.health.source, "save");
    assert.deepEqual(json.secret_fields, ["token"]);
    assert.equal(headers.etag, '"1"');
    assert.equal(headers.location, `/v1/connections/${id}`);
    assert.ok(!text.includes(FIRST));
    // Once with the credential, and once without, to see that it matters.
    assert.deepEqual(api.requests.map(({ authorization }) => authorization), [`Bearer ${FIRST}`, undefined]);
  });

  await t.test("tested: the result is kept", async () => {
    const { json } = await ask(201, "POST", `/v1/connections/${id}/tests`, { body: {} });
    assert.equal(json.verdict, "valid");
    const { json: history } = await ask(200, "GET", `/v1/connections/${id}/tests`);
    assert.deepEqual(history.data.map(({ source, verdict }) => [source, verdict]), [["test", "valid"], ["save", "valid"]]);
  });

  await t.test("listed and counted", async () => {
    const { json: list } = await ask(200, "GET", "/v1/connections?environment=development&tag=billing&status=active");
    assert.deepEqual(list.data.map((connection) => connection.id), [id]);
    assert.equal(list.next_cursor, null);
    const { json: facets } = await ask(200, "GET", "/v1/connections/facets?environment=development");
    assert.deepEqual(facets, {
      providers: [{ value: "http", count: 1, exact: true }],
      tags: [{ value: "billing", count: 1, exact: true }],
      statuses: [{ value: "active", count: 1, exact: true }, { value: "not_active", count: 0, exact: true }],
    });
  });

  await t.test("revealed, with a reason", async () => {
    await ask(422, "POST", `/v1/connections/${id}/reveal`, { body: { fields: ["token"] } });
    const body = { fields: ["token"], reason: "The service moves." };
    const { json } = await ask(200, "POST", `/v1/connections/${id}/reveal`, { body });
    assert.deepEqual(json, { revision: 1, secrets: { token: FIRST } });
  });

  await t.test("rotated: the new secret is tested, and the old one is history", async () => {
    api.accepts.add(SECOND).delete(FIRST);
    const change = { body: { secrets: { token: SECOND } } };
    await ask(428, "PATCH", `/v1/connections/${id}`, change);
    await ask(412, "PATCH", `/v1/connections/${id}`, { ...change, headers: ifMatch(9) });
    const { json, headers } = await ask(200, "PATCH", `/v1/connections/${id}`, { ...change, headers: ifMatch(1) });
    assert.deepEqual([json.version, json.revision, json.health.verdict, headers.etag], [2, 2, "valid", '"2"']);
    const old = { fields: ["token"], revision: 1, reason: "Was it the first one?" };
    const { json: revealed } = await ask(200, "POST", `/v1/connections/${id}/reveal`, { body: old });
    assert.equal(revealed.secrets.token, FIRST);
  });

  await t.test("resolved by id and by key: what is told reaches the service", async () => {
    const { json: byId, headers } = await ask(200, "GET", `/v1/connections/${id}/credentials?require=active`);
    const { json: byKey } = await ask(200, "GET", "/v1/credentials?stable_key=orders&environment=development");
    assert.equal(headers["cache-control"], "no-store");
    assert.deepEqual(byKey, byId);
    assert.deepEqual([byId.revision, byId.secrets], [2, { token: SECOND }]);
    const { base_url, headers: sent } = byId.request;
    const answer = await fetch(`${base_url.replace(/\/$/, "")}/me`, { headers: sent });
    assert.equal(answer.status, 200);
    await answer.body.cancel();
  });

  await t.test("embedded: a session sees it, and no more than it may", async () => {
    const body = { environment: "development", customer: "acme" };
    const { json: session } = await ask(201, "POST", "/v1/embedded/sessions", { body });
    const { json, headers } = await ask(200, "GET", "/v1/embedded/connections", { key: session.token });
    assert.deepEqual(json.data, [
      {
        id,
        provider: "http",
        connection_type: "bearer",
        kind: "organization",
        name: "Orders",
        stable_key: "orders",
        status: "active",
        own: false,
      },
    ]);
    await ask(304, "GET", "/v1/embedded/connections", { key: session.token, headers: { "if-none-match": headers.etag } });
    await ask(403, "GET", `/v1/connections/${id}/credentials`, { key: session.token });
    await ask(403, "GET", "/v1/embedded/connections");
  });

  await t.test("deleted: nothing of it can be read, and its key is free", async () => {
    await ask(204, "DELETE", `/v1/connections/${id}`, { headers: ifMatch(2) });
    await ask(404, "GET", `/v1/connections/${id}`);
    await ask(404, "GET", `/v1/connections/${id}/credentials`);
    await ask(404, "GET", "/v1/credentials?stable_key=orders&environment=development");
    const { json } = await ask(200, "GET", "/v1/connections?environment=development");
    assert.deepEqual(json.data, []);
    await ask(201, "POST", "/v1/connections?test=false", { body: bearer() });
  });

  assert.deepEqual(api.unforeseen, []);
});
