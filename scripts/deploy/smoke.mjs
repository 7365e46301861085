// Whether a deployment answers: that it runs, that it is the one that was meant, that it refuses who has no key, and, with the
// root key, that its database and its master keys are in order. The key goes to nobody else.
import { setTimeout as sleep } from "node:timers/promises";
import { EnvironmentError } from "./config.mjs";

// How long a new version may take until it answers everywhere.
const PATIENCE_MS = Number(process.env.KEYFOB_PATIENCE_MS ?? 60_000);
const PAUSE_MS = 2_000;

// The address in what `wrangler deploy` printed.
export function addressIn(output) {
  return /https:\/\/[^\s/]+\.workers\.dev/.exec(output)?.[0];
}

// Refuses an address to which a key must not be sent: before anything is done.
export function checkAddress(url) {
  if (!url) return;
  const { protocol, hostname } = URL.canParse(url) ? new URL(url) : {};
  const isLoopback = hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname ?? "");
  if (protocol === "https:" || (protocol === "http:" && isLoopback)) return;
  throw new EnvironmentError("KEYFOB_URL must be an https address: the root key is sent there.");
}

export async function smoke(url, environment, key) {
  if (!url) throw new Error("Deployed, but wrangler named no workers.dev address: set KEYFOB_URL to where it answers, and repeat.");
  console.log(`\x1b[1m== Asking ${url}\x1b[0m`);
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const fault = await faultOf(url, environment, key).catch((error) => error.cause?.message ?? error.message);
    if (!fault) break;
    if (Date.now() >= end) throw new Error(`Deployed, but it does not answer as it should: ${fault}`);
    await sleep(Math.min(PAUSE_MS, PATIENCE_MS));
  }
  if (!key) console.log("Without the variable ROOT_API_KEY, nothing was asked that needs a key.");
}

async function faultOf(url, environment, key) {
  const health = await get(url, "/healthz");
  if (health.status !== 200) return `/healthz: ${health.status}`;
  if (health.text !== `ok ${environment}\n`) return `/healthz does not say that this is ${environment}: is KEYFOB_URL its address?`;
  const refused = await get(url, "/v1/keys");
  if (refused.status !== 401) return `/v1/keys without a key: ${refused.status}`;
  if (!key) return undefined;
  const keys = await get(url, "/v1/keys", { authorization: `Bearer ${key}` });
  if (keys.status !== 200) return `/v1/keys with the root key: ${keys.status}`;
  const { data, problem } = JSON.parse(keys.text);
  if (problem) return `MASTER_KEYS: ${problem}`;
  const bad = data.filter(({ state }) => state === "missing" || state === "wrong");
  if (bad.length > 0) return bad.map(({ id, state }) => `master key ${id} is ${state}`).join(", ");
  console.log("/healthz answers; /v1/keys is refused without a key, and finds the master keys in order with it.");
  return undefined;
}

async function get(url, path, headers = {}) {
  const response = await fetch(new URL(path, url), { headers, redirect: "manual", signal: AbortSignal.timeout(10_000) });
  return { status: response.status, text: await response.text() };
}
