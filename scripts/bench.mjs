// Measures Keyfob against the bare Worker, prints the figures and writes them to docs/benchmarks.md. Takes about eight minutes,
// and once some more to make the larger database; all load goes to loopback.
import { spawnSync } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { figures, ratios, storageTable, throughputTable, write } from "./bench/figures.mjs";
import { linesOf, load } from "./bench/load.mjs";
import { prepare, record } from "./bench/operations.mjs";
import { place } from "./bench/sizes.mjs";
import { bare, databaseFile, keyfob, recorder, start } from "./bench/workers.mjs";
import { newApiKey, newMasterKeys } from "./keys.mjs";

const ROUNDS = Number(process.env.ROUNDS ?? 6);
const SECONDS = Number(process.env.SECONDS ?? 2);
const ONLY = process.env.ONLY?.split(",");
const SMALL = 1_000;
const LARGE = Number(process.env.LARGE ?? 100_000);
const PAGE_ROWS = 3 * 50;
const MAX_GZIP_KIB = 1_600;
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
let running = [];
try {
  await measureAll();
} finally {
  await stopAll();
  await rm(folder, { recursive: true, force: true });
}

async function measureAll() {
  const small = await measureAt(SMALL, ["list", "facets", "embedded", "resolve", "update", "create"], "");
  const large = await measureAt(LARGE, ["list", "embedded"], "_large");
  const throughput = throughputTable({ ...small.measured, ...large.measured }, BUDGETS);
  const storage = storageTable(small.lines, large.lines, BUDGETS);
  const bundle = { kib: bundleSize(), budget: MAX_GZIP_KIB };
  console.log(`\n${throughput}\n\n${storage}\n\nbundle: ${bundle.kib} KiB gzip, budget ${MAX_GZIP_KIB}\n`);
  if (ONLY) return;
  const machine = `${cpus().length} cores, ${process.platform} ${process.arch}`;
  await write("ratios", ratios({ machine, throughput, storage, bundle, rounds: ROUNDS, seconds: SECONDS }));
  say("Written to docs/benchmarks.md");
}

// Storage calls of every operation at this number of connections, and the throughput of some.
async function measureAt(count, names, suffix) {
  say(`${count} connections`);
  const [ours, theirs, others] = ["keyfob", "bare", "logging"].map((name) => join(folder, `${name}-${count}`));
  const [empty] = await startAll([recorder, ours, { bindings }]);
  await (await empty.database()).prepare("select 1").first();
  await stopAll();
  await place(count, await databaseFile(ours));
  const [recording] = await startAll([recorder, ours, { bindings }]);
  const prepared = await prepare(recording, bindings.ROOT_API_KEY);
  const operations = await record(recording, prepared);
  // The versions of the sample are those that the operations are recorded with: once more for Keyfob itself.
  await stopAll();
  for (const copy of [theirs, others]) await cp(ours, copy, { recursive: true });
  const written = [];
  const [writing] = await startAll([keyfob, ours, { bindings, onLine: (line) => written.push(line) }]);
  const lines = await linesOf({ ...writing, lines: written }, prepared);
  await stopAll();
  const logged = Object.fromEntries(Object.entries(operations).map(([name, operation]) => [name, { ...operation, line: JSON.stringify(lines[name]) }]));
  const [first, second, third] = await startAll(
    [keyfob, ours, { bindings }],
    [bare, theirs, { bindings: { OPERATIONS: JSON.stringify(operations) } }],
    [bare, others, { bindings: { OPERATIONS: JSON.stringify(logged) } }],
  );
  const measured = {};
  for (const name of names) {
    const title = `${name}${suffix}`;
    if (!ONLY || ONLY.includes(title)) measured[title] = await measure(title, name, { keyfob: first, bare: second, logging: third }, prepared);
  }
  await stopAll();
  await rm(ours, { recursive: true });
  for (const copy of [theirs, others]) await rm(copy, { recursive: true });
  return { lines, measured };
}

// Rounds of an operation: in each, all Workers after each other, the first one by turns.
async function measure(title, name, pair, prepared) {
  const rounds = [];
  for (const worker of Object.values(pair)) await load(name, worker, prepared, { seconds: 1 });
  for (let round = 0; round < ROUNDS; round++) {
    const figures = {};
    const order = round % 2 ? ["logging", "bare", "keyfob"] : ["keyfob", "bare", "logging"];
    for (const worker of order) figures[worker] = await load(name, pair[worker], prepared, { seconds: SECONDS });
    rounds.push(figures);
  }
  const result = figures(rounds);
  console.log(`${title}: ${result.keyfob.rate.toFixed(0)}/s of ${result.bare.rate.toFixed(0)}/s, ratio ${result.ratio.toFixed(2)}, beside one that logs ${result.besideLogging.toFixed(2)}`);
  return result;
}

async function startAll(...workers) {
  for (const [modules, stateDir, options] of workers) running.push(await start(modules, { stateDir, ...options }));
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
