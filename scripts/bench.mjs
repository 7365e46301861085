// Measures Keyfob against the bare Worker, prints the figures and writes docs/benchmarks.md. Takes about six minutes; all
// load goes to loopback.
import { spawn, spawnSync } from "node:child_process";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { request, migrate } from "../tests/e2e/keyfob.mjs";
import { seed } from "../tests/seed.mjs";
import { figures, page, storageTable, throughputTable } from "./bench/figures.mjs";
import { prepare, record, requests, versions } from "./bench/operations.mjs";
import { bare, keyfob, recorder, start } from "./bench/workers.mjs";
import { newApiKey, newMasterKeys } from "./keys.mjs";

const ROUNDS = Number(process.env.ROUNDS ?? 6);
const SECONDS = Number(process.env.SECONDS ?? 2);
const ONLY = process.env.ONLY?.split(",");
const THREADS = 8;
const SMALL = 1_000;
const LARGE = Number(process.env.LARGE ?? 100_000);
const PAGE_ROWS = 3 * 50;
const MAX_GZIP_KIB = 700;
const BUDGETS = {
  list: { ratio: 0.8, batches: 1, blobs: 0, rows_read: PAGE_ROWS },
  facets: { ratio: 0.8, batches: 1, blobs: 0, rows_read: PAGE_ROWS },
  embedded: { ratio: 0.8, batches: 1, blobs: 0, rows_read: PAGE_ROWS },
  resolve: { ratio: 0.8, batches: 1, blobs: 1 },
  update: { ratio: 0.7, batches: 2, blobs: 2 },
  create: { ratio: 0.7, batches: 2, blobs: 1 },
  list_large: { ratio: 0.8 },
  embedded_large: { ratio: 0.8 },
};

if (spawnSync("wrk", ["-v"]).error) fail("wrk is missing: on Debian, apt-get install wrk");
const bindings = { MASTER_KEYS: newMasterKeys(), ROOT_API_KEY: newApiKey() };
const folder = await mkdtemp(join(tmpdir(), "keyfob-bench-"));
const [ours, theirs] = [join(folder, "keyfob"), join(folder, "bare")];
let running = [];
let loads = 0;
try {
  await measureAll();
} finally {
  await stopAll();
  await rm(folder, { recursive: true, force: true });
}

async function measureAll() {
  say(`Preparing ${SMALL} connections`);
  const [first] = await startAll([recorder, ours, bindings]);
  await migrate(await first.database());
  await seed(await first.database(), { to: SMALL });
  const prepared = await prepare(first, bindings.ROOT_API_KEY);
  const operations = await record(first, prepared);
  // The versions of the sample are those that the operations are recorded with: once more for Keyfob itself.
  await stopAll();

  const measured = {};
  let pair = await startPair(operations);
  const small = await linesOf(pair.keyfob, prepared);
  for (const name of Object.keys(operations)) {
    if (!ONLY || ONLY.includes(name)) measured[name] = await measure(name, name, pair, prepared);
  }
  await stopAll();

  say(`Preparing ${LARGE} connections`);
  const [filling] = await startAll([keyfob, ours, bindings]);
  await seed(await filling.database(), { from: SMALL + 1, to: LARGE });
  await stopAll();
  pair = await startPair(operations);
  const large = await linesOf(pair.keyfob, prepared);
  for (const name of ["list", "embedded"]) {
    if (!ONLY || ONLY.includes(`${name}_large`)) measured[`${name}_large`] = await measure(`${name}_large`, name, pair, prepared);
  }
  await stopAll();

  const throughput = throughputTable(measured, BUDGETS);
  const storage = storageTable(small, large, BUDGETS);
  const bundle = { kib: bundleSize(), budget: MAX_GZIP_KIB };
  console.log(`\n${throughput}\n\n${storage}\n\nbundle: ${bundle.kib} KiB gzip, budget ${MAX_GZIP_KIB}\n`);
  if (ONLY) return;
  const machine = `${cpus().length} cores, ${process.platform} ${process.arch}`;
  const date = new Date().toISOString().slice(0, 10);
  const text = page({ date, machine, throughput, storage, bundle, rounds: ROUNDS, seconds: SECONDS, threads: THREADS });
  await writeFile("docs/benchmarks.md", text);
  say("Written to docs/benchmarks.md");
}

