// The Workers that are measured, each in a workerd of its own: Keyfob, Keyfob recorded, and the bare Worker. Knows how to
// start them on a state folder, with the bindings of wrangler.toml; knows no operation.
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import workerd from "workerd";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from "wrangler";
import { modulesOf } from "../../tests/e2e/keyfob.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const CONFIG = resolve(HERE, "../../wrangler.toml");

export const keyfob = async (main) => modulesOf(main);

export async function recorder(main) {
  const { modules, modulesRoot } = await modulesOf(main);
  const contents = await readFile(join(HERE, "recorder.mjs"), "utf8");
  // Beside the built script, so that it can import it.
  return { modules: [{ type: "ESModule", path: join(modulesRoot, "recorder.mjs"), contents }, ...modules], modulesRoot };
}

export const bare = async () => ({ modules: [{ type: "ESModule", path: join(HERE, "bare.mjs") }], modulesRoot: HERE });

// Starts a Worker. `socket` is its own: no proxy before it. Its log goes to `onLine`, or nowhere. `pid` is that of its workerd.
export async function start(modulesFor, { stateDir, bindings, onLine, inspectorPort }) {
  process.env.KEYFOB_WORKERD = workerd.default;
  process.env.MINIFLARE_WORKERD_PATH = onLine ? workerd.default : join(HERE, "workerd-quiet.sh");
  const before = await children();
  const config = unstable_readConfig({ config: CONFIG });
  const { workerOptions, main } = unstable_getMiniflareWorkerOptions(config);
  const { assets, ...rest } = workerOptions;
  const worker = {
    ...rest,
    ...(await modulesFor(main)),
    name: config.name,
    bindings: { ...config.vars, ...bindings },
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
  };
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      workers: [worker],
      host: "127.0.0.1",
      port: 0,
      cf: false,
      inspectorPort,
      resourcePersistencePath: stateDir,
      handleStructuredLogs: ({ message }) => onLine?.(message),
      telemetry: { enabled: false },
    }),
  );
  await miniflare.ready;
  return {
    pid: (await children()).find((pid) => !before.includes(pid)),
    socket: (await miniflare.unsafeGetDirectURL()).origin,
    inspector: async () => (await miniflare.getInspectorURL()).origin.replace("ws:", "http:"),
    database: () => miniflare.getD1Database("DATABASE"),
    blobs: () => miniflare.getKVNamespace("BLOBS"),
    stop: () => miniflare.dispose(),
  };
}

async function children() {
  return (await readFile(`/proc/${process.pid}/task/${process.pid}/children`, "utf8")).trim().split(" ");
}

// Where D1 keeps its database below a state folder, once a Worker has opened it there.
export async function databaseFile(stateDir) {
  const files = await readdir(stateDir, { recursive: true });
  return join(stateDir, files.find((file) => file.includes("D1DatabaseObject") && /[0-9a-f]{64}\.sqlite$/.test(file)));
}
