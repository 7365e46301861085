// How much D1 reads for a page, as D1 itself counts it: a list costs its page, not its table.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { seed } from "../seed.mjs";
import { lineOf } from "./bodies.mjs";
import { startKeyfob } from "./keyfob.mjs";

const CONNECTIONS = 20_000;
const PAGE = 50;
const AUDIT_ROWS = 20_000;
const TEMPLATE = `con_${"1".padStart(26, "0")}`;

let keyfob;
before(async () => {
  keyfob = await startKeyfob();
  await seed(await keyfob.database(), { to: CONNECTIONS, customers: true });
  await seedAudit(await keyfob.database());
});
after(() => keyfob?.stop());

async function read(path) {
  const answer = await keyfob.request("GET", path);
  assert.equal(answer.status, 200, answer.text);
  const line = await lineOf(keyfob, answer);
  assert.equal(line.database_calls, 1);
  return { json: answer.json, rows: line.rows_read };
}

const list = (query) => read(`/v1/connections?environment=development&limit=${PAGE}&${query}`);

const SORTS = ["name", "-name", "created_at", "-created_at", "modified_at", "-modified_at"];
// Each single filter, with a common value and where there is one with a rare or an absent one.
const SINGLE = [
  "",
  "provider=http", "provider=discord", "provider=none",
  "connection_type=bearer", "connection_type=webhook",
  "tag=common", "tag=rare", "tag=absent",
  "status=active", "status=not_active",
  "verdict=valid", "verdict=limited", "verdict=unknown",
  "embedded=true", "embedded=false",
  "kind=organization", "kind=template", "kind=customer",
  "stable_key=connection-500", "stable_key=absent",
  "customer=customer-4", "customer=absent",
  `template=${TEMPLATE}`,
];

for (const filter of SINGLE) {
  test(`a page reads at most three rows for each of its own: ${filter || "no filter"}`, async () => {
    const over = [];
    for (const sort of SORTS) {
      const { json, rows } = await list(`sort=${sort}&${filter}`);
      if (rows > 3 * PAGE) over.push(`${sort}: ${rows} rows for ${json.data.length}`);
      if (!json.next_cursor) continue;
      const second = await list(`sort=${sort}&${filter}&cursor=${json.next_cursor}`);
      if (second.rows > 3 * PAGE) over.push(`${sort}, second page: ${second.rows} rows for ${second.json.data.length}`);
    }
    assert.deepEqual(over, []);
  });
}

// A fifth of the organization's connections was used today, a thousandth never since they were made a year ago.
test("what is not used for long is read in its own order: at most three rows for each", async () => {
  const database = await keyfob.database();
  const day = 24 * 60 * 60 * 1000;
  const used = "update connections set last_used_at = ?1 where rowid % 5 = 0";
  const old = "update connections set created_at = ?1, last_used_at = null where rowid % 1000 = 7";
  await database.batch([database.prepare(used).bind(Date.now()), database.prepare(old).bind(Date.now() - 365 * day)]);
  for (const [filter, expected] of [
    ["unused_for=20", PAGE], ["unused_for=180", 20], ["unused_for=3650", 0], ["unused_for=20&kind=customer", PAGE],
    ["sort=-last_used_at", PAGE], ["sort=-last_used_at&unused_for=20", PAGE],
  ]) {
    const { json, rows } = await list(filter);
    assert.ok(rows <= 3 * PAGE, `${filter}: ${rows} rows for ${json.data.length}`);
    assert.equal(json.data.length, expected, filter);
    if (!json.next_cursor) continue;
    const second = await list(`${filter}&cursor=${json.next_cursor}`);
    assert.ok(second.rows <= 3 * PAGE, `${filter}, second page: ${second.rows} rows`);
  }
});

// Combined filters look at no more than 5,000 candidates: to see where to stop, to walk them, and to read each connection.
const COMBINED = [
  "provider=discord&verdict=limited",
  "provider=http&connection_type=bearer&status=active&embedded=true",
  "provider=http&provider=slack",
  "tag=common&tag=rare",
  "tag=common&provider=discord&verdict=limited",
  "status=active&reason=rejected",
  "kind=customer&provider=discord&embedded=true",
  `template=${TEMPLATE}&status=not_active&embedded=true`,
  "customer=customer-4&provider=http",
  "enabled=false&status=active",
  // A rare tag with a common provider, a filter that matches nothing, customers' own.
  "tag=rare&provider=http",
  "tag=absent&provider=http",
  "verdict=valid&reason=rejected",
  "embedded=true&enabled=false&verdict=invalid",
  "kind=customer&status=active&enabled=false",
  "customer=customer-4&verdict=limited&embedded=true",
  "expires_before=2020-01-01T00:00:00Z",
  "unused_for=3650",
];
for (const filter of COMBINED) {
  test(`combined filters read no more than their candidates: ${filter}`, async () => {
    for (const sort of SORTS) {
      const { rows } = await list(`sort=${sort}&${filter}`);
      assert.ok(rows <= 3 * (5_000 + PAGE), `${sort}: ${rows}`);
    }
  });
}

