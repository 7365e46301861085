// One connection in a browser: editing, also when somebody else was faster; revealing; history and restoring; usages, replacing and
// deleting.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bearer, GENEROUS } from "./bodies.mjs";
import { startApi } from "./counterpart.mjs";
import { startKeyfob } from "./keyfob.mjs";
import { eventually, startPages } from "./pages.mjs";

let keyfob;
let pages;
let api;
before(async () => {
  api = await startApi("first-secret", "second-secret");
  keyfob = await startKeyfob({ vars: { RATE_LIMITS: GENEROUS } });
  pages = await startPages(keyfob);
});
after(async () => {
  await pages?.close();
  await keyfob?.stop();
  await api?.stop();
});

async function save(name, rest = {}) {
  const body = bearer({ base_url: api.origin, token: "first-secret", settings: { test_path: "/me" }, name, ...rest });
  const { status, json, text } = await keyfob.request("POST", "/v1/connections", { body });
  assert.equal(status, 201, text);
  return json;
}

async function patch({ id, version }, body) {
  const { status, json, text } = await keyfob.request("PATCH", `/v1/connections/${id}`, { body, headers: { "if-match": `"${version}"` } });
  assert.equal(status, 200, text);
  return json;
}

const find = async ({ id }) => (await keyfob.request("GET", `/v1/connections/${id}`)).json;
const use = ({ id }, workflow, step) => keyfob.request("PUT", `/v1/connections/${id}/usages/${workflow}/${step}`);
const token = async ({ id }) => (await keyfob.request("GET", `/v1/connections/${id}/credentials`)).json.secrets.token;
const open = (connection, what = "") => pages.open(`#/development/connections/${connection.id}${what}`);
// What is in a dialog is put into it from outside, so it is not below its role.
const dialog = (page) => page.locator("wa-dialog[open], wa-drawer[open]");

test("a kept secret is kept, a replaced one is replaced, and no stored secret is ever in the page", async () => {
  const connection = await save("Kept");
  const page = await open(connection, "?do=edit");
  await dialog(page).getByLabel("Description").fill("With a description");
  await pages.clean(page);
  await dialog(page).getByRole("button", { name: "Save" }).click();
  await page.getByText("Kept is saved and works.").waitFor();
  assert.equal(await token(connection), "first-secret");
  assert.equal((await find(connection)).revision, 1);
  assert.doesNotMatch(await page.content(), /first-secret/);
  await page.getByRole("button", { name: "Edit" }).click();
  await dialog(page).getByRole("button", { name: "Replace Token" }).click();
  await dialog(page).locator("#edit-field-token").fill("wrong");
  await dialog(page).getByRole("button", { name: "Test", exact: true }).click();
  await page.locator('dialog .note[data-verdict="invalid"], .note[data-verdict="invalid"]').first().waitFor();
  assert.equal((await find(connection)).health.verdict, "valid", "a test of edits changes nothing");
  await dialog(page).locator("#edit-field-token").fill("second-secret");
  await dialog(page).getByRole("button", { name: "Save" }).click();
  await page.getByText("Kept is saved and works.").first().waitFor();
  await eventually(() => token(connection), "second-secret");
});

test("a changed destination asks for the secret again, at its field", async () => {
  const connection = await save("Moved");
  const page = await open(connection, "?do=edit");
  await dialog(page).getByLabel("Base URL").fill(`http://localhost:${api.port}`);
  await dialog(page).getByRole("button", { name: "Save" }).click();
  await dialog(page).locator("#edit-field-token-fault").waitFor();
  await dialog(page).locator("#edit-field-token").fill("first-secret");
  await dialog(page).getByRole("button", { name: "Save" }).click();
  await page.getByText("Moved is saved and works.").waitFor();
});

test("what somebody else saved meanwhile is shown, and both are kept", async () => {
  const connection = await save("Raced");
  const page = await open(connection, "?do=edit");
  await dialog(page).getByLabel("Description").fill("Mine");
  await patch(connection, { name: "Raced by another", tags: ["theirs"] });
  await dialog(page).getByRole("button", { name: "Save" }).click();
  await page.getByText(/changed it while you were editing: name, tags/).waitFor();
  assert.equal((await find(connection)).description, "");
  await page.getByRole("button", { name: "Keep both and save" }).click();
  await page.getByRole("heading", { name: "Raced by another", level: 1 }).waitFor();
  const { name, description, tags, version } = await find(connection);
  assert.deepEqual({ name, description, tags, version }, { name: "Raced by another", description: "Mine", tags: ["theirs"], version: 3 });
});

test("what both changed is named before one replaces the other", async () => {
  const connection = await save("Contended");
  const page = await open(connection, "?do=edit");
  await dialog(page).getByLabel("Description").fill("Mine");
  await patch(connection, { description: "Theirs" });
  await dialog(page).getByRole("button", { name: "Save" }).click();
  await page.getByText("Both of you changed description").waitFor();
  await page.getByRole("button", { name: "Discard mine" }).click();
  assert.equal(await dialog(page).getByLabel("Description").inputValue(), "Theirs");
  assert.equal((await find(connection)).description, "Theirs");
});

