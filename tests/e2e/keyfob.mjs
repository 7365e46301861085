// One Keyfob for one test: the built Worker in real workerd, with the bindings of wrangler.toml, on a state folder and a
// port of its own. Knows how to start, call, watch, restart and stop it; knows nothing of the API.
//
// The Worker can reach loopback and nothing else, so no test has an effect anywhere.
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig, unstable_splitSqlQuery } from "wrangler";
import { newApiKey, newMasterKeys } from "../../scripts/keys.mjs";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const CONFIG = join(ROOT, "wrangler.toml");
const SCHEMA = join(ROOT, "schema");

// Everything that the Worker fetches goes through this one; elsewhere than loopback looks like an absent host, but for a host that
// is played by a service on loopback.
const EGRESS = "loopback-only";
const egress = (hosts) => ({
  name: EGRESS,
  compatibilityDate: "2026-11-17",
  bindings: { HOSTS: hosts },
  modules: [
    {
      type: "ESModule",
      path: "loopback-only.mjs",
      contents: `
        const LOOPBACK = /^(localhost|127\\.\\d+\\.\\d+\\.\\d+|\\[::1\\])$/;
        export default {
          fetch(request, { HOSTS }) {
            const { protocol, host, hostname, pathname, search } = new URL(request.url);
            if (protocol === "https:" && host in HOSTS) return fetch(HOSTS[host] + pathname + search, request);
            if (!LOOPBACK.test(hostname)) throw new Error("this test reaches loopback only");
            return fetch(request);
          },
        };`,
    },
  ],
});

// Starts a Keyfob with an empty database, or on the state that another one left; `vars` adds to and replaces the variables and
// secrets of the Worker. With `sockets` it may open sockets, and reach more than loopback:
// then the test connects to loopback alone. `hosts` names origins on loopback that play hosts: `{ "api.example.com": origin }`.
// With `isolates` so many Workers of the same build share its D1 and KV.
//
// - `url`: where it listens, assets included; `directUrl`: the Worker's own socket, without Miniflare's front
// - `rootKey`, `secrets`: what it was given
// - `request(method, path, { key, body, headers })`: see `request` below; without `key` the root key is sent, with `null` none
// - `logs`: every line that the Worker and workerd have written so far
// - `stateDir`: the folder with the files of D1 and KV
// - `database()`, `blobs()`: its D1 and KV, to look at or to disturb
// - `scheduled({ cron, scheduledTime })`: runs the cron handler
// - `restart({ vars, whileStopped })`: stops it, does what is to be done to its files, and starts it again on the same state
//   and secrets
// - `directUrls`: the sockets of all its isolates
// - `stop()`: stops it and removes the state
export async function startKeyfob({ vars = {}, stateDir: left, sockets = false, hosts = {}, isolates = 1 } = {}) {
  const stateDir = left ?? (await mkdtemp(join(tmpdir(), "keyfob-e2e-")));
  const secrets = { MASTER_KEYS: newMasterKeys(), ROOT_API_KEY: newApiKey(), ALLOW_PRIVATE_NETWORK: "true", ...vars };
  const logs = [];
  let worker = await startWorker({ stateDir, secrets, logs, sockets, hosts, isolates });
  const database = await worker.getD1Database("DATABASE");
  if (!(await isMigrated(database))) await migrate(database);
  let urls = await urlsOf(worker, isolates);

  return {
    secrets,
    rootKey: secrets.ROOT_API_KEY,
    logs,
    stateDir,
    get url() {
      return urls.url;
    },
    get directUrl() {
      return urls.directUrls[0];
    },
    get directUrls() {
      return urls.directUrls;
    },
    request: (method, path, { key = secrets.ROOT_API_KEY, ...rest } = {}) => request(urls.url, method, path, { key, ...rest }),
    database: () => worker.getD1Database("DATABASE"),
    blobs: () => worker.getKVNamespace("BLOBS"),
    async scheduled({ cron = "* * * * *", scheduledTime = new Date() } = {}) {
      return (await worker.getWorker()).scheduled({ cron, scheduledTime });
    },
    async restart({ vars: changes = {}, whileStopped } = {}) {
      // Two workerd on one state folder would fail with SQLITE_BUSY: the old one goes first.
      await worker.dispose();
      await whileStopped?.();
      worker = await startWorker({ stateDir, secrets: { ...secrets, ...changes }, logs, sockets, hosts, isolates });
      urls = await urlsOf(worker, isolates);
    },
    async stop() {
      await worker.dispose();
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}

// Sends exactly the given headers, `Sec-Fetch-Mode` included, which fetch() would not. An object as `body` goes as JSON.
// Answers `{ status, headers, text, json }`; `json` is undefined where the answer is no JSON.
export function request(url, method, path, { key, body, headers = {} } = {}) {
  const raw = body === undefined || typeof body === "string" || body instanceof Uint8Array;
  const payload = raw ? body : JSON.stringify(body);
  const sent = {
    ...(key ? { authorization: `Bearer ${key}` } : {}),
    ...(raw ? {} : { "content-type": "application/json" }),
    ...(payload === undefined ? {} : { "content-length": Buffer.byteLength(payload) }),
    ...headers,
  };
  return new Promise((resolve, reject) => {
    const outgoing = http.request(new URL(path, url), { method, headers: sent, agent: false }, async (incoming) => {
      try {
        const text = Buffer.concat(await incoming.toArray()).toString();
        const json = /[/+]json\b/.test(incoming.headers["content-type"] ?? "") && text ? JSON.parse(text) : undefined;
        resolve({ status: incoming.statusCode, headers: incoming.headers, text, json });
      } catch (error) {
        reject(error);
      }
    });
    outgoing.on("error", reject);
    outgoing.end(payload);
  });
}

// Every file below `folder`, as `{ path, bytes }`: those of D1 with their free pages and logs, and those of KV.
export async function filesBelow(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(paths.map(async (path) => ({ path, bytes: await readFile(path) })));
}

async function startWorker({ stateDir, secrets, logs, sockets, hosts, isolates }) {
  const config = unstable_readConfig({ config: CONFIG });
  const { workerOptions, main } = unstable_getMiniflareWorkerOptions(config);
  const worker = {
    ...workerOptions,
    ...(await modulesOf(main)),
    // Not what .dev.vars says: a test must not depend on the machine.
    bindings: { ...config.vars, ...secrets },
    // A Worker in between passes no sockets.
    ...(sockets ? {} : { outboundService: EGRESS }),
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
  };
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      workers: [...nameOf(isolates).map((name) => ({ ...worker, name })), egress(hosts)],
      host: "127.0.0.1",
      port: 0,
      cf: false,
      resourcePersistencePath: stateDir,
      log: new CapturingLog(logs),
      handleStructuredLogs: ({ message }) => logs.push(message),
      handleUncaughtError: (error) => logs.push(String(error.stack ?? error)),
      telemetry: { enabled: false },
    }),
  );
  await miniflare.ready;
  return miniflare;
}

