// One isolate at full load for DURATION minutes (15): does its memory stay flat, and does every answer succeed? Lists, resolves,
// creates, updates, facets, the embedded list and tests of a connection, in turns of ten seconds, on loopback. Fails when an answer
// was no success or memory grew;
// prints the figures, and after a full run writes them to docs/benchmarks.md.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { growth, memorySection, write } from "./bench/figures.mjs";
import { load } from "./bench/load.mjs";
import { prepare } from "./bench/operations.mjs";
import { place } from "./bench/sizes.mjs";
import { databaseFile, keyfob, start } from "./bench/workers.mjs";
import { startService } from "../tests/e2e/counterpart.mjs";
import { newApiKey, newMasterKeys } from "./keys.mjs";

const MINUTES = Number(process.env.DURATION ?? 15);
const OPERATIONS = ["list", "resolve", "create", "update", "facets", "embedded", "test"];
const SECONDS = Math.min(10, Math.ceil((MINUTES * 60) / OPERATIONS.length));
// The first minutes fill caches and let the collector find its pace; what counts is how it goes on.
const WARM_UP = 0.25;
// Kibibytes a thousand requests: a leak of 64 bytes a request.
const MOST_PER_THOUSAND = 64;

if (spawnSync("wrk", ["-v"]).error) throw new Error("wrk is missing: on Debian, apt-get install wrk");
const bindings = {
  MASTER_KEYS: newMasterKeys(),
  ROOT_API_KEY: newApiKey(),
  // The tests go to a service on loopback, far more often than a host may be asked.
  ALLOW_PRIVATE_NETWORK: "true",
  RATE_LIMITS: JSON.stringify({ tests_per_minute: 1_000_000, tests_per_minute_per_host: 1_000_000 }),
};
const service = await startService((_, response) => response.end());
const stateDir = await mkdtemp(join(tmpdir(), "keyfob-soak-"));
let worker;
try {
  const empty = await start(keyfob, { stateDir, bindings });
  await (await empty.database()).prepare("select 1").first();
  await empty.stop();
  await place(1_000, await databaseFile(stateDir));
  worker = await start(keyfob, { stateDir, bindings, inspectorPort: 0 });
  await report(await soak(await prepare(worker, bindings.ROOT_API_KEY, service.origin)));
} finally {
  await worker?.stop();
  await service.stop();
  await rm(stateDir, { recursive: true, force: true });
}

async function soak(prepared) {
  const inspector = await inspect();
  const samples = [];
  const sums = {};
  let requests = 0;
  const end = Date.now() + MINUTES * 60_000;
  for (let turn = 0; Date.now() < end; turn++) {
    const name = OPERATIONS[turn % OPERATIONS.length];
    // Anything but a success throws.
    const line = await load(name, worker, prepared, { seconds: SECONDS });
    requests += line.requests;
    sums[name] = (sums[name] ?? 0) + line.requests;
    const sample = { requests, resident: resident(worker.pid), ...(await inspector.held()) };
    samples.push(sample);
    if (turn % OPERATIONS.length === OPERATIONS.length - 1) console.log(Object.entries(sample).map(([what, number]) => `${what} ${Math.round(number)}`).join(", "));
  }
  inspector.close();
  return { samples, sums, requests };
}

async function report({ samples, sums, requests }) {
  const settled = samples.slice(Math.floor(samples.length * WARM_UP));
  const slope = (what) => growth(settled.map((sample) => [sample.requests / 1000, sample[what]]));
  const perThousand = { heap: slope("heap"), wasm: slope("wasm"), resident: slope("resident") };
  const section = memorySection({ minutes: MINUTES, machine: `${cpus().length} cores`, samples, sums, requests, perThousand, most: MOST_PER_THOUSAND });
  console.log(section);
  if (MINUTES >= 15) await write("memory", section);
  for (const what of ["heap", "wasm"]) {
    if (perThousand[what] > MOST_PER_THOUSAND) throw new Error(`${what}: ${perThousand[what].toFixed(1)} KiB more a thousand requests`);
  }
}

// Kibibytes of the whole process, D1 and KV included.
function resident(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]);
}

// The isolate of Keyfob, asked through its inspector, in kibibytes: its heap after a collection, and the memory of its wasm, which
// never shrinks.
async function inspect() {
  const targets = await (await fetch(`${await worker.inspector()}/json`)).json();
  const target = targets.find(({ id, title }) => /keyfob/.test(`${id}${title}`));
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  await new Promise((resolve) => (socket.onopen = resolve));
  const waiting = new Map();
  let last = 0;
  let contextId;
  socket.onmessage = ({ data }) => {
    const { id, result, method, params } = JSON.parse(data);
    if (method === "Runtime.executionContextCreated") contextId = params.context.id;
    waiting.get(id)?.(result);
    waiting.delete(id);
  };
  const call = (method, params = {}) =>
    new Promise((resolve) => {
      waiting.set(++last, resolve);
      socket.send(JSON.stringify({ id: last, method, params }));
    });
  await call("Runtime.enable");
  while (!contextId) await new Promise((resolve) => setTimeout(resolve, 20));
  return {
    async held() {
      const objectGroup = "memories";
      const { result: prototype } = await call("Runtime.evaluate", { expression: "WebAssembly.Memory.prototype", contextId, objectGroup });
      // It collects what nothing refers to, in order to find what there is.
      const { objects } = await call("Runtime.queryObjects", { prototypeObjectId: prototype.objectId, objectGroup });
      const functionDeclaration = "function () { return this.reduce((sum, { buffer }) => sum + buffer.byteLength, 0); }";
      const { result: wasm } = await call("Runtime.callFunctionOn", { objectId: objects.objectId, functionDeclaration, returnByValue: true });
      await call("Runtime.releaseObjectGroup", { objectGroup });
      const { usedSize } = await call("Runtime.getHeapUsage");
      return { heap: usedSize / 1024, wasm: wasm.value / 1024 };
    },
    close: () => socket.close(),
  };
}
