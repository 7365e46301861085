// A customer and the picker, inside a product that embeds it: picking, connecting, mending, renaming, disconnecting.
import assert from "node:assert/strict";
import { after, before, beforeEach, afterEach, test } from "node:test";
import { faults, frameOf, leave, newPage, openPicker, startPicker } from "./picker.mjs";

const GOOD = "good-token-0123456789";
const NEXT = "next-token-0123456789";
const WRONG = "wrong-token-0123456789";

let world;
let shared;
before(async () => {
  world = await startPicker(GOOD, NEXT);
  shared = await world.create(world.shared({ name: "Order archive", secrets: { token: GOOD } }));
  await world.create(world.shared({ name: "Not exposed", embedded: false, secrets: { token: GOOD } }));
  await world.create(world.shared({ name: "Broken", secrets: { token: WRONG } }));
  await world.create(world.shared({ name: "CRM", kind: "template", secrets: {} }));
});
after(() => world?.stop());

let opened;
let page;
let errors;
beforeEach(async () => {
  opened = await newPage(world.browser);
  ({ page } = opened);
  // What reaches the product's page, and what it sends: no secret may be among it.
  errors = [];
  page.on("request", (request) => {
    const isHosts = request.url().startsWith(world.demo.url);
    const text = `${request.url()} ${request.postData() ?? ""}`;
    if (isHosts && [GOOD, NEXT, WRONG].some((token) => text.includes(token))) errors.push(text);
  });
  await page.addInitScript(() => {
    globalThis.heard = [];
    addEventListener("message", ({ data, origin }) => globalThis.heard.push(JSON.stringify([origin, data])), true);
    const { set } = Object.getOwnPropertyDescriptor(MessagePort.prototype, "onmessage");
    Object.defineProperty(MessagePort.prototype, "onmessage", {
      set(handler) {
        set.call(this, (event) => {
          globalThis.heard.push(JSON.stringify(event.data));
          return handler.call(this, event);
        });
      },
    });
  });
  await page.goto(world.demo.url);
});
afterEach(async () => {
  const heard = await page.evaluate(() => globalThis.heard);
  await opened.close();
  assert.deepEqual(opened.complaints, []);
  assert.deepEqual(errors, []);
  for (const token of [GOOD, NEXT, WRONG]) assert.ok(!heard.some((message) => message.includes(token)), `${token} reached the page`);
});

// The names of the connections of the session's customer, as Keyfob has them.
async function connections(customer = "acme") {
  const path = `/v1/connections?environment=development&customer=${customer}`;
  return (await world.keyfob.request("GET", path)).json.data;
}

async function clear() {
  await world.keyfob.request("DELETE", "/v1/customers/acme?environment=development");
}

// Connects an account under the template.
async function connect(frame, token, name) {
  await frame.getByRole("button", { name: /^Connect CRM/ }).click();
  if (name) await frame.getByLabel("Name").fill(name);
  await frame.getByRole("textbox", { name: /^Token/ }).fill(token);
  assert.equal(await frame.getByRole("textbox", { name: /^Base URL/ }).count(), 0);
  await frame.getByRole("button", { name: "Save and test" }).click();
}

test("a shared connection is picked, and what is not exposed is not there", async () => {
  const frame = await openPicker(page);
  await frame.getByRole("button", { name: /^Use Order archive .*Connected/ }).waitFor();
  assert.equal(await frame.getByText("Not exposed").count(), 0);
  // What does not work cannot be picked by somebody who cannot mend it.
  assert.ok(await frame.getByRole("button", { name: /Broken/ }).isDisabled());
  assert.deepEqual(await faults(await frameOf(page)), []);
  await leave(page, frame.getByRole("button", { name: /Use Order archive/ }));
  await page.getByText("Order archive (http)").waitFor();
  const { json } = await world.keyfob.request("GET", "/v1/usages?environment=development&workflow=demo-orders");
  assert.deepEqual(json.data.map(({ step, connection_id }) => [step, connection_id]), [["read", shared.id]]);

  await page.getByRole("button", { name: /Change connection: Read/ }).click();
  const chosen = page.frameLocator("iframe").getByRole("button", { name: /Use Order archive/ });
  assert.equal(await chosen.getAttribute("aria-current"), "true");
});

test("the picker is closed without a choice by its button and by Escape", async () => {
  for (const close of [(frame) => leave(page, frame.getByRole("button", { name: "Close" })), () => page.keyboard.press("Escape")]) {
    const frame = await openPicker(page);
    await frame.getByRole("button", { name: /Use Order archive/ }).waitFor();
    await close(frame);
    await page.locator("iframe").waitFor({ state: "detached" });
    assert.equal(await page.getByRole("status").textContent(), "");
  }
});

