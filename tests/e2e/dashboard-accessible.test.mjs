// Every page of the dashboard, light and dark, wide and narrow, and by keyboard alone.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bearer } from "./bodies.mjs";
import { startApi } from "./counterpart.mjs";
import { startKeyfob } from "./keyfob.mjs";
import { eventually, overflow, startPages } from "./pages.mjs";

let keyfob;
let pages;
let api;
let orders;
before(async () => {
  api = await startApi("good");
  keyfob = await startKeyfob();
  pages = await startPages(keyfob);
  const body = bearer({ base_url: api.origin, token: "good", settings: { test_path: "/me" }, name: "Orders", tags: ["shop"], embedded: true, description: "A description that is rather long, so that it has to be broken into lines somewhere" });
  ({ json: orders } = await keyfob.request("POST", "/v1/connections", { body }));
  await keyfob.request("PUT", `/v1/connections/${orders.id}/usages/nightly/fetch`);
  // So that the pages have something to show.
  for (const [path, made] of [
    ["/v1/api-keys", { name: "Engine of the workflow platform", scopes: ["connections:read", "connections:test"], environments: ["development", "staging"] }],
    ["/v1/embedded/origins", { origin: "https://builder.app.example.com" }],
    ["/v1/webhooks", { environment: "development", url: "https://hooks.example.com/keyfob/with/a/long/path", event_types: ["connection.expiring"] }],
    ["/v1/connections?test=false", bearer({ base_url: api.origin, name: "Of a customer", kind: "customer", customer: "globex-international-holdings" })],
    ["/v1/connect-links", { environment: "development", customer: "globex-international-holdings", provider: "http", connection_type: "bearer" }],
  ]) {
    const { status, text } = await keyfob.request("POST", path, { body: made });
    assert.equal(status, 201, text);
  }
});
after(async () => {
  await pages?.close();
  await keyfob?.stop();
  await api?.stop();
});

const PAGES = () => [
  "#/development/connections",
  "#/production/connections?view=list",
  `#/development/connections/${orders.id}`,
  `#/development/connections/${orders.id}?do=edit`,
  `#/development/connections/${orders.id}?do=history`,
  `#/development/connections/${orders.id}?do=delete`,
  "#/development/new",
  "#/development/new/slack",
  "#/development/new/postgresql",
  "#/development/new/http?type=bearer&kind=template",
  "#/development/components",
  "#/development/components/bigquery",
  "#/development/customers",
  "#/development/customers/globex-international-holdings",
  "#/development/health",
  "#/development/audit",
  "#/development/settings/api-keys",
  "#/development/settings/embedding",
  "#/development/settings/webhooks",
  "#/development/settings/transfer",
  "#/development/settings/master-keys",
  "#/development/nowhere",
];

// Until everything that it shows has come.
async function settled(page) {
  await page.locator("h1").first().waitFor();
  await eventually(() => page.locator("[aria-busy=true], .skeleton").count(), 0);
}

// Whether all that is found can be seen, from one side to the other.
const isInView = (found) => found.evaluateAll((elements) => elements.every((element) => {
  const { left, right } = element.getBoundingClientRect();
  const { left: from, right: to } = element.parentElement.getBoundingClientRect();
  return left >= from - 1 && right <= to + 1;
}));

for (const [name, options] of [["light", {}], ["dark, at 360 pixels", { width: 360, height: 720, dark: true }]]) {
  test(`no page breaks a rule of accessibility, its policy or its width: ${name}`, async () => {
    for (const hash of PAGES()) {
      const page = await pages.open(hash, options);
      await settled(page);
      await pages.clean(page).catch((error) => assert.fail(`${hash}: ${error.message}`));
      assert.ok((await overflow(page)) <= 0, `${hash} is wider than its window by ${await overflow(page)}`);
      assert.ok(await isInView(page.locator(".bar nav [aria-current]")), `${hash}: where one is stands beside the bar`);
      await page.context().close();
    }
  });
}

test("signing in breaks no rule either", async () => {
  const page = await pages.open("", { key: null });
  await page.getByLabel("API key").waitFor();
  await pages.clean(page);
});

test("dark follows the system until somebody chooses, and stays chosen", async () => {
  const page = await pages.open("#/development/connections", { dark: true });
  await page.getByRole("button", { name: "Light colours" }).click();
  await page.reload();
  await page.getByRole("button", { name: "Dark colours" }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.classList.contains("wa-dark")), false);
});

// Presses a key until what has the focus is called so.
async function tabTo(page, name, key = "Tab") {
  for (let presses = 0; presses < 80; presses++) {
    await page.keyboard.press(key);
    const focused = await page.evaluate(() => {
      let element = document.activeElement;
      while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
      return `${element?.getAttribute("aria-label") ?? ""} ${element?.labels?.[0]?.textContent ?? ""}`;
    });
    if (focused.includes(name)) return;
  }
  assert.fail(`${name} is not reached by keyboard`);
}

test("by keyboard alone: sign in, search, open the menu, edit, save", async () => {
  const page = await pages.open("", { key: null });
  await page.getByLabel("API key").waitFor();
  await tabTo(page, "API key");
  await page.keyboard.type(keyfob.rootKey);
  await page.keyboard.press("Enter");
  await page.locator("kf-row").first().waitFor();
  await tabTo(page, "Search");
  await page.keyboard.type("orders");
  await eventually(() => /search=orders/.test(page.url()), true);
  await page.locator("kf-row").first().waitFor();
  await tabTo(page, "Actions for Orders");
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: "Edit" }).waitFor();
  await eventually(() => page.evaluate(() => document.activeElement?.textContent?.trim()), "Edit");
  await page.keyboard.press("Enter");
  const dialog = page.locator("wa-dialog[open]");
  await dialog.getByLabel("Description").waitFor();
  await tabTo(page, "Description");
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("Typed without a mouse");
  await page.keyboard.press("Enter");
  await page.getByText("Orders is saved and works.").waitFor();
  assert.equal((await keyfob.request("GET", `/v1/connections/${orders.id}`)).json.description, "Typed without a mouse");
  await page.keyboard.press("Escape");
});
