// What pages can do, in a real browser: a page of a registered origin reads the embedded API, no other page reads anything,
// and the reference page works under its own policy.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { bearer } from "./bodies.mjs";
import { startService } from "./counterpart.mjs";
import { startKeyfob } from "./keyfob.mjs";

let keyfob;
let browser;
let registered;
let other;
let token;
before(async () => {
  keyfob = await startKeyfob();
  const page = (_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>A page</title>");
  [registered, other] = [await startService(page), await startService(page)];
  const origin = await keyfob.request("POST", "/v1/embedded/origins", { body: { origin: originOf(registered) } });
  assert.equal(origin.status, 201, origin.text);
  const session = await keyfob.request("POST", "/v1/embedded/sessions", { body: { environment: "development" } });
  token = session.json.token;
  await keyfob.request("POST", "/v1/connections?test=false", { body: bearer({ embedded: true }) });
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-background-networking", "--disable-sync", "--disable-component-update", "--no-first-run", "--disable-gpu"],
  });
});
after(async () => {
  await browser?.close();
  await keyfob?.stop();
  await registered?.stop();
  await other?.stop();
});

// Another origin than Keyfob's 127.0.0.1, and one that may be registered without https.
const originOf = (service) => `http://localhost:${service.port}`;

// Fetches from a page of the service, as its script would. Tells what the script gets to see.
async function fetchFrom(service, path, { method = "GET", key = token, headers = {} } = {}) {
  const page = await browser.newPage();
  try {
    await page.goto(originOf(service));
    return await page.evaluate(
      async ([url, init]) => {
        try {
          const response = await fetch(url, init);
          const exposed = Object.fromEntries(["etag", "keyfob-request-id", "retry-after"].map((name) => [name, response.headers.get(name)]));
          return { status: response.status, text: await response.text(), exposed };
        } catch (error) {
          return { refused: error.name };
        }
      },
      [`${keyfob.url}${path}`, { method, headers: { ...(key ? { authorization: `Bearer ${key}` } : {}), ...headers } }],
    );
  } finally {
    await page.close();
  }
}

const REFUSED = { refused: "TypeError" };

test("a page of a registered origin reads the embedded list with its session, and the headers that it needs", async () => {
  const list = await fetchFrom(registered, "/v1/embedded/connections");
  assert.equal(list.status, 200, list.text);
  assert.deepEqual(JSON.parse(list.text).data.map(({ name }) => name), ["Orders"]);
  assert.ok(list.exposed.etag && list.exposed["keyfob-request-id"]);
  const again = await fetchFrom(registered, "/v1/embedded/connections", { headers: { "if-none-match": list.exposed.etag } });
  assert.ok([200, 304].includes(again.status));
  assert.equal((await fetchFrom(registered, "/v1/embedded/providers")).status, 200);
});

test("it is told why it is refused", async () => {
  assert.equal((await fetchFrom(registered, "/v1/embedded/connections", { key: `ks_${"0".repeat(49)}` })).status, 401);
});

test("a page of another origin reads nothing, whatever it sends", async () => {
  assert.deepEqual(await fetchFrom(other, "/v1/embedded/connections"), REFUSED);
  assert.deepEqual(await fetchFrom(other, "/v1/embedded/connections", { key: null }), REFUSED);
  assert.deepEqual(await fetchFrom(other, "/v1/embedded/providers"), REFUSED);
});

test("the API for servers is readable by no page at all", async () => {
  for (const service of [registered, other]) {
    for (const key of [keyfob.rootKey, token, null]) {
      assert.deepEqual(await fetchFrom(service, "/v1/connections?environment=development", { key }), REFUSED);
    }
    assert.deepEqual(await fetchFrom(service, "/v1/providers", { key: keyfob.rootKey }), REFUSED);
  }
});

test("methods that the embedded API has not are refused by the preflight", async () => {
  assert.deepEqual(await fetchFrom(registered, "/v1/embedded/connections", { method: "DELETE" }), REFUSED);
});

test("an origin that is removed reads nothing any more", async () => {
  const third = await startService((_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<title>Third</title>"));
  const { json } = await keyfob.request("POST", "/v1/embedded/origins", { body: { origin: originOf(third) } });
  // Another page each time: the browser keeps the answer to a preflight for a while, and it is not what lets a page read.
  assert.equal((await fetchFrom(third, "/v1/embedded/connections")).status, 200);
  const removed = await keyfob.request("DELETE", `/v1/embedded/origins/${json.id}`);
  assert.equal(removed.status, 204);
  assert.deepEqual(await fetchFrom(third, "/v1/embedded/connections"), REFUSED);
  await third.stop();
});

test("the reference page shows the operations, and its policy has nothing to refuse", async () => {
  const page = await browser.newPage();
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => console.error(`refused: ${event.violatedDirective} ${event.blockedURI}`));
  });
  const response = await page.goto(`${keyfob.url}/docs/`);
  assert.equal(response.status(), 200);
  await page.locator("#operations-Credentials-reveal_secrets").waitFor({ timeout: 15_000 });
  assert.deepEqual(complaints, []);
  await page.close();
});
