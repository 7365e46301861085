// A secret planted in every secret field is found nowhere but where it is asked for: not in answers, logs, D1 or KV.
import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { bearer, GENEROUS, ifMatch } from "./bodies.mjs";
import { startService } from "./counterpart.mjs";
import { filesBelow, startKeyfob } from "./keyfob.mjs";
import { found } from "./spellings.mjs";

const CANARIES = [];
const canary = (bytes = 12) => {
  CANARIES.push(`canary${randomBytes(bytes).toString("hex")}`);
  return CANARIES.at(-1);
};
// For values that have nothing but hexadecimal digits.
const hexCanary = (bytes) => {
  CANARIES.push(randomBytes(bytes).toString("hex"));
  return CANARIES.at(-1);
};

// Everything that is secret: what was planted, the tokens of callers, the root key, the master key.
const PLANTED = () => [...CANARIES, ...tokens, keyfob.rootKey, ...Object.values(JSON.parse(keyfob.secrets.MASTER_KEYS).keys)];
const tokens = [];

// A private key in PEM, encrypted where there is a passphrase; a line of it is as telling as the whole.
const privateKey = (passphrase) => {
  const encrypted = passphrase ? { cipher: "aes-256-cbc", passphrase } : {};
  const privateKeyEncoding = { type: "pkcs8", format: "pem", ...encrypted };
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048, privateKeyEncoding });
  CANARIES.push(privateKey.split("\n")[5]);
  return privateKey;
};
const keyFile = () =>
  JSON.stringify({ type: "service_account", client_email: "a@b.iam.gserviceaccount.com", private_key: privateKey() });

let keyfob;
let echo;
let endpoint;
// What webhooks were sent, head and body.
const messages = [];
before(async () => {
  // The worst service there is: it repeats all that it is told, in headers and body.
  echo = await startService((request, response) => {
    const told = JSON.stringify({ url: request.url, headers: request.headers, login: request.headers.authorization });
    const status = Number(/status=(\d+)/.exec(request.url)?.[1] ?? 200);
    const credential = request.headers.authorization ?? request.headers["x-api-key"] ?? request.url;
    const location = `http://127.0.0.1:9/${encodeURIComponent(credential)}`;
    const headers = { "content-type": "application/json", "x-told": encodeURIComponent(told), location, "set-cookie": `a=${encodeURIComponent(credential)}` };
    response.writeHead(status, credential, headers);
    response.end(told);
  });
  endpoint = await startService(async (request, response) => {
    if (request.method === "GET") return response.writeHead(request.headers.authorization ? 204 : 401).end();
    const body = Buffer.concat(await request.toArray()).toString();
    messages.push(`${request.url} ${JSON.stringify(request.headers)} ${body}`);
    response.writeHead(500, body).end(body);
  });
  keyfob = await startKeyfob({ vars: { RATE_LIMITS: GENEROUS } });
});
after(async () => {
  await keyfob?.stop();
  await echo?.stop();
  await endpoint?.stop();
});

