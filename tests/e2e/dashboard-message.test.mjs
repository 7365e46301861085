// Connections that deliver messages, in a browser: nobody sees a message before somebody wanted it, and then one.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSlackWebhooks } from "./counterpart.mjs";
import { startKeyfob } from "./keyfob.mjs";
import { startPages } from "./pages.mjs";

const PATH = "/services/T0AAAAAAA/B0AAAAAAA/abcdefghijklmnopqrstuvwx";

let slack;
let keyfob;
let pages;
before(async () => {
  slack = await startSlackWebhooks(PATH);
  keyfob = await startKeyfob({ hosts: { "hooks.slack.com": slack.origin } });
  pages = await startPages(keyfob);
});
after(async () => {
  await pages?.close();
  await keyfob?.stop();
  await slack?.stop();
});

test("a webhook is tested and saved without a message, and sends one after a warning", async () => {
  const page = await pages.open("#/development/new/slack?type=incoming_webhook");
  await page.locator("#about-name").fill("Alerts");
  await page.locator("#field-webhook_url").fill(`https://hooks.slack.com${PATH}`);
  await page.getByRole("button", { name: "Test", exact: true }).click();
  await page.locator('.note[data-verdict="valid"]').waitFor();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("It works: workflows can use it now.").waitFor();
  await page.getByRole("button", { name: "Send a test message" }).click();
  await page.getByText("Everybody in the channel sees one fixed message").waitFor();
  await pages.clean(page);
  await page.getByRole("button", { name: "Do not send" }).click();
  await page.getByRole("button", { name: "Send a test message" }).click();
  assert.deepEqual(slack.messages, []);
  await page.getByRole("button", { name: "Send it" }).click();
  await page.getByText("The message was accepted. Look whether it arrived.").waitFor();
  assert.deepEqual(slack.messages, ["Test message from Keyfob: this connection delivers. Nothing needs to be done."]);
  assert.deepEqual(slack.unforeseen, []);
});

test("a webhook that is not there says so before it is saved, and a message is not accepted", async () => {
  const page = await pages.open("#/development/new/slack?type=incoming_webhook");
  await page.locator("#about-name").fill("Gone");
  await page.locator("#field-webhook_url").fill("https://hooks.slack.com/services/T0AAAAAAA/B0BBBBBBB/abcdefghijklmnopqrstuvwx");
  await page.getByRole("button", { name: "Test", exact: true }).click();
  await page.locator('.note[data-verdict="invalid"]').waitFor();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("button", { name: "Send a test message" }).click();
  await page.getByRole("button", { name: "Send it" }).click();
  await page.getByText("The message was not accepted.").waitFor();
  assert.equal(slack.messages.length, 1);
});
