// One Keyfob in a process of its own, for tests that kill it: what `startKeyfob` is given comes as JSON in the first argument;
// when it is ready, one line of JSON with its `url` and `rootKey` goes out.
import { startKeyfob } from "./keyfob.mjs";

const keyfob = await startKeyfob(JSON.parse(process.argv[2]));
console.log(JSON.stringify({ url: keyfob.url, rootKey: keyfob.rootKey }));
