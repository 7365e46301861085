// The bare Worker: what D1, KV and workerd cost by themselves. Plain JavaScript, nothing of Keyfob. For each operation it
// makes the same storage calls as Keyfob (the same statements in the same batches, the same KV calls) and answers with as
// many bytes, without looking at what it read.
//
// OPERATIONS, a variable of the Worker, holds what `recorder.mjs` saw Keyfob do:
// { name: { method, path, status, headers, body, batches: [[{ sql, params }]], blob, samples, id, kept } }
// `samples` are what has to be new in each request: ids, names, references, versions; `id` is the one of the connection, which
// the path may name, and `kept` is what belongs to the connection. With `line` it writes that line to its log, as Keyfob writes one a request.
const DIGITS = "0123456789abcdefghjkmnpqrstvwxyz";
let operations;
let version = 0;

export default {
  async fetch(request, env) {
    operations ??= Object.values(JSON.parse(env.OPERATIONS)).map(prepared);
    const { pathname } = new URL(request.url);
    const operation = operations.find(({ method, pattern }) => method === request.method && pattern.test(pathname));
    if (!operation) return new Response(null, { status: 404 });
    return operation.blob ? withBlob(operation, pathname, request, env) : read(operation, env);
  },
};

async function read(operation, env) {
  await batch(operation.batches[0], env);
  return answer(operation);
}

async function withBlob(operation, pathname, request, env) {
  const fresh = new Map();
  for (const sample of operation.samples) fresh.set(sample, another(sample));
  const id = idIn(pathname);
  if (id) fresh.set(operation.id, id);
  if (operation.kept) fresh.set(operation.kept, operation.kept.slice(0, 4) + id.slice(-18));
  if (request.body) await request.json();
  const results = await batch(operation.batches[0], env, fresh);
  // Which blob it is, the database has to say first.
  if (operation.blob.get) {
    const entry = JSON.parse(results[operation.blob.get.statement].results[0].row);
    await env.BLOBS.get(entry.vault_ref, "arrayBuffer");
  }
  if (operation.blob.put) {
    const { sample, bytes } = operation.blob.put;
    await env.BLOBS.put(fresh.get(sample), crypto.getRandomValues(new Uint8Array(bytes)));
  }
  for (const statements of operation.batches.slice(1)) await batch(statements, env, fresh);
  return answer(operation);
}

function batch(statements, env, fresh) {
  return env.DATABASE.batch(statements.map(({ sql, params, changing }) => env.DATABASE.prepare(sql).bind(...filled(params, changing, fresh))));
}

function filled(params, changing, fresh) {
  if (!fresh || changing.length === 0) return params;
  const filled = [...params];
  for (const { index, sample } of changing) {
    filled[index] = typeof sample === "number" ? fresh.get(sample) : filled[index].replaceAll(sample, fresh.get(sample));
  }
  return filled;
}

function answer({ status, headers, body, line }) {
  if (line) console.log(line);
  return new Response(body, { status, headers });
}

function prepared(operation) {
  const pattern = new RegExp(`^${operation.path.split("?")[0].replace(/con_[0-9a-z]+/, "con_[0-9a-z]+")}$`);
  const batches = operation.batches.map((statements) =>
    statements.map(({ sql, params }) => ({ sql, params, changing: changingIn(params, operation.samples) })),
  );
  return { ...operation, pattern, batches };
}

function changingIn(params, samples) {
  const holds = (param, sample) => (typeof sample === "number" ? param === sample : typeof param === "string" && param.includes(sample));
  return params.flatMap((param, index) => samples.filter((sample) => holds(param, sample)).map((sample) => ({ index, sample })));
}

// Something of the same kind and length that was not there before.
function another(sample) {
  if (typeof sample === "number") return sample + ++version;
  const random = crypto.getRandomValues(new Uint8Array(sample.length - 4));
  return sample.slice(0, 4) + Array.from(random, (byte) => DIGITS[byte & 31]).join("");
}

const idIn = (pathname) => /con_[0-9a-z]{26}/.exec(pathname)?.[0];
