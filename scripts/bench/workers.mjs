// The Workers that are measured, each in a workerd of its own: Keyfob, Keyfob recorded, and the bare Worker. Knows how to
// start them on a state folder, with the bindings of wrangler.toml; knows no operation.
import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
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

// Starts a Worker. `socket` is its own: no proxy before it.
export async function start(modulesFor, { stateDir, bindings, onLine = () => {} }) {
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
      resourcePersistencePath: stateDir,
      handleStructuredLogs: ({ message }) => onLine(message),
      telemetry: { enabled: false },
    }),
  );
  await miniflare.ready;
  return {
    socket: (await miniflare.unsafeGetDirectURL()).origin,
    database: () => miniflare.getD1Database("DATABASE"),
    blobs: () => miniflare.getKVNamespace("BLOBS"),
    stop: () => miniflare.dispose(),
  };
}
