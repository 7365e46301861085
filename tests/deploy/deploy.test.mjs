// `make deploy`, against a wrangler that only plays one (bin/wrangler) and a Keyfob that only answers: what is created, in
// which order, what a second run does, and what is refused before anything happens.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { parse } from "smol-toml";
import { read } from "../../scripts/deploy/config.mjs";
import { addressIn } from "../../scripts/deploy/smoke.mjs";
import { faultOfMasterKeys, newApiKey, newMasterKeys } from "../../scripts/keys.mjs";

const SCRIPT = resolve("scripts/deploy.mjs");
const BIN = resolve("tests/deploy/bin");

let folder;
let keyfob;
before(async () => {
  keyfob = await startAnswers();
});
after(() => keyfob.stop());
beforeEach(async (t) => {
  folder = await mkdtemp(join(tmpdir(), "keyfob-deploy-"));
  await copyFile("wrangler.toml", join(folder, "wrangler.toml"));
  await setAccount({});
  Object.assign(keyfob, { problem: null, deployment: "staging", authorizations: [] });
  t.after?.(() => rm(folder, { recursive: true, force: true }));
});

const account = async () => JSON.parse(await readFile(join(folder, "account.json"), "utf8"));
const setAccount = (changes) =>
  writeFile(join(folder, "account.json"), JSON.stringify({ databases: [], namespaces: [], workers: {}, keyIds: [], fails: [], migrated: 0, calls: [], ...changes }));
const change = async (changes) => setAccount({ ...(await account()), ...changes });
const calls = async () => (await account()).calls.map(({ args }) => args.filter((arg) => !/^(--(config|env)|wrangler\.\w+\.toml|staging|production)$/.test(arg)).join(" "));

