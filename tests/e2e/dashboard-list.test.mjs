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
  assert.equal(await page.getByRole("button", { name: "Continue with single sign-on" }).count(), 0, "Access is not configured here");
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

const bar = (page) => page.getByRole("region", { name: "Selected connections" });

async function select(page, ...names) {
  for (const name of names) await page.getByRole("checkbox", { name: `Select ${name}` }).check();
  await bar(page).getByText(`${names.length} connection${names.length === 1 ? "" : "s"} selected`).waitFor();
}

test("several are enabled, disabled and tagged at once, each with one request", async () => {
  const page = await pages.open("#/development/connections");
  const sent = [];
  page.on("request", (request) => request.url().endsWith("/v1/connections/bulk") && sent.push(request.postDataJSON()));
  for (const [button, said, enabled] of [["Disable", "2 connections disabled.", false], ["Enable", "2 connections enabled.", true]]) {
    await select(page, "Orders", "Stock");
    await bar(page).getByRole("button", { name: button, exact: true }).click();
    await page.getByText(said).waitFor();
    for (const name of ["Orders", "Stock"]) assert.equal((await find(name)).enabled, enabled, name);
    assert.equal((await find("Slack alerts")).enabled, true);
    await bar(page).waitFor({ state: "detached" });
  }
  await select(page, "Orders", "Stock");
  await bar(page).getByLabel("Tag to add").fill("checked");
  await page.keyboard.press("Enter");
  await page.getByText("2 connections tagged checked.").waitFor();
  for (const name of ["Orders", "Stock"]) assert.ok((await find(name)).tags.includes("checked"));
  assert.ok(!(await find("Slack alerts")).tags.includes("checked"));
  assert.deepEqual(sent.map(({ action, ids, dry_run: plan }) => [action, ids.length, plan]), [["disable", 2, false], ["enable", 2, false], ["add_tags", 2, false]]);
});

test("several are tested at once, and it is said how many work", async () => {
  const page = await pages.open("#/development/connections");
  await select(page, "Orders", "Stock");
  await bar(page).getByRole("button", { name: "Test" }).click();
  await page.getByText("2 connections tested, 1 of them works.").waitFor();
});

test("a selection is changed after its plan was seen: embedded, not embedded, tags removed", async () => {
  const page = await pages.open("#/development/connections");
  const dialog = page.locator("wa-dialog[open]");
  for (const [action, button, field, value] of [
    ["embed", "Use for embedded workflows", "embedded", true],
    ["unembed", "Not for embedded workflows", "embedded", false],
    ["remove_tags", "Remove tags", "tags", []],
  ]) {
    await select(page, "Orders");
    const before = await find("Orders");
    await bar(page).getByRole("button", { name: "More…" }).click();
    await dialog.getByLabel("What to do").selectOption(action);
    if (action === "remove_tags") await dialog.getByLabel("Tags").fill(before.tags.join(", "));
    await dialog.getByRole("button", { name: "Show what would be done" }).click();
    await dialog.getByText("1 would be changed, 0 are so already.").waitFor();
    assert.deepEqual(await find("Orders"), before);
    await dialog.getByRole("button", { name: button }).click();
    await page.getByText("1 connection changed.").first().waitFor();
    await dialog.waitFor({ state: "detached" });
    assert.deepEqual((await find("Orders"))[field], value, action);
    await page.reload();
  }
});

test("of a selection what is in use is not deleted and says so; the rest is, when the word was typed", async () => {
  const used = await save({ name: "Used by a step" });
  await save({ name: "Not needed" });
  const gone = await save({ name: "Gone meanwhile" });
  const usage = await keyfob.request("PUT", `/v1/connections/${used.id}/usages/w/s`);
  assert.equal(usage.status, 201, usage.text);
  const page = await pages.open("#/development/connections");
  await select(page, "Used by a step", "Not needed", "Gone meanwhile");
  assert.equal((await keyfob.request("DELETE", `/v1/connections/${gone.id}`, { headers: { "if-match": '"1"' } })).status, 204);
  await bar(page).getByRole("button", { name: "More…" }).click();
  const dialog = page.locator("wa-dialog[open]");
  await dialog.getByLabel("What to do").selectOption("delete");
  await dialog.getByRole("button", { name: "Show what would be done" }).click();
  await dialog.getByText("1 would be deleted. 1 connection of the selection is not there any more.").waitFor();
  await dialog.getByText("Used by a step stays as it is: 1 step uses it.").waitFor();
  await pages.clean(page);
  const button = dialog.getByRole("button", { name: "Delete", exact: true });
  assert.ok(await button.isDisabled());
  await dialog.getByLabel("Type delete to do it").fill("delete");
  await button.click();
  await page.getByText("1 connection deleted. Used by a step could not be: 1 step uses it.").waitFor();
  await row(page, "Not needed").waitFor({ state: "detached" });
  assert.equal(await find("Not needed"), undefined);
  assert.equal((await find("Used by a step")).usage_count, 1);
  await keyfob.request("DELETE", `/v1/connections/${used.id}?force=true`, { headers: { "if-match": '"1"' } });
});

