// A product that embeds Keyfob, as far as it takes to show it: a pretend workflow builder of three steps, with a server of its
// own that has the API key. For this machine only. Knows how a product's server mints sessions, registers its origin and tells
// which step uses which connection; the page never sees the key.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

const ENVIRONMENT = "development";
const WORKFLOW = "demo-orders";
const FILES = { "/": "index.html", "/demo.js": "demo.js", "/demo.css": "demo.css" };
const TYPES = { html: "text/html", js: "text/javascript", css: "text/css" };

// The steps of the workflow, and the provider that each needs.
export const STEPS = [
  { id: "read", title: "Read the new orders", provider: "http" },
  { id: "notify", title: "Tell the team", provider: "slack" },
  { id: "store", title: "Keep them", provider: "postgresql" },
];

// The token that the pretend CRM of the demo accepts.
export const CRM_TOKEN = "crm-demo-token";

// Serves the demo. `keyfob` is where Keyfob is, `key` an API key of it; with `seed`, there is something to pick.
export async function startDemo({ keyfob, key, port = 0, seed = true }) {
  const ask = caller(keyfob, key);
  const server = createServer((request, response) => {
    answer(request, { keyfob, ask }).then(
      ({ status = 200, type = "application/json", body = "" }) => response.writeHead(status, { "content-type": type }).end(body),
      (error) => response.writeHead(502, { "content-type": "text/plain" }).end(String(error.message)),
    );
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  // By another name than Keyfob's 127.0.0.1: another origin, and one that may be registered without https.
  const url = `http://localhost:${server.address().port}`;
  await ask("POST", "/v1/embedded/origins", { origin: url }, [409]);
  if (seed) await plant(ask, server.address().port);
  return {
    url,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

// Asks Keyfob with the API key. What is refused is an error, unless its status is among those that are `fine`.
function caller(keyfob, key) {
  return async (method, path, body, fine = []) => {
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    const response = await fetch(`${keyfob}${path}`, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
    const text = await response.text();
    if (!response.ok && !fine.includes(response.status)) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  };
}

async function answer(request, { keyfob, ask }) {
  const { pathname } = new URL(request.url, "http://localhost");
  const file = request.method === "GET" ? FILES[pathname] : undefined;
  if (file) {
    const text = await readFile(fileURLToPath(new URL(file, import.meta.url)), "utf8");
    return { type: `${TYPES[file.split(".").at(-1)]}; charset=utf-8`, body: text };
  }
  switch (`${request.method} ${pathname}`) {
    case "GET /workflow":
      return json({ keyfob, workflow: WORKFLOW, steps: await stepsOf(ask) });
    // Who is signed in to the product decides what the session is for. In this pretend product everybody may choose.
    case "POST /session": {
      const { as } = await read(request);
      const whose = as === "designer" ? {} : { customer: "acme" };
      const { token } = await ask("POST", "/v1/embedded/sessions", { environment: ENVIRONMENT, ...whose });
      return json({ token });
    }
    case "PUT /step": {
      const { step, connection } = await read(request);
      if (!STEPS.some(({ id }) => id === step)) return { status: 404 };
      await ask("PUT", `/v1/connections/${encodeURIComponent(connection)}/usages/${WORKFLOW}/${step}`);
      return json({ steps: await stepsOf(ask) });
    }
    case "GET /crm/me":
      return json({ account: "Acme" }, request.headers.authorization === `Bearer ${CRM_TOKEN}` ? 200 : 401);
    default:
      return { status: 404 };
  }
}

// The steps with the connections that they use.
async function stepsOf(ask) {
  const { data } = await ask("GET", `/v1/usages?environment=${ENVIRONMENT}&workflow=${WORKFLOW}`);
  const used = new Map(data.map(({ step, connection_id: id }) => [step, id]));
  return Promise.all(
    STEPS.map(async (step) => {
      const id = used.get(step.id);
      const connection = id ? await ask("GET", `/v1/connections/${id}`, undefined, [404]) : undefined;
      return { ...step, connection: connection?.id ? { id, name: connection.name, status: connection.status } : null };
    }),
  );
}

async function read(request) {
  return JSON.parse(Buffer.concat(await request.toArray()).toString());
}

function json(value, status = 200) {
  return { status, body: JSON.stringify(value) };
}

// Something to pick: a shared connection, and a template under which each customer connects an account of their own.
async function plant(ask, port) {
  const { data } = await ask("GET", `/v1/connections?environment=${ENVIRONMENT}&tag=demo&limit=1`);
  if (data.length > 0) return;
  const crm = { base_url: `http://127.0.0.1:${port}`, test_path: "/crm/me" };
  const common = { environment: ENVIRONMENT, embedded: true, tags: ["demo"] };
  await ask("POST", "/v1/connections", {
    ...common, kind: "template", provider: "http", connection_type: "bearer", name: "CRM", settings: crm,
  });
  await ask("POST", "/v1/connections", {
    ...common, provider: "http", connection_type: "bearer", name: "Order archive", settings: crm, secrets: { token: CRM_TOKEN },
  });
}
