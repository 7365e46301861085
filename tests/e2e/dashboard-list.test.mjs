// The dashboard's list in a browser: who gets in and is offered what, what is filtered stays in the address, what is switched is
// switched in the API.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { seed } from "../seed.mjs";
import { bearer, GENEROUS } from "./bodies.mjs";
import { startApi } from "./counterpart.mjs";
import { startKeyfob } from "./keyfob.mjs";
import { eventually, startPages } from "./pages.mjs";

let keyfob;
let pages;
let api;
before(async () => {
  api = await startApi("good");
  keyfob = await startKeyfob({ vars: { RATE_LIMITS: GENEROUS } });
  pages = await startPages(keyfob);
  await save({ name: "Orders", tags: ["shop"], description: "Orders of the shop" });
  await save({ name: "Stock", token: "wrong", tags: ["shop", "store"] });
  await save({ name: "Slack alerts", provider: "slack", connection_type: "token", settings: {}, secrets: { token: "xoxb-1234567890-abcdefghij" } }, "?test=false");
});
after(async () => {
  await pages?.close();
  await keyfob?.stop();
  await api?.stop();
});

async function save({ token = "good", settings = { base_url: api.origin, test_path: "/me" }, ...rest }, query = "") {
  const body = { ...bearer({ token, ...rest }), settings };
  const { status, json, text } = await keyfob.request("POST", `/v1/connections${query}`, { body });
  assert.equal(status, 201, text);
  return json;
}

const find = async (name) => (await keyfob.request("GET", `/v1/connections?environment=development&search=${encodeURIComponent(name)}`)).json.data[0];
const row = (page, name) => page.locator("kf-row").filter({ has: page.getByRole("link", { name, exact: true }) });
const names = (page) => page.locator("kf-row a.name").allTextContents();