test("all that the filter finds are changed, after the plan was shown", async () => {
  const page = await pages.open("#/development/connections?provider=http");
  await row(page, "Orders").waitFor();
  await page.getByRole("button", { name: /^Change all/ }).click();
  const dialog = page.locator("wa-dialog[open]");
  await dialog.getByLabel("What to do").selectOption("add_tags");
  await dialog.getByLabel("Tags").fill("reviewed");
  await dialog.getByRole("button", { name: "Show what would be done" }).click();
  await dialog.getByText("The filter finds 2 connections. 2 would be changed, 0 are so already.").waitFor();
  assert.ok(!(await find("Orders")).tags.includes("reviewed"));
  await pages.clean(page);
  await dialog.getByRole("button", { name: "Add tags" }).click();
  await page.getByText("2 connections changed.").waitFor();
  for (const name of ["Orders", "Stock"]) assert.ok((await find(name)).tags.includes("reviewed"));
  assert.ok(!(await find("Slack alerts")).tags.includes("reviewed"));
});

test("what was planned under one filter is not done under another, nor in another environment", async () => {
  const page = await pages.open("#/staging/connections");
  await page.goto(`${keyfob.url}/#/development/connections`);
  await page.goto(`${keyfob.url}/#/development/connections?provider=slack`);
  await row(page, "Slack alerts").waitFor();
  await page.getByRole("button", { name: /^Change all/ }).click();
  const dialog = page.locator("wa-dialog[open]");
  await dialog.getByLabel("What to do").selectOption("delete");
  await dialog.getByRole("button", { name: "Show what would be done" }).click();
  await dialog.getByText("The filter finds 1 connection. 1 would be deleted.").waitFor();
  await dialog.getByLabel("Type delete to do it").fill("delete");
  for (const shown of ["development", "staging"]) {
    await page.goBack();
    await page.locator(`.frame[data-environment="${shown}"]`).waitFor();
    await dialog.waitFor({ state: "detached" });
  }
  assert.ok(await find("Orders"));
  assert.ok(await find("Slack alerts"));
});

test("what came under the filter after the plan is not deleted with the rest", async () => {
  await save({ name: "Planned", tags: ["to-go"] });
  const page = await pages.open("#/development/connections?tag=to-go");
  await row(page, "Planned").waitFor();
  await page.getByRole("button", { name: /^Change all/ }).click();
  const dialog = page.locator("wa-dialog[open]");
  await dialog.getByLabel("What to do").selectOption("delete");
  await dialog.getByRole("button", { name: "Show what would be done" }).click();
  await dialog.getByText("The filter finds 1 connection. 1 would be deleted.").waitFor();
  await save({ name: "Came later", tags: ["to-go"] });
  await dialog.getByLabel("Type delete to do it").fill("delete");
  await dialog.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByText("1 connection deleted.").waitFor();
  assert.equal(await find("Planned"), undefined);
  const { id, version } = await find("Came later");
  await keyfob.request("DELETE", `/v1/connections/${id}`, { headers: { "if-match": `"${version}"` } });
});

test("an address that nobody encoded shows the list all the same", async () => {
  const page = await pages.open("#/development/%E0");
  await page.locator(".frame").waitFor();
  await page.goto(`${keyfob.url}/#/%E0`);
  await row(page, "Orders").waitFor();
  await pages.clean(page);
});

test("an empty environment says what to do", async () => {
  const page = await pages.open("#/production/connections");
  await page.getByRole("heading", { name: "No connections here yet" }).waitFor();
  assert.equal(await page.locator(".frame").getAttribute("data-environment"), "production");
  await pages.clean(page);
  await page.getByLabel("Environment").selectOption("development");
  await row(page, "Orders").waitFor();
});

// Tells when a row was there, counted from the beginning of the navigation.
const markFirstRow = (page) => page.addInitScript(() => {
  new MutationObserver((_, observer) => {
    if (!document.querySelector("kf-row a.name")) return;
    observer.disconnect();
    requestAnimationFrame(() => performance.mark("first-list"));
  }).observe(document, { childList: true, subtree: true });
});

test("with 100,000 connections the first list is there within a second, and scrolling brings more", async () => {
  const large = await startKeyfob();
  const browser = await startPages(large);
  try {
    await seed(await large.database(), { to: 100_000 });
    // The isolate has begun, as it has for everybody but the first; each browser is new, and holds nothing.
    assert.equal((await large.request("GET", "/v1/providers")).status, 200);
    let page;
    for (const view of ["", "?view=list"]) {
      const took = [];
      for (let visit = 0; visit < 3; visit++) {
        page = await browser.open(`#/development/connections${view}`, { prepare: markFirstRow });
        await page.locator("kf-row").first().waitFor();
        took.push(await page.evaluate(() => performance.getEntriesByName("first-list")[0].startTime));
      }
      assert.ok(Math.min(...took) < 1_000, `${view || "grouped"}: ${took.map(Math.round)} ms`);
    }
    const before = await page.locator("kf-row").count();
    await page.locator("kf-row").last().scrollIntoViewIfNeeded();
    await eventually(async () => (await page.locator("kf-row").count()) > before, true);
  } finally {
    await browser.close();
    await large.stop();
  }
});