// Both Workers, the bare one on a copy of the state.
async function startPair(operations) {
  await rm(theirs, { recursive: true, force: true });
  await cp(ours, theirs, { recursive: true });
  const lines = [];
  const [first, second] = await startAll(
    [keyfob, ours, bindings, (line) => lines.push(line)],
    [bare, theirs, { OPERATIONS: JSON.stringify(operations) }],
  );
  return { keyfob: { ...first, lines }, bare: second };
}

// One request an operation, and what Keyfob logged about it.
async function linesOf(worker, prepared) {
  const lines = {};
  for (const [name, [key, method, path, options]] of Object.entries(await requests(worker, prepared))) {
    const fresh = await freshened(name, worker, prepared, options);
    const answer = await request(worker.socket, method, path, { key, ...fresh });
    if (answer.status >= 300) fail(`${name}: ${answer.status} ${answer.text}`);
    lines[name] = await lineOf(worker, answer.headers["keyfob-request-id"]);
  }
  return lines;
}

// The same request a second time needs the version of today, and another secret.
async function freshened(name, worker, { sample }, options) {
  if (name !== "update") return options;
  const database = await worker.database();
  const { version } = await database.prepare("select version from connections where id = ?").bind(sample).first();
  return { body: { secrets: { token: `token-at-${version}` } }, headers: { "if-match": `"${version}"` } };
}

async function lineOf({ lines }, id) {
  for (let tries = 0; tries < 100; tries++) {
    const line = lines.find((line) => line.includes(id));
    if (line) return JSON.parse(line);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return fail(`no log line of ${id}`);
}

// Rounds of an operation: in each, both Workers after each other, the first one by turns.
async function measure(title, name, pair, prepared) {
  const rounds = [];
  await load(name, pair.keyfob, prepared, 1);
  await load(name, pair.bare, prepared, 1);
  for (let round = 0; round < ROUNDS; round++) {
    const figures = {};
    const order = round % 2 ? ["bare", "keyfob"] : ["keyfob", "bare"];
    for (const worker of order) figures[worker] = await load(name, pair[worker], prepared, SECONDS);
    rounds.push(figures);
    pair.keyfob.lines.length = 0;
  }
  const result = figures(rounds);
  console.log(`${title}: ${result.keyfob.rate.toFixed(0)}/s of ${result.bare.rate.toFixed(0)}/s, ratio ${result.ratio.toFixed(2)}`);
  return result;
}

async function load(name, worker, prepared, seconds) {
  const [key, , path] = (await requests(worker, prepared))[name];
  const kind = ["list", "facets", "embedded"].includes(name) ? "get" : name;
  const targets = ["resolve", "update"].includes(name) ? await versions(worker, prepared) : [];
  const args = [kind, key, `bench-${++loads}`, path, ...targets];
  const options = ["-t", THREADS, "-c", THREADS, "-d", `${seconds}s`, "--latency", "-s", "scripts/bench/load.lua", worker.socket, "--"];
  const child = spawn("wrk", [...options.map(String), ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const late = setTimeout(() => child.kill("SIGTERM"), (seconds + 20) * 1000);
  const output = Buffer.concat(await child.stdout.toArray()).toString();
  clearTimeout(late);
  const line = JSON.parse(/^\{.*\}$/m.exec(output)?.[0] ?? fail(`wrk said: ${output}`));
  if (line.refused || line.broken || !line.requests) fail(`${name}: ${line.refused} refused, ${line.broken} broken\n${output}`);
  return line;
}

async function startAll(...workers) {
  for (const [modules, stateDir, vars, onLine] of workers) {
    running.push(await start(modules, { stateDir, bindings: vars, onLine }));
  }
  return running;
}

async function stopAll() {
  for (const worker of running) await worker.stop();
  running = [];
}

function bundleSize() {
  const outdir = join(folder, "bundle");
  const { stdout } = spawnSync("wrangler", ["deploy", "--dry-run", "--env=", "--outdir", outdir], { encoding: "utf8" });
  return Number(/gzip: ([\d.]+) KiB/.exec(stdout)?.[1] ?? fail(`no bundle size: ${stdout}`));
}

function say(text) {
  console.log(`\x1b[1m== ${text}\x1b[0m`);
}

function fail(text) {
  throw new Error(text);
}