// The modules of a built Worker: worker-build leaves one script and one wasm module, which workerd loads as they are.
export async function modulesOf(main) {
  const folder = dirname(main);
  const files = (await readdir(folder)).filter((file) => /^[^.]+\.(js|wasm)$/.test(file)).map((file) => join(folder, file));
  // workerd starts at the first module.
  const paths = [main, ...files.filter((file) => file !== main)];
  const modules = paths.map((path) => ({ type: path.endsWith(".wasm") ? "CompiledWasm" : "ESModule", path }));
  return { modules, modulesRoot: folder };
}

// Applies schema/*.sql in the order of their names, split as `wrangler d1 migrations apply` splits them.
export async function migrate(database) {
  const files = (await readdir(SCHEMA)).filter((file) => file.endsWith(".sql")).sort();
  assert.ok(files.length > 0, "schema/ has no migrations");
  for (const file of files) {
    const statements = unstable_splitSqlQuery(await readFile(join(SCHEMA, file), "utf8"));
    await database.batch(statements.map((statement) => database.prepare(statement)));
  }
}

async function isMigrated(database) {
  return (await database.prepare("select 1 from sqlite_master where name = 'connections'").first()) !== null;
}

// The names of the Workers: the first one answers behind Miniflare's front.
function nameOf(isolates) {
  return Array.from({ length: isolates }, (_, number) => (number === 0 ? "keyfob" : `keyfob-${number + 1}`));
}

async function urlsOf(worker, isolates) {
  const direct = await Promise.all(nameOf(isolates).map((name) => worker.unsafeGetDirectURL(name)));
  return { url: (await worker.ready).origin, directUrls: direct.map((url) => url.origin) };
}

// What Miniflare itself has to say, kept beside the lines of the Worker instead of printed.
class CapturingLog extends Log {
  #logs;

  constructor(logs) {
    super(LogLevel.WARN);
    this.#logs = logs;
  }

  log(message) {
    this.#logs.push(message);
  }
}
