// HTTP services on loopback that connections of the tests talk to. Know how to answer and to remember who asked; know
// nothing of Keyfob.
import { createServer } from "node:http";

// Starts a service that answers with `answer(request, response)`.
//
// - `origin`: where it listens, by name and by address
// - `requests`: what it has been asked, as `{ method, url, authorization }`
// - `stop()`
export async function startService(answer) {
  const requests = [];
  const server = createServer((request, response) => {
    requests.push({ method: request.method, url: request.url, authorization: request.headers.authorization });
    answer(request, response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    requests,
    port: server.address().port,
    origin: `http://127.0.0.1:${server.address().port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

// Starts an API with bearer tokens and one harmless path, `GET /me`. `accepts` holds the tokens that it accepts; whatever
// else it is asked is in `unforeseen`, which has to stay empty.
export async function startApi(...tokens) {
  const accepts = new Set(tokens);
  const unforeseen = [];
  const service = await startService((request, response) => {
    if (request.method !== "GET" || request.url !== "/me") unforeseen.push(`${request.method} ${request.url}`);
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
    response.statusCode = accepts.has(token) ? 200 : 401;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(accepts.has(token) ? { login: "robot" } : { error: "unauthorized" }));
  });
  return { ...service, accepts, unforeseen };
}

// Starts what plays Slack's incoming webhooks, with one webhook at `path`: as Slack documents it, a body that is no payload is
// refused and nobody sees anything. `messages` holds the texts that people would see; whatever else it is asked is in `unforeseen`.
export async function startSlackWebhooks(path) {
  const messages = [];
  const unforeseen = [];
  const service = await startService(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    const say = (status, text) => response.writeHead(status, { "content-type": "text/html" }).end(text);
    if (request.method !== "POST" || request.headers["content-type"] !== "application/json") unforeseen.push(`${request.method} ${request.headers["content-type"]}`);
    if (request.url !== path) return say(404, "no_service");
    let payload;
    try {
      payload = JSON.parse(body);
    } catch {
      return say(400, "invalid_payload");
    }
    if (typeof payload.text !== "string" || payload.text === "") return say(400, "no_text");
    messages.push(payload.text);
    return say(200, "ok");
  });
  return { ...service, messages, unforeseen };
}
