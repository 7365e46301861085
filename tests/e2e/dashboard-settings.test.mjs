// Keys, origins, webhooks, transfer, audit, customers and health in a browser.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bearer } from "./bodies.mjs";
import { startApi } from "./counterpart.mjs";
import { startKeyfob } from "./keyfob.mjs";
import { startPages } from "./pages.mjs";

let keyfob;
let pages;
let api;
before(async () => {
  api = await startApi("good");
  keyfob = await startKeyfob();
  pages = await startPages(keyfob);
  for (const [name, token, rest] of [["Orders", "good", {}], ["Broken", "wrong", { expires_at: new Date(Date.now() + 3 * 86_400_000).toISOString() }]]) {
    const { status, text } = await keyfob.request("POST", "/v1/connections", { body: bearer({ base_url: api.origin, token, name, settings: { test_path: "/me" }, ...rest }) });
    assert.equal(status, 201, text);
  }
});
after(async () => {
  await pages?.close();
  await keyfob?.stop();
  await api?.stop();
});

// What is in a dialog is put into it from outside, so it is not below its role.
const dialog = (page) => page.locator("wa-dialog[open], wa-drawer[open]");

test("an API key is shown once, works, and is revoked", async () => {
  const page = await pages.open("#/development/settings/api-keys");
  await page.getByRole("button", { name: "New API key" }).click();
  await dialog(page).getByLabel("Name").fill("Engine");
  await dialog(page).getByLabel("Development").check();
  await dialog(page).getByLabel("connections:read").check();
  await dialog(page).getByRole("button", { name: "Create" }).click();
  const secret = await page.locator("pre.secret").innerText();
  assert.match(secret, /^kf_/);
  assert.equal((await keyfob.request("GET", "/v1/connections?environment=development", { key: secret })).status, 200);
  await pages.clean(page);
  await page.getByRole("button", { name: "I have it" }).click();
  await page.getByText("Engine").first().waitFor();
  assert.ok(!(await page.content()).includes(secret));
  await page.getByRole("button", { name: "Revoke Engine" }).click();
  await dialog(page).getByRole("button", { name: "Revoke" }).click();
  await page.getByText("Engine is revoked").waitFor();
  assert.equal((await keyfob.request("GET", "/v1/connections?environment=development", { key: secret })).status, 401);
});

test("an origin is registered and removed; what is none is refused at its field", async () => {
  const page = await pages.open("#/development/settings/embedding");
  await page.getByRole("textbox", { name: "Origin" }).fill("not an origin");
  await page.locator("kf-origins").getByRole("button", { name: "Add" }).click();
  await page.locator("#origin-fault").waitFor();
  await page.getByRole("textbox", { name: "Origin" }).fill("https://app.example.com");
  await page.locator("kf-origins").getByRole("button", { name: "Add" }).click();
  await page.getByRole("button", { name: "Remove https://app.example.com" }).click();
  await page.getByText("Pages of https://app.example.com embed no more.").waitFor();
  assert.deepEqual((await keyfob.request("GET", "/v1/embedded/origins")).json.data, []);
});

test("an import shows its plan, and is done only when asked", async () => {
  const { text } = await keyfob.request("GET", "/v1/export?environment=development");
  const page = await pages.open("#/staging/settings/transfer");
  await page.getByLabel("Definitions").fill(text);
  await page.getByRole("button", { name: "Show what would be done" }).click();
  await page.getByText("This would be done: 2 created, 0 changed, 0 unchanged, 0 in conflict. 2 need secrets.").waitFor();
  assert.deepEqual((await keyfob.request("GET", "/v1/connections?environment=staging")).json.data, []);
  await pages.clean(page);
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await page.getByText("Done: 2 created").waitFor();
  assert.equal((await keyfob.request("GET", "/v1/connections?environment=staging")).json.data.length, 2);
  await page.getByLabel("Definitions").fill("{ no JSON");
  await page.getByRole("button", { name: "Show what would be done" }).click();
  await page.getByText("This is not JSON.").waitFor();
});

test("an export is a file without a secret", async () => {
  const page = await pages.open("#/development/settings/transfer");
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export" }).click();
  const file = Buffer.concat(await (await (await download).createReadStream()).toArray()).toString();
  assert.deepEqual(JSON.parse(file).connections.map(({ name }) => name).sort(), ["Broken", "Orders"]);
  assert.doesNotMatch(file, /good|wrong/);
});

test("the audit log is filtered and verified", async () => {
  const page = await pages.open("#/development/audit");
  await page.getByRole("cell", { name: /connection\.created/ }).first().waitFor();
  await page.getByRole("textbox", { name: "Action" }).fill("connection.deleted");
  await page.getByRole("button", { name: "Filter" }).click();
  await page.getByText("Nothing fits this filter.").waitFor();
  assert.match(page.url(), /action=connection\.deleted/);
  await page.getByRole("button", { name: "Verify the log" }).click();
  await page.getByText(/rows verified: nothing was changed/).waitFor();
  await pages.clean(page);
});

test("master keys tell what rests under them", async () => {
  const page = await pages.open("#/development/settings/master-keys");
  await page.getByText("Everything is wrapped under the primary key.").waitFor();
  await page.getByText("Primary", { exact: true }).waitFor();
  await pages.clean(page);
});

test("health names what is broken, why, and what expires", async () => {
  const page = await pages.open("#/development/health");
  const broken = page.getByRole("region", { name: "Broken" });
  await broken.getByRole("link", { name: "Broken" }).waitFor();
  await broken.getByText("Broken since").waitFor();
  await page.getByRole("region", { name: /^Expires/ }).getByRole("link", { name: "Broken" }).waitFor();
  await pages.clean(page);
});

test("a customer has a page with their connections, and everything of theirs can be deleted", async () => {
  const { status, text } = await keyfob.request("POST", "/v1/connections?test=false", { body: bearer({ base_url: api.origin, name: "Of acme", kind: "customer", customer: "acme" }) });
  assert.equal(status, 201, text);
  const page = await pages.open("#/development/customers");
  await page.getByRole("link", { name: "acme" }).click();
  await page.getByRole("link", { name: "Of acme" }).waitFor();
  await pages.clean(page);
  await page.getByRole("button", { name: "Delete all" }).click();
  assert.equal(await dialog(page).getByRole("button", { name: "Delete all" }).isDisabled(), true);
  await dialog(page).getByLabel(/Type acme/).fill("acme");
  await dialog(page).getByRole("button", { name: "Delete all" }).click();
  await page.getByText("Everything of acme in this environment is deleted.").waitFor();
  assert.equal((await keyfob.request("GET", "/v1/customers/acme?environment=development")).status, 404);
});
