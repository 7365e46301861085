// The picker for tests: a Keyfob, the pretend product that embeds it, and a browser that notes what it complains about. Knows how
// to open the picker and what stands in it; judges nothing.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import { startDemo } from "../../scripts/demo/server.mjs";
import { bearer, GENEROUS } from "./bodies.mjs";
import { startApi } from "./counterpart.mjs";
import { startKeyfob } from "./keyfob.mjs";

const AXE = createRequire(import.meta.url).resolve("axe-core");

// Starts all of it. Tokens that the API behind the connections accepts are in `api.accepts`.
export async function startPicker(...tokens) {
  const api = await startApi(...tokens);
  const keyfob = await startKeyfob({ vars: { RATE_LIMITS: GENEROUS } });
  const demo = await startDemo({ keyfob: keyfob.url, key: keyfob.rootKey, seed: false });
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-background-networking", "--disable-sync", "--disable-component-update", "--no-first-run", "--disable-gpu"],
  });
  return {
    api,
    keyfob,
    demo,
    browser,
    create: async (body) => {
      const answer = await keyfob.request("POST", "/v1/connections", { body });
      if (answer.status !== 201) throw new Error(answer.text);
      return answer.json;
    },
    // A bearer connection to the API that is exposed to customers; `rest` adds to and replaces its parts.
    shared: (rest) => bearer({ base_url: api.origin, settings: { test_path: "/me" }, embedded: true, ...rest }),
    async stop() {
      await browser.close();
      await demo.stop();
      await keyfob.stop();
      await api.stop();
    },
  };
}

// A page of the browser, with what it complained about: errors, violations of a policy, requests that failed.
export async function newPage(browser, options = {}) {
  const context = await browser.newContext({ locale: "en-GB", ...options });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => {
    // That a request was refused is told in the console too; the tests provoke some.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => console.error(`refused: ${event.violatedDirective} ${event.blockedURI}`));
  });
  return { page, complaints, close: () => context.close() };
}

// Opens the picker from a step of the pretend product, as a customer or as its designer. Gives its frame.
export async function openPicker(page, { step = "Read the new orders", as = "customer" } = {}) {
  await page.getByRole("radio", { name: as === "customer" ? /a customer/ : /designer/ }).check();
  await page.getByRole("button", { name: new RegExp(`connection: ${step}`) }).click();
  return page.frameLocator("iframe");
}

// Clicks what closes the picker: its frame, in which the click is, goes away meanwhile.
export async function leave(page, locator) {
  await locator.waitFor();
  const clicked = locator.click().catch(() => undefined);
  await Promise.race([clicked, page.locator("iframe").waitFor({ state: "detached" })]);
  await page.locator("iframe").waitFor({ state: "detached" });
}

// What axe-core finds wrong in a page or a frame.
export async function faults(frame) {
  // Not as a script of the page, which its policy refuses.
  await frame.evaluate(await readFile(AXE, "utf8"));
  return frame.evaluate(async () => {
    const { violations } = await globalThis.axe.run();
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join("; ")}`);
  });
}

// The frame of the picker itself, in which scripts can be run.
export async function frameOf(page) {
  const element = await page.locator("iframe").elementHandle();
  return element.contentFrame();
}
