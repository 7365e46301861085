// People sign in to the dashboard, with signatures verified by the platform's own WebCrypto: a local server is Access.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ALGORITHMS, encoded, startAccess } from "./access.mjs";
import { bearer } from "./bodies.mjs";
import { startKeyfob } from "./keyfob.mjs";

const ROLES = [
  {
    email: "ann@example.com",
    scopes: ["connections:read", "connections:write", "credentials:reveal"],
    environments: ["development"],
  },
];

let access;
let keyfob;
before(async () => {
  access = await startAccess();
  keyfob = await startKeyfob({ vars: access.vars(ROLES) });
});
after(async () => {
  await keyfob?.stop();
  await access?.stop();
});

function signIn(assertion, headers = {}) {
  const own = { origin: keyfob.url, "cf-access-jwt-assertion": assertion, ...headers };
  return keyfob.request("POST", "/v1/session", { key: null, headers: own });
}

function refused(answer, status, code) {
  assert.deepEqual([answer.status, answer.json?.code], [status, code], answer.text.slice(0, 300));
}

test("while the keys cannot be read nobody is refused, and nobody signed in", async () => {
  access.outage = true;
  refused(await signIn(access.token("RS256")), 503, "access_unavailable");
  access.outage = false;
});

for (const alg of ALGORITHMS) {
  test(`a person signs in with a token signed by ${alg}, and no bit of it may change`, async () => {
    const valid = access.token(alg);
    const answer = await signIn(valid);
    assert.equal(answer.status, 201, answer.text);
    assert.deepEqual([answer.json.kind, answer.json.name], ["person", "ann@example.com"]);
    assert.match(answer.headers["set-cookie"][0], /^__Host-keyfob_session=kd_\w{49}; Path=\/; Secure; HttpOnly; SameSite=Strict; Max-Age=\d+$/);
    const [header, claims, signature] = valid.split(".");
    const bytes = Buffer.from(signature, "base64url");
    bytes[bytes.length >> 1] ^= 1;
    const ip = { "cf-connecting-ip": `198.51.100.${ALGORITHMS.indexOf(alg) + 1}` };
    refused(await signIn(`${header}.${claims}.${bytes.toString("base64url")}`, ip), 401, "unauthorized");
    refused(await signIn(`${header}.${encoded({ ...JSON.parse(Buffer.from(claims, "base64url")), email: "eve@example.com" })}.${signature}`, ip), 401, "unauthorized");
    refused(await signIn(access.token(alg, { aud: "another" }), ip), 401, "unauthorized");
    refused(await signIn(access.token(alg, {}, { alg: "none" }), ip), 401, "unauthorized");
    refused(await signIn(access.token(alg, { exp: 1 }), ip), 401, "unauthorized");
  });
}

test("a session works from pages of our own, is named in history, and ends when its owner signs out", async () => {
  const cookie = (await signIn(access.token("RS256"))).headers["set-cookie"][0].split(";")[0];
  const send = (method, path, headers, body) => keyfob.request(method, path, { key: null, body, headers: { cookie, ...headers } });
  const own = { origin: keyfob.url };
  const made = await send("POST", "/v1/connections?test=false", own, bearer({ name: "By Ann" }));
  assert.equal(made.status, 201, made.text);
  assert.deepEqual(made.json.created_by, { id: "person:ann@example.com", name: "ann@example.com", claimed: null });
  for (const headers of [{}, { origin: "https://evil.example.net" }, { origin: keyfob.url.replace("127.0.0.1", "localhost") }]) {
    refused(await send("POST", "/v1/connections?test=false", headers, bearer({ name: "By Eve" })), 403, "foreign_origin");
  }
  refused(await send("DELETE", `/v1/connections/${made.json.id}`, { ...own, "if-match": '"1"' }), 403, "missing_scope");
  assert.equal((await send("GET", "/v1/session", {})).json.id, "person:ann@example.com");
  assert.equal((await send("DELETE", "/v1/session", own)).status, 204);
  refused(await send("GET", "/v1/session", {}), 401, "unauthorized");
});

test("a key signs in as well, and its session is worth what it is worth", async () => {
  const answer = await keyfob.request("POST", "/v1/session");
  assert.equal(answer.status, 201, answer.text);
  const cookie = answer.headers["set-cookie"][0].split(";")[0];
  const who = await keyfob.request("GET", "/v1/session", { key: null, headers: { cookie } });
  assert.deepEqual([who.json.id, who.json.scopes.length], ["key_root", 14]);
});

test("ten failed authentications a minute and address, the eleventh is told to wait, and the next minute forgets", async () => {
  // The limiter counts by the minute of the clock: begin where ten requests fit.
  const rest = () => 60_000 - (Date.now() % 60_000);
  const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  if (rest() < 10_000) await wait(rest() + 50);
  const fail = (address) => keyfob.request("GET", "/v1/providers", { key: "kf_wrong", headers: { "cf-connecting-ip": address } });
  for (let attempt = 1; attempt <= 10; attempt++) refused(await fail("203.0.113.1"), 401, "unauthorized");
  const eleventh = await fail("203.0.113.1");
  refused(eleventh, 429, "too_many_failures");
  assert.equal(eleventh.headers["retry-after"], "60");
  refused(await fail("203.0.113.2"), 401, "unauthorized");
  const valid = await keyfob.request("GET", "/v1/providers", { headers: { "cf-connecting-ip": "203.0.113.1" } });
  assert.equal(valid.status, 200, "a valid key from the same address works");
  const parallel = await Promise.all(Array.from({ length: 32 }, () => fail("203.0.113.3")));
  assert.equal(parallel.filter(({ status }) => status === 401).length, 10);
  await wait(rest() + 50);
  refused(await fail("203.0.113.1"), 401, "unauthorized");
});
