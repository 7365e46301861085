// The operations that are measured: how each is asked for, and what Keyfob was seen to do for it. Knows the API; knows
// neither load nor figures.
import { request } from "../../tests/e2e/keyfob.mjs";

// How many connections the load changes and resolves: eight a thread of wrk.
const CONNECTIONS = 64;
// Version and revision of the sample connection: numbers that nothing else has.
const VERSION = 700_001;
const REVISION = 800_001;
// Names that are their own stable keys and sort keys: of the connection that is created, and of the sample.
const NAME = "kqzv0123456789abcdefgh";
const SAMPLE = "kqzu0123456789abcdefgh";

const LIST = "/v1/connections?environment=development&limit=50";
// A word of one connection, the sample, and one of every connection.
const SEARCH = `${LIST}&search=kqzu0123`;
const COMMON_WORD = `${LIST}&search=connection`;
const FACETS = "/v1/connections/facets?environment=development";
const EMBEDDED = "/v1/embedded/connections?limit=50";
const CREATE = "/v1/connections?test=false";

// What only reads.
export const READS = ["list", "search", "common_word", "facets", "embedded"];

function bearer(name, base_url = "https://api.example.com/v2") {
  const settings = { base_url, test_path: "/me" };
  const secrets = { token: `token-of-${name.replaceAll(" ", "-")}` };
  return { environment: "development", provider: "http", connection_type: "bearer", name, tags: ["bench"], settings, secrets };
}

async function ask(worker, key, method, path, { body, headers } = {}) {
  const answer = await request(worker.socket, method, path, { key, body, headers });
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
  return answer;
}

// Creates what the operations need: connections with secrets, and a session; given a service, a connection to test there.
// Answers with all that a request names.
export async function prepare(worker, rootKey, service) {
  const ids = [];
  for (let number = 0; number < CONNECTIONS; number++) {
    ids.push((await ask(worker, rootKey, "POST", CREATE, { body: bearer(`Prepared ${number}`) })).json.id);
  }
  const sample = (await ask(worker, rootKey, "POST", CREATE, { body: bearer(SAMPLE) })).json.id;
  const database = await worker.database();
  await database.prepare("update connections set version = ?, revision = ? where id = ?").bind(VERSION, REVISION, sample).run();
  // The first resolve notes the use of a connection, the others within the hour do not.
  for (const id of [...ids, sample]) await ask(worker, rootKey, "GET", `/v1/connections/${id}/credentials`);
  const tested = service && (await ask(worker, rootKey, "POST", CREATE, { body: bearer("Tested", service) })).json.id;
  const session = await ask(worker, rootKey, "POST", "/v1/embedded/sessions", { body: { environment: "development" } });
  return { ids, sample, tested, sessionKey: session.json.token, rootKey };
}

// How each operation is asked for, in the order in which they may be measured, for the last one adds connections.
export async function requests(worker, { sample, tested, sessionKey, rootKey }) {
  const update = { body: { secrets: { token: `token-of-${NAME}` } }, headers: { "if-match": `"${VERSION}"` } };
  const wanted = {
    list: [rootKey, "GET", LIST],
    search: [rootKey, "GET", SEARCH],
    common_word: [rootKey, "GET", COMMON_WORD],
    facets: [rootKey, "GET", FACETS],
    embedded: [sessionKey, "GET", EMBEDDED],
    resolve: [rootKey, "GET", `/v1/connections/${sample}/credentials`],
    update: [rootKey, "PATCH", `/v1/connections/${sample}?test=false`, update],
    create: [rootKey, "POST", CREATE, { body: bearer(NAME) }],
  };
  if (tested) wanted.test = [rootKey, "POST", `/v1/connections/${tested}/tests`];
  return wanted;
}

// What the bare Worker has to do for each operation: what the recorder saw.
export async function record(recorder, prepared) {
  const recorded = async () => (await request(recorder.socket, "GET", "/recorded")).json;
  const operations = {};
  for (const [name, [key, method, path, options]] of Object.entries(await requests(recorder, prepared))) {
    await recorded();
    const answer = await ask(recorder, key, method, path, options);
    operations[name] = await operation(recorder, { name, method, path, answer, batches: await recorded(), prepared });
  }
  return operations;
}

async function operation(recorder, { name, method, path, answer, batches, prepared }) {
  const { "content-length": _, connection: __, "transfer-encoding": ___, ...headers } = answer.headers;
  const common = { method, path, status: answer.status, headers, body: answer.text, batches, samples: [] };
  if (READS.includes(name)) return common;
  const id = name === "create" ? answer.json.id : prepared.sample;
  const reads = name !== "create";
  const get = reads ? { statement: batches[0].findIndex(({ sql }) => sql.includes("vault_entries")) } : undefined;
  if (name === "resolve") return { ...common, id, samples: [id], blob: { get } };
  const texts = batches.flat().flatMap(({ params }) => params).filter((param) => typeof param === "string");
  const reference = batches.flat().find(({ sql }) => sql.startsWith("insert into vault_entries")).params[4];
  // It stands within the JSON of the audit row.
  const [operationId] = texts.join(" ").match(/opn_[0-9a-z]{26}/);
  const blob = await (await recorder.blobs()).get(reference, "arrayBuffer");
  const numbers = name === "update" ? [VERSION + 1, REVISION + 1] : [];
  // An update leaves the name as it is: the bare Worker makes it from the id.
  const kept = name === "update" ? SAMPLE : undefined;
  return {
    ...common,
    id,
    kept,
    samples: [id, operationId, reference, kept ?? NAME, ...numbers],
    blob: { get, put: { sample: reference, bytes: blob.byteLength } },
  };
}

// The version of each prepared connection, as the load needs it.
export async function versions(worker, { ids }) {
  const database = await worker.database();
  const sql = "select id, version from connections where id in (select value from json_each(?))";
  const { results } = await database.prepare(sql).bind(JSON.stringify(ids)).all();
  return results.map(({ id, version }) => `${id}:${version}`);
}
