// Services that misbehave, against the platform's own fetch: the test of a connection ends in time and says `unknown`.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { GENEROUS } from "./bodies.mjs";
import { startService } from "./counterpart.mjs";
import { startKeyfob } from "./keyfob.mjs";

let keyfob;
const services = [];
before(async () => {
  keyfob = await startKeyfob({ vars: { RATE_LIMITS: GENEROUS } });
});
after(async () => {
  await keyfob?.stop();
  for (const service of services) await service.stop();
});

async function start(answer) {
  services.push(await startService(answer));
  return services.at(-1);
}

// Tests a draft with a bearer token against a service and says what came of it.
async function verdict(service) {
  const began = Date.now();
  const { status, json, text } = await keyfob.request("POST", "/v1/tests", {
    body: {
      environment: "development",
      provider: "http",
      connection_type: "bearer",
      settings: { base_url: service.origin, test_path: "/me" },
      secrets: { token: "a-token-0123456789" },
    },
  });
  assert.equal(status, 200, text);
  return { verdict: json.verdict, reason: json.reason, ms: Date.now() - began };
}

test("a redirect is a result and is not followed", async () => {
  const elsewhere = await start((_, response) => response.end("{}"));
  const service = await start((_, response) => response.writeHead(302, { location: `${elsewhere.origin}/me` }).end());
  const found = await verdict(service);
  assert.deepEqual([found.verdict, found.reason], ["unknown", "unexpected_answer"]);
  assert.equal(elsewhere.requests.length, 0);
  assert.equal(service.requests.length, 1);
});

test("an endless body is cut, and the service is told", async () => {
  let closed = 0;
  const service = await start((request, response) => {
    response.on("close", () => closed++);
    const chunk = Buffer.alloc(1 << 14, "x");
    const more = () => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on("drain", more);
    more();
  });
  const found = await verdict(service);
  assert.equal(found.verdict, "unknown");
  assert.ok(found.ms < 5_000, `${found.ms} ms`);
  for (let tries = 0; closed < service.requests.length && tries < 100; tries++) await new Promise((done) => setTimeout(done, 20));
  assert.equal(closed, service.requests.length);
});

test("a body that grows when it is decompressed is cut at what it grew to", async () => {
  const bomb = gzipSync(Buffer.alloc(32 << 20));
  const service = await start((_, response) => {
    response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" }).end(bomb);
  });
  const found = await verdict(service);
  assert.equal(found.verdict, "unknown");
  assert.ok(found.ms < 5_000, `${found.ms} ms`);
});

test("a service that drips is left after ten seconds", async () => {
  const service = await start((_, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    const drip = setInterval(() => response.write(" "), 200);
    response.on("close", () => clearInterval(drip));
  });
  const found = await verdict(service);
  assert.deepEqual([found.verdict, found.reason], ["unknown", "timeout"]);
  assert.ok(found.ms > 9_000 && found.ms < 12_000, `${found.ms} ms`);
});

test("a service that hangs up looks like one that is not there", async () => {
  const rude = await start((request) => request.socket.resetAndDestroy());
  const gone = await startService(() => {});
  await gone.stop();
  for (const service of [rude, gone]) {
    const found = await verdict(service);
    assert.deepEqual([found.verdict, found.reason], ["unknown", "unreachable"]);
  }
});
