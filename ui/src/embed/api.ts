// The embedded API as the picker asks it: with its session, renewed once where it is over; answers, or one of three errors.
import type { Problem, ValueProblem } from "./types";

/** What Keyfob says is wrong. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly problem: Partial<Problem>,
    readonly retryAfter: number,
    readonly requestId: string,
  ) {
    super(problem.code ?? String(status));
  }

  /** What is wrong with single values. */
  get errors(): readonly ValueProblem[] {
    return this.problem.errors ?? [];
  }
}

/** Keyfob was not reached, or did not answer. */
export class Lost extends Error {}

/** The session is over and there is no other. */
export class Over extends Error {}

export interface Request {
  body?: unknown;
  /** The version that is changed. */
  version?: number;
  /** Makes repeating it safe. */
  once?: string;
}

export class Api {
  #token: string;
  readonly #renew: () => Promise<string | null>;
  #renewing: Promise<string | null> | undefined;

  constructor(token: string, renew: () => Promise<string | null>) {
    this.#token = token;
    this.#renew = renew;
  }

  get<T>(path: string): Promise<T> {
    return this.send<T>("GET", path);
  }

  async send<T>(method: string, path: string, request: Request = {}): Promise<T> {
    const response = await this.#answered(method, path, request);
    return (response.status === 204 ? undefined : await response.json()) as T;
  }

  /** The version of what is at a path, which a change of it names. */
  async version(path: string): Promise<number> {
    const response = await this.#answered("GET", path, {});
    return Number(/\d+/.exec(response.headers.get("ETag") ?? "")?.[0] ?? 0);
  }

  async #answered(method: string, path: string, request: Request): Promise<Response> {
    const token = this.#token;
    let response = await this.#ask(method, path, request, token);
    if (response.status === 401) {
      await this.#renewed(token);
      response = await this.#ask(method, path, request, this.#token);
      if (response.status === 401) throw new Over();
    }
    if (!response.ok) throw await refused(response);
    return response;
  }

  async #ask(method: string, path: string, { body, version, once }: Request, token: string): Promise<Response> {
    const headers: Record<string, string> = { Authorization: `Bearer ${token}` };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (version !== undefined) headers["If-Match"] = `"${version}"`;
    if (once !== undefined) headers["Idempotency-Key"] = once;
    try {
      return await fetch(`/v1/embedded${path}`, { method, headers, body: body === undefined ? null : JSON.stringify(body) });
    } catch {
      throw new Lost();
    }
  }

  /** Asks for another session, once however many requests meet the end of this one. */
  async #renewed(old: string): Promise<void> {
    if (this.#token !== old) return;
    this.#renewing ??= this.#renew().finally(() => (this.#renewing = undefined));
    const next = await this.#renewing;
    if (next === null) throw new Over();
    this.#token = next;
  }
}

async function refused(response: Response): Promise<Refused> {
  const problem = (await response.json().catch(() => ({}))) as Partial<Problem>;
  const wait = Number(response.headers.get("Retry-After")) || 1;
  return new Refused(response.status, problem, wait, response.headers.get("Keyfob-Request-Id") ?? "");
}
