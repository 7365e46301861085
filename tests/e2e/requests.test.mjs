// Requests that are none: each is refused with its code, through the platform's own parsing.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { bearer } from "./bodies.mjs";
import { startKeyfob } from "./keyfob.mjs";

let keyfob;
before(async () => {
  keyfob = await startKeyfob();
});
after(() => keyfob?.stop());

const JSON_TYPE = { "content-type": "application/json" };
const MIB = 1 << 20;

function refused(answer, status, code) {
  assert.deepEqual([answer.status, answer.json?.code], [status, code], answer.text.slice(0, 300));
  assert.equal(answer.headers["content-type"], "application/problem+json");
}

test("a body over 1 MiB is refused, one of 1 MiB is read", async () => {
  const body = (length) => JSON.stringify(bearer({ description: "" })).padEnd(length, " ");
  refused(await keyfob.request("POST", "/v1/connections", { body: body(MIB + 1), headers: JSON_TYPE }), 413, "body_too_large");
  const answer = await keyfob.request("POST", "/v1/connections?test=false", { body: body(MIB), headers: JSON_TYPE });
  assert.equal(answer.status, 201, answer.text);
});

test("a body far over 1 MiB without a length is refused", async () => {
  const headers = { ...JSON_TYPE, "transfer-encoding": "chunked", authorization: `Bearer ${keyfob.rootKey}` };
  const body = new ReadableStream({
    start(controller) {
      for (let chunk = 0; chunk < 64; chunk++) controller.enqueue(new Uint8Array(1 << 16).fill(32));
      controller.close();
    },
  });
  delete headers["transfer-encoding"];
  const answer = await fetch(new URL("/v1/connections", keyfob.url), { method: "POST", headers, body, duplex: "half" });
  assert.equal(answer.status, 413);
  assert.equal((await answer.json()).code, "body_too_large");
});

for (const body of ["", "{", "nonsense", '{"name":"x"}}', "\u0000", "[".repeat(100_000)]) {
  test(`a body that is no JSON is refused: ${JSON.stringify(body.slice(0, 12))}`, async () => {
    const answer = await keyfob.request("POST", "/v1/connections", { body, headers: JSON_TYPE });
    assert.ok([400, 422].includes(answer.status), answer.text);
    assert.ok(["invalid_json", "invalid_body"].includes(answer.json.code), answer.text);
  });
}

test("a body of another type is refused", async () => {
  const answer = await keyfob.request("POST", "/v1/connections", { body: "a=b", headers: { "content-type": "text/plain" } });
  refused(answer, 415, "unsupported_media_type");
});

test("a method that a route has not, and one that nobody knows, are refused", async () => {
  refused(await keyfob.request("PUT", "/v1/connections"), 405, "method_not_allowed");
  refused(await keyfob.request("PROPFIND", "/v1/connections"), 405, "method_not_allowed");
  refused(await keyfob.request("POST", "/healthz", { body: "" }), 405, "method_not_allowed");
});

test("a method of no standard never reaches a handler", async () => {
  const { port } = new URL(keyfob.directUrl);
  const status = await new Promise((resolve, reject) => {
    const socket = connect(Number(port), "127.0.0.1", () => {
      socket.write(`FROB /v1/connections HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${keyfob.rootKey}\r\nconnection: close\r\n\r\n`);
    });
    socket.once("data", (data) => resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(data)?.[1])));
    socket.once("error", reject);
  });
  assert.ok([400, 405, 501].includes(status), String(status));
});

test("header values beyond ASCII break nothing", async () => {
  const { port } = new URL(keyfob.directUrl);
  const head = `GET /v1/providers HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${keyfob.rootKey}\r\nconnection: close\r\n`;
  const answer = await new Promise((resolve, reject) => {
    const socket = connect(Number(port), "127.0.0.1", () => {
      socket.write(Buffer.concat([Buffer.from(`${head}keyfob-actor: `), Buffer.from([0xe9, 0xff, 0x80]), Buffer.from("\r\n\r\n")]));
    });
    socket.once("data", (data) => resolve(data.toString("latin1").slice(0, 12)));
    socket.once("error", reject);
  });
  assert.equal(answer, "HTTP/1.1 200");
});

test("without a key nothing is told but that", async () => {
  const wrong = [null, "kf_wrong", `${keyfob.rootKey.slice(0, -1)}${keyfob.rootKey.endsWith("0") ? "1" : "0"}`];
  const answers = [];
  for (const key of wrong) answers.push(await keyfob.request("POST", "/v1/connections", { key, body: "{", headers: JSON_TYPE }));
  for (const answer of answers) refused(answer, 401, "unauthorized");
  assert.equal(new Set(answers.map(({ text }) => text)).size, 1);
});
