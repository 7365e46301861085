// Keyfob, with everything that it asks of D1 written down. `GET /recorded` answers with the batches since the last time.
import Keyfob from "./index.js";

let recorded = [];

// By this name the Worker knows the binding.
class D1Database {
  #database;

  constructor(database) {
    this.#database = database;
  }

  prepare(sql) {
    return { bind: (...params) => ({ sql, params, prepared: this.#database.prepare(sql).bind(...params) }) };
  }

  batch(statements) {
    recorded.push(statements.map(({ sql, params }) => ({ sql, params })));
    return this.#database.batch(statements.map(({ prepared }) => prepared));
  }
}

export default {
  async fetch(request, env, context) {
    if (new URL(request.url).pathname === "/recorded") {
      const batches = recorded;
      recorded = [];
      return Response.json(batches);
    }
    return new Keyfob(context, { ...env, DATABASE: new D1Database(env.DATABASE) }).fetch(request);
  },
};
