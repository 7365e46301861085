// OAuth 2.0 against a real OpenID provider, in real workerd: consent, refusals, renewal exactly once by several isolates, and
// what an outage or a killed Worker makes of it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { CLIENT, startAuthorizationServer } from "./authorization-server.mjs";
import { filesBelow, request, startKeyfob } from "./keyfob.mjs";

const SECONDS = 2;
const seen = [];
let keyfob;
let server;

before(async () => {
  keyfob = await startKeyfob({ isolates: 3, vars: { RATE_LIMITS: JSON.stringify({ tests_per_minute: 1000, tests_per_minute_per_host: 10000, reports_per_minute: 1000 }) } });
  server = await startAuthorizationServer({ redirectUri: `${keyfob.url}/oauth/callback`, seconds: SECONDS });
});

after(async () => {
  await server?.stop();
  await keyfob?.stop();
});

async function create(name, more = {}) {
  const body = {
    environment: "development",
    provider: "oauth2",
    connection_type: "openid_connect",
    name,
    settings: { base_url: server.api, issuer: server.issuer, client_id: CLIENT.id, scopes: "openid offline_access read", authorize_parameters: "prompt=consent", test_path: "/me" },
    secrets: { client_secret: CLIENT.secret },
    ...more,
  };
  const answer = await keyfob.request("POST", "/v1/connections", { body });
  assert.equal(answer.status, 201, answer.text);
  return answer.json;
}

async function begin(connection) {
  const answer = await keyfob.request("POST", `/v1/connections/${connection.id}/authorizations`, { body: {} });
  assert.equal(answer.status, 201, answer.text);
  return answer.json;
}

// Opens a page of Keyfob as a browser does that holds these cookies.
async function open(url, cookies) {
  const { pathname, search } = new URL(url);
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  const answer = await keyfob.request("GET", pathname + search, { key: null, headers: { cookie, "sec-fetch-mode": "navigate" } });
  for (const line of answer.headers["set-cookie"] ?? []) {
    assert.match(line, /^__Host-[^;]+; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=/);
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
    cookies.set(name, value);
  }
  return answer;
}

async function start(begun, cookies) {
  const sent = await open(begun.start_url, cookies);
  assert.equal(sent.status, 303, sent.text);
  return sent.headers.location;
}

async function authorize(connection) {
  const cookies = new Map();
  const begun = await begin(connection);
  const page = await open(await server.consent(await start(begun, cookies)), cookies);
  assert.equal(page.status, 200, page.text);
  return stateOf(connection, begun);
}

async function stateOf(connection, begun) {
  return (await keyfob.request("GET", `/v1/connections/${connection.id}/authorizations/${begun.id}`)).json;
}

const credentials = (connection, url = keyfob.url) =>
  request(url, "GET", `/v1/connections/${connection.id}/credentials`, { key: keyfob.rootKey });

async function token(connection, url) {
  const answer = await credentials(connection, url);
  assert.equal(answer.status, 200, answer.text);
  seen.push(answer.json.secrets.access_token);
  return answer.json.secrets.access_token;
}

test("a consent that is denied says so, as text", async () => {
  const connection = await create("Denied");
  const cookies = new Map();
  const begun = await begin(connection);
  const page = await open(await server.consent(await start(begun, cookies), { deny: true }), cookies);
  assert.equal(page.status, 409);
  assert.match(page.text, /The person said &lt;b&gt;no/);
  assert.equal((await stateOf(connection, begun)).error.code, "access_denied");
});

test("a wrong, swapped or replayed state, and another browser, get nothing", async () => {
  const [one, two] = [await create("One"), await create("Two")];
  const [ann, eve] = [new Map(), new Map()];
  const begun = await begin(one);
  const back = await server.consent(await start(begun, ann));
  const other = new URL(await server.consent(await start(await begin(two), eve)));
  const swapped = new URL(back);
  swapped.searchParams.set("code", other.searchParams.get("code"));
  assert.equal((await open(back, eve)).status, 403, "another browser");
  assert.equal((await open(back.replace(/state=[^&]+/, "state=made-up"), ann)).status, 410, "a state that is none");
  // The page takes the cookie away; whoever kept it has nothing of it.
  const kept = new Map(ann);
  assert.equal((await open(swapped.href, ann)).status, 409, "a code of another attempt");
  assert.equal((await open(back, kept)).status, 410, "an attempt that has ended");
  assert.equal((await open(other.href, eve)).status, 200, "in its own browser it is good");
  const again = new URL(await server.consent(await start(await begin(one), ann)));
  again.searchParams.set("code", other.searchParams.get("code"));
  assert.equal((await open(again.href, ann)).status, 409, "a code that was used before");
  assert.equal((await credentials(one)).json.code, "connection_unauthorized");
});