// Every secret field of every connection type, as the catalogue has them: a new one without a value here fails the test.
const VALUES = {
  "http/bearer": () => ({ token: canary() }),
  "http/basic": () => ({ password: canary() }),
  "http/header": () => ({ header_value: canary() }),
  "http/query": () => ({ query_value: canary() }),
  "slack/incoming_webhook": () => ({ webhook_url: `https://hooks.slack.com/services/T4Q7ZP1KX/B8W2NR5TM/${canary()}` }),
  "slack/token": () => ({ token: `xoxb-${canary()}` }),
  "discord/webhook": () => ({ webhook_url: `https://discord.com/api/webhooks/118273645501928374/${canary(31)}` }),
  "discord/bot_token": () => ({ bot_token: `${canary()}.abcdef.${canary(13)}` }),
  "airtable/token": () => ({ token: `patA1b2C3d4E5f6G7.${hexCanary(32)}` }),
  "aws/access_keys": () => ({ secret_access_key: canary(17), session_token: canary(30) }),
  "s3/access_keys": () => ({ secret_access_key: canary(17), session_token: canary(30) }),
  "s3/compatible": () => ({ secret_access_key: canary(17), session_token: canary(30) }),
  "datadog/application_key": () => ({ api_key: hexCanary(16), application_key: canary(20) }),
  "datadog/api_key": () => ({ api_key: hexCanary(16) }),
  "google/service_account": () => ({ credentials: keyFile() }),
  "bigquery/service_account": () => ({ credentials: keyFile() }),
  "snowflake/key_pair": () => {
    const passphrase = canary();
    return { private_key: privateKey(passphrase), passphrase };
  },
  "snowflake/programmatic_access_token": () => ({ token: canary() }),
  "github/token": () => ({ token: `github_pat_${canary()}` }),
  "gitlab/token": () => ({ token: `glpat-${canary()}` }),
  "hubspot/access_token": () => ({ access_token: `pat-na1-${canary()}` }),
  "jira/api_token": () => ({ api_token: `ATATT${canary()}` }),
  "linear/api_key": () => ({ api_key: `lin_api_${canary()}` }),
  "mysql/password": () => ({ password: canary() }),
  "notion/token": () => ({ token: `ntn_${canary()}` }),
  "oauth2/authorization_code": () => ({ client_secret: canary() }),
  "oauth2/openid_connect": () => ({ client_secret: canary() }),
  "oauth2/client_credentials": () => ({ client_secret: canary() }),
  "openai/api_key": () => ({ api_key: `sk-${canary()}` }),
  "pagerduty/api_key": () => ({ api_key: canary() }),
  "postgresql/password": () => ({ password: canary() }),
  "sendgrid/api_key": () => ({ api_key: `SG.${canary(8)}.${canary(16)}` }),
  "stripe/api_key": () => ({ api_key: `rk_live_${canary()}` }),
  "twilio/api_key": () => ({ key_secret: canary(13) }),
  "twilio/auth_token": () => ({ auth_token: hexCanary(16) }),
};
const SETTINGS = {
  "http/bearer": {},
  "http/basic": { username: "robot" },
  "http/header": { header_name: "X-API-Key" },
  "http/query": { query_name: "api_key" },
  get "mysql/password"() {
    return { host: "127.0.0.1", port: echo.port, database: "app", user: "robot", ssl_mode: "DISABLED" };
  },
  // Whoever is asked there speaks another protocol.
  get "postgresql/password"() {
    return { host: "127.0.0.1", port: echo.port, database: "app", user: "robot", ssl_mode: "disable" };
  },
  // A token endpoint that repeats what it is told, as the worst there is.
  get "oauth2/authorization_code"() {
    const at = (path) => `${echo.origin}${path}`;
    return { base_url: echo.origin, authorize_url: at("/authorize"), token_url: at("/token"), client_id: "robot", test_path: "/x" };
  },
  get "oauth2/openid_connect"() {
    return { base_url: echo.origin, issuer: echo.origin, client_id: "robot", test_path: "/x" };
  },
  get "oauth2/client_credentials"() {
    return { base_url: echo.origin, token_url: `${echo.origin}/token`, client_id: "robot", test_path: "/x" };
  },
  "bigquery/service_account": { project_id: "planted-project" },
  "snowflake/key_pair": { account: "acme-planted", user: "robot" },
  "snowflake/programmatic_access_token": { account: "acme-planted" },
  "aws/access_keys": { access_key_id: "ASIAWATCHED000000000" },
  "s3/access_keys": { access_key_id: "ASIAWATCHED000000000" },
  "s3/compatible": { access_key_id: "WATCHED", endpoint: "https://minio.acme.dev" },
  "jira/api_token": { site: "acme", email: "robot@acme.dev" },
  "twilio/api_key": { account_sid: `AC${"5f".repeat(16)}`, key_sid: `SK${"6e".repeat(16)}` },
  "twilio/auth_token": { account_sid: `AC${"5f".repeat(16)}` },
};

const answers = [];
async function ask(method, path, options) {
  const answer = await keyfob.request(method, path, options);
  answers.push(`${answer.status} ${JSON.stringify(answer.headers)} ${answer.text}`);
  return answer;
}

async function secretTypes() {
  const { json } = await ask("GET", "/v1/providers");
  const found = [];
  for (const { key } of json.data) {
    const { json: provider } = await ask("GET", `/v1/providers/${key}`);
    const types = provider.connection_types.filter((type) => type.fields.some((field) => field.secret));
    found.push(...types.map((type) => ({ provider: key, type: type.key, isOauth: type.oauth !== null })));
  }
  return found;
}

