// A workflow of five steps, from the designer to the day on which a customer leaves: built in development with test credentials,
// exported to staging and production, run for two customers, one of whom rotates; the organization gives all steps of a
// connection another one; one customer is deleted. Against a live service, in real workerd.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bearer, GENEROUS, ifMatch } from "./bodies.mjs";
import { startApi } from "./counterpart.mjs";
import { startKeyfob } from "./keyfob.mjs";

const TOKENS = Object.fromEntries(
  ["designer", "acme", "acme-rotated", "globex", "billing", "billing-next"].map((whose) => [whose, `token-of-${whose}-0123456789`]),
);
const STEPS = ["fetch", "enrich", "score", "bill", "notify"];
// Steps of the customer's CRM, and of the organization's own billing.
const CRM = STEPS.slice(0, 3);
const BILLING = STEPS.slice(3);

let keyfob;
let api;
before(async () => {
  api = await startApi(...Object.values(TOKENS));
  keyfob = await startKeyfob({ vars: { RATE_LIMITS: GENEROUS } });
});
after(async () => {
  await keyfob?.stop();
  await api?.stop();
});

async function ask(expected, method, path, options) {
  const answer = await keyfob.request(method, path, options);
  assert.equal(answer.status, expected, `${method} ${path}: ${answer.text}`);
  return answer.json;
}

const byName = async (environment, name) => {
  const { data } = await ask(200, "GET", `/v1/connections?environment=${environment}`);
  return data.find((connection) => connection.name === name);
};

const resolve = (status, environment, step, query = "") =>
  ask(status, "GET", `/v1/credentials?environment=${environment}&workflow=orders&step=${step}${query}`);

// What the engine does with what it is told: the service says whether the credential is good.
async function call({ request }) {
  const answer = await fetch(`${request.base_url.replace(/\/$/, "")}/me`, { headers: request.headers });
  await answer.body.cancel();
  return answer.status;
}

async function register(environment) {
  const [crm, billing] = [await byName(environment, "CRM"), await byName(environment, "Billing")];
  for (const step of STEPS) {
    const { id } = CRM.includes(step) ? crm : billing;
    await ask(201, "PUT", `/v1/connections/${id}/usages/orders/${step}`);
  }
  return { crm, billing };
}