// Words of every connection and three letters of each, words of none, and a match that another filter takes away again.
const SEARCHES = ["connection", "con", "ect", "team 7", "te", "t", "measuring number", "absent", "connection absent", "c t m n"];
for (const search of [...SEARCHES, "connection&tag=rare", "con&provider=none", "con&kind=customer", "con&customer=customer-4"]) {
  test(`a search reads no more than its 1,000 newest matches: ${search}`, async () => {
    for (const sort of SORTS) {
      const { rows } = await list(`sort=${sort}&search=${search.replaceAll(" ", "%20")}`);
      assert.ok(rows <= 4 * 1_000, `${sort}: ${rows}`);
    }
  });
}

test("the facets without a filter read their counters alone", async () => {
  const { json, rows } = await read("/v1/connections/facets?environment=development");
  const values = json.providers.length + json.tags.length + json.statuses.length;
  assert.ok(values > 20 && json.providers.every(({ exact }) => exact));
  assert.ok(rows <= 3 * values, `${rows} rows for ${values} values`);
});

for (const filter of ["provider=http", "tag=common", "status=active", "provider=discord&tag=common&status=active", "kind=customer", "search=connection", "search=con&tag=common", "search=con&tag=rare&provider=none", "tag=rare&provider=http", "customer=customer-4"]) {
  test(`the facets under filters read no more than their candidates: ${filter}`, async () => {
    const { rows } = await read(`/v1/connections/facets?environment=development&${filter}`);
    // Three facets of 10,000 candidates each: the walk, the connection and its tags.
    assert.ok(rows <= 3 * 4 * 10_000, String(rows));
  });
}

test("the embedded list reads at most three rows for each of its own, in each of its two walks", async () => {
  for (const customer of [undefined, "customer-4"]) {
    const body = { environment: "development", customer };
    const { json: session } = await keyfob.request("POST", "/v1/embedded/sessions", { body });
    const answer = await keyfob.request("GET", `/v1/embedded/connections?limit=${PAGE}`, { key: session.token });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json.data.length, PAGE);
    const { rows_read } = await lineOf(keyfob, answer);
    assert.ok(rows_read <= 3 * PAGE * (customer ? 2 : 1), String(rows_read));
  }
});

// The audit log: rows of three environments, four actions, five actors; one resource in a thousand.
async function seedAudit(database) {
  const insert = `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${AUDIT_ROWS})
    insert into audit_events (operation_id, at, environment, action, resource_id, actor, request_id, detail, tag)
    select printf('opn_%026d', i), 1700000000000 + i, json_array('development', 'staging', 'production') ->> (i % 3),
      json_array('connection.created', 'connection.updated', 'connection.deleted', 'api_key.created') ->> (i % 4),
      printf('con_%026d', i % 1000), json_object('id', 'key_' || (i % 5), 'name', 'K', 'claimed', null), 'req', '{}', '' from n`;
  await database.prepare(insert).run();
}

const audit = (query) => read(`/v1/audit-events?limit=${PAGE}&${query}`);

for (const filter of ["", "environment=staging", "action=connection.deleted", "actor_id=key_3", "actor_id=absent",
  `resource_id=con_${"7".padStart(26, "0")}`, "from=2023-11-14T22:13:25Z", "to=2023-11-14T22:13:25Z",
  "environment=staging&from=2023-11-14T22:13:25Z&to=2023-11-14T22:13:30Z"]) {
  test(`a page of the audit log reads at most three rows for each of its own: ${filter || "no filter"}`, async () => {
    const { json, rows } = await audit(filter);
    assert.ok(rows <= 3 * PAGE, `${rows} rows for ${json.data.length}`);
    if (!json.next_cursor) return;
    const second = await audit(`${filter}&cursor=${json.next_cursor}`);
    assert.ok(second.rows <= 3 * PAGE, `second page: ${second.rows} rows for ${second.json.data.length}`);
  });
}

test("combined filters of the audit log read no more than their candidates", async () => {
  for (const filter of ["actor_id=key_3&action=embedded_origin.created", "action=connection.created&environment=staging"]) {
    const { rows } = await audit(filter);
    assert.ok(rows <= 3 * (5_000 + PAGE), `${filter}: ${rows}`);
  }
});
