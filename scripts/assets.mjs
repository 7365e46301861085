// Assembles the static assets of the Worker in public/: our pages, the API document and the files of the
// API reference viewer. Knows which files are served and under which headers; knows nothing of the Worker.
//
// The viewer is swagger-ui-dist: plain files, no fonts, scripts or proxy of another host, and tried under the policy
// below: it needs neither inline scripts nor inline styles.
import { cp, mkdir, rm, writeFile } from "node:fs/promises";

const OUT = "public";
const VIEWER = "node_modules/swagger-ui-dist";
const VIEWER_FILES = ["swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-bundle.js.LICENSE.txt", "favicon-32x32.png"];

// Of the assets only: what the Worker answers has the headers that the Worker gives it.
const HEADERS = `/*
  Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'
  Cross-Origin-Opener-Policy: same-origin
  Cross-Origin-Resource-Policy: same-origin
  Referrer-Policy: no-referrer
  Strict-Transport-Security: max-age=31536000; includeSubDomains
  X-Content-Type-Options: nosniff
`;

await rm(OUT, { recursive: true, force: true });
await cp("ui", OUT, { recursive: true });
await mkdir(`${OUT}/docs`, { recursive: true });
await cp("docs/openapi.json", `${OUT}/openapi.json`);
for (const file of VIEWER_FILES) await cp(`${VIEWER}/${file}`, `${OUT}/docs/${file}`);
// Last, for make takes this file as the sign that all are there.
await writeFile(`${OUT}/_headers`, HEADERS);