async function walk(provider, type, isOauth) {
  const kind = `${provider}/${type}`;
  // Apps have a client and nothing else that is needed.
  const make = VALUES[kind] ?? (isOauth ? () => ({ client_secret: canary() }) : undefined);
  assert.ok(make, `no values for ${kind}`);
  const base = { ...(SETTINGS[kind] ?? (isOauth ? { client_id: "robot" } : {})), ...(provider === "http" ? { base_url: echo.origin, test_path: "/x" } : {}) };
  const identity = { environment: "development", provider, connection_type: type };
  const body = { ...identity, name: kind.replace("/", " "), settings: base, secrets: make(), embedded: true };
  const first = await ask("POST", "/v1/connections", { body, headers: { "idempotency-key": kind } });
  assert.equal(first.status, 201, first.text);
  await ask("POST", "/v1/connections", { body, headers: { "idempotency-key": kind } });
  const { id } = first.json;
  const path = `/v1/connections/${id}`;
  await ask("POST", "/v1/tests", { body: { ...identity, settings: base, secrets: make() } });
  await Promise.all([{}, { secrets: make() }].map((body) => ask("POST", `${path}/tests`, { body })));
  if (base.base_url) {
    for (const status of [302, 401, 403, 500]) {
      await ask("POST", `${path}/tests`, { body: { settings: { test_path: `/x?status=${status}` } } });
    }
  }
  assert.equal((await ask("PATCH", path, { body: { secrets: make() }, headers: ifMatch(1) })).status, 200);
  await ask("PATCH", path, { body: { secrets: make() }, headers: ifMatch(1) });
  for (const part of ["", "/tests", "/revisions", "/revisions/1", "/revisions/2", "/events"]) await ask("GET", path + part);
  await ask("POST", `${path}/revisions/1/restore`, { body: {}, headers: ifMatch(2) });
  await ask("POST", `${path}/reports`, { body: { revision: 3, status: 401 } });
  return { id, fields: Object.keys(body.secrets), isOauth };
}

// Secrets where none belong: what is refused must not be repeated either.
async function misplace() {
  const identity = { environment: "development", provider: "http", connection_type: "bearer", name: "Wrong" };
  const settings = { base_url: echo.origin };
  await ask("POST", "/v1/connections", { body: { ...identity, settings, secrets: { token: `Bearer ${canary()}` } } });
  await ask("POST", "/v1/connections", { body: { ...identity, settings, secrets: { token: `${canary()} ${canary()}` } } });
  await ask("POST", "/v1/connections", { body: { ...identity, settings, secrets: { token: [canary()] } } });
  await ask("POST", "/v1/connections", { body: { ...identity, settings, secrets: canary() } });
  await ask("POST", "/v1/connections", { body: { ...identity, settings, secrets: { other: canary() } } });
  await ask("POST", "/v1/connections", { body: { ...identity, environment: canary() } });
  await ask("POST", "/v1/connections", { body: { ...identity, enabled: canary() } });
  await ask("POST", "/v1/connections", { body: `{"secrets":{"token":"${canary()}`, headers: { "content-type": "application/json" } });
  await ask("GET", `/v1/connections/${canary()}`);
  await ask("GET", `/v1/${canary()}`);
  await ask("GET", `/v1/connections?environment=${canary()}`);
  await ask("GET", `/v1/connections?environment=development&cursor=${canary()}`);
  await ask("GET", "/v1/providers", { key: canary() });
}

// What callers are given and show again: each is told once, where it is made, and used.
async function walkTokens() {
  const environment = "development";
  const { json: session } = await keyfob.request("POST", "/v1/embedded/sessions", { body: { environment } });
  const own = { body: { name: "Key", scopes: ["connections:read"], environments: [environment] }, headers: { "idempotency-key": "once" } };
  const { json: key } = await keyfob.request("POST", "/v1/api-keys", own);
  const signedIn = await keyfob.request("POST", "/v1/session");
  const cookie = signedIn.headers["set-cookie"][0].split(";")[0];
  const hook = { body: { environment, url: `${endpoint.origin}/in`, event_types: ["connection.status_changed"] }, headers: { "idempotency-key": "hook" } };
  const { json: webhook } = await keyfob.request("POST", "/v1/webhooks", hook);
  const secret = webhook.secret.slice("whsec_".length);
  tokens.push(session.token, key.secret, cookie.split("=")[1], secret, Buffer.from(secret, "base64").toString("hex"));
  assert.ok(tokens.every((token) => token.length >= 24), "a token was not told where it is made");

  await ask("POST", "/v1/api-keys", own);
  await ask("POST", "/v1/webhooks", hook);
  await ask("GET", "/v1/connections?environment=development", { key: key.secret });
  await ask("GET", "/v1/embedded/connections", { key: session.token });
  await ask("GET", "/v1/embedded/providers", { key: session.token });
  await ask("GET", "/v1/session", { key: null, headers: { cookie } });
  await ask("GET", `/v1/connections?environment=${environment}`, { key: null, headers: { cookie } });
  await ask("DELETE", "/v1/api-keys/none", { key: null, headers: { cookie } });
  return webhook.id;
}

