// Makes the two secrets of a deployment, and checks those that are given. Knows their formats and nothing else; stores nothing. Run by itself
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

// What is wrong with an API key, in a sentence that does not repeat it; nothing where it is one.
export function faultOfApiKey(text) {
  const [, random, sum] = /^kf_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$/.exec(text) ?? [];
  if (!random) return "It is not kf_ and 49 letters and digits.";
  return base62(crc32(random), 6) === sum ? undefined : "Its checksum does not fit: a character is wrong.";
}

// What is wrong with a key ring, likewise. The Worker's own rules (src/vault/key_ring.rs).
export function faultOfMasterKeys(text) {
  let ring;
  try {
    ring = JSON.parse(text);
  } catch {
    return "It is not JSON.";
  }
  const { primary, keys, ...more } = Object(ring);
  const isObject = keys !== null && typeof keys === "object" && !Array.isArray(keys);
  if (!Number.isInteger(primary) || !isObject || Object.keys(more).length > 0) return 'It is not {"primary":1,"keys":{"1":"…"}}.';
  for (const [id, key] of Object.entries(keys)) {
    if (!/^[1-9][0-9]*$/.test(id) || Number(id) > 0xffff_ffff) return "The number of a key is not one from 1 to 4294967295.";
    const bytes = Buffer.from(String(key), "base64");
    if (bytes.length !== 32 || bytes.toString("base64") !== key) return `Key ${id} is not 32 bytes in base64.`;
  }
  if (new Set(Object.values(keys)).size < Object.keys(keys).length) return "Two of its keys are the same.";
  return Object.hasOwn(keys, String(primary)) ? undefined : `Its primary key, ${primary}, is not among its keys.`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(`MASTER_KEYS=${newMasterKeys()}\nROOT_API_KEY=${newApiKey()}`);
}

function base62(number, width) {
  let digits = "";
  for (let rest = number; digits.length < width; rest = Math.floor(rest / 62)) digits = BASE62[rest % 62] + digits;
  return digits;
}
