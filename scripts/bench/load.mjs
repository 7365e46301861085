// Load on one Worker, and the log line of one request. Knows wrk and the operations; knows neither figures nor budgets.
import { spawn } from "node:child_process";
import { request } from "../../tests/e2e/keyfob.mjs";
import { READS, requests, versions } from "./operations.mjs";

let loads = 0;

// Asks for one operation for so long, from so many connections. Answers with the line of load.lua.
export async function load(name, worker, prepared, { seconds, threads = 8 }) {
  const [key, , path] = (await requests(worker, prepared))[name];
  const kind = READS.includes(name) ? "get" : name;
  const targets = ["resolve", "update"].includes(name) ? await versions(worker, prepared) : [];
  const args = [kind, key, `load-${process.pid}-${++loads}`, path, ...targets];
  const options = ["-t", threads, "-c", threads, "-d", `${seconds}s`, "--timeout", "10s", "--latency", "-s", "scripts/bench/load.lua", worker.socket, "--"];
  const child = spawn("wrk", [...options.map(String), ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const late = setTimeout(() => child.kill("SIGTERM"), (seconds + 20) * 1000);
  const output = Buffer.concat(await child.stdout.toArray()).toString();
  clearTimeout(late);
  const line = JSON.parse(/^\{.*\}$/m.exec(output)?.[0] ?? fail(`wrk said: ${output}`));
  if (line.refused || line.broken || !line.requests) fail(`${name}: ${line.refused} refused, ${line.broken} broken\n${output}`);
  return line;
}

// One request an operation, and what Keyfob logged about it. `worker.lines` are the lines so far.
export async function linesOf(worker, prepared) {
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

function fail(text) {
  throw new Error(text);
}