test("a consent makes a connection that works, and only the access token is handed out", async () => {
  const connection = await create("Works");
  assert.equal(connection.health.reason, "not_authorized");
  assert.equal((await authorize(connection)).state, "succeeded");
  const now = (await keyfob.request("GET", `/v1/connections/${connection.id}`)).json;
  assert.equal(now.status, "active");
  assert.deepEqual(now.granted_scopes.sort(), ["offline_access", "openid", "read"]);
  const resolved = (await credentials(connection)).json;
  assert.deepEqual(Object.keys(resolved.secrets), ["access_token"]);
  assert.ok(await server.isGood(resolved.secrets.access_token));
});

test("100 readers of three isolates and 20 expiries make 20 token calls, and all get the new token", async () => {
  const connection = await create("Crowd");
  await authorize(connection);
  for (let round = 1; round <= 20; round += 1) {
    await sleep(SECONDS * 1000 + 50);
    const before = server.calls.length;
    const tokens = await Promise.all(Array.from({ length: 100 }, (_, reader) => token(connection, keyfob.directUrls[reader % 3])));
    assert.equal(new Set(tokens).size, 1, `round ${round}`);
    assert.deepEqual(server.calls.slice(before), [{ status: 200 }], `round ${round}`);
    assert.ok(await server.isGood(tokens[0]));
  }
});

test("an outage that is longer than the token lives marks nothing, and passes", async () => {
  const connection = await create("Outage");
  await authorize(connection);
  server.state.broken = 503;
  await sleep(SECONDS * 1000 + 50);
  const answer = await credentials(connection);
  assert.equal(answer.status, 503);
  assert.equal(answer.json.code, "tokens_unavailable");
  assert.equal((await keyfob.request("GET", `/v1/connections/${connection.id}`)).json.health.verdict, "valid");
  server.state.broken = 0;
  await sleep(2_100);
  assert.ok(await server.isGood(await token(connection)));
});

test("a Worker that is stopped while the provider answers ends in a new token or in reauthorize, never in a loop", async () => {
  const connection = await create("Killed");
  await authorize(connection);
  await sleep(SECONDS * 1000 + 50);
  server.state.slow = 1_000;
  const cut = credentials(connection).catch(() => undefined);
  await sleep(300);
  await keyfob.restart();
  await cut;
  server.state.slow = 0;
  // The lease of the one that died has to end first.
  const before = server.calls.length;
  let answer = await credentials(connection);
  for (let tries = 0; answer.status === 503 && tries < 60; tries += 1) {
    await sleep(1_000);
    answer = await credentials(connection);
  }
  assert.ok(answer.status === 200 || answer.json.code === "connection_unauthorized", answer.text);
  assert.ok(server.calls.length - before <= 2, JSON.stringify(server.calls.slice(before)));
  await authorize(connection);
  assert.ok(await server.isGood(await token(connection)));
});

test("client credentials are exchanged when they are needed", async () => {
  const connection = await create("Robot", {
    connection_type: "client_credentials",
    settings: { base_url: server.api, token_url: `${server.issuer}/token`, client_id: CLIENT.id, scopes: "read", test_path: "/me" },
  });
  assert.equal(connection.status, "active");
  assert.equal(await token(connection), await token(connection));
});

test("no token, code, state or client secret stands in a log, an error, or a file as it is", async () => {
  const forbidden = [...new Set(seen), CLIENT.secret];
  const written = keyfob.logs.join("\n");
  for (const secret of forbidden) assert.ok(!written.includes(secret), "in the log");
  for (const { path, bytes } of await filesBelow(keyfob.stateDir)) {
    for (const secret of forbidden) assert.ok(!bytes.includes(secret), `in ${path}`);
  }
});
