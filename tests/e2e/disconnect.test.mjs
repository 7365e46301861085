// A client that goes away in the middle of a request cuts no write in half.
//
// The local D1 and KV answer within one turn of workerd's event loop, so that it notices a lost client only while a request
// waits for the network: that is where most of these clients go away, while the service is asked about their values.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { bearer, GENEROUS } from "./bodies.mjs";
import { startService } from "./counterpart.mjs";
import { startKeyfob } from "./keyfob.mjs";

const CLIENTS = 50;

let keyfob;
let service;
// What to do when the service is asked with this credential.
const onAsked = new Map();
before(async () => {
  service = await startService(async ({ headers: { authorization } }, response) => {
    await onAsked.get(authorization)?.();
    response.writeHead(authorization ? 200 : 401).end();
  });
  keyfob = await startKeyfob({ vars: { RATE_LIMITS: GENEROUS } });
});
after(async () => {
  await keyfob?.stop();
  await service?.stop();
});

const token = (client) => `token-of-${client}`;

// A create on the Worker's own socket, and the way to reset it: a plain close, or one through Miniflare's front, cancels
// nothing.
function sendCreate(client, path) {
  const { port } = new URL(keyfob.directUrl);
  const body = JSON.stringify(bearer({ name: client, token: token(client), base_url: service.origin, settings: { test_path: "/me" } }));
  const head = [
    `POST ${path} HTTP/1.1`,
    `host: 127.0.0.1:${port}`,
    `authorization: Bearer ${keyfob.rootKey}`,
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
  ].join("\r\n");
  const socket = connect({ port: Number(port), host: "127.0.0.1", noDelay: true });
  const outcome = { isAnswered: false };
  socket.on("data", () => {
    outcome.isAnswered = true;
  });
  socket.on("error", () => {});
  const sent = new Promise((resolve) => socket.write(`${head}\r\n\r\n${body}`, resolve));
  return { outcome, sent, reset: () => socket.resetAndDestroy() };
}

async function rows(sql) {
  return (await (await keyfob.database()).prepare(sql).all()).results;
}

// Every connection has all that belongs to one, and there is nothing that belongs to none.
async function everythingIsWhole() {
  const connections = await rows("select id, name from connections order by id");
  const ids = connections.map(({ id }) => id);
  const parts = {
    events: "select connection_id as id from events order by 1",
    revisions: "select connection_id as id from revisions order by 1",
    secrets: "select owner_id as id from vault_entries order by 1",
    audit: "select resource_id as id from audit_events where action = 'connection.created' order by 1",
  };
  for (const [part, sql] of Object.entries(parts)) assert.deepEqual((await rows(sql)).map(({ id }) => id), ids, part);
  const named = (await rows("select vault_ref from vault_entries")).map((row) => row.vault_ref);
  const { keys } = await (await keyfob.blobs()).list();
  assert.deepEqual(keys.map(({ name }) => name).sort(), named.sort());
  for (const { id, name } of connections) {
    const { status, json, text } = await keyfob.request("GET", `/v1/connections/${id}/credentials`);
    assert.equal(status, 200, text);
    assert.equal(json.secrets.token, token(name));
  }
  return connections.map(({ name }) => name);
}

test(`${CLIENTS} clients go away while their values are tested: each create is done all the same`, async () => {
  const clients = Array.from({ length: CLIENTS }, (_, number) => `waiting-${number}`);
  for (const [number, client] of clients.entries()) {
    const request = sendCreate(client, "/v1/connections");
    await new Promise((resolve) => {
      onAsked.set(`Bearer ${token(client)}`, async () => {
        request.reset();
        resolve();
        await sleep(number % 10);
      });
    });
    assert.equal(request.outcome.isAnswered, false);
  }
  await sleep(500);
  const created = await everythingIsWhole();
  assert.deepEqual(clients.filter((client) => !created.includes(client)), []);
});

test(`${CLIENTS} clients go away at any moment: each create is whole or absent`, async () => {
  let answered = 0;
  for (let number = 0; number < CLIENTS; number++) {
    const request = sendCreate(`leaving-${number}`, "/v1/connections?test=false");
    await request.sent;
    await sleep((number % 10) / 2);
    request.reset();
    answered += request.outcome.isAnswered;
  }
  assert.ok(answered < CLIENTS, "none went away before its answer");
  await sleep(500);
  await everythingIsWhole();
});
