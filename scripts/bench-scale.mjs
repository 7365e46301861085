// Measures every operation at a thousand to a million connections, prints the figures and writes them to docs/benchmarks.md.
// Takes about five minutes, and once some more to make the databases; all load goes to loopback.
import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { cpus } from "node:os";
import { join, resolve } from "node:path";
import { median, scaleSection, write } from "./bench/figures.mjs";
import { linesOf, load } from "./bench/load.mjs";
import { prepare } from "./bench/operations.mjs";
import { bytesEach, place } from "./bench/sizes.mjs";
import { databaseFile, keyfob, start } from "./bench/workers.mjs";
import { newApiKey, newMasterKeys } from "./keys.mjs";

const ROUNDS = Number(process.env.ROUNDS ?? 6);
const SECONDS = Number(process.env.SECONDS ?? 1);
const LARGEST = Number(process.env.LARGEST ?? 1_000_000);
const SIZES = [1_000, 10_000, 100_000, 1_000_000].filter((size) => size <= LARGEST);
const OPERATIONS = ["list", "search", "common_word", "facets", "embedded", "resolve", "create"];

if (spawnSync("wrk", ["-v"]).error) throw new Error("wrk is missing: on Debian, apt-get install wrk");
const bindings = { MASTER_KEYS: newMasterKeys(), ROOT_API_KEY: newApiKey() };
// Beside the databases that it copies: they take gigabytes, which a folder for temporary files may not hold.
const folder = await mkdtemp(resolve(".bench-state-"));
const workers = [];
try {
  for (const size of SIZES) workers.push(await worker(size));
  const measured = await measure();
  const machine = `${cpus().length} cores, ${process.platform} ${process.arch}`;
  const bytes = await bytesEach(SIZES.at(-1));
  const section = scaleSection({ machine, sizes: SIZES, operations: measured, rounds: ROUNDS, seconds: SECONDS, bytes });
  console.log(section);
  if (!process.env.LARGEST) await write("scale", section);
} finally {
  for (const { stop } of workers) await stop();
  await rm(folder, { recursive: true, force: true });
}

// A Keyfob with so many connections, and what its operations need.
async function worker(size) {
  console.log(`\x1b[1m== ${size} connections\x1b[0m`);
  const stateDir = join(folder, String(size));
  const empty = await start(keyfob, { stateDir, bindings });
  await (await empty.database()).prepare("select 1").first();
  await empty.stop();
  await place(size, await databaseFile(stateDir));
  const lines = [];
  const logging = await start(keyfob, { stateDir, bindings, onLine: (line) => lines.push(line) });
  const prepared = await prepare(logging, bindings.ROOT_API_KEY);
  const logged = await linesOf({ ...logging, lines }, prepared);
  await logging.stop();
  return { ...(await start(keyfob, { stateDir, bindings })), prepared, logged };
}

async function measure() {
  const measured = {};
  for (const name of OPERATIONS) {
    const rounds = [];
    for (const worker of workers) await load(name, worker, worker.prepared, { seconds: 1, threads: 1 });
    for (let round = 0; round < ROUNDS; round++) {
      const p50 = [];
      // Forwards and backwards by turns, so that what drifts on the machine drifts for all.
      const turns = [...workers.keys()];
      for (const at of round % 2 ? turns.reverse() : turns) {
        p50[at] = (await load(name, workers[at], workers[at].prepared, { seconds: SECONDS, threads: 1 })).p50 / 1000;
      }
      rounds.push(p50);
    }
    measured[name] = {
      rows_read: workers.map(({ logged }) => logged[name].rows_read),
      p50: SIZES.map((_, at) => median(rounds.map((p50) => p50[at]))),
      growth: SIZES.map((_, at) => median(rounds.map((p50) => p50[at] / p50[0]))),
    };
    console.log(`${name}: p50 ${measured[name].p50.map((p50) => p50.toFixed(2)).join(", ")} ms, growth ${measured[name].growth.at(-1).toFixed(2)}`);
  }
  return measured;
}