test("an account is connected by a form that asks for the customer's fields alone, and is used", async () => {
  await clear();
  const frame = await openPicker(page);
  await connect(frame, GOOD, "Acme's CRM");
  await frame.getByText("It works.").waitFor();
  await leave(page, frame.getByRole("button", { name: "Use this connection" }));
  await page.getByText("Acme's CRM (http)").waitFor();
  const [made] = await connections();
  assert.deepEqual([made.name, made.status, made.kind, made.created_by.name], ["Acme's CRM", "active", "customer", "acme"]);
});

test("credentials that fail are told with the reason, and mended in the same form", async () => {
  await clear();
  const frame = await openPicker(page);
  await connect(frame, WRONG);
  await frame.getByText("The provider does not accept the credential").waitFor();
  await frame.getByText("It is saved, but it does not work yet.").waitFor();
  assert.deepEqual(await faults(await frameOf(page)), []);
  assert.deepEqual((await connections()).map(({ status }) => status), ["not_active"]);
  await frame.getByRole("button", { name: "Replace: Token" }).click();
  await frame.getByRole("textbox", { name: /^Token/ }).fill(GOOD);
  await frame.getByRole("button", { name: "Test first" }).click();
  await frame.getByText("It works.").waitFor();
  // Nothing is stored by that.
  assert.deepEqual((await connections()).map(({ status }) => status), ["not_active"]);
  await frame.getByRole("button", { name: "Save and test" }).click();
  await frame.getByRole("button", { name: "Use this connection" }).waitFor();
  assert.deepEqual((await connections()).map(({ status, revision }) => [status, revision]), [["active", 2]]);
});

test("what is missing or refused is told at its field, and what was typed stays", async () => {
  await clear();
  const frame = await openPicker(page);
  await frame.getByRole("button", { name: "Connect something else" }).click();
  await frame.getByRole("button", { name: /Bearer/ }).click();
  await frame.getByRole("button", { name: "Save and test" }).click();
  const url = frame.getByRole("textbox", { name: /^Base URL/ });
  await frame.getByRole("alert").getByText("Some entries need another look.").waitFor();
  assert.equal(await url.getAttribute("aria-invalid"), "true");
  assert.ok(await url.evaluate((field) => field === document.activeElement));
  assert.deepEqual(await faults(await frameOf(page)), []);
  await url.fill("https://api.example.com/?x=1");
  await frame.getByRole("textbox", { name: /^Token/ }).fill(GOOD);
  await frame.getByText("An address without a query").waitFor();
  // Only Keyfob knows that this is no address that may be called.
  await url.fill("ftp://api.example.com");
  await frame.getByRole("button", { name: "Save and test" }).click();
  await frame.locator(".fault").waitFor();
  assert.equal(await url.inputValue(), "ftp://api.example.com");
  assert.equal(await frame.getByRole("textbox", { name: /^Token/ }).inputValue(), GOOD);
  assert.deepEqual(await connections(), []);
});

test("an own connection is edited, renamed, tested and disconnected; its secret is kept and never shown", async () => {
  await clear();
  const frame = await openPicker(page);
  await connect(frame, GOOD);
  await frame.getByText("It works.").waitFor();

  await frame.getByRole("button", { name: "Rename" }).click();
  await frame.getByLabel("Name").fill("Ours");
  await frame.getByRole("button", { name: "Save name" }).click();
  await frame.getByText("The name is changed.").waitFor();
  await frame.getByRole("heading", { name: "Ours" }).waitFor();

  await frame.getByRole("button", { name: "Edit" }).click();
  await frame.getByText("Stored. It is never shown.").waitFor();
  assert.equal(await frame.locator("input[type=password]").count(), 0);
  await frame.getByRole("button", { name: "Save and test" }).click();
  await frame.getByText("It works.").waitFor();
  assert.equal((await connections())[0].revision, 1);

  await frame.getByRole("button", { name: "Edit" }).click();
  await frame.getByRole("button", { name: "Replace: Token" }).click();
  await frame.getByRole("textbox", { name: /^Token/ }).fill(NEXT);
  await frame.getByRole("button", { name: "Save and test" }).click();
  await frame.getByRole("button", { name: "Use this connection" }).waitFor();
  const [edited] = await connections();
  const resolved = await world.keyfob.request("GET", `/v1/connections/${edited.id}/credentials`);
  assert.deepEqual([edited.name, edited.revision, resolved.json.secrets], ["Ours", 2, { token: NEXT }]);

  world.api.accepts.delete(NEXT);
  await frame.getByRole("button", { name: "Test", exact: true }).click();
  await frame.getByText("It does not work.").waitFor();
  assert.ok(await frame.getByRole("button", { name: "Use this connection" }).isDisabled());
  world.api.accepts.add(NEXT);

  assert.deepEqual(await faults(await frameOf(page)), []);
  await frame.getByRole("button", { name: "Disconnect" }).click();
  await frame.getByRole("heading", { name: "Disconnect Ours?" }).waitFor();
  await frame.getByRole("button", { name: "Cancel" }).click();
  await frame.getByRole("button", { name: "Disconnect" }).click();
  await frame.getByRole("button", { name: "Disconnect", exact: true }).click();
  await frame.getByText("Ours is disconnected.").waitFor();
  assert.deepEqual(await connections(), []);
  await frame.getByRole("button", { name: /^Connect CRM/ }).waitFor();
});

