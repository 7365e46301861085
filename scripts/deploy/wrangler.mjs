// The commands of wrangler that a deployment needs, and how their answers read. Nothing secret is ever an argument.
import { spawn } from "node:child_process";
import { stripVTControlCharacters } from "node:util";

export class Wrangler {
  #options;

  constructor(options) {
    this.#options = options;
  }

  // `[{ id, name }]`
  async databases() {
    return json(await this.#quietly(["d1", "list", "--json"])).map(({ uuid, name }) => ({ id: uuid, name }));
  }

  async createDatabase(name) {
    await this.#loudly(["d1", "create", name]);
  }

  // `[{ id, name }]`; this command knows no other format.
  async namespaces() {
    return json(await this.#quietly(["kv", "namespace", "list"])).map(({ id, title }) => ({ id, name: title }));
  }

  async createNamespace(name) {
    await this.#loudly(["kv", "namespace", "create", name]);
  }

  // The names of the Worker's secrets; none where there is no such Worker yet. Any other failure is one: what is there must
  // not be taken for missing.
  async secretNames(workerName) {
    try {
      return json(await this.#quietly(["secret", "list", "--format", "json"])).map(({ name }) => name);
    } catch (error) {
      if (error.message.includes(`Worker "${workerName}"`) && error.message.includes("not found")) return [];
      throw error;
    }
  }

  // As JSON on standard input: neither a file nor an argument holds them.
  async putSecrets(secrets) {
    await this.#loudly(["secret", "bulk"], JSON.stringify(secrets));
  }

  async migrate() {
    await this.#loudly(["d1", "migrations", "apply", "DATABASE", "--remote"]);
  }

  // The numbers of the master keys that the database knows.
  async keyIds() {
    const sql = "select key_id from key_checks where key_id > 0 limit 100";
    const [{ results }] = json(await this.#quietly(["d1", "execute", "DATABASE", "--remote", "--json", "--command", sql]));
    return results.map(({ key_id }) => key_id);
  }

  // What wrangler printed.
  async deploy({ isDryRun = false } = {}) {
    return this.#loudly(["deploy", ...(isDryRun ? ["--dry-run"] : [])]);
  }

  #quietly(args) {
    return run([...args, ...this.#options], { isLoud: false });
  }

  #loudly(args, input) {
    return run([...args, ...this.#options], { isLoud: true, input });
  }
}

// What neither wrangler nor the build that it starts gets to see: the secrets, and what make hands on of its own arguments,
// among which they may be.
const WITHHELD = ["MASTER_KEYS", "ROOT_API_KEY", "MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES"];

// Without a terminal on its standard input wrangler asks nothing and takes its defaults.
function run(args, { isLoud, input }) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !WITHHELD.includes(name)));
  return new Promise((resolve, reject) => {
    const child = spawn("wrangler", args, { env, stdio: ["pipe", "pipe", "pipe"] });
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"]) {
      child[name].setEncoding("utf8").on("data", (text) => {
        output[name] += text;
        if (isLoud) process[name].write(text);
      });
    }
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) return resolve(stripVTControlCharacters(output.stdout));
      const told = stripVTControlCharacters(`${output.stdout}${output.stderr}`).trim();
      reject(new Error(`wrangler ${args.join(" ")} failed (${code}):\n${told}\n\nNothing is lost: repeat the command when the cause is gone.`));
    });
    // A child that does not read it is no failure of ours.
    child.stdin.on("error", () => {});
    child.stdin.end(input ?? "");
  });
}

// The JSON that a command printed, whatever stands before it.
function json(text) {
  const start = text.search(/^\[/m);
  if (start < 0) throw new Error(`wrangler was expected to print JSON, and printed:\n${text}`);
  return JSON.parse(text.slice(start));
}
