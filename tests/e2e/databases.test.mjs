// Connections to real databases, from inside real workerd: what is saved is tested over a socket of the platform.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { GENEROUS } from "./bodies.mjs";
import { freePort, startDatabase } from "./databases.mjs";

const DATABASES = {
  mysql: { script: "mariadb.sh", user: "native", plain: "DISABLED", secure: "VERIFY_IDENTITY" },
  postgresql: { script: "postgresql.sh", user: "scram", plain: "disable", secure: "verify-full" },
};

let keyfob;
let folder;
const running = {};
before(async () => {
  for (const [provider, { script }] of Object.entries(DATABASES)) running[provider] = await startDatabase(script);
  folder = await mkdtemp(join(tmpdir(), "keyfob-authorities-"));
  const authorities = await Promise.all(Object.values(running).map(({ ca }) => readFile(ca, "utf8")));
  await writeFile(join(folder, "ca.pem"), authorities.join("\n"));
  // Miniflare has workerd trust these beside the public ones, and reads them when it is loaded. Deployed there is nothing like it.
  process.env.NODE_EXTRA_CA_CERTS = join(folder, "ca.pem");
  const { startKeyfob } = await import("./keyfob.mjs");
  keyfob = await startKeyfob({ vars: { RATE_LIMITS: GENEROUS }, sockets: true });
});
after(async () => {
  await keyfob?.stop();
  for (const database of Object.values(running)) await database.stop();
  if (folder) await rm(folder, { recursive: true });
});

const body = (provider, { password = "right", ...replaced }) => ({
  name: `A ${provider}`,
  environment: "development",
  provider,
  connection_type: "password",
  settings: { host: "localhost", port: running[provider].port, database: "app", user: DATABASES[provider].user, ...replaced },
  secrets: { password },
});

// Saves a connection and says what became of it.
async function save(provider, replaced) {
  const { status, json, text } = await keyfob.request("POST", "/v1/connections", { body: body(provider, replaced) });
  assert.equal(status, 201, text);
  return json;
}

const said = ({ status, health, last_attempt }) => [status, health.verdict, health.reason, last_attempt.verdict];

for (const [provider, { plain, secure }] of Object.entries(DATABASES)) {
  for (const ssl_mode of [plain, secure]) {
    test(`${provider}, ${ssl_mode}: a wrong password is invalid, a database that is not there is missed`, async () => {
      assert.deepEqual(said(await save(provider, { ssl_mode, password: "wrong" })), ["not_active", "invalid", "rejected", "invalid"]);
      assert.deepEqual(said(await save(provider, { ssl_mode, database: "nowhere" })), [
        "not_active", "invalid", "target_not_found", "invalid",
      ]);
    });

    test(`${provider}, ${ssl_mode}: a good password is valid, the version is kept, and a workflow gets what it needs`, async () => {
      const saved = await save(provider, { ssl_mode });
      assert.deepEqual(said(saved), ["active", "valid", null, "valid"]);
      assert.match(saved.facts.server_version, /^\d+/);
      const { json } = await keyfob.request("GET", `/v1/connections/${saved.id}/credentials`);
      assert.equal(json.request, null);
      assert.deepEqual(json.server, {
        protocol: provider,
        host: "localhost",
        port: running[provider].port,
        database: "app",
        user: DATABASES[provider].user,
        password: "right",
        tls: ssl_mode === plain ? "disable" : "verify_full",
      });
    });
  }

  test(`${provider}: a certificate that is made out to another name ends it before the password is sent`, async () => {
    const saved = await save(provider, { host: "127.0.0.1" });
    assert.deepEqual(said(saved), ["not_active", "unknown", "tls_failed", "unknown"]);
  });

  test(`${provider}: an absent server is unknown, after ten seconds`, async () => {
    const began = Date.now();
    const saved = await save(provider, { port: await freePort() });
    assert.deepEqual(said(saved), ["not_active", "unknown", "unreachable", "unknown"]);
    assert.ok(Date.now() - began >= 9_900, `${Date.now() - began} ms`);
  });

  test(`${provider}: changing where the password goes asks for it again`, async () => {
    const { id } = await save(provider, {});
    for (const settings of [{ host: "127.0.0.1" }, { port: await freePort() }, { ssl_mode: plain }]) {
      const headers = { "if-match": '"1"' };
      const { status, json, text } = await keyfob.request("PATCH", `/v1/connections/${id}`, { body: { settings }, headers });
      assert.equal(status, 422, text);
      assert.deepEqual(json.errors.map(({ pointer, code }) => [pointer, code]), [["/secrets/password", "reenter"]]);
    }
  });
}
