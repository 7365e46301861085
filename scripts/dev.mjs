// Serves Keyfob on this machine: builds, migrates the local D1, makes local secrets if there are none, starts
// `wrangler dev` and a pretend product that embeds the picker, and says how to call it. Knows how a development machine is set up; the build itself is make's.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { startDemo } from "./demo/server.mjs";
import { newApiKey, newMasterKeys } from "./keys.mjs";

const SECRETS = ".dev.vars";
const HOST = "127.0.0.1";

run("make", ["--silent", "compile"]);
if (!existsSync(SECRETS)) writeSecrets();
const key = /^ROOT_API_KEY=["']?(kf_[0-9A-Za-z]{49})/m.exec(readFileSync(SECRETS, "utf8"))?.[1];
if (!key) fail(`${SECRETS} has no ROOT_API_KEY: remove the file to get a new one, or add the line.`);

say("Migrating the local database");
// Without a terminal on its standard input it asks nothing.
run("wrangler", ["d1", "migrations", "apply", "DATABASE", "--local"]);

const port = process.env.PORT ? Number(process.env.PORT) : await freePort(8787);
const url = `http://${HOST}:${port}`;
say(`Starting wrangler dev on ${url}`);
const server = spawn(
  "wrangler",
  ["dev", "--ip", HOST, "--port", String(port), "--show-interactive-dev-session=false"],
  { stdio: ["ignore", "inherit", "inherit"] },
);
server.on("exit", (code, signal) => process.exit(signal ? 0 : (code ?? 1)));
// Ctrl-C reaches wrangler by itself; we stay until it has stopped its workerd.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => server.kill("SIGTERM"));

await answers(`${url}/healthz`);
const demo = await startDemo({ keyfob: url, key, port: await freePort(port + 1) });
console.log(`
Keyfob is ready.

  address    ${url}
  reference  ${url}/docs
  key        ${key}
  picker     ${demo.url}  (a pretend product that embeds it)

  curl -H 'Authorization: Bearer ${key}' ${url}/v1/providers

The key is valid on this machine only; it is kept in ${SECRETS}. Ctrl-C stops everything.
`);

function writeSecrets() {
  say(`Making a master key and a root key for this machine (${SECRETS})`);
  const lines = [
    "# Secrets of this machine only, never committed. Without this file `make dev` makes new ones;",
    "# what the lost master key has sealed stays sealed.",
    `MASTER_KEYS='${newMasterKeys()}'`,
    `ROOT_API_KEY=${newApiKey()}`,
    "# Opens loopback and private addresses to connection tests, for local counterparts.",
    "ALLOW_PRIVATE_NETWORK=true",
  ];
  writeFileSync(SECRETS, `${lines.join("\n")}\n`, { mode: 0o600 });
}

async function answers(address) {
  for (;;) {
    const response = await fetch(address).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.ok) return;
    await sleep(250);
  }
}

async function freePort(wanted) {
  return (await listen(wanted)) ?? (await listen(0));
}

function listen(port) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(undefined));
    probe.listen(port, HOST, () => {
      const chosen = probe.address().port;
      probe.close(() => resolve(chosen));
    });
  });
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) fail(`${command} ${args.join(" ")} failed${error ? `: ${error.message}` : ""}.`);
}

function say(text) {
  console.log(`\x1b[1m== ${text}\x1b[0m`);
}

function fail(text) {
  console.error(text);
  process.exit(1);
}