function deploy(args, env = {}) {
  const child = spawn(process.execPath, [SCRIPT, ...args], {
    cwd: folder,
    env: {
      ...process.env, MASTER_KEYS: "", ROOT_API_KEY: "", SHOW_SECRETS: "1", PATH: `${BIN}${delimiter}${process.env.PATH}`, ACCOUNT: join(folder, "account.json"),
      KEYFOB_URL: keyfob.url, KEYFOB_PATIENCE_MS: "0", ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) child[name].setEncoding("utf8").on("data", (text) => (output[name] += text));
  return new Promise((done) => child.on("close", (code) => done({ code, ...output })));
}

// A Keyfob that answers as a healthy one does: whichever key it is asked with was stored in the account.
async function startAnswers() {
  const state = {};
  const server = createServer(async (request, response) => {
    if (request.headers.authorization) state.authorizations.push(request.headers.authorization);
    if (request.url === "/healthz") return response.end(`ok ${state.deployment}\n`);
    const roots = Object.values((await account()).workers).map(({ secrets }) => `Bearer ${secrets.ROOT_API_KEY}`);
    if (!roots.includes(request.headers.authorization)) return response.writeHead(401).end();
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ data: [{ id: 1, state: "primary" }], problem: state.problem }));
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return Object.assign(state, { url: `http://127.0.0.1:${server.address().port}`, stop: () => server.close() });
}

const FRESH = [
  "d1 list --json", "d1 create keyfob-staging", "d1 list --json",
  "kv namespace list", "kv namespace create keyfob-staging", "kv namespace list",
  "secret list --format json", "d1 migrations apply DATABASE --remote", "secret bulk", "deploy",
];

test("without a known environment nothing happens", async () => {
  for (const args of [[], [""], ["development"], ["prod"]]) {
    const { code, stderr } = await deploy(args);
    assert.equal(code, 2);
    assert.match(stderr, /make deploy ENV=staging\|production/);
  }
  assert.deepEqual(await calls(), []);
});

test("production with the private network allowed is refused before anything happens", async () => {
  const toml = await readFile(join(folder, "wrangler.toml"), "utf8");
  const allowed = toml.replace('KEYFOB_DEPLOYMENT = "production"\n', 'KEYFOB_DEPLOYMENT = "production"\nALLOW_PRIVATE_NETWORK = "true"\n');
  assert.notEqual(allowed, toml);
  await writeFile(join(folder, "wrangler.toml"), allowed);
  const { code, stderr } = await deploy(["production"]);
  assert.equal(code, 2);
  assert.match(stderr, /ALLOW_PRIVATE_NETWORK/);
  assert.deepEqual(await calls(), []);
});

test("an address without TLS is refused before anything happens, loopback apart", async () => {
  for (const KEYFOB_URL of ["http://keyfob.example.com", "ftp://127.0.0.1", "keyfob.example.com", "http://localhost.example.com", "http://127.0.0.1.example.com"]) {
    const { code, stderr } = await deploy(["staging"], { KEYFOB_URL });
    assert.equal(code, 2, KEYFOB_URL);
    assert.match(stderr, /KEYFOB_URL must be an https address/);
  }
  assert.deepEqual(await calls(), []);
});

test("another environment gets no key", async () => {
  for (const deployment of ["production", ""]) {
    keyfob.deployment = deployment;
    const { code, stderr } = await deploy(["staging"], { ROOT_API_KEY: newApiKey() });
    assert.equal(code, 1);
    assert.match(stderr, /does not say that this is staging/);
  }
  assert.deepEqual(keyfob.authorizations, []);
});

test("secrets that the Worker could not use are refused before anything happens, and not shown", async () => {
  const [key, ring] = [newApiKey(), JSON.parse(newMasterKeys())];
  const other = key.at(-1) === "0" ? "1" : "0";
  for (const ROOT_API_KEY of ["kf_x", key.slice(0, -1), `${key.slice(0, -1)}${other}`, ` ${key}`, key.replace("kf_", "ks_")]) {
    const { code, stdout, stderr } = await deploy(["staging"], { ROOT_API_KEY });
    assert.equal(code, 2, ROOT_API_KEY);
    assert.match(stderr, /The variable ROOT_API_KEY cannot be used/);
    assert.ok(!`${stdout}${stderr}`.includes(ROOT_API_KEY.slice(3, 40)) || ROOT_API_KEY === "kf_x");
  }
  const { code, stderr } = await deploy(["staging"], { MASTER_KEYS: JSON.stringify({ ...ring, primary: 2 }) });
  assert.equal(code, 2);
  assert.match(stderr, /The variable MASTER_KEYS cannot be used. Its primary key, 2/);
  assert.deepEqual(await calls(), []);
});

test("a ring is what the Worker takes for one", () => {
  const [one, two] = [7, 8].map((byte) => Buffer.alloc(32, byte).toString("base64"));
  for (const ring of [
    "", "null", "[]", "{}", "7", '{"primary":1}', '{"primary":1,"keys":{}}', '{"primary":1,"keys":[]}', `{"primary":"1","keys":{"1":"${one}"}}`,
    `{"primary":2,"keys":{"1":"${one}"}}`, `{"primary":1,"keys":{"1":"${one}","2":"${one}"}}`, `{"primary":1,"keys":{"1":"${one}","x":"${two}"}}`,
    `{"primary":1,"keys":{"1":"${one}","01":"${two}"}}`, `{"primary":1,"keys":{"1":"${one.slice(4)}"}}`, `{"primary":1,"keys":{"1":"${one.replace("=", "")}"}}`,
    `{"primary":1,"keys":{"1":7}}`, `{"primary":1,"keys":{"1":"${one}"},"more":1}`, `{"primary":0,"keys":{"0":"${one}"}}`,
  ]) assert.ok(faultOfMasterKeys(ring), ring);
  assert.equal(faultOfMasterKeys(`{"primary":2,"keys":{"1":"${one}","2":"${two}"}}`), undefined);
});

test("where the output is no terminal nothing is made that would be shown, unless it is asked for", async () => {
  for (const given of [{}, { MASTER_KEYS: newMasterKeys() }, { SHOW_SECRETS: "0" }]) {
    const { code, stderr } = await deploy(["staging"], { SHOW_SECRETS: "", ...given });
    assert.equal(code, 2);
    assert.match(stderr, given.MASTER_KEYS ? /^\s*ROOT_API_KEY would be made/ : /MASTER_KEYS and ROOT_API_KEY would be made/);
  }
  assert.deepEqual([(await account()).workers, (await account()).migrated], [{}, 0]);
  const given = { SHOW_SECRETS: "", MASTER_KEYS: newMasterKeys(), ROOT_API_KEY: newApiKey() };
  assert.equal((await deploy(["staging"], given)).code, 0);
});

test("wrangler, and the build that it starts, see no secret", async () => {
  const given = { MASTER_KEYS: newMasterKeys(), ROOT_API_KEY: newApiKey() };
  const { code, stderr } = await deploy(["staging"], { ...given, MAKEFLAGS: ` -- ROOT_API_KEY=${given.ROOT_API_KEY}` });
  assert.equal(code, 0, stderr);
  const { calls: made } = await account();
  for (const secret of Object.values(given)) {
    assert.ok(made.every(({ env }) => !JSON.stringify(env).includes(JSON.stringify(secret).slice(1, -1))), "it is in no environment");
  }
  assert.ok(made.every(({ env }) => env.PATH));
});

test("what the documentation says of Access goes into wrangler.toml as it stands", async () => {
  const [, snippet] = /```toml\n(ACCESS_TEAM_DOMAIN[^`]*)```/.exec(await readFile(resolve("docs/operations.md"), "utf8"));
  const file = join(folder, "wrangler.toml");
  const toml = await readFile(file, "utf8");
  const line = 'KEYFOB_DEPLOYMENT = "production"\n';
  assert.equal(toml.split(line).length, 2);
  await writeFile(file, toml.replace(line, `${line}${snippet}`));
  assert.equal(read(file, "production").workerName, "keyfob-production");
  const { vars } = parse(await readFile(file, "utf8")).env.production;
  assert.deepEqual(Object.keys(vars), ["KEYFOB_DEPLOYMENT", "ACCESS_TEAM_DOMAIN", "ACCESS_AUDIENCE", "ACCESS_ROLES"]);
  assert.equal(JSON.parse(vars.ACCESS_ROLES).length, 3);
});

test("production with the private network allowed by a secret is refused before it is migrated", async () => {
  await setAccount({ workers: { "keyfob-production": { secrets: { ALLOW_PRIVATE_NETWORK: "true" } } } });
  const { code, stderr } = await deploy(["production"]);
  assert.equal(code, 2);
  assert.match(stderr, /ALLOW_PRIVATE_NETWORK/);
  assert.equal((await account()).migrated, 0);
});

test("into an empty account everything is created, once, and the secrets are shown once", async () => {
  const toml = await readFile(join(folder, "wrangler.toml"), "utf8");
  const { code, stdout, stderr } = await deploy(["staging"]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(await calls(), FRESH);
  const { workers, databases, namespaces, configs, calls: made } = await account();
  const { secrets } = workers["keyfob-staging"];
  assert.match(secrets.ROOT_API_KEY, /^kf_[0-9A-Za-z]{49}$/);
  assert.equal(Buffer.from(JSON.parse(secrets.MASTER_KEYS).keys[1], "base64").length, 32);
  for (const secret of Object.values(secrets)) {
    assert.equal(stdout.split(secret).length, 2, "it is shown once");
    assert.ok(made.every(({ args }) => !args.join(" ").includes(secret)), "it is no argument");
  }
  assert.match(stdout, /finds the master keys in order/);
  // The ids stand in a file of their own; what is committed stays as it is.
  assert.equal(await readFile(join(folder, "wrangler.toml"), "utf8"), toml);
  assert.ok(configs[0].includes(`database_id = "${databases[0].uuid}"`) && configs[0].includes(`id = "${namespaces[0].id}"`));
  assert.ok(configs[0].includes('"00000000-0000-0000-0000-000000000002"'), "the other environment is left alone");
});

test("a second run creates nothing, replaces no secret, and deploys", async () => {
  await deploy(["staging"]);
  const first = await account();
  const { code, stdout, stderr } = await deploy(["staging"], { ROOT_API_KEY: first.workers["keyfob-staging"].secrets.ROOT_API_KEY });
  assert.equal(code, 0, stderr);
  const made = (await calls()).slice(first.calls.length);
  assert.deepEqual(made, ["d1 list --json", "kv namespace list", "secret list --format json", "d1 migrations apply DATABASE --remote", "deploy"]);
  const second = await account();
  assert.deepEqual(second.workers["keyfob-staging"].secrets, first.workers["keyfob-staging"].secrets);
  assert.equal(second.workers["keyfob-staging"].deployed, 2);
  assert.deepEqual([second.databases, second.namespaces], [first.databases, first.namespaces]);
  assert.match(stdout, /MASTER_KEYS is there: left as it is/);
  assert.match(stdout, /finds the master keys in order/);
});

test("without the root key at hand, a second run says what it did not ask", async () => {
  await deploy(["staging"]);
  const { code, stdout } = await deploy(["staging"]);
  assert.equal(code, 0);
  assert.match(stdout, /nothing was asked that needs a key/);
});

for (const step of ["d1 list", "d1 create", "kv namespace list", "kv namespace create", "secret list", "d1 migrations", "secret bulk", "deploy"]) {
  test(`when "${step}" fails, it says so, and the next run finishes with one of everything`, async () => {
    await setAccount({ fails: [step] });
    const failed = await deploy(["staging"]);
    assert.equal(failed.code, 1);
    assert.match(failed.stderr, new RegExp(`wrangler ${step}.* failed`));
    const { secrets = {} } = (await account()).workers["keyfob-staging"] ?? {};
    const { code, stderr } = await deploy(["staging"]);
    assert.equal(code, 0, stderr);
    const { databases, namespaces, workers } = await account();
    assert.deepEqual([databases.length, namespaces.length, workers["keyfob-staging"].deployed], [1, 1, 1]);
    // What was stored before the failure is what is there after it.
    for (const [name, secret] of Object.entries(secrets)) assert.equal(workers["keyfob-staging"].secrets[name], secret);
    assert.deepEqual(Object.keys(workers["keyfob-staging"].secrets), ["MASTER_KEYS", "ROOT_API_KEY"]);
  });
}

test("one secret that is missing is added, and the other is left as it is", async () => {
  const MASTER_KEYS = newMasterKeys();
  await setAccount({ workers: { "keyfob-staging": { secrets: { MASTER_KEYS } } } });
  const { code, stderr } = await deploy(["staging"]);
  assert.equal(code, 0, stderr);
  const { secrets } = (await account()).workers["keyfob-staging"];
  assert.equal(secrets.MASTER_KEYS, MASTER_KEYS);
  assert.match(secrets.ROOT_API_KEY, /^kf_/);
});

test("secrets that are given are stored as they are and not shown", async () => {
  const given = { MASTER_KEYS: newMasterKeys(), ROOT_API_KEY: newApiKey() };
  const { code, stdout, stderr } = await deploy(["staging"], given);
  assert.equal(code, 0, stderr);
  assert.deepEqual((await account()).workers["keyfob-staging"].secrets, given);
  for (const secret of Object.values(given)) assert.ok(!stdout.includes(secret) && !stderr.includes(secret));
});

test("a Worker without master keys over a database that knows some gets no new ones", async () => {
  await deploy(["staging"]);
  await change({ workers: {}, keyIds: [1, 2] });
  const { code, stderr } = await deploy(["staging"]);
  assert.equal(code, 1);
  assert.match(stderr, /knows the master keys 1, 2/);
  assert.deepEqual((await account()).workers, {});
});

test("what does not answer as it should is a failure", async () => {
  keyfob.problem = "there is no master key";
  const { code, stderr } = await deploy(["staging"]);
  assert.equal(code, 1);
  assert.match(stderr, /MASTER_KEYS: there is no master key/);
  const unreachable = await deploy(["staging"], { KEYFOB_URL: "http://127.0.0.1:9" });
  assert.equal(unreachable.code, 1);
  assert.match(unreachable.stderr, /does not answer as it should/);
});

test("ids that wrangler.toml has are used, and nothing is created in their place", async () => {
  const toml = await readFile(join(folder, "wrangler.toml"), "utf8");
  const id = "5f0c2a1e-7b64-4d7e-9c1a-00000000abcd";
  await writeFile(join(folder, "wrangler.toml"), toml.replace("00000000-0000-0000-0000-000000000001", id));
  const { code, stderr } = await deploy(["staging"]);
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(id));
  assert.deepEqual(await calls(), ["d1 list --json"]);
  await change({ databases: [{ uuid: id, name: "another-name" }] });
  assert.equal((await deploy(["staging"])).code, 0);
  assert.equal((await account()).databases.length, 1);
});

test("a dry run bundles, and neither asks nor changes the account", async () => {
  const { code, stdout, stderr } = await deploy(["production", "--dry-run"]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(await calls(), ["deploy --dry-run"]);
  assert.match(stdout, /create the D1 database keyfob-production/);
  assert.deepEqual((await account()).workers, {});
});

test("the address is the one that wrangler prints", () => {
  assert.equal(addressIn("Deployed keyfob-staging triggers\n  https://keyfob-staging.example.workers.dev\n"), "https://keyfob-staging.example.workers.dev");
  assert.equal(addressIn("Uploaded keyfob-staging"), undefined);
});