test("what somebody else changed in the meantime is loaded again", async () => {
  await clear();
  const frame = await openPicker(page);
  await connect(frame, GOOD);
  await frame.getByRole("button", { name: "Rename" }).click();
  const [made] = await connections();
  const change = { body: { name: "Theirs" }, headers: { "if-match": '"1"' } };
  assert.equal((await world.keyfob.request("PATCH", `/v1/connections/${made.id}`, change)).status, 200);
  await frame.getByLabel("Name").fill("Mine");
  await frame.getByRole("button", { name: "Save name" }).click();
  await frame.getByText("Somebody else changed it").waitFor();
  await frame.getByRole("heading", { name: "Theirs" }).waitFor();
});

test("a changed address asks for the secret again", async () => {
  await clear();
  const frame = await openPicker(page);
  await frame.getByRole("button", { name: "Connect something else" }).click();
  await frame.getByRole("button", { name: /Bearer/ }).click();
  await frame.getByRole("textbox", { name: /^Base URL/ }).fill(world.api.origin);
  await frame.getByRole("textbox", { name: /^Token/ }).fill(GOOD);
  await frame.getByRole("textbox", { name: /^Test path/ }).fill("/me");
  await frame.getByRole("button", { name: "Save and test" }).click();
  await frame.getByText("It works.").waitFor();
  await frame.getByRole("button", { name: "Edit" }).click();
  await frame.getByText("Stored. It is never shown.").waitFor();
  await frame.getByRole("textbox", { name: /^Base URL/ }).fill(`${world.api.origin}/other`);
  await frame.getByText("so the secrets have to be entered again").waitFor();
  assert.equal(await frame.getByRole("textbox", { name: /^Token/ }).inputValue(), "");
});

test("a session that is over is renewed by the product's page, and what was typed is saved", async () => {
  await clear();
  const frame = await openPicker(page);
  await frame.getByRole("button", { name: /^Connect CRM/ }).click();
  await frame.getByRole("textbox", { name: /^Token/ }).fill(GOOD);
  const ended = await world.keyfob.request("DELETE", "/v1/embedded/sessions?environment=development&customer=acme");
  assert.equal(ended.status, 204);
  await frame.getByRole("button", { name: "Save and test" }).click();
  await frame.getByText("It works.").waitFor();
  assert.equal((await connections()).length, 1);
});

test("a lost network keeps what was typed", async () => {
  await clear();
  const frame = await openPicker(page);
  await frame.getByRole("button", { name: /^Connect CRM/ }).click();
  await frame.getByRole("textbox", { name: /^Token/ }).fill(GOOD);
  await page.context().setOffline(true);
  await frame.getByRole("button", { name: "Save and test" }).click();
  await frame.getByText("Keyfob could not be reached.").waitFor();
  await page.context().setOffline(false);
  assert.equal(await frame.getByRole("textbox", { name: /^Token/ }).inputValue(), GOOD);
  await frame.getByRole("button", { name: "Save and test" }).click();
  await frame.getByText("It works.").waitFor();
  assert.equal((await connections()).length, 1);
});

test("what cannot be loaded at first is tried again", async () => {
  await page.route("**/v1/embedded/providers", (route) => route.abort());
  const frame = await openPicker(page);
  await frame.getByText("Keyfob could not be reached.").waitFor();
  assert.deepEqual(await faults(await frameOf(page)), []);
  await page.unroute("**/v1/embedded/providers");
  await frame.getByRole("button", { name: "Try again" }).click();
  await frame.getByRole("button", { name: /^Use Order archive/ }).waitFor();
});
