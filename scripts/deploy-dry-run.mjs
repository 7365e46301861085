// Shows what each environment would deploy, and deploys nothing. Knows which bindings every environment must have
// and how large the bundle may be: wrangler itself is content with an environment that has no bindings at all.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";

const ENVIRONMENTS = { "": "development", staging: "staging", production: "production" };
const BINDINGS = ["env.DATABASE", "env.BLOBS", "env.AUTHENTICATION_FAILURES", "env.ASSETS"];
const MAX_GZIP_KIB = 1_600;

let failed = false;
for (const [name, deployment] of Object.entries(ENVIRONMENTS)) {
  const output = dryRun(name);
  const faults = faultsOf(output, deployment);
  const size = /gzip: ([\d.]+) KiB/.exec(output)?.[1];
  if (!size) faults.push("no bundle size in the output");
  if (Number(size) > MAX_GZIP_KIB) faults.push(`the bundle has ${size} KiB gzip, ${MAX_GZIP_KIB} are allowed`);
  console.log(`${deployment.padEnd(12)} ${size} KiB gzip  ${faults.length ? "FAILED" : "ok"}`);
  if (faults.length) {
    failed = true;
    console.log(`${output}\n${faults.map((fault) => `  - ${fault}`).join("\n")}`);
  }
}
process.exit(failed ? 1 : 0);

function dryRun(environment) {
  const bundle = mkdtempSync(join(tmpdir(), "keyfob-bundle-"));
  const { status, stdout, stderr } = spawnSync(
    "wrangler",
    // An empty name is the top level, said on purpose: without it wrangler warns.
    ["deploy", "--dry-run", `--env=${environment}`, "--outdir", bundle],
    { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] },
  );
  rmSync(bundle, { recursive: true, force: true });
  // Warnings are coloured even where nobody sees it, and the codes stand in the middle of the word.
  return stripVTControlCharacters(`${stdout}${stderr}${status === 0 ? "" : `\n[ERROR] exit status ${status}`}`);
}

function faultsOf(output, deployment) {
  const faults = BINDINGS.filter((binding) => !output.includes(binding)).map((binding) => `${binding} is missing`);
  if (!output.includes(`env.KEYFOB_DEPLOYMENT ("${deployment}")`)) faults.push(`KEYFOB_DEPLOYMENT is not "${deployment}"`);
  for (const line of output.split("\n")) if (/\[(warning|error)\]/i.test(line)) faults.push(line.trim());
  return faults;
}
