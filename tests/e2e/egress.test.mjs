// Services that misbehave, against the platform's own fetch: the test of a connection ends in time and says `unknown`.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createServer } from "node:net";
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

// Starts a service that speaks no HTTP but what it is told to write: `talk(socket)` is called with each request.
async function startRaw(talk) {
  const sockets = new Set();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    socket.once("data", () => talk(socket));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = () => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  };
  services.push({ origin: `http://127.0.0.1:${server.address().port}`, stop });
  return services.at(-1);
}

const draft = (base_url) => ({
  environment: "development",
  provider: "http",
  connection_type: "bearer",
  settings: { base_url, test_path: "/me" },
  secrets: { token: "a-token-0123456789" },
});

// Tests a draft with a bearer token against a service and says what came of it.
async function verdict(service) {
  const began = Date.now();
  const { status, json, text } = await keyfob.request("POST", "/v1/tests", { body: draft(service.origin) });
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

// Writes a piece again and again, until the other side goes.
const forever = (socket, piece, pause) => {
  const more = setInterval(() => socket.write(piece), pause);
  socket.on("close", () => clearInterval(more));
};
const OK = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

test("whatever keeps a service from answering, it looks and lasts the same", async () => {
  const closed = await startService(() => {});
  await closed.stop();
  const silent = {
    absent: { origin: "https://api.not-reachable-in-tests.dev" },
    closed,
    resets: await startRaw((socket) => socket.resetAndDestroy()),
    ends: await startRaw((socket) => socket.end()),
    hangs: await startRaw(() => {}),
    "speaks another protocol": await startRaw((socket) => socket.end("220 mail.example.com ESMTP\r\n")),
    "has endless headers": await startRaw((socket) => socket.write(OK) && forever(socket, `X-${"a".repeat(500)}: b\r\n`, 5)),
    "has a header that never ends": await startRaw((socket) => socket.write(`${OK}X-Long: `) && forever(socket, "a".repeat(4096), 5)),
    "drips its headers": await startRaw((socket) => forever(socket, "H", 1000)),
    "is said to be unreachable by Cloudflare": await start((_, response) => response.writeHead(522).end()),
    "breaks off": await startRaw((socket) => socket.end(`${OK}Content-Length: 1000\r\n\r\n{`)),
  };
  const found = await Promise.all(Object.entries(silent).map(async ([what, service]) => ({ what, ...(await verdict(service)) })));
  for (const { what, verdict, reason, ms } of found) {
    assert.deepEqual([verdict, reason], ["unknown", "unreachable"], what);
    assert.ok(ms >= 9_900 && ms < 12_500, `${what}: ${ms} ms`);
  }
});

test("a service that began to answer is late after ten seconds", async () => {
  const late = [
    await startRaw((socket) => socket.write(`${OK}Content-Length: 1000\r\n\r\n`)),
    await startRaw((socket) => socket.write(`${OK}Content-Length: 1000\r\n\r\n`) && forever(socket, " ", 1000)),
    await startRaw((socket) => socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n`) && forever(socket, "1\r\n \r\n", 1000)),
  ];
  for (const { verdict: word, reason, ms } of await Promise.all(late.map(verdict))) {
    assert.deepEqual([word, reason], ["unknown", "timeout"]);
    assert.ok(ms >= 9_900 && ms < 12_500, `${ms} ms`);
  }
});

test("a flood, a bomb and a lie about the length are cut, and the Worker lives on", async () => {
  const nested = gzipSync(gzipSync(Buffer.alloc(64 << 20)));
  const bomb = gzipSync(Buffer.alloc(64 << 20));
  const rude = [
    await startRaw((socket) => socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n`) && forever(socket, `10000\r\n${"x".repeat(65536)}\r\n`, 0)),
    await startRaw((socket) => socket.end(`${OK}Content-Length: 2\r\n\r\n{}${"x".repeat(200_000)}`)),
    await start((_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(bomb)),
    await start((_, response) => response.writeHead(200, { "content-encoding": "gzip, gzip" }).end(nested)),
    await start((_, response) => response.writeHead(200, { "content-encoding": "br" }).end(bomb)),
    await start((_, response) => response.writeHead(200, Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`x-${i}`, "y".repeat(100)]))).end("{}")),
  ];
  for (let round = 0; round < 3; round++) {
    const found = await Promise.all(rude.map(verdict));
    for (const { verdict: word, reason, ms } of found) {
      assert.ok(["unknown", "valid"].includes(word) && [null, undefined, "unreachable", "timeout", "unexpected_answer", "credential_not_checked"].includes(reason), `${word} ${reason}`);
      assert.ok(ms < 12_500, `${ms} ms`);
    }
  }
  assert.equal((await keyfob.request("GET", "/healthz")).status, 200);
});

test("a redirect into a private network is a result, whatever its status", async () => {
  for (const location of ["http://169.254.169.254/latest/meta-data/", "http://127.0.0.1:9/", "http://[::1]/", "file:///etc/passwd", "//10.0.0.1"]) {
    for (const status of [301, 302, 303, 307, 308]) {
      const service = await start((_, response) => response.writeHead(status, { location }).end());
      const { verdict: word, reason } = await verdict(service);
      assert.deepEqual([word, reason], ["unknown", "unexpected_answer"], `${status} ${location}`);
      assert.equal(service.requests.length, 1);
    }
  }
});

test("a private address is refused while it is entered, in any spelling", async () => {
  const hosts = [
    "10.0.0.1", "167772161", "0xa000001", "012.0.0.1", "10.1", "%31%30.0.0.1", "10.0.0.1.", "１０.0.0.1", "10。0。0。1",
    "169.254.169.254", "2852039166", "100.100.100.200", "192.168.1.1", "0.0.0.0", "0", "8.8.8.8", "255.255.255.255",
    "[::]", "[::ffff:10.0.0.1]", "[::ffff:127.0.0.1]", "[64:ff9b::a00:1]", "[2002:a00:1::]", "[fd00:ec2::254]", "[fe80::1%25eth0]",
    "metadata.google.internal", "METADATA.GOOGLE.INTERNAL.", "a.local", "a.onion", "a.test", "router.home.arpa", "kubernetes.default.svc",
    "user@api.acme.dev", "ｍetadata.google.internal",
  ];
  for (const host of hosts) {
    const { status, json, text } = await keyfob.request("POST", "/v1/tests", { body: draft(`https://${host}`) });
    assert.equal(status, 422, `${host} ${text}`);
    assert.equal(json.errors[0].pointer, "/settings/base_url", text);
  }
});
