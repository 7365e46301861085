// Starts the databases of tests/databases: real ones, on loopback. Knows how to start and stop one; knows nothing of Keyfob.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), "../databases");

export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

// Starts a script of that folder: `port`, `ca` (the path of the authority that vouches for it), `stop()`.
export async function startDatabase(script) {
  const port = await freePort();
  const process = spawn("bash", [join(FOLDER, script), String(port)], { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(process, "exit");
  const first = await createInterface({ input: process.stdout })[Symbol.asyncIterator]().next();
  const ca = /^ready (.+)$/.exec(first.value ?? "")?.[1];
  if (!ca) throw new Error(`${script} did not start its database`);
  return {
    port,
    ca,
    async stop() {
      process.stdin.end();
      await exited;
    },
  };
}