test("a workflow is built, moved, run for two customers, mended, and left by one of them", async (t) => {
  const { token: designer } = await ask(201, "POST", "/v1/embedded/sessions", { body: { environment: "development" } });

  await t.test("built in development: a template with test credentials, and a connection of the organization", async () => {
    const settings = { base_url: api.origin, test_path: "/me" };
    const definition = { ...bearer({ name: "CRM", kind: "template", settings, embedded: true }), secrets: {} };
    const crm = await ask(201, "POST", "/v1/connections", { body: { ...definition, settings } });
    const body = { name: "Billing", provider: "http", connection_type: "bearer", settings, secrets: { token: TOKENS.billing } };
    const billing = await ask(201, "POST", "/v1/embedded/connections", { key: designer, body });
    assert.equal(billing.status, "active");
    await register("development");
    const refused = await resolve(409, "development", "fetch", "&purpose=test");
    assert.equal(refused.code, "test_credentials_missing");
    const path = `/v1/embedded/connections/${crm.id}/test-credentials`;
    const change = { key: designer, body: { secrets: { token: TOKENS.designer } }, headers: ifMatch(1) };
    assert.equal((await ask(200, "PATCH", path, change)).status, "active");
    for (const step of STEPS) assert.equal(await call(await resolve(200, "development", step, "&purpose=test")), 200, step);
    const { code } = await resolve(404, "development", "fetch", "&customer=acme");
    assert.equal(code, "customer_not_connected", "test credentials are of no customer");
  });

  await t.test("moved: definitions without secrets, found again by their stable keys", async () => {
    const document = await ask(200, "GET", "/v1/export?environment=development");
    for (const token of Object.values(TOKENS)) assert.ok(!JSON.stringify(document).includes(token));
    for (const environment of ["staging", "production"]) {
      const path = `/v1/import?environment=${environment}&dry_run=`;
      const plan = await ask(200, "POST", `${path}true`, { body: document });
      assert.deepEqual(plan.counts, { create: 2, change: 0, unchanged: 0, conflict: 0, needs_secrets: 1 });
      await ask(200, "POST", `${path}false`, { body: document });
      assert.equal((await ask(200, "POST", `${path}false`, { body: document })).counts.unchanged, 2);
      const { billing } = await register(environment);
      assert.equal(billing.health.reason, "missing");
      const change = { body: { secrets: { token: TOKENS.billing } }, headers: ifMatch(1) };
      assert.equal((await ask(200, "PATCH", `/v1/connections/${billing.id}`, change)).status, "active");
    }
  });

  let acme;
  await t.test("connected: one customer in the product, the other by a link, each with a token of their own", async () => {
    const crm = await byName("production", "CRM");
    const session = await ask(201, "POST", "/v1/embedded/sessions", { body: { environment: "production", customer: "acme" } });
    const draft = { template: crm.id, secrets: { token: TOKENS.acme } };
    assert.equal((await ask(200, "POST", "/v1/embedded/tests", { key: session.token, body: draft })).verdict, "valid");
    acme = { session: session.token, ...(await ask(201, "POST", "/v1/embedded/connections", { key: session.token, body: draft })) };

    const link = await ask(201, "POST", "/v1/connect-links", { body: { environment: "production", customer: "globex", template: crm.id } });
    const { origin, pathname, hash } = new URL(link.url);
    assert.deepEqual([origin, pathname], [keyfob.url, "/embed/"]);
    const redeem = { key: null, body: { token: hash.slice(1) }, headers: { origin } };
    const path = "/v1/embedded/connect-links/redemptions";
    const redeemed = await ask(201, "POST", path, redeem);
    assert.deepEqual([redeemed.customer, redeemed.templates], ["globex", [crm.id]]);
    await ask(401, "POST", path, redeem);
    const body = { template: crm.id, secrets: { token: TOKENS.globex } };
    await ask(201, "POST", "/v1/embedded/connections", { key: redeemed.token, body });
    assert.ok(!keyfob.logs.join("\n").includes(hash.slice(1)), "no log has the token of a link");
  });

  await t.test("run: each customer's steps with their own, the others with the organization's", async () => {
    for (const customer of ["acme", "globex"]) {
      for (const step of STEPS) {
        const told = await resolve(200, "production", step, `&customer=${customer}`);
        assert.equal(told.secrets.token, TOKENS[CRM.includes(step) ? customer : "billing"], `${customer} ${step}`);
        assert.equal(await call(told), 200);
      }
    }
  });

  await t.test("rotated: by the customer, effective at the next run, of nobody else", async () => {
    api.accepts.delete(TOKENS.acme);
    const change = { key: acme.session, body: { secrets: { token: TOKENS["acme-rotated"] } }, headers: ifMatch(1) };
    assert.equal((await ask(200, "PATCH", `/v1/embedded/connections/${acme.id}`, change)).status, "active");
    for (const customer of ["acme", "globex"]) {
      for (const step of CRM) assert.equal(await call(await resolve(200, "production", step, `&customer=${customer}`)), 200);
    }
  });

  await t.test("replaced: all steps of a connection come to use another one, in one call", async () => {
    const old = await byName("production", "Billing");
    const body = bearer({ environment: "production", name: "Billing, next", base_url: api.origin, token: TOKENS["billing-next"] });
    const next = await ask(201, "POST", "/v1/connections", { body: { ...body, settings: { ...body.settings, test_path: "/me" } } });
    const inUse = await ask(409, "DELETE", `/v1/connections/${old.id}`, { headers: ifMatch(2) });
    assert.deepEqual(inUse.usages.map(({ step }) => step), [...BILLING].sort());
    const moved = await ask(200, "POST", `/v1/connections/${old.id}/replace`, { body: { replacement: next.id } });
    assert.equal(moved.moved, 2);
    for (const step of BILLING) {
      const told = await resolve(200, "production", step, "&customer=acme");
      assert.deepEqual([told.connection_id, told.secrets.token], [next.id, TOKENS["billing-next"]]);
    }
    await ask(204, "DELETE", `/v1/connections/${old.id}`, { headers: ifMatch(2) });
  });

  await t.test("left: the customer's credentials cannot be read and their sessions are over, at once; the other runs on", async () => {
    await ask(204, "DELETE", "/v1/customers/acme?environment=production");
    await ask(404, "GET", `/v1/connections/${acme.id}/credentials`);
    await ask(404, "POST", `/v1/connections/${acme.id}/reveal`, { body: { fields: ["token"], reason: "Is it gone?" } });
    await ask(401, "GET", "/v1/embedded/connections", { key: acme.session });
    assert.equal((await resolve(404, "production", "fetch", "&customer=acme")).code, "customer_not_connected");
    const database = await keyfob.database();
    const left = await database.prepare("select count(*) as n from vault_entries where owner_id = ?").bind(acme.id).first();
    assert.equal(left.n, 0);
    for (const step of STEPS) assert.equal(await call(await resolve(200, "production", step, "&customer=globex")), 200, step);
  });

  await t.test("told: what anybody did stands in the log, and the log is whole", async () => {
    const { data } = await ask(200, "GET", "/v1/audit-events?environment=production&limit=100");
    const actions = new Set(data.map(({ action }) => action));
    for (const action of ["definitions.imported", "connect_link.created", "embedded_session.created", "usage.replaced", "customer.deleted"]) {
      assert.ok(actions.has(action), action);
    }
    assert.equal((await ask(200, "GET", "/v1/audit-events/verification")).broken, null);
  });

  assert.deepEqual(api.unforeseen, []);
});
