// The spellings in which a secret may hide. Knows encodings; knows nothing of Keyfob.

const utf16be = (text) => Buffer.from(text, "utf16le").swap16();
const escaped = (text) => text.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
const percent = (text) => Buffer.from(text).reduce((all, byte) => `${all}%${byte.toString(16).padStart(2, "0")}`, "");

// Every spelling of a secret, as bytes to be searched for.
export function spellings(secret) {
  const hex = Buffer.from(secret).toString("hex");
  const texts = [
    secret, hex, hex.toUpperCase(), escaped(secret), escaped(secret).toUpperCase().replaceAll("\\U", "\\u"),
    percent(secret), percent(secret).toUpperCase(), encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1),
    [...secret].reverse().join(""), Buffer.from(secret).join(","),
  ];
  const bytes = [...texts.map((text) => Buffer.from(text)), Buffer.from(secret, "utf16le"), utf16be(secret)];
  for (const inner of [Buffer.from(secret), Buffer.from(secret, "utf16le")]) {
    for (const shift of [0, 1, 2]) bytes.push(base64Core(inner, shift, "base64"), base64Core(inner, shift, "base64url"));
  }
  return bytes;
}

// The base64 digits that depend on `inner` alone when it stands `shift` bytes after a boundary.
function base64Core(inner, shift, alphabet) {
  const padded = Buffer.concat([Buffer.alloc(shift), inner]);
  const digits = padded.toString(alphabet).replaceAll("=", "");
  return Buffer.from(digits.slice(Math.ceil((shift * 8) / 6), Math.floor((padded.length * 8) / 6)));
}

// The secrets that stand in a text or in bytes, in whatever spelling.
export function found(secrets, where) {
  const bytes = Buffer.from(where);
  return secrets.filter((secret) => spellings(secret).some((spelling) => bytes.includes(spelling)));
}
