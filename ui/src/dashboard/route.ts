// What the address bar says: environment, page, and filter. It stands after the #, so that names of customers and searches are in no
// server's log; reload and share give the same view.
import type { Api } from "../shared/client";

export type Environment = Api["Environment"];

export interface Route {
  environment: Environment;
  page: string;
  /** What the page is about: the id of a connection, a customer … */
  id: string | undefined;
  query: URLSearchParams;
}

const ENVIRONMENTS: Environment[] = ["development", "staging", "production"];
const LAST = "keyfob:environment";

/** Reads `#/{environment}/{page}/{id}?{query}`. What is no environment becomes one that the caller may see. */
export function readRoute(allowed: Environment[]): Route {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
  const [first = "", page = "", id] = path.split("/").map(decoded);
  const known = ENVIRONMENTS.find((one) => one === first && allowed.includes(one));
  const environment = known ?? remembered(allowed) ?? allowed[0] ?? "development";
  return { environment, page: page || "connections", id, query: new URLSearchParams(query) };
}

// What nobody encoded stands for itself.
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function remembered(allowed: Environment[]): Environment | undefined {
  const last = localStorage.getItem(LAST);
  return allowed.find((one) => one === last);
}

export const remember = (environment: Environment) => localStorage.setItem(LAST, environment);

export function hrefOf(environment: Environment, page: string, id?: string, query?: URLSearchParams | string): string {
  const path = [environment, page, ...(id ? [encodeURIComponent(id)] : [])].join("/");
  const text = String(query ?? "");
  return `#/${path}${text ? `?${text}` : ""}`;
}

/** Goes there; with `replace` without a step in the history, as while one types. */
export function go(href: string, replace = false): void {
  if (!replace) {
    location.hash = href;
    return;
  }
  history.replaceState(null, "", href);
  dispatchEvent(new HashChangeEvent("hashchange"));
}
