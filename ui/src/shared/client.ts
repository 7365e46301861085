// Calls the public API, with the types of docs/openapi.json. Whatever is refused comes as a `Problem`, whatever did not arrive as
// `Unreachable`; knows nothing of pages.
import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "../../generated/api";

/** The types of the API by their names in the document. */
export type Api = components["schemas"];
export type ValueError = Api["ValueError"];

/** An answer that refuses (RFC 9457). */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly errors: ValueError[],
    readonly usages: Api["Place"][],
    readonly retryAfter: number | undefined,
  ) {
    super(detail);
  }

  static async of(response: Response): Promise<Problem> {
    const said = await response.json().catch(() => ({}));
    const after = Number(response.headers.get("retry-after")) || undefined;
    const detail = said.detail ?? `The server answered ${response.status}.`;
    return new Problem(response.status, said.code ?? "unexpected", detail, said.errors ?? [], said.usages ?? [], after);
  }
}

/** No answer came: whether the request arrived is not known. */
export class Unreachable extends Error {
  constructor() {
    super("Keyfob cannot be reached. What you entered is still here: try again when you are online.");
  }
}

const refuse: Middleware = {
  async onResponse({ response }) {
    if (!response.ok && response.status !== 304) throw await Problem.of(response);
  },
  onError: () => new Unreachable(),
};

/** Calls the API as whoever the token names, or as who is signed in by the cookie; with a token no cookie is sent nor taken, unless asked for. */
export function createApi(token?: () => string | undefined, credentials: RequestCredentials = token ? "omit" : "same-origin") {
  const api = createClient<paths>({ baseUrl: location.origin, credentials });
  api.use(refuse);
  if (token) {
    const authorize: Middleware = {
      onRequest({ request }) {
        const known = token();
        if (known) request.headers.set("authorization", `Bearer ${known}`);
      },
    };
    api.use(authorize);
  }
  return api;
}

/** The body of an answer that is no refusal. */
export async function body<T>(call: Promise<{ data?: T }>): Promise<T> {
  return (await call).data as T;
}

/** The header that a change of this version needs. */
export const ifMatch = (of: { version: number }) => ({ "If-Match": `"${of.version}"` });

/** A name for one attempt to create, so that repeating it after a lost answer creates one. */
export const newAttempt = () => ({ "Idempotency-Key": crypto.randomUUID() });

/** What to show of whatever went wrong. */
export const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
