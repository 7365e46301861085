// What the tests send, and what the Worker logs about it. Knows bodies and log lines of the API; starts nothing.
import { setTimeout as sleep } from "node:timers/promises";

// Limits that no test meets by accident.
export const GENEROUS = JSON.stringify({
  reveals_per_hour: 1_000_000,
  tests_per_minute: 1_000_000,
  tests_per_minute_per_host: 1_000_000,
  messages_per_hour: 1_000_000,
  reports_per_minute: 1_000_000,
});

// A connection to an API with a bearer token; `rest` adds to and replaces its parts.
export function bearer({ base_url = "http://127.0.0.1:9", token = "token-of-a-test", settings = {}, ...rest } = {}) {
  return {
    environment: "development",
    provider: "http",
    connection_type: "bearer",
    name: "Orders",
    settings: { base_url, ...settings },
    secrets: { token },
    ...rest,
  };
}

// The header that a change needs.
export const ifMatch = (version) => ({ "if-match": `"${version}"` });

// The log line of an answer: it may come a little after the answer.
export async function lineOf(keyfob, answer) {
  const id = answer.headers["keyfob-request-id"];
  for (let tries = 0; tries < 200; tries++) {
    const line = keyfob.logs.findLast((line) => line.includes(`"id":"${id}"`));
    if (line) return JSON.parse(line.slice(line.indexOf("{")));
    await sleep(10);
  }
  throw new Error(`no log line of the request ${id}`);
}
