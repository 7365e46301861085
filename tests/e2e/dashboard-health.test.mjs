// The health page in a browser: how many are how, what is broken and since when, and where its numbers lead.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { seed } from "../seed.mjs";
import { bearer, GENEROUS } from "./bodies.mjs";
import { startApi } from "./counterpart.mjs";
import { startKeyfob } from "./keyfob.mjs";
import { eventually, overflow, startPages } from "./pages.mjs";

const HOUR = 60 * 60 * 1000;

let keyfob;
let pages;
let api;
let orders;
before(async () => {
  api = await startApi("good");
  keyfob = await startKeyfob({ vars: { RATE_LIMITS: GENEROUS } });
  pages = await startPages(keyfob);
  const body = bearer({ base_url: api.origin, token: "good", name: "Orders", settings: { test_path: "/me" } });
  const { status, json, text } = await keyfob.request("POST", "/v1/connections", { body });
  assert.equal(status, 201, text);
  orders = json;
});
after(async () => {
  await pages?.close();
  await keyfob?.stop();
  await api?.stop();
});

const probe = () => keyfob.request("POST", `/v1/connections/${orders.id}/tests`, { body: {} });
const broken = (page) => page.getByRole("region", { name: "Broken" });

// Puts what the last tests found some hours back: the newest one hour, each before it one hour more.
async function age() {
  const database = await keyfob.database();
  const { results } = await database.prepare("select id from tests where connection_id = ?1 order by at desc, id desc").bind(orders.id).all();
  const now = Date.now();
  for (const [index, { id }] of results.entries()) await database.prepare("update tests set at = ?2 where id = ?1").bind(id, now - (index + 1) * HOUR).run();
}

test("where nothing is broken, due or unused it says so", async () => {
  const page = await pages.open("#/development/health");
  for (const said of ["Nothing is broken.", "Nothing is due.", "Everything is in use, or new."]) await page.getByText(said).waitFor();
  assert.equal(await page.getByRole("link", { name: /Works$/ }).innerText().then((text) => text.replace(/\s+/g, " ")), "1 Works");
  await pages.clean(page);
});

test("what broke is broken since the first of its failures in a row, and its chart shows how it was before", async () => {
  for (const works of [true, false, true, false, false, false]) {
    if (works) api.accepts.add("good");
    else api.accepts.delete("good");
    assert.equal((await probe()).status, 201);
  }
  await age();
  const page = await pages.open("#/development/health");
  await broken(page).getByText("Broken since 3 hours ago").waitFor();
  await broken(page).getByRole("link", { name: "Orders" }).waitFor();
  // The one of the creation is the first.
  await broken(page).getByRole("img", { name: "3 of the last 7 tests found that it works" }).waitFor();
  assert.deepEqual(await broken(page).locator("rect").evaluateAll((bars) => bars.map((bar) => bar.getAttribute("class"))), ["good", "good", "bad", "good", "bad", "bad", "bad"]);
  await pages.clean(page);
});

test("where all of the last tests failed, it is not said that it worked before them", async () => {
  for (let failures = 3; failures < 20; failures++) assert.equal((await probe()).status, 201);
  await age();
  const page = await pages.open("#/development/health", { width: 360, dark: true });
  await broken(page).getByText("Broken at least since 20 hours ago").waitFor();
  await pages.clean(page);
  assert.ok((await overflow(page)) <= 0);
});

test("each number leads to the connections that it counts, and of many that are broken to all of them", async () => {
  await seed(await keyfob.database(), { to: 200 });
  for (const [name, verdict, count] of [["Works", "valid", 120], ["Works in part", "limited", 10], ["Does not work", "invalid", 31], ["Not known", "unknown", 40]]) {
    const page = await pages.open("#/development/health");
    const number = page.locator("a.number").filter({ has: page.getByText(name, { exact: true }) });
    await eventually(() => number.locator("strong").innerText(), String(count));
    await number.click();
    await eventually(() => new URL(page.url()).hash, `#/development/connections?verdict=${verdict}`);
    await eventually(() => counted(page), count);
    await page.context().close();
  }
  const page = await pages.open("#/development/health");
  await eventually(() => broken(page).locator("li").count(), 20);
  await broken(page).getByRole("link", { name: "Show all" }).click();
  await eventually(() => new URL(page.url()).hash, "#/development/connections?verdict=invalid&enabled=true");
  await eventually(() => counted(page), 31);
});

// How many connections the groups of the list tell together.
async function counted(page) {
  const texts = await page.locator("kf-group .group-toggle").allInnerTexts();
  return texts.reduce((sum, text) => sum + Number(/(\d+) connections?$/.exec(text)?.[1]), 0);
}
