// Makes the two secrets of a deployment. Knows their formats and nothing else; stores nothing. Run by itself
// (`make secrets`), it prints a new one of each.
import { randomBytes, randomInt } from "node:crypto";
import { fileURLToPath } from "node:url";
import { crc32 } from "node:zlib";

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

// `kf_`, 43 random base62 characters, and their CRC32 as six base62 digits, most significant first.
export function newApiKey() {
  const random = Array.from({ length: 43 }, () => BASE62[randomInt(62)]).join("");
  return `kf_${random}${base62(crc32(random), 6)}`;
}

// A key ring of one key of 32 random bytes, as the Workers secret MASTER_KEYS holds it.
export function newMasterKeys() {
  return JSON.stringify({ primary: 1, keys: { 1: randomBytes(32).toString("base64") } });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(`MASTER_KEYS=${newMasterKeys()}\nROOT_API_KEY=${newApiKey()}`);
}

function base62(number, width) {
  let digits = "";
  for (let rest = number; digits.length < width; rest = Math.floor(rest / 62)) digits = BASE62[rest % 62] + digits;
  return digits;
}
