// Who may frame the picker, who is heard by it, and what keyfob.js tells the page that opens it.
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { after, before, test } from "node:test";
import { startService } from "./counterpart.mjs";
import { leave, newPage, startPicker } from "./picker.mjs";

const PAGE = (_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><html lang=en><title>A page</title>");

let world;
let stranger;
let token;
before(async () => {
  world = await startPicker("good-token-0123456789");
  await world.create(world.shared({ name: "Orders", secrets: { token: "good-token-0123456789" } }));
  stranger = await startService(PAGE);
  const session = await world.keyfob.request("POST", "/v1/embedded/sessions", { body: { environment: "development", customer: "acme" } });
  token = session.json.token;
});
after(async () => {
  await stranger?.stop();
  await world?.stop();
});

// Calls `Keyfob.pick` in a page. Tells what came of it; `act` happens meanwhile.
async function pick(url, options, act = async () => undefined) {
  const opened = await newPage(world.browser);
  try {
    await opened.page.goto(url);
    const outcome = opened.page.evaluate(
      async ([keyfob, { session, sessions, ...given }]) => {
        const { Keyfob, KeyfobError } = await import(`${keyfob}/keyfob.js`);
        globalThis.calls = 0;
        const obtain = async () => {
          globalThis.calls += 1;
          const next = sessions.shift();
          if (!next) throw new RangeError("none left");
          return next;
        };
        const stop = new AbortController();
        globalThis.stop = stop;
        try {
          return { id: await Keyfob.pick({ session: sessions ? obtain : session, signal: stop.signal, ...given }) };
        } catch (error) {
          return { code: error.code, message: error.message, isTyped: error instanceof KeyfobError, cause: error.cause?.name };
        }
      },
      [world.keyfob.url, options],
    );
    await act(opened);
    return { ...(await outcome), complaints: opened.complaints };
  } finally {
    await opened.close();
  }
}

test("a page of an origin that is not registered cannot frame the picker, and hears nothing", async () => {
  const url = `http://localhost:${stranger.port}`;
  for (const origin of [url, world.demo.url]) {
    const opened = await newPage(world.browser);
    await opened.page.goto(url);
    const heard = await opened.page.evaluate(
      async ([keyfob, origin]) => {
        const heard = [];
        addEventListener("message", ({ data }) => heard.push(data));
        const frame = document.createElement("iframe");
        frame.src = `${keyfob}/embed/?origin=${encodeURIComponent(origin)}`;
        document.body.append(frame);
        await new Promise((resolve) => frame.addEventListener("load", resolve));
        frame.contentWindow.postMessage({ type: "keyfob:start", session: "ks_x", theme: {} }, "*", [new MessageChannel().port2]);
        await new Promise((resolve) => setTimeout(resolve, 1000));
        return heard;
      },
      [world.keyfob.url, origin],
    );
    assert.deepEqual(heard, [], origin);
    assert.ok(opened.complaints.some((text) => /frame-ancestors/.test(text)), opened.complaints.join());
    await opened.close();
  }
});

test("a registered page cannot open the picker under another registered origin", async () => {
  const other = await startService(PAGE);
  const origin = `http://localhost:${other.port}`;
  await world.keyfob.request("POST", "/v1/embedded/origins", { body: { origin } });
  const opened = await newPage(world.browser);
  await opened.page.goto(origin);
  const heard = await opened.page.evaluate(
    async ([keyfob, named]) => {
      const heard = [];
      addEventListener("message", ({ data }) => heard.push(data));
      const frame = document.createElement("iframe");
      frame.src = `${keyfob}/embed/?origin=${encodeURIComponent(named)}`;
      document.body.append(frame);
      await new Promise((resolve) => frame.addEventListener("load", resolve));
      await new Promise((resolve) => setTimeout(resolve, 500));
      return heard;
    },
    [world.keyfob.url, world.demo.url],
  );
  assert.deepEqual(heard, []);
  await opened.close();
  await other.stop();
});

test("what is no session is refused before anything is opened: an API key above all", async () => {
  for (const session of [world.keyfob.rootKey, "", null, 1]) {
    const answer = await pick(world.demo.url, { session });
    assert.deepEqual([answer.code, answer.isTyped], ["invalid_option", true]);
    assert.ok(!answer.message.includes(world.keyfob.rootKey));
  }
  assert.equal((await pick(world.demo.url, { session: token, provider: "no provider" })).code, "invalid_option");
});

test("a connection is picked with a session alone; closing gives nothing, and a signal an error", async () => {
  const choose = ({ page }) => leave(page, page.frameLocator("iframe").getByRole("button", { name: /Use Orders/ }));
  const { id, complaints } = await pick(world.demo.url, { session: token }, choose);
  assert.match(id, /^con_/);
  assert.deepEqual(complaints, []);
  const close = ({ page }) => leave(page, page.frameLocator("iframe").getByRole("button", { name: "Close" }));
  assert.equal((await pick(world.demo.url, { session: token }, close)).id, null);
  const abort = async ({ page }) => {
    await page.locator("iframe").waitFor();
    await page.evaluate(() => globalThis.stop.abort());
  };
  assert.deepEqual((await pick(world.demo.url, { session: token }, abort)).code, "aborted");
});

test("a session that is over is asked for again, once, and an end without another is told", async () => {
  const over = `ks_${"0".repeat(43)}000000`;
  const renewed = await pick(world.demo.url, { sessions: [over, token] }, async ({ page }) => {
    await leave(page, page.frameLocator("iframe").getByRole("button", { name: /Use Orders/ }));
    assert.equal(await page.evaluate(() => globalThis.calls), 2);
  });
  assert.match(renewed.id, /^con_/);
  assert.equal((await pick(world.demo.url, { session: over })).code, "session_over");
  const failed = await pick(world.demo.url, { sessions: [] });
  assert.deepEqual([failed.code, failed.cause], ["session_failed", "RangeError"]);
});

test("the looks that a page gives are taken where they are what they should be", async () => {
  const theme = {
    accent: "rgb(1, 2, 3)",
    radius: "2px",
    text: "url(https://evil.example/x)",
    surface: "var(--kf-bad)",
    border: "red; background: blue",
    page: "red",
    "wa-color": "red",
    quiet: "x".repeat(200),
    font: "Georgia, serif",
  };
  await pick(world.demo.url, { session: token, theme, scheme: "dark", lang: "de" }, async ({ page }) => {
    const root = page.frameLocator("iframe").locator("html");
    await page.frameLocator("iframe").getByRole("heading", { name: "Verbindung wählen" }).waitFor();
    const style = await root.getAttribute("style");
    for (const good of ["--kf-accent: rgb(1, 2, 3)", "--kf-radius: 2px", "--kf-font: Georgia, serif"]) assert.ok(style.includes(good), style);
    for (const bad of ["evil", "--kf-bad", "blue", "--kf-page", "wa-color", "xxx"]) assert.ok(!style.includes(bad), style);
    assert.ok(await root.evaluate((element) => element.classList.contains("wa-dark")));
    await leave(page, page.frameLocator("iframe").getByRole("button", { name: "Schließen" }));
  });
});

test("keyfob.js may be loaded by any page, is small, and says what it exports", async () => {
  const script = await world.keyfob.request("GET", "/keyfob.js", { key: null });
  assert.equal(script.headers["access-control-allow-origin"], "*");
  assert.equal(script.headers["cross-origin-resource-policy"], "cross-origin");
  assert.match(script.headers["content-type"], /javascript/);
  assert.ok(gzipSync(script.text).length <= 5_000);
  const { text } = await world.keyfob.request("GET", "/keyfob.d.ts", { key: null });
  assert.match(text, /export declare function pick\(options: PickOptions\): Promise<string \| null>/);
  assert.doesNotMatch(text, /from "\./);
});
