// Assembles the static assets of the Worker in public/: our pages (built by pages.mjs), the API document, what is shown of
// providers, and the files of the API reference viewer. Knows which files are served and under which headers; knows nothing of the Worker.
//
// The viewer is swagger-ui-dist: plain files, no fonts, scripts or proxy of another host, and tried under the policy
// below: it needs neither inline scripts nor inline styles.
import { cp, glob, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { buildPages } from "./pages.mjs";

const OUT = "public";
const VIEWER = "node_modules/swagger-ui-dist";
const VIEWER_FILES = ["swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-bundle.js.LICENSE.txt", "favicon-32x32.png"];

// Of the assets only: what the Worker answers has the headers that the Worker gives it. Popups stay in touch: a provider asks
// for consent in one.
const HEADERS = `/*
  Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'
  Cross-Origin-Opener-Policy: same-origin-allow-popups
  Cross-Origin-Resource-Policy: same-origin
  Referrer-Policy: no-referrer
  Strict-Transport-Security: max-age=31536000; includeSubDomains
  X-Content-Type-Options: nosniff

/providers/*
  Access-Control-Allow-Origin: *
  ! Cross-Origin-Resource-Policy
  Cross-Origin-Resource-Policy: cross-origin

/keyfob.js
  Access-Control-Allow-Origin: *
  ! Cross-Origin-Resource-Policy
  Cross-Origin-Resource-Policy: cross-origin
`;

await rm(OUT, { recursive: true, force: true });
await mkdir(OUT);
await buildPages();
await cp("ui/docs", `${OUT}/docs`, { recursive: true });
await cp("docs/openapi.json", `${OUT}/openapi.json`);
for (const file of VIEWER_FILES) await cp(`${VIEWER}/${file}`, `${OUT}/docs/${file}`);
await mkdir(`${OUT}/providers`);
for (const [path, text] of Object.entries(await shownOfProviders())) await writeFile(`${OUT}${path}`, text);
// Last, for make takes this file as the sign that all are there.
await writeFile(`${OUT}/_headers`, HEADERS);

// What build.rs made of the provider files, text by path. Cargo keeps one for each profile and target; each holds the files
// as they were when it was written, so the newest holds them as they are.
async function shownOfProviders() {
  const found = [];
  for await (const path of glob(`${process.env.CARGO_TARGET_DIR ?? "target"}/{*,*/*}/build/keyfob-*/out/assets.json`)) {
    found.push({ path, written: (await stat(path)).mtimeMs });
  }
  const newest = found.sort((a, b) => b.written - a.written).at(0);
  if (!newest) throw new Error("no assets.json: the Worker is built first");
  return JSON.parse(await readFile(newest.path, "utf8"));
}
