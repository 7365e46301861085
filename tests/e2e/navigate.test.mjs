// Who answers a browser's page request: the Worker what is its own, the assets the rest.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startKeyfob } from "./keyfob.mjs";

let keyfob;
before(async () => {
  keyfob = await startKeyfob();
});
after(() => keyfob?.stop());

const OF_THE_WORKER = {
  "/healthz": 200,
  "/v1/providers": 200,
  "/v1/connections?environment=development": 200,
  "/v1/connections/facets?environment=development": 200,
  "/v1/embedded/connections": 403,
  "/v1/nothing": 404,
  "/v1/": 404,
  "/oauth/x": 404,
  "/embed/x": 404,
};

for (const [path, status] of Object.entries(OF_THE_WORKER)) {
  test(`a browser's navigation to ${path} is answered by the Worker`, async () => {
    const headers = { accept: "text/html", "sec-fetch-mode": "navigate" };
    const navigation = await keyfob.request("GET", path, { headers });
    assert.equal(navigation.status, status);
    assert.ok(navigation.headers["keyfob-request-id"]);
    assert.doesNotMatch(navigation.text, /<html/i);
  });
}

// Pages that the Worker answers itself: who may frame them, and what a consent came to, is not known to a file.
for (const [path, status] of Object.entries({ "/embed/": 200, "/embed/?origin=https://app.example.com": 200, "/oauth/callback": 410 })) {
  test(`a browser's navigation to ${path} gets a page of the Worker`, async () => {
    const headers = { accept: "text/html", "sec-fetch-mode": "navigate" };
    const page = await keyfob.request("GET", path, { key: null, headers });
    assert.equal(page.status, status);
    assert.ok(page.headers["keyfob-request-id"]);
    assert.match(page.headers["content-type"], /^text\/html/);
    assert.match(page.headers["content-security-policy"], /default-src 'none'.*frame-ancestors 'none'/);
  });
}

test("what is shown of a provider comes whole through the API, and as static files that any page may load", async () => {
  const { json: listed } = await keyfob.request("GET", "/v1/providers");
  assert.ok(listed.data.length > 2);
  for (const { key, icon_url: icon } of listed.data) {
    const shown = await keyfob.request("GET", `/v1/providers/${key}`);
    assert.ok(shown.json.connection_types.every((of) => of.guide.steps.length && of.fields.every((field) => field.help)));
    const file = await keyfob.request("GET", `/providers/${key}.json`, { key: null });
    assert.deepEqual(file.json, shown.json);
    const image = await keyfob.request("GET", icon, { key: null });
    assert.match(image.headers["content-type"], /^image\/svg\+xml/);
    for (const { headers } of [file, image]) {
      assert.equal(headers["access-control-allow-origin"], "*");
      assert.equal(headers["cross-origin-resource-policy"], "cross-origin");
      assert.match(headers["content-security-policy"], /default-src 'none'/);
    }
  }
});

test("the API document and its reference page are assets, under a policy without inline scripts", async () => {
  const headers = { accept: "text/html", "sec-fetch-mode": "navigate" };
  const document = await keyfob.request("GET", "/openapi.json", { key: null, headers });
  assert.equal(document.status, 200);
  assert.equal(document.json.openapi.slice(0, 4), "3.1.");
  const page = await keyfob.request("GET", "/docs/", { key: null, headers });
  assert.equal(page.status, 200);
  assert.match(page.text, /<html/i);
  assert.match(page.headers["content-security-policy"], /script-src 'self';/);
  for (const answer of [document, page]) assert.equal(answer.headers["keyfob-request-id"], undefined);
});
