// The provider's consent from within the picker: a window opens, a person consents or does not, and the picker knows. The
// provider is a real OpenID provider.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { CLIENT, startAuthorizationServer } from "./authorization-server.mjs";
import { faults, frameOf, leave, newPage, openPicker, startPicker } from "./picker.mjs";

let world;
let provider;
before(async () => {
  world = await startPicker();
  provider = await startAuthorizationServer({ redirectUri: `${world.keyfob.url}/oauth/callback`, seconds: 60 });
  await world.create({
    environment: "development",
    kind: "template",
    provider: "oauth2",
    connection_type: "openid_connect",
    name: "Calendar",
    embedded: true,
    customer_fields: [],
    settings: {
      base_url: provider.api, issuer: provider.issuer, client_id: CLIENT.id, scopes: "openid offline_access read",
      authorize_parameters: "prompt=consent", test_path: "/me",
    },
    secrets: { client_secret: CLIENT.secret },
  });
});
after(async () => {
  await provider?.stop();
  await world?.stop();
});

let opened;
let page;
let frame;
beforeEach(async () => {
  opened = await newPage(world.browser);
  ({ page } = opened);
  await page.goto(world.demo.url);
  // The demo has no step for this provider: the picker is opened for all of them.
  await page.route("**/workflow", async (route) => {
    const workflow = await (await route.fetch()).json();
    await route.fulfill({ json: { ...workflow, steps: workflow.steps.map((step) => ({ ...step, provider: "oauth2" })) } });
  });
  await page.reload();
  frame = await openPicker(page);
});
afterEach(async () => {
  await opened.close();
  assert.deepEqual(opened.complaints, []);
});

const connections = async () => (await world.keyfob.request("GET", "/v1/connections?environment=development&customer=acme")).json.data;

test("a consent that is not given is told, and can be given afterwards", async () => {
  await page.context().setExtraHTTPHeaders({ "x-person": "denies" });
  await frame.getByRole("button", { name: /^Connect Calendar/ }).click();
  await frame.getByRole("button", { name: /^Continue with/ }).waitFor();
  // Nothing is asked for but a name.
  assert.equal(await frame.getByRole("textbox").count(), 1);
  await frame.getByRole("button", { name: /^Continue with/ }).click();
  await frame.getByText("The provider did not give its consent.").waitFor();
  await frame.getByText("The consent was not given.").waitFor();
  assert.deepEqual(await faults(await frameOf(page)), []);
  assert.deepEqual((await connections()).map(({ status, health }) => [status, health.reason]), [["not_active", "not_authorized"]]);

  await page.context().setExtraHTTPHeaders({});
  const [popup] = await Promise.all([page.waitForEvent("popup"), frame.getByRole("button", { name: /^Continue with/ }).click()]);
  await frame.getByText("The provider gave its consent.").waitFor();
  assert.ok(popup.isClosed());
  assert.equal((await connections())[0].status, "active");
  await leave(page, frame.getByRole("button", { name: "Use this connection" }));
  await page.getByText(/^Calendar \(/).waitFor();
});

test("what is connected is authorized again", async () => {
  await frame.getByRole("button", { name: "Manage Calendar" }).click();
  await frame.getByRole("button", { name: "Authorize again" }).click();
  await frame.getByText("The provider gave its consent.").waitFor();
  assert.equal((await connections())[0].status, "active");
});

test("a window that is closed ends the waiting", async () => {
  await frame.getByRole("button", { name: "Manage Calendar" }).click();
  // The provider never answers.
  await page.context().route("**/auth?**", () => undefined);
  const [popup] = await Promise.all([page.waitForEvent("popup"), frame.getByRole("button", { name: "Authorize again" }).click()]);
  await frame.getByText("Go on in the window that opened.").waitFor();
  await popup.close();
  await frame.getByText("The provider did not give its consent.").waitFor();
  assert.equal((await connections())[0].status, "active");
});

test("a designer makes a connection of the organization and consents to it at once", async () => {
  const designer = await newPage(world.browser);
  await designer.page.goto(world.demo.url);
  await designer.page.route("**/workflow", async (route) => {
    const workflow = await (await route.fetch()).json();
    await route.fulfill({ json: { ...workflow, steps: workflow.steps.map((step) => ({ ...step, provider: "oauth2" })) } });
  });
  await designer.page.reload();
  const picker = await openPicker(designer.page, { as: "designer" });
  await picker.getByRole("button", { name: "New connection" }).click();
  await picker.getByRole("button", { name: /OpenID Connect/ }).click();
  await picker.getByLabel("Name", { exact: true }).fill("Shared calendar");
  const values = { base_url: provider.api, issuer: provider.issuer, client_id: CLIENT.id, client_secret: CLIENT.secret, scopes: "openid offline_access read", authorize_parameters: "prompt=consent", test_path: "/me" };
  for (const [key, value] of Object.entries(values)) await picker.locator(`[name="${key}"], #field-${key}`).first().fill(value);
  await picker.getByRole("button", { name: /^Continue with/ }).click();
  await picker.getByText("The provider gave its consent.").waitFor();
  await leave(designer.page, picker.getByRole("button", { name: /^Use Shared calendar .*Connected/ }));
  const { data } = (await world.keyfob.request("GET", "/v1/connections?environment=development&search=shared")).json;
  assert.deepEqual(data.map(({ kind, status }) => [kind, status]), [["organization", "active"]]);
  assert.deepEqual(designer.complaints, []);
  await designer.close();
});
