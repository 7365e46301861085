// The two secrets of a deployment: which are missing, and what they become. What the Worker has is never replaced.
import { newApiKey, newMasterKeys } from "../keys.mjs";

const MAKERS = { MASTER_KEYS: newMasterKeys, ROOT_API_KEY: newApiKey };

// The secrets that the Worker lacks: from the variable of their name, else new ones, which are shown this once. They are
// shown before they are stored: one that was stored and never shown could not be read back.
export function missingSecrets(present, { sealedUnder }) {
  const secrets = {};
  const shown = [];
  for (const [name, make] of Object.entries(MAKERS)) {
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
