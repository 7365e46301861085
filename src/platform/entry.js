// Where the platform enters. worker-build's class makes an object and three proxies for each request. Here its wrapped methods
// are taken once: they still restart the wasm after a panic.
import Keyfob from "./index.js";

let methods;

function methodsOf(context, env) {
  const keyfob = new Keyfob(context, env);
  return { fetch: keyfob.fetch, scheduled: keyfob.scheduled };
}

export default {
  fetch(request, env, ctx) {
    methods ??= methodsOf(ctx, env);
    return methods.fetch.call({ env, ctx }, request);
  },
  scheduled(event, env, ctx) {
    methods ??= methodsOf(ctx, env);
    return methods.scheduled.call({ env, ctx }, event);
  },
};
