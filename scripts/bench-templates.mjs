// Measures one template under which many customers stand: moving them in, resolving for one of them, listing them, and changing
// a global value, at ten customers and at 10,000. Writes the figures to docs/benchmarks.md. All load goes to loopback.
import { mkdtemp, rm } from "node:fs/promises";
import { cpus } from "node:os";
import { join, resolve } from "node:path";
import { migrate, request } from "../tests/e2e/keyfob.mjs";
import { median, templatesSection, write } from "./bench/figures.mjs";
import { keyfob, start } from "./bench/workers.mjs";
import { newApiKey, newMasterKeys } from "./keys.mjs";

const SIZES = [10, Number(process.env.LARGEST ?? 10_000)];
const ROUNDS = Number(process.env.ROUNDS ?? 200);
// What one request of an import may hold.
const PART = 500;
const SETTINGS = { base_url: "https://api.example.com/v2", test_path: "/me" };
const TEMPLATE = { stable_key: "crm", kind: "template", provider: "http", connection_type: "bearer", name: "CRM", settings: SETTINGS };

// The operations, each as `(worker, round)` to method, path and options.
const OPERATIONS = {
  resolve: ({ size }, round) => ["GET", `/v1/credentials?environment=development&stable_key=crm&customer=${name(round % size)}`],
  list: ({ template }) => ["GET", `/v1/connections?environment=development&template=${template.id}&limit=50`],
  customers: () => ["GET", "/v1/customers?environment=development&limit=50"],
  global_change: ({ template }, round) => [
    ...["PATCH", `/v1/connections/${template.id}?test=false`],
    { body: { settings: { test_path: `/round-${round}` } }, headers: { "if-match": `"${round + 1}"` } },
  ],
};

const bindings = { MASTER_KEYS: newMasterKeys(), ROOT_API_KEY: newApiKey() };
const folder = await mkdtemp(resolve(".bench-state-"));
const workers = [];
try {
  for (const size of SIZES) workers.push(await worker(size));
  const operations = await measure();
  const machine = `${cpus().length} cores, ${process.platform} ${process.arch}`;
  const moved = workers.map(({ moved }) => moved);
  const section = templatesSection({ machine, sizes: SIZES, operations, rounds: ROUNDS, moved });
  console.log(section);
  if (!process.env.LARGEST) await write("templates", section);
} finally {
  for (const { stop } of workers) await stop();
  await rm(folder, { recursive: true, force: true });
}

// A Keyfob with so many customers under one template, who moved in by parts.
async function worker(size) {
  const lines = [];
  const worker = await start(keyfob, { stateDir: join(folder, String(size)), bindings, onLine: (line) => lines.push(line) });
  await migrate(await worker.database());
  const started = { ...worker, lines, size };
  await moveIn(started, [TEMPLATE]);
  const began = performance.now();
  for (let first = 0; first < size; first += PART) {
    const count = Math.min(PART, size - first);
    await moveIn(started, Array.from({ length: count }, (_, at) => under(first + at)));
  }
  started.moved = (performance.now() - began) / 1000;
  const [template] = (await ask(started, "GET", "/v1/connections?environment=development&kind=template")).json.data;
  if (template.customer_count !== size) throw new Error(`${template.customer_count} customers, not ${size}`);
  console.log(`${size} customers moved in within ${started.moved.toFixed(1)} s`);
  return { ...started, template };
}

function name(number) {
  return `customer-${String(number).padStart(6, "0")}`;
}

function under(number) {
  const whose = { stable_key: "crm", kind: "customer", customer: name(number), template: "crm" };
  return { ...whose, provider: "http", connection_type: "bearer", name: "CRM", secrets: { token: `token-of-${name(number)}` } };
}

async function moveIn(worker, connections) {
  const body = { format: "keyfob/definitions/1", connections };
  await ask(worker, "POST", "/v1/import?environment=development&dry_run=false", { body });
}

async function ask(worker, method, path, options) {
  const answer = await request(worker.socket, method, path, { key: bindings.ROOT_API_KEY, ...options });
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
  return answer;
}

async function measure() {
  const measured = {};
  for (const [operation, of] of Object.entries(OPERATIONS)) {
    const times = workers.map(() => []);
    const last = [];
    const rounds = operation === "global_change" ? Math.min(ROUNDS, 20) : ROUNDS;
    for (let round = 0; round < rounds; round++) {
      // One after the other in each round, so that what drifts on the machine drifts for both.
      for (const [at, worker] of workers.entries()) {
        const began = performance.now();
        last[at] = await ask(worker, ...of(worker, round));
        times[at].push(performance.now() - began);
      }
    }
    const lines = await Promise.all(workers.map((worker, at) => lineOf(worker, last[at].headers["keyfob-request-id"])));
    measured[operation] = { p50: times.map(median), lines };
  }
  return measured;
}

async function lineOf({ lines }, id) {
  for (let tries = 0; tries < 200; tries++) {
    const line = lines.find((line) => line.includes(id));
    if (line) return JSON.parse(line);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`no log line of ${id}`);
}
