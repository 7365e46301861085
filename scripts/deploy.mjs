// Deploys Keyfob to one environment (`make deploy ENV=staging|production`), and may be repeated at any time: it creates what
// is missing, migrates, gives the Worker its secrets once, deploys, and looks whether it answers. Knows the order of the
// steps; what is there already is asked of the account each time, never remembered.
//
// - ENV: `staging` or `production`, the environments of wrangler.toml
// - `--dry-run` (DRY_RUN=1): bundles and checks the configuration, and asks and changes nothing in the account
// - MASTER_KEYS, ROOT_API_KEY (variables): used for a secret that the Worker lacks, in the place of a generated one
// - SHOW_SECRETS=1 (variable): generates secrets, and shows them, even where the output is no terminal
// - KEYFOB_URL (variable): where it answers, if not at the workers.dev address that wrangler prints; https
import { blobsName, EnvironmentError, generate, read } from "./deploy/config.mjs";
import { checkGiven, checkShown, missingSecrets } from "./deploy/secrets.mjs";
import { addressIn, checkAddress, smoke } from "./deploy/smoke.mjs";
import { Wrangler } from "./deploy/wrangler.mjs";

try {
  const [environment, ...flags] = process.argv.slice(2);
  await deploy(environment, flags.includes("--dry-run"));
} catch (error) {
  console.error(`\n${error.message}`);
  process.exit(error instanceof EnvironmentError ? 2 : 1);
}

async function deploy(environment, isDryRun) {
  const config = read("wrangler.toml", environment);
  if (isDryRun) return dryRun(environment, config);
  checkGiven();
  checkAddress(process.env.KEYFOB_URL);
  // Names before ids: without a configuration of its own, the first calls concern the account and no Worker.
  const account = new Wrangler([]);

  const { id: databaseId, isNew } = await findOrCreate("D1 database", { id: config.databaseId, name: config.databaseName }, {
    list: () => account.databases(),
    create: (name) => account.createDatabase(name),
  });
  const { id: blobsId } = await findOrCreate("KV namespace", { id: config.blobsId, name: blobsName(config) }, {
    list: () => account.namespaces(),
    create: (name) => account.createNamespace(name),
  });
  const file = generate("wrangler.toml", environment, { databaseId, blobsId });
  const wrangler = new Wrangler(["--config", file, "--env", environment]);

  say("Secrets that the Worker has");
  const present = await wrangler.secretNames(config.workerName);
  if (environment === "production" && present.includes("ALLOW_PRIVATE_NETWORK")) {
    throw new EnvironmentError("The Worker has a secret ALLOW_PRIVATE_NETWORK, with which it refuses to run in production: delete it.");
  }
  checkShown(present);
  // Before the code that needs them, and the code before goes on with them: they only add.
  say("Migrations");
  await wrangler.migrate();

  const secrets = missingSecrets(present, { sealedUnder: isNew || present.includes("MASTER_KEYS") ? [] : await wrangler.keyIds() });
  if (Object.keys(secrets).length > 0) {
    say(`Storing ${Object.keys(secrets).join(" and ")}`);
    await wrangler.putSecrets(secrets);
  }

  say("Deploying");
  const output = await wrangler.deploy();
  await smoke(process.env.KEYFOB_URL || addressIn(output), environment, process.env.ROOT_API_KEY || secrets.ROOT_API_KEY);
  console.log(`\n${config.workerName} is deployed. Repeating this command changes nothing but the code.`);
}

// What the account has by this id, or by this name where wrangler.toml says no id; created where there is none.
async function findOrCreate(kind, { id, name }, { list, create }) {
  say(`${kind} ${name}`);
  const find = async () => (await list()).find((one) => (id ? one.id === id : one.name === name));
  const found = await find();
  if (found) return { id: found.id, isNew: false };
  if (id) throw new Error(`wrangler.toml names the ${kind} ${id}, which this account does not have.`);
  await create(name);
  const created = await find();
  if (!created) throw new Error(`The ${kind} ${name} was created, and the account does not list it yet: repeat.`);
  return { id: created.id, isNew: true };
}

async function dryRun(environment, config) {
  say(`Dry run for ${config.workerName}: the account is neither asked nor changed`);
  const file = generate("wrangler.toml", environment, {});
  const wrangler = new Wrangler(["--config", file, "--env", environment]);
  await wrangler.deploy({ isDryRun: true });
  console.log(`
Would, in this order, and each only where it is not there yet:
  create the D1 database ${config.databaseName} and the KV namespace ${blobsName(config)}
  apply the migrations in schema/
  generate and store MASTER_KEYS and ROOT_API_KEY
  deploy ${config.workerName}, and ask it for /healthz and /v1/keys`);
}

function say(text) {
  console.log(`\x1b[1m== ${text}\x1b[0m`);
}