test("a secret is revealed with a reason, counted down, and audited", async () => {
  const connection = await save("Revealed");
  const page = await open(connection);
  await page.clock.install();
  await page.getByRole("button", { name: "Reveal Token" }).click();
  await dialog(page).getByRole("button", { name: "Reveal", exact: true }).click();
  assert.equal(await page.getByText("first-secret").count(), 0, "without a reason nothing is revealed");
  await dialog(page).getByLabel("Why do you need it?").fill("Moving to another tool");
  await dialog(page).getByRole("button", { name: "Reveal", exact: true }).click();
  await page.getByText("first-secret", { exact: true }).waitFor();
  await page.getByText(/Hidden again in \d+ seconds/).waitFor();
  await pages.clean(page);
  await page.clock.runFor(31_000);
  await eventually(async () => (await page.content()).includes("first-secret"), false);
  const { json } = await keyfob.request("GET", `/v1/audit-events?resource_id=${connection.id}&environment=development`);
  assert.ok(json.data.some(({ action, detail }) => /reveal/.test(action) && detail.reason === "Moving to another tool"), JSON.stringify(json.data.map(({ action }) => action)));
});

test("history tells who changed what; an older revision is restored as a new one", async () => {
  const connection = await save("Restored");
  const renamed = await patch(connection, { name: "Restored and renamed" });
  await patch(renamed, { settings: { test_method: "HEAD" }, secrets: { token: "second-secret" }, note: "A new token" });
  const page = await open(connection, "?do=history");
  const drawer = dialog(page);
  await drawer.getByText("A new token").waitFor();
  assert.match(await drawer.innerText(), /Test method\s+GET\s*→\s*HEAD/);
  assert.match(await drawer.innerText(), /Token\s+changed/);
  assert.match(await drawer.innerText(), /Restored\s*→\s*Restored and renamed/);
  await pages.clean(page);
  await drawer.getByRole("button", { name: "Restore revision 1" }).click();
  await drawer.getByRole("button", { name: "Restore it" }).click();
  await drawer.getByText("Restored from revision 1.").waitFor();
  const now = await find(connection);
  assert.deepEqual([now.revision, now.name, now.settings.test_method], [3, "Restored and renamed", "GET"]);
  assert.equal(await token(connection), "first-secret");
});

test("all steps get another connection at once", async () => {
  const [old, replacement] = [await save("Old"), await save("Replacement")];
  for (const step of ["one", "two", "three"]) await use(old, "nightly", step);
  const page = await open(old);
  await page.getByRole("button", { name: "Replace in all steps" }).click();
  await dialog(page).getByLabel("Use instead").selectOption(replacement.id);
  await dialog(page).getByRole("button", { name: "Replace", exact: true }).click();
  await page.getByText("3 steps use the other connection now.").waitFor();
  await page.getByRole("heading", { name: "Used by 0 steps" }).waitFor();
  assert.deepEqual([(await find(old)).usage_count, (await find(replacement)).usage_count], [0, 3]);
});

test("deleting what is in use names the steps and asks for the name", async () => {
  const connection = await save("In use");
  await use(connection, "billing", "send-invoice");
  const page = await open(connection, "?do=delete");
  await dialog(page).getByText("billing / send-invoice").waitFor();
  await pages.clean(page);
  const button = dialog(page).getByRole("button", { name: "Delete", exact: true });
  assert.equal(await button.isDisabled(), true);
  await dialog(page).getByLabel(/to delete it all the same/).fill("in use");
  assert.equal(await button.isDisabled(), true);
  await dialog(page).getByLabel(/to delete it all the same/).fill("In use");
  await button.click();
  await page.getByText("In use is deleted").waitFor();
  assert.equal((await keyfob.request("GET", `/v1/connections/${connection.id}`)).status, 404);
});

test("what nobody uses is deleted after one question", async () => {
  const connection = await save("Unused");
  const page = await open(connection);
  await page.getByRole("button", { name: "Delete" }).click();
  await dialog(page).getByRole("button", { name: "Cancel" }).click();
  assert.equal((await keyfob.request("GET", `/v1/connections/${connection.id}`)).status, 200);
  await page.getByRole("button", { name: "Delete" }).click();
  await dialog(page).getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByText("Unused is deleted").waitFor();
  assert.equal((await keyfob.request("GET", `/v1/connections/${connection.id}`)).status, 404);
});

test("tags, the embedded switch and a copy", async () => {
  const connection = await save("Various");
  const page = await open(connection);
  await page.getByLabel("Tags").fill("billing");
  await page.keyboard.press("Enter");
  await eventually(async () => (await find(connection)).tags, ["billing"]);
  await page.getByRole("button", { name: "Remove the tag billing" }).click();
  await eventually(async () => (await find(connection)).tags, []);
  await page.locator("kf-embedded wa-switch").click();
  await eventually(async () => (await find(connection)).embedded, true);
  await page.getByText("This is all that they see of it:").waitFor();
  await page.getByRole("button", { name: "Copy" }).click();
  assert.equal(await dialog(page).getByLabel("To", { exact: true }).inputValue(), "staging", "not production by itself");
  await dialog(page).getByLabel("To").selectOption("production");
  await dialog(page).getByRole("button", { name: "Copy" }).click();
  await page.getByText("Various is there. Enter its credentials.").waitFor();
  const { json } = await keyfob.request("GET", "/v1/connections?environment=production&stable_key=various");
  assert.deepEqual([json.data.length, json.data[0].health.reason], [1, "missing"]);
});
