// Takes the names of functions out of a wasm file: an eighth of the bundle, and of no use where it runs. worker-build always
// keeps them. The file with its names stays beside it as *.named.wasm, ignored, for reading a stack trace.
import { readFileSync, writeFileSync } from "node:fs";

const path = process.argv[2];
const wasm = readFileSync(path);

// A wasm file is 8 bytes of magic, then sections: an id, a length as LEB128, the content; id 0 begins with a name.
function leb128(at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = wasm[at++];
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return [value, at];
  }
}

const kept = [wasm.subarray(0, 8)];
for (let at = 8; at < wasm.length; ) {
  const [length, content] = leb128(at + 1);
  const end = content + length;
  const [nameLength, name] = leb128(content);
  const isNames = wasm[at] === 0 && wasm.toString("latin1", name, name + nameLength) === "name";
  if (!isNames) kept.push(wasm.subarray(at, end));
  at = end;
}
writeFileSync(path.replace(/\.wasm$/, ".named.wasm"), wasm);
writeFileSync(path, Buffer.concat(kept));
