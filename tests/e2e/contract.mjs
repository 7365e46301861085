// Holds the running Worker against its own OpenAPI document: schemathesis makes the requests, valid ones and broken ones,
// and any 5xx or undocumented answer fails. The same requests each time, one fresh Keyfob, loopback only, at most 3 minutes.
//
// More examples, for a longer look: CONTRACT_EXAMPLES=200 CONTRACT_SECONDS=3600 make test-contract
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startKeyfob } from "./keyfob.mjs";

const EXAMPLES = process.env.CONTRACT_EXAMPLES ?? "10";
const SECONDS = Number(process.env.CONTRACT_SECONDS ?? 180);
const CHECKS = [
  "not_a_server_error",
  "status_code_conformance",
  "content_type_conformance",
  "response_schema_conformance",
];

const keyfob = await startKeyfob();
const config = await writeConfig(await createConnection());
const status = await schemathesis();
if (status !== 0) console.log(`What the Worker logged last:\n${keyfob.logs.slice(-20).join("\n")}`);
await keyfob.stop();
process.exit(status);

// A connection for the operations that need one: random ids would only show that 404 is documented.
async function createConnection() {
  const values = { settings: { base_url: "https://api.acme.dev" }, secrets: { token: "of-the-contract-test" } };
  const body = { environment: "development", provider: "http", connection_type: "bearer", name: "Contract", ...values };
  const { json } = await keyfob.request("POST", "/v1/connections?test=false", { body });
  return json.id;
}

// What schemathesis puts into the requests instead of what it would make up.
async function writeConfig(id) {
  const path = join(keyfob.stateDir, "schemathesis.toml");
  const operation = (name, parameters) => `[[operations]]\ninclude-name = "${name}"\nparameters = ${parameters}\n`;
  const known = `{ "path.id" = "${id}", "path.number" = 1, "header.If-Match" = '"1"' }`;
  const names = [
    "GET /v1/connections/{id}",
    "GET /v1/connections/{id}/credentials",
    "GET /v1/connections/{id}/events",
    "GET /v1/connections/{id}/revisions",
    "GET /v1/connections/{id}/revisions/{number}",
    "GET /v1/connections/{id}/tests",
    "PATCH /v1/connections/{id}",
    "POST /v1/connections/{id}/reports",
    "POST /v1/connections/{id}/reveal",
    "POST /v1/connections/{id}/revisions/{number}/restore",
    "POST /v1/connections/{id}/tests",
  ];
  await writeFile(path, names.map((name) => operation(name, known)).join("\n"));
  return path;
}

function schemathesis() {
  const args = [
    "--config-file", config,
    "run",
    `${keyfob.url}/openapi.json`,
    "--url", keyfob.url,
    "--header", `Authorization: Bearer ${keyfob.rootKey}`,
    "--checks", CHECKS.join(","),
    // The stateful phase walks links between operations, and is not the same twice.
    "--phases", "examples,coverage,fuzzing",
    "--max-examples", EXAMPLES,
    "--generation-deterministic",
    "--suppress-health-check", "all",
    "--continue-on-failure",
    "--request-timeout", "10",
    "--no-color",
  ];
  const child = spawn(".tools/venv/bin/schemathesis", args, {
    stdio: ["ignore", "inherit", "inherit"],
    // Python's HTTP client would take a proxy of the machine for loopback, too.
    env: { ...process.env, NO_PROXY: "127.0.0.1,localhost", no_proxy: "127.0.0.1,localhost" },
  });
  return new Promise((resolve) => {
    const late = setTimeout(() => {
      console.error(`Not finished after ${SECONDS} seconds: fewer examples (CONTRACT_EXAMPLES), or a slow operation?`);
      child.kill("SIGTERM");
    }, SECONDS * 1000);
    child.on("error", (error) => {
      console.error(error.message);
      resolve(1);
    });
    child.on("exit", (code) => {
      clearTimeout(late);
      resolve(code ?? 1);
    });
  });
}