test("a wrong key does not sign in, the right one does, and signing out ends it", async () => {
  const page = await pages.open("", { key: null });
  await page.getByLabel("API key").fill(`kf_${"0".repeat(49)}`);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("alert").getByText("This is not a key that works here.").waitFor();
  await page.getByLabel("API key").fill(keyfob.rootKey);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await row(page, "Orders").waitFor();
  await page.reload();
  await row(page, "Orders").waitFor();
  await page.getByRole("button", { name: /Signed in as/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByLabel("API key").waitFor();
  await page.reload();
  await page.getByLabel("API key").waitFor();
  assert.deepEqual(pages.complaintsOf(page), []);
});

test("what a key may not do is not offered, and environments that it may not see are not there", async () => {
  const { json } = await keyfob.request("POST", "/v1/api-keys", { body: { name: "Reader", scopes: ["connections:read"], environments: ["development"] } });
  const page = await pages.open("#/production/connections", { key: json.secret });
  await row(page, "Orders").waitFor();
  assert.deepEqual(await page.getByLabel("Environment").locator("option").allTextContents(), ["Development"]);
  for (const name of ["New connection", "Add connection", "Audit", "Edit"]) assert.equal(await page.getByRole("link", { name }).count(), 0, name);
  await row(page, "Orders").getByRole("button", { name: "Actions for Orders" }).click();
  await page.getByRole("menuitem", { name: "History" }).waitFor();
  assert.deepEqual((await page.locator("wa-dropdown-item:visible").allTextContents()).map((text) => text.trim()), ["Look at", "History"]);
  assert.equal(await row(page, "Orders").locator("wa-switch").getAttribute("disabled"), "");
});

test("the list shows what a connection is and how it is", async () => {
  const page = await pages.open("#/development/connections");
  await row(page, "Orders").getByText("Connected", { exact: true }).waitFor();
  await row(page, "Orders").getByText("Orders of the shop").waitFor();
  await row(page, "Orders").getByText("shop", { exact: true }).waitFor();
  const stock = row(page, "Stock").locator(".tip").first();
  assert.match(await stock.innerText(), /Not connected/);
  assert.match(await stock.getAttribute("data-tip"), /Rejected.*Edit the connection/s);
  assert.deepEqual(await page.locator(".sidebar section").first().locator("a").allInnerTexts().then((all) => all.map((text) => text.replace(/\s+/g, " ").trim())), ["All components", "HTTP 2", "Slack 1"]);
  await pages.clean(page);
});

test("the filter is in the address: reload and share give the same view", async () => {
  const page = await pages.open("#/development/connections");
  await row(page, "Orders").waitFor();
  await page.locator(".sidebar").getByRole("link", { name: /^HTTP/ }).click();
  await page.locator(".sidebar").getByRole("link", { name: "Not connected" }).click();
  await eventually(() => names(page), ["Stock"]);
  assert.match(page.url(), /provider=http/);
  assert.match(page.url(), /status=not_active/);
  await page.reload();
  await eventually(() => names(page), ["Stock"]);
  const shared = await pages.open(new URL(page.url()).hash);
  await eventually(() => names(shared), ["Stock"]);
  await shared.getByRole("link", { name: "Clear filters" }).click();
  await eventually(async () => (await names(shared)).length, 3);
});

test("searching filters as one types, and says what to do where nothing fits", async () => {
  const page = await pages.open("#/development/connections");
  await page.getByRole("searchbox", { name: "Search" }).pressSequentially("ORDers");
  await eventually(() => names(page), ["Orders"]);
  assert.match(page.url(), /search=ORDers/);
  await page.getByRole("searchbox", { name: "Search" }).fill("nothing is called that");
  await page.getByRole("heading", { name: "No connection fits this filter" }).waitFor();
  await page.getByRole("link", { name: "Show all connections" }).click();
  await eventually(async () => (await names(page)).length, 3);
});

test("the switch disables and enables, and the facets follow", async () => {
  const page = await pages.open("#/development/connections");
  await row(page, "Orders").locator("wa-switch").click();
  await row(page, "Orders").getByText("Disabled", { exact: true }).waitFor();
  assert.equal((await find("Orders")).enabled, false);
  await row(page, "Orders").locator("wa-switch").click();
  await row(page, "Orders").getByText("Connected", { exact: true }).waitFor();
  assert.equal((await find("Orders")).enabled, true);
});

test("a switch that comes too late changes nothing and says so", async () => {
  const page = await pages.open("#/development/connections");
  await row(page, "Orders").waitFor();
  const { id, version } = await find("Orders");
  await keyfob.request("PATCH", `/v1/connections/${id}`, { body: { description: "Changed by somebody else" }, headers: { "if-match": `"${version}"` } });
  await row(page, "Orders").locator("wa-switch").click();
  await page.getByText("It was changed since you read it").waitFor();
  assert.equal((await find("Orders")).enabled, true);
});

test("several are tagged at once", async () => {
  const page = await pages.open("#/development/connections");
  for (const name of ["Orders", "Stock"]) await page.getByRole("checkbox", { name: `Select ${name}` }).check();
  const bar = page.getByRole("region", { name: "Selected connections" });
  await bar.getByText("2 connections selected").waitFor();
  await bar.getByLabel("Tag to add").fill("checked");
  await page.keyboard.press("Enter");
  await page.getByText("2 connections tagged checked.").waitFor();
  for (const name of ["Orders", "Stock"]) assert.ok((await find(name)).tags.includes("checked"));
  assert.ok(!(await find("Slack alerts")).tags.includes("checked"));
});

test("all that the filter finds are changed, after the plan was shown", async () => {
  const page = await pages.open("#/development/connections?provider=http");
  await row(page, "Orders").waitFor();
  await page.getByRole("button", { name: /^Change all/ }).click();
  const dialog = page.locator("wa-dialog[open]");
  await dialog.getByLabel("What to do").selectOption("add_tags");
  await dialog.getByLabel("Tags").fill("reviewed");
  await dialog.getByRole("button", { name: "Show what would be done" }).click();
  await dialog.getByText("The filter finds 2 connections. Of the first of them 2 would be changed").waitFor();
  assert.ok(!(await find("Orders")).tags.includes("reviewed"));
  await pages.clean(page);
  await dialog.getByRole("button", { name: "Add tags" }).click();
  await page.getByText("2 connections changed.").waitFor();
  for (const name of ["Orders", "Stock"]) assert.ok((await find(name)).tags.includes("reviewed"));
  assert.ok(!(await find("Slack alerts")).tags.includes("reviewed"));
});

test("an empty environment says what to do", async () => {
  const page = await pages.open("#/production/connections");
  await page.getByRole("heading", { name: "No connections here yet" }).waitFor();
  assert.equal(await page.locator(".frame").getAttribute("data-environment"), "production");
  await pages.clean(page);
  await page.getByLabel("Environment").selectOption("development");
  await row(page, "Orders").waitFor();
});

test("with 100,000 connections the first list is there within a second, and scrolling brings more", async () => {
  const large = await startKeyfob();
  const browser = await startPages(large);
  try {
    await seed(await large.database(), { to: 100_000 });
    const page = await browser.open("#/development/connections");
    await page.locator("kf-row").first().waitFor();
    // The isolate is warm now, as it is for everybody but the first.
    await page.goto("about:blank");
    const began = Date.now();
    await page.goto(`${large.url}/#/development/connections?view=list`);
    await page.locator("kf-row").first().waitFor();
    const took = Date.now() - began;
    assert.ok(took < 1_000, `${took} ms`);
    const before = await page.locator("kf-row").count();
    await page.locator("kf-row").last().scrollIntoViewIfNeeded();
    await eventually(async () => (await page.locator("kf-row").count()) > before, true);
  } finally {
    await browser.close();
    await large.stop();
  }
});
