// The two secrets of a deployment: which are missing, and what they become. What the Worker has is never replaced.
import { faultOfApiKey, faultOfMasterKeys, newApiKey, newMasterKeys } from "../keys.mjs";
import { EnvironmentError } from "./config.mjs";

const SECRETS = {
  MASTER_KEYS: { make: newMasterKeys, faultOf: faultOfMasterKeys },
  ROOT_API_KEY: { make: newApiKey, faultOf: faultOfApiKey },
};

// Refuses variables that the Worker could not use: before anything is done.
export function checkGiven() {
  for (const [name, { faultOf }] of Object.entries(SECRETS)) {
    const fault = process.env[name] && faultOf(process.env[name]);
    if (fault) throw new EnvironmentError(`The variable ${name} cannot be used. ${fault}`);
  }
}

// Refuses to make new secrets where nobody reads what is shown: a log keeps it for whoever reads logs.
export function checkShown(present) {
  const made = Object.keys(SECRETS).filter((name) => !present.includes(name) && !process.env[name]);
  if (made.length === 0 || process.stdout.isTTY || process.env.SHOW_SECRETS === "1") return;
  throw new EnvironmentError(
    `${made.join(" and ")} would be made and shown, and this is no terminal but maybe a log that is kept. Give what \`make secrets\` ` +
      "prints as variables of those names, or set SHOW_SECRETS=1 to have them shown here all the same.",
  );
}

// The secrets that the Worker lacks: from the variable of their name, else new ones, which are shown this once. They are
// shown before they are stored: one that was stored and never shown could not be read back.
export function missingSecrets(present, { sealedUnder }) {
  const secrets = {};
  const shown = [];
  for (const [name, { make }] of Object.entries(SECRETS)) {
    if (present.includes(name)) {
      console.log(`${name} is there: left as it is.`);
    } else if (process.env[name]) {
      secrets[name] = process.env[name];
    } else {
      if (name === "MASTER_KEYS" && sealedUnder.length > 0) {
        throw new Error(
          `The Worker has no MASTER_KEYS, but its database knows the master keys ${sealedUnder.join(", ")}: a new one would not ` +
            "open what they sealed. Set the variable MASTER_KEYS to the ring that you keep, and repeat.",
        );
      }
      secrets[name] = make();
      shown.push(`  ${name}=${secrets[name]}`);
    }
  }
  if (shown.length > 0) {
    console.log(`
New secrets. They are shown this once and cannot be read back: keep them where only those get at them who may read every
credential. What a lost MASTER_KEYS has sealed is lost. Should storing them fail, throw these away: the next run makes others.

${shown.join("\n")}
`);
  }
  return secrets;
}
