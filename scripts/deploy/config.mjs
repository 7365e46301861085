// The configuration of one environment: what wrangler.toml says of it, and the file that wrangler deploys with. The ids of
// D1 and KV belong to an account, not to the project: they go into a generated file that git ignores, beside wrangler.toml,
// so that its paths hold.
import { readFileSync, writeFileSync } from "node:fs";
import { parse, stringify } from "smol-toml";

// A refusal before anything was done.
export class EnvironmentError extends Error {}

const ENVIRONMENTS = ["staging", "production"];
// Ids of wrangler.toml that are none.
const PLACEHOLDER = /^[0-]*[0-9]$/;

// What wrangler.toml says of an environment; ids only where they are real ones.
export function read(file, environment) {
  if (!ENVIRONMENTS.includes(environment)) {
    throw new EnvironmentError(`Say where: make deploy ENV=${ENVIRONMENTS.join("|")}${environment ? ` (not ${environment})` : ""}`);
  }
  const config = parse(readFileSync(file, "utf8"));
  // An environment inherits no variable and no binding.
  const { vars = {} } = config.env?.[environment] ?? {};
  if (environment === "production" && String(vars.ALLOW_PRIVATE_NETWORK ?? "") !== "") {
    throw new EnvironmentError("ALLOW_PRIVATE_NETWORK is set for production in wrangler.toml: it is for local work. Remove it.");
  }
  if (vars.KEYFOB_DEPLOYMENT !== environment) {
    throw new EnvironmentError(`KEYFOB_DEPLOYMENT must be "${environment}" in [env.${environment}.vars] of wrangler.toml.`);
  }
  const { database, blobs } = bindings(config, environment);
  return {
    workerName: `${config.name}-${environment}`,
    databaseName: database.database_name,
    databaseId: PLACEHOLDER.test(database.database_id) ? undefined : database.database_id,
    blobsId: PLACEHOLDER.test(blobs.id) ? undefined : blobs.id,
  };
}

// The namespace is named as the database is: wrangler.toml has no place for its name.
export function blobsName({ databaseName }) {
  return databaseName;
}

// Writes wrangler.toml with the ids of this account to a file of its own; returns its name.
export function generate(file, environment, { databaseId, blobsId }) {
  const config = parse(readFileSync(file, "utf8"));
  const { database, blobs } = bindings(config, environment);
  if (databaseId) database.database_id = databaseId;
  if (blobsId) blobs.id = blobsId;
  const generated = `wrangler.${environment}.toml`;
  writeFileSync(generated, `# Generated from ${file} by scripts/deploy.mjs, with the ids of one account. Never committed.\n${stringify(config)}`);
  return generated;
}

function bindings({ env = {} }, environment) {
  const { d1_databases = [], kv_namespaces = [] } = env[environment] ?? {};
  const database = d1_databases.find(({ binding }) => binding === "DATABASE");
  const blobs = kv_namespaces.find(({ binding }) => binding === "BLOBS");
  if (!database || !blobs) throw new EnvironmentError(`[env.${environment}] of wrangler.toml needs the bindings DATABASE and BLOBS.`);
  return { database, blobs };
}
