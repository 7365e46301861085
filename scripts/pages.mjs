// Builds the pages of ui/ into public/: types of the API from docs/openapi.json, type check, bundle, and the size budgets.
// `check` as the argument checks the types and builds nothing.
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import openapiTypescript, { astToString } from "openapi-typescript";

const DOCUMENT = "docs/openapi.json";
const TYPES = "ui/generated/api.d.ts";
const MANIFEST = "public/assets.json";

// What the scripts of a page may weigh together, gzipped, by the file that begins it.
const BUDGETS = { "index.html": 200_000, "embed/index.html": 100_000, "src/host/keyfob.ts": 5_000 };

export async function checkPages() {
  await writeTypes();
  const { status } = spawnSync("tsc", ["--project", "ui/tsconfig.json"], { stdio: "inherit" });
  if (status !== 0) throw new Error("the pages do not fit their types, or the API");
}

export async function buildPages() {
  await checkPages();
  const { build } = await import("vite");
  await build({ configFile: "ui/vite.config.mjs" });
  await checkBudgets();
  declare();
}

// What keyfob.js exports, for those who write TypeScript.
function declare() {
  const options = ["--declaration", "--emitDeclarationOnly", "--outDir", "public", "--target", "es2022", "--module", "esnext"];
  const { status } = spawnSync("tsc", ["ui/src/host/keyfob.ts", ...options, "--moduleResolution", "bundler"], { stdio: "inherit" });
  if (status !== 0) throw new Error("no declarations of keyfob.js");
  rmSync("public/messages.d.ts");
}

// A change of the API breaks the build, and not the page.
async function writeTypes() {
  const [document, types] = await Promise.all([stat(DOCUMENT), stat(TYPES).catch(() => undefined)]);
  if (types && types.mtimeMs > document.mtimeMs) return;
  // What has a default may be left out of a request; an object without described members has any.
  const options = { defaultNonNullable: false, emptyObjectsUnknown: true };
  const text = astToString(await openapiTypescript(JSON.parse(await readFile(DOCUMENT, "utf8")), options));
  await mkdir("ui/generated", { recursive: true });
  await writeFile(TYPES, `// Made of ${DOCUMENT} by scripts/pages.mjs.\n${text}`);
}

async function checkBudgets() {
  const manifest = JSON.parse(await readFile(MANIFEST, "utf8"));
  for (const [entry, budget] of Object.entries(BUDGETS)) {
    if (!manifest[entry]) continue;
    const files = scriptsOf(manifest, entry);
    const sizes = await Promise.all([...files].map(async (file) => gzipSync(await readFile(`public/${file}`)).length));
    const total = sizes.reduce((sum, size) => sum + size, 0);
    console.log(`   ${entry}: ${(total / 1000).toFixed(1)} KB of script of ${budget / 1000} KB`);
    if (total > budget) throw new Error(`${entry} weighs ${total} bytes, and may weigh ${budget}`);
  }
  await rm(MANIFEST);
}

// All scripts that a page may ever load, those that it loads later included.
function scriptsOf(manifest, key, found = new Set()) {
  const { file, imports = [], dynamicImports = [] } = manifest[key];
  if (found.has(file)) return found;
  if (file.endsWith(".js")) found.add(file);
  for (const next of [...imports, ...dynamicImports]) scriptsOf(manifest, next, found);
  return found;
}

if (process.argv[2] === "check") await checkPages();
