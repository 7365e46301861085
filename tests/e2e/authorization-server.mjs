// A real OpenID provider (oidc-provider, certified) on loopback: PKCE required, refresh tokens that rotate and are good once,
// short lifetimes. Behind it an API that takes its tokens. Knows how a person consents or does not; knows nothing of Keyfob.
import { once } from "node:events";
import http from "node:http";
import Provider from "oidc-provider";

export const CLIENT = { id: "keyfob-test", secret: "planted-client-secret-of-the-app" };

// Starts the server for one redirect URI. `seconds`: how long an access token lives.
//
// - `issuer`, `api`: the addresses
// - `calls`: the requests to the token endpoint, as `{ grant, status }`
// - `broken`: a status that the token endpoint answers instead, while set; `slow`: milliseconds before it answers
// - `consent(url, { deny })`: what a person does whose browser is sent to `url`; gives where the browser is sent back
// - `isGood(token)`: whether an access token lives
// - `stop()`
export async function startAuthorizationServer({ redirectUri, seconds = 2 }) {
  const calls = [];
  const state = { broken: 0, slow: 0 };
  const server = http.createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        application_type: "native",
        redirect_uris: [redirectUri],
        grant_types: ["authorization_code", "refresh_token", "client_credentials"],
        response_types: ["code"],
        token_endpoint_auth_method: "client_secret_post",
      },
    ],
    cookies: { keys: ["some keys of a test"] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      revocation: { enabled: true },
      introspection: { enabled: true },
    },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    issueRefreshToken: () => true,
    pkce: { required: () => true },
    rotateRefreshToken: true,
    scopes: ["openid", "offline_access", "read", "write"],
    ttl: { AccessToken: seconds, AuthorizationCode: 60, ClientCredentials: seconds, Grant: 600, Interaction: 60, RefreshToken: 600, Session: 600, IdToken: 60 },
  });
  provider.on("server_error", (_, error) => calls.push({ grant: "server_error", status: String(error) }));
  const handle = provider.callback();
  server.on("request", async (request, response) => {
    const url = new URL(request.url, issuer);
    if (url.pathname.startsWith("/interaction/")) return decide(provider, request, response);
    if (url.pathname === "/me") return me(provider, request, response);
    if (url.pathname !== "/token") return handle(request, response);
    if (state.slow) await new Promise((resolve) => setTimeout(resolve, state.slow));
    if (state.broken) {
      calls.push({ grant: "broken", status: state.broken });
      response.statusCode = state.broken;
      return response.end("{}");
    }
    response.on("finish", () => calls.push({ status: response.statusCode }));
    return handle(request, response);
  });
  return {
    issuer,
    api: issuer,
    calls,
    state,
    consent,
    isGood: async (token) => (await provider.AccessToken.find(token)) !== undefined,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

// The person's answer, without a page to press it on: the query of the interaction's address says what it is.
async function decide(provider, request, response) {
  const { prompt, params, grantId, session } = await provider.interactionDetails(request, response);
  if (request.headers["x-person"] === "denies") {
    const result = { error: "access_denied", error_description: "The person said <b>no</b>." };
    return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  }
  if (prompt.name === "login") return provider.interactionFinished(request, response, { login: { accountId: "ann" } });
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
}

async function me(provider, request, response) {
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
  const known = token && ((await provider.AccessToken.find(token)) ?? (await provider.ClientCredentials.find(token)));
  response.statusCode = known ? 200 : 401;
  response.setHeader("content-type", "application/json");
  response.end("{}");
}

// Follows the redirects of a browser with its cookies, until one leads to another host than the server's.
async function consent(start, { deny = false } = {}) {
  const cookies = new Map();
  const origin = new URL(start).origin;
  let url = new URL(start);
  for (let hop = 0; hop < 20; hop += 1) {
    const headers = { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") };
    if (deny) headers["x-person"] = "denies";
    const response = await fetch(url, { redirect: "manual", headers });
    for (const cookie of response.headers.getSetCookie()) {
      const [pair] = cookie.split(";");
      const at = pair.indexOf("=");
      cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    const location = response.headers.get("location");
    if (!location) throw new Error(`no redirect: ${response.status} ${await response.text()}`);
    url = new URL(location, url);
    if (url.origin !== origin) return url.href;
  }
  throw new Error("the redirects do not end");
}
