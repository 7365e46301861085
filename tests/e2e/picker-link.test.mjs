// The picker without a product around it: a connect link, opened from an e-mail.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { faults, newPage, startPicker } from "./picker.mjs";

const GOOD = "good-token-0123456789";
const NEXT = "next-token-0123456789";

let world;
let template;
before(async () => {
  world = await startPicker(GOOD, NEXT);
  template = await world.create(world.shared({ name: "CRM", kind: "template", secrets: {} }));
  await world.create(world.shared({ name: "Shared", secrets: { token: GOOD } }));
});
after(() => world?.stop());

async function link(body) {
  const answer = await world.keyfob.request("POST", "/v1/connect-links", { body: { environment: "development", customer: "acme", ...body } });
  assert.equal(answer.status, 201, answer.text);
  return answer.json.url;
}

async function connections() {
  return (await world.keyfob.request("GET", "/v1/connections?environment=development&customer=acme")).json.data;
}

test("a link leads to the form of its template, once, and leaves no token behind", async () => {
  const url = await link({ template: template.id });
  const opened = await newPage(world.browser);
  const { page } = opened;
  const sent = [];
  page.on("request", (request) => sent.push(request.url()));
  await page.goto(url);
  await page.getByRole("heading", { name: "Connect CRM" }).waitFor();
  assert.equal(page.url(), `${world.keyfob.url}/embed/`);
  assert.ok(!sent.some((address) => address.includes("kl_") || address.includes("ks_")));
  assert.equal(await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])), '[{},{},""]');
  assert.equal(await page.getByRole("textbox", { name: /^Base URL/ }).count(), 0);
  assert.deepEqual(await faults(page.mainFrame()), []);

  await page.getByRole("textbox", { name: /^Token/ }).fill(GOOD);
  await page.getByRole("button", { name: "Save and test" }).click();
  await page.getByText("It works.").waitFor();
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByText("You are connected.").waitFor();
  assert.deepEqual(await faults(page.mainFrame()), []);
  assert.deepEqual((await connections()).map(({ name, status }) => [name, status]), [["CRM", "active"]]);
  assert.deepEqual(opened.complaints, []);
  await opened.close();

  const again = await newPage(world.browser);
  await again.page.goto(url);
  await again.page.getByText("This link does not work any more.").waitFor();
  assert.equal(again.page.url(), `${world.keyfob.url}/embed/`);
  assert.deepEqual(await faults(again.page.mainFrame()), []);
  await again.close();
});

test("a link for what is connected leads to it, and to nothing else", async () => {
  const [own] = await connections();
  const opened = await newPage(world.browser);
  const { page } = opened;
  await page.goto(await link({ connection: own.id }));
  await page.getByRole("heading", { name: "CRM" }).waitFor();
  await page.getByRole("button", { name: "Edit" }).click();
  await page.getByRole("button", { name: "Replace: Token" }).click();
  await page.getByRole("textbox", { name: /^Token/ }).fill(NEXT);
  await page.getByRole("button", { name: "Save and test" }).click();
  await page.getByText("It works.").waitFor();
  await page.getByRole("button", { name: "Back" }).click();
  await page.getByRole("button", { name: /Manage CRM/ }).first().waitFor();
  assert.equal(await page.getByText("Shared").count(), 0);
  assert.equal(await page.getByText("Connect something else").count(), 0);
  assert.deepEqual(opened.complaints, []);
  await opened.close();
  assert.deepEqual((await connections()).map(({ revision }) => revision), [2]);
});

test("another link that is opened in the same window counts", async () => {
  const opened = await newPage(world.browser);
  const { page } = opened;
  await page.goto(`${world.keyfob.url}/embed/#kl_${"0".repeat(49)}`);
  await page.getByText("This link does not work any more.").waitFor();
  await page.goto(await link({ provider: "http", connection_type: "bearer" }));
  await page.getByRole("textbox", { name: /^Token/ }).waitFor();
  assert.equal(page.url(), `${world.keyfob.url}/embed/`);
  assert.deepEqual(opened.complaints, []);
  await opened.close();
});

test("a session that is over ends the page of a link with a sentence", async () => {
  const opened = await newPage(world.browser);
  const { page } = opened;
  await page.goto(await link({ provider: "http", connection_type: "bearer" }));
  await page.getByRole("textbox", { name: /^Base URL/ }).fill("https://api.example.com");
  await page.getByRole("textbox", { name: /^Token/ }).fill(GOOD);
  await world.keyfob.request("DELETE", "/v1/embedded/sessions?environment=development&customer=acme");
  await page.getByRole("button", { name: "Save and test" }).click();
  await page.getByText("Your session is over.").waitFor();
  assert.deepEqual(opened.complaints, []);
  await opened.close();
});

test("without a link there is nothing, and no page frames the page of a link", async () => {
  const opened = await newPage(world.browser, { locale: "de-AT" });
  await opened.page.goto(`${world.keyfob.url}/embed/`);
  await opened.page.getByText("Hier gibt es nichts.").waitFor();
  assert.equal(await opened.page.locator("html").getAttribute("lang"), "de");
  await opened.close();
  const { headers } = await world.keyfob.request("GET", "/embed/", { key: null });
  assert.match(headers["content-security-policy"], /frame-ancestors 'none'$/);
});
