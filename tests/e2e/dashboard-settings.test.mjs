// Keys, origins, webhooks, transfer, audit, customers and health in a browser.
import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { bearer } from "./bodies.mjs";
import { startApi, startService } from "./counterpart.mjs";
import { startKeyfob } from "./keyfob.mjs";
import { eventually, startPages } from "./pages.mjs";

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

const definition = (key) => ({ stable_key: key, provider: "http", connection_type: "bearer", name: key, settings: { base_url: api.origin } });

// What is in a dialog is put into it from outside, so it is not below its role.
const dialog = (page) => page.locator("wa-dialog[open], wa-drawer[open]");

test("an API key is shown once, works, and is revoked", async () => {
  const page = await pages.open("#/development/settings/api-keys");
  await page.getByRole("button", { name: "New API key" }).click();
  await eventually(() => page.evaluate(() => document.activeElement.id), "key-name");
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

test("a signing key is added and deleted; what is none is refused at its field", async () => {
  const page = await pages.open("#/development/settings/embedding");
  const part = page.locator("kf-signing-keys");
  const key = part.getByLabel("Public key");
  const fault = part.locator("#signing-key-fault");
  await part.getByLabel("Name").fill("Backend");
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  for (const [text, said] of [["{ no JWK", "This is neither a PEM nor a JWK."], ["no key at all", /./], [privateKey.export({ type: "pkcs8", format: "pem" }), /./]]) {
    await key.fill(text);
    await part.getByRole("button", { name: "Add" }).click();
    await fault.getByText(said).waitFor();
    assert.equal(await key.getAttribute("aria-invalid"), "true");
    assert.equal(await key.inputValue(), text, "what was typed stays");
  }
  await pages.clean(page);
  await key.fill(publicKey.export({ type: "spki", format: "pem" }));
  await part.getByRole("button", { name: "Add" }).dblclick();
  await part.getByRole("button", { name: "Delete Backend" }).waitFor();
  await part.getByText("ES256").waitFor();
  assert.equal(await fault.count(), 0);
  await pages.clean(page);
  await part.getByRole("button", { name: "Delete Backend" }).click();
  await page.getByText("Backend is deleted, and the sessions that it signed for have ended.").waitFor();
  await pages.clean(page);
  assert.deepEqual((await keyfob.request("GET", "/v1/signing-keys?environment=development")).json.data, []);
});

test("a webhook is added, its secret shown once, its deliveries read, switched off by its receiver, and deleted", async () => {
  const received = [];
  const endpoint = await startService(async (request, response) => {
    received.push({ signature: request.headers["webhook-signature"], body: Buffer.concat(await request.toArray()).toString() });
    response.writeHead([500, 204, 410][received.length - 1]).end();
  });
  try {
    const page = await pages.open("#/development/settings/webhooks");
    const part = page.locator("kf-webhooks");
    await part.getByLabel("New webhook: URL").fill("ftp://hooks.example.com/");
    await part.getByLabel("A connection begins or ceases to work").check();
    await part.getByRole("button", { name: "Add" }).click();
    await part.locator("#webhook-url-fault").waitFor();
    await part.getByLabel("A connection begins or ceases to work").uncheck();
    await part.getByLabel("New webhook: URL").fill(`${endpoint.origin}/in`);
    await part.getByRole("button", { name: "Add" }).click();
    await part.locator("#webhook-events-fault").waitFor();
    await pages.clean(page);
    await part.getByLabel("A connection begins or ceases to work").check();
    await part.getByRole("button", { name: "Add" }).dblclick();
    const secret = await page.locator("pre.secret").innerText();
    assert.match(secret, /^whsec_/);
    await page.getByRole("button", { name: "I have it" }).click();
    await part.locator("code").getByText(`${endpoint.origin}/in`).waitFor();
    assert.ok(!(await page.content()).includes(secret));
    assert.equal((await keyfob.request("GET", "/v1/webhooks?environment=development")).json.data.length, 1, "sent twice, made once");
    assert.equal(await part.getByRole("alert").count(), 0);
    await pages.clean(page);
    await part.getByRole("button", { name: /^Deliveries/ }).click();
    await dialog(page).getByText("Nothing was sent yet.").waitFor();
    await page.keyboard.press("Escape");
    await dialog(page).waitFor({ state: "detached" });

    const [orders] = (await keyfob.request("GET", "/v1/connections?environment=development&stable_key=orders")).json.data;
    const switched = (enabled, version) => keyfob.request("PATCH", `/v1/connections/${orders.id}`, { body: { enabled }, headers: { "if-match": `"${version}"` } });
    assert.equal((await switched(false, orders.version)).status, 200);
    await keyfob.scheduled();
    await part.getByRole("button", { name: /^Deliveries/ }).click();
    await dialog(page).getByText("A connection begins or ceases to work").waitFor();
    await dialog(page).getByText("Pending").waitFor();
    await dialog(page).getByText("5xx").waitFor();
    await pages.clean(page);
    await page.keyboard.press("Escape");
    await dialog(page).waitFor({ state: "detached" });
    await (await keyfob.database()).prepare("update webhook_deliveries set next_attempt_at = 0 where next_attempt_at is not null").run();
    await keyfob.scheduled();
    await part.getByRole("button", { name: /^Deliveries/ }).click();
    await dialog(page).getByText("Delivered").waitFor();
    assert.equal(received.length, 2);
    const { data } = JSON.parse(received[1].body);
    assert.deepEqual([data.connection_id, data.status], [orders.id, "not_active"]);
    await page.keyboard.press("Escape");
    await dialog(page).waitFor({ state: "detached" });

    assert.equal((await switched(true, orders.version + 1)).status, 200);
    await keyfob.scheduled();
    assert.equal(received.length, 3);
    await page.reload();
    await part.getByText(/^Switched off/).waitFor();
    await pages.clean(page);
    await part.getByRole("button", { name: /^Delete/ }).click();
    await page.getByText("The webhook is deleted.").waitFor();
    await pages.clean(page);
    assert.deepEqual((await keyfob.request("GET", "/v1/webhooks?environment=development")).json.data, []);
  } finally {
    await endpoint.stop();
  }
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

test("after a rotation everything is wrapped anew with one click, and the old key may be removed", async () => {
  const keys = { 1: randomBytes(32).toString("base64"), 2: randomBytes(32).toString("base64") };
  const ring = (primary) => JSON.stringify({ primary, keys });
  const rotated = await startKeyfob({ vars: { MASTER_KEYS: ring(1) } });
  const browser = await startPages(rotated);
  try {
    // More than one request wraps.
    const definitions = Array.from({ length: 250 }, (_, number) => ({ ...definition(`c-${number}`), secrets: { token: `token-${number}` } }));
    const document = { format: "keyfob/definitions/1", connections: definitions };
    const { status, text } = await rotated.request("POST", "/v1/import?environment=development&dry_run=false", { body: document });
    assert.equal(status, 200, text);
    await rotated.restart({ vars: { MASTER_KEYS: ring(2) } });
    const page = await browser.open("#/development/settings/master-keys");
    await page.getByText("250 entries wait to be wrapped anew.").waitFor();
    const row = (id) => page.getByRole("row").filter({ has: page.getByRole("cell", { name: id, exact: true }) });
    assert.match(await row("1").innerText(), /Secondary\s+250.*no$/s);
    await browser.clean(page);
    await page.getByRole("button", { name: "Wrap anew now" }).click();
    await page.getByText("Everything is wrapped under the primary key.").waitFor();
    assert.equal(await page.locator("#rewrap").evaluate((bar) => bar.value / bar.max), 1);
    await page.reload();
    await row("2").getByText("250").waitFor();
    assert.match(await row("1").innerText(), /Secondary\s+0/s);
    await browser.clean(page);
    const [one] = (await rotated.request("GET", "/v1/connections?environment=development&stable_key=c-7")).json.data;
    const { json } = await rotated.request("GET", `/v1/connections/${one.id}/credentials`);
    assert.deepEqual(json.secrets, { token: "token-7" });
  } finally {
    await browser.close();
    await rotated.stop();
  }
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
  assert.equal(await page.getByRole("checkbox", { name: /^Select/ }).count(), 0, "nothing is done with several here");
  await pages.clean(page);
  await page.getByRole("button", { name: "Delete all" }).click();
  assert.equal(await dialog(page).getByRole("button", { name: "Delete all" }).isDisabled(), true);
  await dialog(page).getByLabel(/Type acme/).fill("acme");
  await dialog(page).getByRole("button", { name: "Delete all" }).click();
  await page.getByText("Everything of acme in this environment is deleted.").waitFor();
  assert.equal((await keyfob.request("GET", "/v1/customers/acme?environment=development")).status, 404);
});
