// Making connections in a browser, with a real PostgreSQL behind: failing, fixing, testing, saving; templates; key files.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { GENEROUS } from "./bodies.mjs";
import { startApi } from "./counterpart.mjs";
import { startDatabase } from "./databases.mjs";
import { startKeyfob } from "./keyfob.mjs";
import { eventually, startPages } from "./pages.mjs";

let database;
let api;
let keyfob;
let pages;
let folder;
before(async () => {
  database = await startDatabase("postgresql.sh");
  api = await startApi("good", "of-a-test");
  keyfob = await startKeyfob({ vars: { RATE_LIMITS: GENEROUS }, sockets: true });
  pages = await startPages(keyfob);
  folder = await mkdtemp(join(tmpdir(), "keyfob-key-file-"));
});
after(async () => {
  await pages?.close();
  await keyfob?.stop();
  await api?.stop();
  await database?.stop();
  if (folder) await rm(folder, { recursive: true });
});

const listed = async (query = "") => (await keyfob.request("GET", `/v1/connections?environment=development${query}`)).json.data;
const verdict = (page, wanted) => page.locator(`.note[data-verdict="${wanted}"]`).waitFor();

test("a database: the test says what is wrong, at its place; mended, it is saved and connected", async () => {
  const page = await pages.open("#/development/new");
  await page.getByLabel("Search components").fill("postgres");
  await page.getByRole("link", { name: /^PostgreSQL/ }).click();
  await page.getByRole("button", { name: "Save" }).click();
  for (const text of ["A name is needed.", "Host is needed.", "Password is needed."]) await page.getByText(text).waitFor();
  await pages.clean(page);
  await page.locator("#about-name").fill("Analytics");
  await page.getByLabel("Host").fill("localhost");
  await page.getByLabel("Port").fill(String(database.port));
  await page.getByLabel("Database", { exact: false }).first().fill("app");
  await page.getByLabel("User", { exact: false }).first().fill("scram");
  await page.locator("#field-password").fill("wrong");
  assert.equal(await page.locator("#field-password").getAttribute("type"), "password");
  await page.getByRole("button", { name: "Show Password" }).click();
  assert.equal(await page.locator("#field-password").getAttribute("type"), "text");
  await page.getByLabel("SSL mode").selectOption("disable");
  await page.getByRole("button", { name: "Test", exact: true }).click();
  await verdict(page, "invalid");
  assert.doesNotMatch(await page.locator(".note[data-verdict]").innerText(), /Edit the connection/, "that is what they are doing");
  assert.deepEqual(await listed(), []);
  await page.locator("#field-password").fill("right");
  assert.equal(await page.locator(".note[data-verdict]").count(), 0, "a verdict on other values is not shown any more");
  await page.getByRole("button", { name: "Test", exact: true }).click();
  await verdict(page, "valid");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: "Analytics is saved" }).waitFor();
  await page.getByText("It works: workflows can use it now.").waitFor();
  const [saved] = await listed("&provider=postgresql");
  assert.deepEqual([saved.name, saved.status, saved.health.verdict, saved.settings.port], ["Analytics", "active", "valid", database.port]);
  await pages.clean(page);
});

test("failing credentials may be saved: the page says that it does not work, and why", async () => {
  const page = await pages.open("#/development/new/http?type=bearer");
  await page.locator("#about-name").fill("Broken");
  await page.getByLabel("Base URL").fill(api.origin);
  await page.locator("#field-token").fill("wrong");
  await page.getByLabel("Test path").fill("/me");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("It is saved, and does not work yet.").waitFor();
  const [saved] = await listed("&search=Broken");
  assert.deepEqual([saved.status, saved.health.reason], ["not_active", "rejected"]);
});

test("what the API refuses stands at the field that caused it, and what was entered stays", async () => {
  const page = await pages.open("#/development/new/http?type=bearer");
  await page.locator("#about-name").fill("Elsewhere");
  await page.getByLabel("Base URL").fill("ftp://files.example.com");
  await page.locator("#field-token").fill("good");
  await page.getByRole("button", { name: "Save" }).click();
  await page.locator("#field-base_url-fault").waitFor();
  assert.equal(await page.getByLabel("Base URL").getAttribute("aria-invalid"), "true");
  assert.equal(await page.getByLabel("Base URL").inputValue(), "ftp://files.example.com");
  assert.deepEqual(await listed("&search=Elsewhere"), []);
});

