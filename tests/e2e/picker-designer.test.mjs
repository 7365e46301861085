// The organization's own designer and the picker: all connections, a new one, test credentials, another one for one step or all.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { faults, frameOf, leave, newPage, openPicker, startPicker } from "./picker.mjs";

const GOOD = "good-token-0123456789";
const TEST = "test-token-0123456789";

let world;
let crm;
let archive;
before(async () => {
  world = await startPicker(GOOD, TEST);
  archive = await world.create(world.shared({ name: "Order archive", secrets: { token: GOOD } }));
  await world.create(world.shared({ name: "Nightly export", embedded: false, secrets: { token: GOOD } }));
  await world.create(world.shared({ name: "Warehouse", secrets: { token: "wrong-token" } }));
  crm = await world.create(world.shared({ name: "CRM", kind: "template", secrets: {} }));
});
after(() => world?.stop());

let opened;
let page;
beforeEach(async () => {
  opened = await newPage(world.browser);
  ({ page } = opened);
  await page.goto(world.demo.url);
});
afterEach(async () => {
  await opened.close();
  assert.deepEqual(opened.complaints, []);
});

const open = () => openPicker(page, { as: "designer" });
const get = async (path) => (await world.keyfob.request("GET", path)).json;

test("all connections are there, exposed or not, working or not", async () => {
  const frame = await open();
  await frame.getByText("All connections in development").waitFor();
  for (const name of [/^Use CRM .*Each customer/, /^Use Nightly export .*Connected/, /^Use Order archive/, /^Use Warehouse .*Not connected/]) {
    await frame.getByRole("button", { name }).waitFor();
  }
  assert.deepEqual(await faults(await frameOf(page)), []);
});

test("one is tried, made and used, and is the organization's", async () => {
  const frame = await open();
  await frame.getByRole("button", { name: "New connection" }).click();
  await frame.getByRole("button", { name: /Bearer/ }).click();
  await frame.getByLabel("Name", { exact: true }).fill("Made by the designer");
  await frame.getByRole("textbox", { name: /^Base URL/ }).fill(world.api.origin);
  await frame.getByRole("textbox", { name: /^Token/ }).fill("wrong-token");
  await frame.getByRole("textbox", { name: /^Test path/ }).fill("/me");
  await frame.getByRole("button", { name: "Test first" }).click();
  await frame.getByText("The provider does not accept the credential").waitFor();
  const path = "/v1/connections?environment=development&search=designer";
  assert.deepEqual((await get(path)).data, []);
  await frame.getByRole("textbox", { name: /^Token/ }).fill(GOOD);
  await frame.getByRole("button", { name: "Save and test" }).click();
  await frame.getByText("It works.").waitFor();
  await leave(page, frame.getByRole("button", { name: /^Use Made by the designer .*Connected/ }));
  await page.getByText("Made by the designer (http)").waitFor();
  const { data } = await get(path);
  assert.deepEqual(data.map(({ kind, status, created_by: { name } }) => [kind, status, name]), [["organization", "active", "Builder"]]);
});

test("a template gets test credentials for the fields of its customers", async () => {
  const frame = await open();
  await frame.getByRole("button", { name: "Test credentials: CRM" }).click();
  await frame.getByText("Test runs of the builder use these.").waitFor();
  assert.equal(await frame.getByRole("textbox").count(), 1);
  assert.deepEqual(await faults(await frameOf(page)), []);
  await frame.getByRole("textbox", { name: /^Token/ }).fill(TEST);
  await frame.getByRole("button", { name: "Save test credentials" }).click();
  await frame.getByText("Test runs use these values from now on.").waitFor();
  const resolved = await get(`/v1/connections/${crm.id}/credentials?purpose=test`);
  assert.deepEqual(resolved.secrets, { token: TEST });
});

test("another connection takes the place of one: in one step, or in all steps that use it", async () => {
  for (const step of ["demo-orders/read", "demo-orders/other", "nightly/read"]) {
    await world.keyfob.request("PUT", `/v1/connections/${archive.id}/usages/${step}`);
  }
  await page.reload();
  let frame = await open();
  await frame.getByRole("button", { name: /^Use Nightly export/ }).click();
  await frame.getByRole("heading", { name: "Where shall it be used?" }).waitFor();
  assert.deepEqual(await faults(await frameOf(page)), []);
  await leave(page, frame.getByRole("button", { name: "Switch" }));
  await page.getByText("Nightly export (http)").waitFor();
  const one = (await get("/v1/usages?environment=development&workflow=demo-orders")).data.map(({ step, connection_id: id }) => [step, id === archive.id]);
  assert.deepEqual(one.sort(), [["other", true], ["read", false]]);

  await world.keyfob.request("PUT", `/v1/connections/${archive.id}/usages/demo-orders/read`);
  await page.reload();
  frame = await open();
  await frame.getByRole("button", { name: /^Use Nightly export/ }).click();
  await frame.getByRole("radio", { name: "In all steps that use Order archive" }).check();
  await leave(page, frame.getByRole("button", { name: "Switch" }));
  await page.getByText("Nightly export (http)").waitFor();
  assert.deepEqual((await get(`/v1/connections/${archive.id}/usages`)).data, []);
});
