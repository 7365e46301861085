// The picker as people meet it: with a keyboard alone, on a telephone, in the dark and in German. Screenshots go to the
// folder SHOTS, where it is set.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { faults, frameOf, newPage, openPicker, startPicker } from "./picker.mjs";

const GOOD = "good-token-0123456789";
const WRONG = "wrong-token-0123456789";

let world;
before(async () => {
  world = await startPicker(GOOD);
  await world.create(world.shared({ name: "Order archive", secrets: { token: GOOD } }));
  await world.create(world.shared({ name: "Nightly export", embedded: false, secrets: { token: GOOD } }));
  await world.create(world.shared({ name: "Warehouse", secrets: { token: WRONG } }));
  await world.create(world.shared({ name: "CRM", kind: "template", secrets: {} }));
});
after(() => world?.stop());

let opened;
afterEach(async () => {
  await opened?.close();
  assert.deepEqual(opened?.complaints ?? [], []);
});

async function visit(options) {
  opened = await newPage(world.browser, options);
  await opened.page.goto(world.demo.url);
  return opened.page;
}

async function shoot(page, name) {
  if (process.env.SHOTS) await page.screenshot({ path: join(process.env.SHOTS, `${name}.png`) });
}

// Whether anything is cut off or has to be scrolled to at the side.
const isTooWide = (frame) => frame.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);

for (const [name, options] of Object.entries({
  light: {},
  dark: { colorScheme: "dark" },
  narrow: { viewport: { width: 360, height: 640 } },
  german: { locale: "de-DE" },
})) {
  test(`every screen is whole and has no fault: ${name}`, async () => {
    await world.keyfob.request("DELETE", "/v1/customers/acme?environment=development");
    const page = await visit(options);
    // The page of the product is English; its visitor's browser decides nothing then.
    if (name === "german") await page.evaluate(() => (document.documentElement.lang = "de"));
    const t = name === "german" ? GERMAN : ENGLISH;
    assert.deepEqual(await faults(page.mainFrame()), []);
    const frame = await openPicker(page);
    const looksGood = async (screen) => {
      const inner = await frameOf(page);
      await shoot(page, `${name}-${screen}`);
      assert.deepEqual(await faults(inner), [], screen);
      assert.equal(await isTooWide(inner), false, screen);
    };
    await frame.getByRole("button", { name: t.connect }).waitFor();
    await looksGood("list");
    await frame.getByRole("button", { name: t.others }).click();
    await frame.getByRole("button", { name: /Bearer/ }).waitFor();
    await looksGood("types");
    await frame.getByRole("button", { name: /Bearer/ }).click();
    await frame.getByRole("textbox", { name: /^Base URL/ }).waitFor();
    await frame.getByText(t.guide).click();
    await looksGood("form");
    await frame.getByRole("button", { name: t.save }).click();
    await frame.getByRole("alert").getByText(t.again).waitFor();
    await looksGood("form-faults");
    await frame.getByRole("button", { name: t.back }).click();
    await frame.getByRole("button", { name: t.connect }).click();
    await frame.getByRole("textbox", { name: /^Token/ }).fill(WRONG);
    await frame.getByRole("button", { name: t.save }).click();
    await frame.getByText(t.stillWrong).waitFor();
    await looksGood("not-connected");
    await frame.getByRole("button", { name: new RegExp(`^${t.replace}`) }).click();
    await frame.getByRole("textbox", { name: /^Token/ }).fill(GOOD);
    await frame.getByRole("button", { name: t.save }).click();
    await frame.getByText(t.works).waitFor();
    await looksGood("connected");
    await frame.getByRole("button", { name: t.disconnect }).click();
    await looksGood("disconnect");
    await frame.getByRole("button", { name: t.back }).click();
    await frame.getByRole("button", { name: t.back }).click();
    await frame.getByRole("button", { name: t.manage }).waitFor();
    await looksGood("own-list");
  });
}

const ENGLISH = {
  connect: /^Connect CRM/, others: "Connect something else", guide: "How to get these values", save: "Save and test", back: "Back",
  again: "Some entries need another look.", stillWrong: "It is saved, but it does not work yet.", replace: "Replace", works: "It works.",
  disconnect: "Disconnect", manage: "Manage CRM",
};
const GERMAN = {
  connect: /^Verbinden: CRM/, others: "Etwas anderes verbinden", guide: "So bekommen Sie diese Werte", save: "Speichern und testen", back: "Zurück",
  again: "Einige Angaben müssen noch einmal geprüft werden.", stillWrong: "Gespeichert, aber es funktioniert noch nicht.", replace: "Ersetzen",
  works: "Es funktioniert.", disconnect: "Trennen", manage: "CRM verwalten",
};

test("an account is connected and used with the keyboard alone", async () => {
  await world.keyfob.request("DELETE", "/v1/customers/acme?environment=development");
  const page = await visit();
  await page.getByRole("button", { name: /connection: Read/ }).focus();
  await page.keyboard.press("Enter");
  const frame = page.frameLocator("iframe");
  await frame.getByRole("button", { name: /^Connect CRM/ }).waitFor();
  const tabTo = async (locator) => {
    for (let presses = 0; presses < 40; presses++) {
      await page.keyboard.press("Tab");
      if (await locator.evaluate((element) => element === document.activeElement)) return;
    }
    assert.fail(`Tab does not reach ${locator}`);
  };
  await tabTo(frame.getByRole("button", { name: /^Connect CRM/ }));
  await page.keyboard.press("Enter");
  const token = frame.getByRole("textbox", { name: /^Token/ });
  await token.waitFor();
  assert.ok(await frame.getByRole("heading", { level: 1 }).evaluate((element) => element === document.activeElement));
  await tabTo(token);
  await page.keyboard.type(GOOD);
  await page.keyboard.press("Enter");
  await frame.getByText("It works.").waitFor();
  await tabTo(frame.getByRole("button", { name: "Use this connection" }));
  await page.keyboard.press("Enter");
  await page.getByText("CRM (http)").waitFor();
  // Whoever opened it goes on from where they were: the card was drawn anew, its dialog is gone.
  assert.equal(await page.locator("iframe").count(), 0);
});
