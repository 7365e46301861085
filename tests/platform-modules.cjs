// Stand-ins for modules that only the Workers platform has: the glue of the wasm tests imports them, no test calls them.
// Loaded into Node before anything else (see `make test-wasm`).
const Module = require('node:module');

const load = Module._load;
Module._load = (request, ...rest) => (request.startsWith('cloudflare:') ? {} : load(request, ...rest));
