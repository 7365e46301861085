// Connect links in the dashboard: made for a customer, shown once, opened by them, revoked.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bearer } from "./bodies.mjs";
import { startApi } from "./counterpart.mjs";
import { startKeyfob } from "./keyfob.mjs";
import { overflow, startPages } from "./pages.mjs";

let keyfob;
let pages;
let api;
let own;
before(async () => {
  api = await startApi("good");
  keyfob = await startKeyfob();
  pages = await startPages(keyfob);
  const shared = { base_url: api.origin, settings: { test_path: "/me" } };
  await save({ ...bearer({ ...shared, name: "CRM", kind: "template", embedded: true }), secrets: {} });
  await save({ ...bearer({ ...shared, name: "Not exposed", kind: "template" }), secrets: {} });
  own = await save(bearer({ ...shared, name: "Their own", token: "good", kind: "customer", customer: "acme" }));
});
after(async () => {
  await pages?.close();
  await keyfob?.stop();
  await api?.stop();
});

async function save(body) {
  const { status, json, text } = await keyfob.request("POST", "/v1/connections", { body });
  assert.equal(status, 201, text);
  return json;
}

const dialog = (page) => page.locator("wa-dialog[open]");
// What a page says to its console.
function heard(page) {
  const said = [];
  page.on("console", (message) => said.push(message.text()));
  return said;
}

const links = async () => (await keyfob.request("GET", "/v1/connect-links?environment=development")).json.data;

// The address of the link that was just made.
async function taken(page) {
  const url = await page.locator("pre.secret").innerText();
  await pages.clean(page);
  await page.getByRole("button", { name: "I have it" }).click();
  await page.locator("pre.secret").waitFor({ state: "detached" });
  assert.ok(!(await page.content()).includes(url));
  assert.ok(!page.url().includes("kl_"));
  return url;
}

test("what is wrong is told at its field, and nothing is made", async () => {
  const page = await pages.open("#/development/customers");
  await page.getByRole("button", { name: "New connect link" }).click();
  await dialog(page).getByRole("button", { name: "Create" }).click();
  await dialog(page).locator("#link-customer-fault").waitFor();
  assert.equal(await dialog(page).getByLabel("Customer").getAttribute("aria-invalid"), "true");
  const offered = await dialog(page).getByLabel("What is connected").locator("option").allInnerTexts();
  assert.deepEqual(offered, ["CRM (HTTP)", "A connection that stands alone"]);
  await pages.clean(page);
  assert.deepEqual(await links(), []);
});

test("a customer who has nothing yet gets a link, connects with it, and the page says that it was opened", async () => {
  const page = await pages.open("#/development/customers");
  await page.getByRole("button", { name: "New connect link" }).click();
  await dialog(page).getByLabel("Customer").fill("globex");
  await dialog(page).getByLabel("It opens for").selectOption("1 week");
  await dialog(page).getByRole("button", { name: "Create" }).click();
  const url = await taken(page);
  const [made] = await links();
  assert.deepEqual([made.customer, Math.round((Date.parse(made.expires_at) - Date.parse(made.created_at)) / 86_400_000)], ["globex", 7]);

  const theirs = await pages.open("docs/", { key: null });
  await theirs.goto(url);
  await theirs.getByRole("heading", { name: "Connect CRM" }).waitFor();
  await theirs.getByRole("textbox", { name: /^Token/ }).fill("good");
  await theirs.getByRole("button", { name: "Save and test" }).click();
  await theirs.getByText("It works.").waitFor();

  await page.reload();
  await page.getByRole("row").filter({ hasText: "globex" }).getByText(/^Opened/).waitFor();
  await page.getByRole("region", { name: "Customers" }).getByRole("link", { name: "globex" }).click();
  await page.getByRole("link", { name: "CRM" }).waitFor();
  await page.getByText(/^Opened/).waitFor();
  await pages.clean(page);
});

test("a link that is revoked is opened by nobody, and another one still is, once; neither is in an address or a console", async () => {
  const page = await pages.open("#/development/customers/acme");
  const said = heard(page);
  await page.getByRole("button", { name: "New connect link" }).click();
  await dialog(page).getByLabel("What is connected").selectOption("Their own (HTTP)");
  await dialog(page).getByRole("button", { name: "Create" }).click();
  const url = await taken(page);
  assert.equal((await links())[0].connection, own.id);
  await page.getByRole("button", { name: "Revoke the link of acme to HTTP" }).click();
  await page.getByText("The link of acme is revoked").waitFor();
  await page.getByRole("button", { name: "New connect link" }).click();
  await dialog(page).getByRole("button", { name: "Create" }).click();
  const another = await taken(page);
  for (const [link, shown] of [[url, "This link does not work any more."], [another, "Connect CRM"], [another, "This link does not work any more."]]) {
    const theirs = await pages.open("docs/", { key: null });
    const toThem = heard(theirs);
    await theirs.goto(link);
    await theirs.getByText(shown).waitFor();
    assert.ok(!theirs.url().includes("kl_"));
    said.push(...toThem);
  }
  assert.equal(said.filter((text) => text.includes("kl_")).length, 0);
});

test("a link for a connection that stands alone is for one type of a component", async () => {
  const page = await pages.open("#/development/customers/acme", { width: 360 });
  await page.getByRole("button", { name: "New connect link" }).click();
  await dialog(page).getByLabel("What is connected").selectOption("A connection that stands alone");
  await dialog(page).getByLabel("Component").selectOption("Slack");
  await dialog(page).getByLabel("Connection type").selectOption("Incoming webhook");
  await pages.clean(page);
  await dialog(page).getByRole("button", { name: "Create" }).click();
  await taken(page);
  const [made] = await links();
  assert.deepEqual([made.customer, made.provider, made.connection_type], ["acme", "slack", "incoming_webhook"]);
  await page.getByText(/^Runs out in \d+ (hours|day)/).waitFor();
  assert.equal(await overflow(page), 0);
});

test("a form that is sent twice makes one link", async () => {
  const before = (await links()).length;
  const page = await pages.open("#/development/customers/acme");
  await page.getByRole("button", { name: "New connect link" }).click();
  await dialog(page).getByRole("button", { name: "Create" }).dblclick();
  await taken(page);
  assert.equal((await links()).length, before + 1);
});

test("who may not make links is not offered any", async () => {
  const { json } = await keyfob.request("POST", "/v1/api-keys", { body: { name: "Reader", scopes: ["connections:read"], environments: ["development"] } });
  const page = await pages.open("#/development/customers/acme", { key: json.secret });
  await page.getByRole("link", { name: "Their own" }).waitFor();
  assert.equal(await page.getByRole("button", { name: "New connect link" }).count(), 0);
});
