// Authorizing a connection in a browser: consent in a popup at a real OpenID provider, and what the page says when there is none.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CLIENT, startAuthorizationServer } from "./authorization-server.mjs";
import { startKeyfob } from "./keyfob.mjs";
import { startPages } from "./pages.mjs";

let keyfob;
let server;
let pages;
before(async () => {
  keyfob = await startKeyfob();
  server = await startAuthorizationServer({ redirectUri: `${keyfob.url}/oauth/callback`, seconds: 600 });
  pages = await startPages(keyfob);
});
after(async () => {
  await pages?.close();
  await server?.stop();
  await keyfob?.stop();
});

const first = async (name) => (await keyfob.request("GET", `/v1/connections?environment=development&search=${name}`)).json.data[0];

test("it is saved, consented to in a popup, and works", async () => {
  const page = await pages.open("#/development/new/oauth2?type=openid_connect");
  await page.locator("#about-name").fill("Calendar");
  const values = { base_url: server.api, issuer: server.issuer, client_id: CLIENT.id, client_secret: CLIENT.secret, scopes: "openid offline_access read", authorize_parameters: "prompt=consent", test_path: "/me" };
  for (const [key, value] of Object.entries(values)) await page.locator(`#field-${key}`).fill(value);
  await page.getByText(`${keyfob.url}/oauth/callback`).waitFor();
  assert.equal(await page.getByRole("button", { name: "Test", exact: true }).count(), 0, "there is no token to test yet");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("One step is left").waitFor();
  assert.equal((await first("Calendar")).health.reason, "not_authorized");
  await pages.clean(page);
  await page.getByRole("button", { name: /^Authorize at/ }).click();
  await page.getByText("Calendar is authorized, and works.").waitFor();
  const { status, health } = await first("Calendar");
  assert.deepEqual([status, health.verdict], ["active", "valid"]);
  assert.ok(!page.url().includes("code="));
  await page.getByRole("link", { name: "Open the connection" }).click();
  await page.getByRole("button", { name: /^Authorize again at/ }).waitFor();
});

test("where the window is closed without consent, one can stop waiting and begin again", async () => {
  const page = await pages.open(`#/development/connections/${(await first("Calendar")).id}`);
  await page.context().route("**/oauth/start/**", (route) => route.fulfill({ status: 200, contentType: "text/html", body: "<title>Nothing</title>" }));
  const opened = page.waitForEvent("popup");
  await page.getByRole("button", { name: /^Authorize again at/ }).click();
  await (await opened).close();
  await page.getByText("Waiting for your consent").waitFor();
  await page.getByRole("button", { name: "Stop waiting" }).click();
  await page.getByRole("button", { name: /^Authorize again at/ }).waitFor();
});

test("a consent that is denied is told with its reason, and can be given afterwards", async () => {
  const { id } = await first("Calendar");
  const page = await pages.open(`#/development/connections/${id}`);
  await page.context().setExtraHTTPHeaders({ "x-person": "denies" });
  await page.getByRole("button", { name: /^Authorize again at/ }).click();
  const fault = page.locator("kf-authorize [role=alert]");
  await fault.getByText("Consent was not given").waitFor();
  await pages.clean(page);
  // What worked before works on.
  assert.equal((await first("Calendar")).status, "active");
  await page.context().setExtraHTTPHeaders({});
  await page.getByRole("button", { name: /^Authorize again at/ }).click();
  await page.getByText("Calendar is authorized, and works.").waitFor();
  await fault.waitFor({ state: "detached" });
});

test("a consent that comes too late is told in both windows, and one can begin again", async () => {
  const { id, version } = await first("Calendar");
  const page = await pages.open(`#/development/connections/${id}`);
  const context = page.context();
  const answered = context.waitForEvent("response", (response) => response.url().includes("/oauth/callback?"));
  // It ran out while the person was at the provider's pages.
  await context.route("**/oauth/start/**", async (route) => {
    const response = await route.fetch({ maxRedirects: 0 });
    await (await keyfob.database()).prepare("update authorizations set expires_at = ?1 where state = 'started'").bind(Date.now() - 1).run();
    await route.fulfill({ response });
  });
  await context.route("**/authorizations/aut_*", (route) => answered.then(() => route.continue()));
  await page.getByRole("button", { name: /^Authorize again at/ }).click();
  await page.locator("kf-authorize [role=alert]").getByText("It took too long: begin again.").waitFor();
  await pages.clean(page);
  await context.unrouteAll();
  const popup = await context.newPage();
  const late = (await answered).url();
  await popup.goto(late);
  await popup.getByRole("heading", { name: "Start again" }).waitFor();
  await popup.getByText("This link was used before, or is too old.").waitFor();
  assert.ok(!(await popup.content()).includes(new URL(late).searchParams.get("code")));
  await popup.close();
  assert.deepEqual([(await first("Calendar")).status, (await first("Calendar")).version], ["active", version]);
  await page.getByRole("button", { name: /^Authorize again at/ }).click();
  await page.getByText("Calendar is authorized, and works.").waitFor();
});

test("an answer of the provider that belongs to no attempt is refused in words, and changes nothing", async () => {
  const before = await first("Calendar");
  const page = await pages.open("oauth/callback?state=of-nobody&code=planted-code");
  await page.getByRole("heading").waitFor();
  assert.ok(!(await page.content()).includes("planted-code"));
  await pages.clean(page);
  assert.deepEqual(await first("Calendar"), before);
});
