// Chromium with the pages of a Keyfob. Knows how to open one as somebody, and what none may ever do: break its own policy, load
// from elsewhere, or fail aloud; and what accessibility rules say of it.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import { chromium } from "playwright-core";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
// What a page is told by a refusal is no fault of it.
const REFUSED = /Failed to load resource: the server responded with a status of 4\d\d/;

// - `open(hash, { key, width, height, dark })`: a page of the dashboard, signed in with the key (the root key where none is named, nobody
//   with `null`), after `prepare(page, context)`; with `complaints`, what went wrong in it so far
// - `clean(page)`: nothing went wrong, and it has no violation of accessibility rules
// - `close()`
export async function startPages(keyfob) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-background-networking", "--disable-sync", "--disable-component-update", "--no-first-run", "--disable-gpu"],
  });
  const complaints = new WeakMap();
  return {
    browser,
    complaintsOf: (page) => complaints.get(page),
    async open(hash, { key = keyfob.rootKey, width = 1280, height = 900, dark = false, prepare = () => {} } = {}) {
      const context = await browser.newContext({
        viewport: { width, height },
        colorScheme: dark ? "dark" : "light",
        reducedMotion: "reduce",
        permissions: ["clipboard-read", "clipboard-write"],
      });
      const page = await context.newPage();
      page.setDefaultTimeout(15_000);
      complaints.set(page, watch(page, keyfob.url));
      if (key) {
        const signedIn = await context.request.post(`${keyfob.url}/v1/session`, { headers: { authorization: `Bearer ${key}` } });
        assert.equal(signedIn.status(), 201, await signedIn.text());
      }
      await prepare(page, context);
      await page.goto(`${keyfob.url}/${hash}`);
      return page;
    },
    async clean(page) {
      assert.deepEqual(complaints.get(page), []);
      assert.deepEqual(await violations(page), []);
    },
    close: () => browser.close(),
  };
}

function watch(page, origin) {
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && !REFUSED.test(message.text()) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    if (/^https?:/.test(request.url()) && new URL(request.url()).origin !== origin) complaints.push(`asked elsewhere: ${request.url()}`);
  });
  page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => console.error(`refused: ${event.violatedDirective} ${event.blockedURI}`));
  });
  return complaints;
}

// What axe finds, as `rule: elements`. It is evaluated from outside, so that the policy of the page stays as it is.
async function violations(page) {
  await page.evaluate(await readFile(AXE, "utf8"));
  return page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)).join(" | ")}`);
  });
}

// Whether a page is as wide as its window and no wider.
export const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

// Waits until `read()` gives what is expected.
export async function eventually(read, expected) {
  const until = Date.now() + 10_000;
  for (;;) {
    const found = await read();
    try {
      return assert.deepEqual(found, expected);
    } catch (error) {
      if (Date.now() > until) throw error;
      await new Promise((done) => setTimeout(done, 50));
    }
  }
}