test("a lost network keeps what was typed, and saving again makes one connection", async () => {
  const page = await pages.open("#/development/new/http?type=bearer");
  await page.locator("#about-name").fill("Offline");
  await page.getByLabel("Base URL").fill(api.origin);
  await page.locator("#field-token").fill("good");
  await page.getByLabel("Test path").fill("/me");
  // The request arrives, and its answer is lost.
  await page.route("**/v1/connections", async (route) => {
    await route.fetch();
    await route.abort();
  }, { times: 1 });
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Keyfob cannot be reached.").waitFor();
  assert.equal(await page.locator("#about-name").inputValue(), "Offline");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: "Offline is saved" }).waitFor();
  assert.equal((await listed("&search=Offline")).length, 1);
});

test("a session that has ended is signed in to again, and what was typed is still there", async () => {
  const page = await pages.open("#/development/new/http?type=bearer");
  await page.locator("#about-name").fill("After lunch");
  await page.getByLabel("Base URL").fill(api.origin);
  await page.locator("#field-token").fill("good");
  await page.getByLabel("Test path").fill("/me");
  await page.context().clearCookies();
  await page.getByRole("button", { name: "Save" }).click();
  const question = page.locator("wa-dialog[open]");
  await question.getByLabel("API key").fill(keyfob.rootKey);
  await question.getByRole("button", { name: "Sign in", exact: true }).click();
  await eventually(() => page.locator("wa-dialog").count(), 0);
  assert.equal(await page.locator("#field-token").inputValue(), "good");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: "After lunch is saved" }).waitFor();
});

test("a template: what each customer has is not asked here, then its test credentials are offered", async () => {
  const page = await pages.open("#/development/new/http?type=bearer");
  await page.locator("#about-name").fill("Of each customer");
  await page.getByLabel("Different for each customer").check();
  for (const label of ["Token", "Base URL"]) {
    const box = page.getByRole("checkbox", { name: label, exact: true });
    if ((await box.isChecked()) !== (label === "Token")) await box.click();
  }
  await page.getByText("Asked for each customer: Token.").waitFor();
  assert.equal(await page.locator("#field-token").count(), 0);
  assert.equal(await page.getByRole("button", { name: "Test", exact: true }).count(), 0);
  await page.getByLabel("Base URL").last().fill(api.origin);
  await page.getByLabel("Test path").last().fill("/me");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("link", { name: "Enter test credentials" }).click();
  await page.locator("#test-token").fill("of-a-test");
  await page.locator("wa-dialog[open]").getByRole("button", { name: "Save" }).click();
  await page.getByText("The test credentials are saved.").waitFor();
  const [template] = await listed("&kind=template");
  assert.deepEqual([template.status, template.customer_fields, template.test_credentials.secret_fields], ["active", ["token"], ["token"]]);
  await page.getByRole("link", { name: "Enter for a customer" }).click();
  await page.getByLabel("Customer", { exact: false }).last().waitFor();
  await page.locator("#customer").fill("acme");
  await page.locator("#about-name").fill("Of acme");
  await page.locator("#field-token").fill("good");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("It works: workflows can use it now.").waitFor();
  const [own] = await listed("&customer=acme&kind=customer");
  assert.deepEqual([own.template, own.status], [template.id, "active"]);
});

test("a key file is chosen or pasted, and is concealed until it is shown", async () => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const file = {
    type: "service_account",
    project_id: "a-project-of-tests",
    private_key_id: "0123456789abcdef",
    private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
    client_email: "robot@a-project-of-tests.iam.gserviceaccount.com",
    token_uri: "https://oauth2.googleapis.com/token",
  };
  const path = join(folder, "key.json");
  await writeFile(path, JSON.stringify(file));
  const page = await pages.open("#/development/new/bigquery");
  await page.getByLabel("Choose a file").setInputFiles(path);
  const area = page.locator("#field-credentials");
  await eventually(async () => (await area.inputValue()).includes("a-project-of-tests"), true);
  assert.match(await area.getAttribute("class"), /concealed/);
  await page.getByRole("button", { name: "Show Key file" }).click();
  assert.doesNotMatch(await area.getAttribute("class"), /concealed/);
  await area.fill("no key file at all");
  await page.locator("#about-name").fill("Warehouse");
  await page.locator("#field-project_id").fill("a-project-of-tests");
  await page.getByRole("button", { name: "Save" }).click();
  await page.locator("#field-credentials-fault").waitFor();
});
