// Signing in to the dashboard as a person whom Cloudflare Access vouches for. A local server is Access; its proxy, which adds the
// assertion to each request, is played by headers of the browser.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startAccess } from "./access.mjs";
import { bearer } from "./bodies.mjs";
import { startKeyfob } from "./keyfob.mjs";
import { startPages } from "./pages.mjs";

const ROLES = [{ email: "ann@example.com", scopes: ["connections:read", "connections:test"], environments: ["development", "staging"] }];

let access;
let keyfob;
let pages;
before(async () => {
  access = await startAccess();
  keyfob = await startKeyfob({ vars: access.vars(ROLES) });
  pages = await startPages(keyfob);
  const { status, text } = await keyfob.request("POST", "/v1/connections?test=false", { body: bearer({ name: "Orders" }) });
  assert.equal(status, 201, text);
});
after(async () => {
  await pages?.close();
  await keyfob?.stop();
  await access?.stop();
});

const visit = (assertion) => pages.open("", { key: null, prepare: (_, context) => context.setExtraHTTPHeaders(assertion ? { "cf-access-jwt-assertion": assertion } : {}) });
const signOn = (page) => page.getByRole("button", { name: "Continue with single sign-on" }).click();

test("without Access in front, and as somebody who has no role, single sign-on leads nowhere and says why", async () => {
  for (const assertion of [null, access.token("ES256", { email: "eve@example.com" }), access.token("ES256", { exp: 1 })]) {
    const page = await visit(assertion);
    await signOn(page);
    await page.locator("#sign-on-fault").getByText("Cloudflare Access does not vouch for you here.").waitFor();
    assert.equal(await page.getByLabel("API key").getAttribute("aria-invalid"), "false", "nothing is wrong with a key that nobody entered");
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await pages.clean(page);
  }
});

test("a person signs in, is named, is offered what their role allows, and signs out", async () => {
  const page = await visit(access.token("ES256"));
  await signOn(page);
  await page.getByRole("link", { name: "Orders" }).waitFor();
  await pages.clean(page);
  assert.deepEqual(await page.getByLabel("Environment").locator("option").allInnerTexts(), ["Development", "Staging"]);
  assert.equal(await page.getByRole("link", { name: "New connection" }).count(), 0);
  await page.getByRole("checkbox", { name: "Select Orders" }).check();
  const bar = page.getByRole("region", { name: "Selected connections" });
  await bar.getByRole("button", { name: "Test" }).waitFor();
  assert.equal(await bar.getByRole("button", { name: "Enable" }).count(), 0);
  await page.getByRole("button", { name: "Signed in as ann@example.com" }).click();
  await page.locator("kf-bar strong").getByText("ann@example.com").waitFor();
  await page.getByText("May: connections:read, connections:test").waitFor();
  await pages.clean(page);
  await page.getByText("Sign out").click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await page.getByRole("button", { name: "Continue with single sign-on" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
});