// A message about a connection that holds a secret and stops being active, to an endpoint that repeats the message.
async function notify(webhook) {
  const body = bearer({ name: "Told about", base_url: endpoint.origin, token: canary(), settings: { test_path: "/" } });
  const { json: told } = await ask("POST", "/v1/connections", { body });
  assert.equal(told.status, "active");
  await ask("PATCH", `/v1/connections/${told.id}`, { body: { enabled: false }, headers: ifMatch(1) });
  await keyfob.scheduled();
  assert.ok(messages.some((message) => message.includes(told.id)), "no message was sent");
  for (const path of [`/v1/webhooks/${webhook}/deliveries`, "/v1/webhooks?environment=development"]) await ask("GET", path);
}

test("nothing but reveal and credentials tells a secret", async () => {
  const made = [];
  // At once: those of providers that are not reachable here wait in vain.
  const types = await secretTypes();
  made.push(...(await Promise.all(types.map(({ provider, type, isOauth }) => walk(provider, type, isOauth)))));
  await misplace();
  await ask("GET", "/v1/connections?environment=development");
  await ask("GET", "/v1/connections/facets?environment=development");
  await ask("GET", "/v1/connections?environment=development&search=canary");
  const webhook = await walkTokens();
  await notify(webhook);
  for (const path of ["/v1/audit-events", "/v1/keys", "/v1/api-keys", "/v1/embedded/origins"]) await ask("GET", path);
  const apps = types.filter(({ provider, type, isOauth }) => isOauth && !VALUES[`${provider}/${type}`]);
  assert.equal(made.length, Object.keys(VALUES).length + apps.length);
  assert.deepEqual(answers.filter((answer) => found(PLANTED(), answer).length > 0).map((answer) => answer.slice(0, 400)), []);
  assert.deepEqual(messages.filter((message) => found(PLANTED(), message).length > 0), []);

  await readBack(made);
});

// They were there to be found: reveal and credentials tell them, and so may a log line or a file about that.
async function readBack(made) {
  for (const { id, fields, isOauth } of made) {
    const revealed = await keyfob.request("POST", `/v1/connections/${id}/reveal`, { body: { fields, reason: "A test." } });
    const resolved = await keyfob.request("GET", `/v1/connections/${id}/credentials`);
    if (isOauth) {
      // Nobody consented, and the secret of a client goes to its authorization server alone.
      assert.notEqual(resolved.status, 200, resolved.text);
      assert.deepEqual(found(CANARIES, resolved.text), []);
    }
    for (const answer of isOauth ? [revealed] : [revealed, resolved]) {
      assert.equal(answer.status, 200, answer.text);
      assert.ok(CANARIES.some((canary) => answer.text.includes(canary)));
    }
  }
}

test("no log line has a secret", () => {
  assert.ok(keyfob.logs.some((line) => line.includes("/v1/connections/{id}/reveal")));
  assert.deepEqual(found(PLANTED(), keyfob.logs.join("\n")), []);
});

test("no file of D1 or KV has a secret, in any spelling", async () => {
  // What the search would find: a word that is no secret, and is stored.
  const body = { environment: "development", provider: "http", connection_type: "none", name: "Plain", settings: { base_url: echo.origin } };
  await keyfob.request("POST", "/v1/connections?test=false", { body: { ...body, description: "notsecret0123456789abcdef" } });
  const files = await filesBelow(keyfob.stateDir);
  assert.ok(files.some(({ bytes }) => found(["notsecret0123456789abcdef"], bytes).length > 0));
  for (const { path, bytes } of files) assert.deepEqual(found(PLANTED(), bytes), [], path);
});

test("what is searched for is found in every spelling", () => {
  const secret = "canary\"1\"0123";
  for (const text of [secret, Buffer.from(`ab${secret}c`).toString("base64"), JSON.stringify({ a: secret }), `x=${encodeURIComponent(secret)}`]) {
    assert.deepEqual(found([secret], text), [secret], text);
  }
  assert.deepEqual(found([secret], Buffer.from(`a${secret}`, "utf16le")), [secret]);
});
