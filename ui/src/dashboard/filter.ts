// Which connections the list shows: the part of the address that is a filter, as parameters of the API and back.
import type { paths } from "../../generated/api";
import type { Api } from "../shared/client";
import type { Environment } from "./route";

export type ListQuery = paths["/v1/connections"]["get"]["parameters"]["query"];
export type FacetQuery = paths["/v1/connections/facets"]["get"]["parameters"]["query"];

const SEVERAL = ["provider", "connection_type", "tag"] as const;
const ONE = ["status", "verdict", "reason", "kind", "customer", "template", "stable_key", "search", "enabled", "embedded"] as const;
export const SORTS: Record<string, string> = {
  name: "Name",
  "-modified_at": "Last modified",
  "-created_at": "Newest",
  created_at: "Oldest",
};

/** The parameters of the API that a filter stands for. */
export function toQuery(environment: Environment, filter: URLSearchParams): FacetQuery {
  const query: Record<string, unknown> = { environment };
  for (const name of SEVERAL) if (filter.has(name)) query[name] = filter.getAll(name);
  for (const name of ONE) if (filter.get(name)) query[name] = filter.get(name);
  return query as FacetQuery;
}

/** The same for a change of all that it finds: what is text in the address is a truth there. */
export function toBulkFilter(filter: URLSearchParams): Api["BulkFilter"] {
  const { environment: _, ...query } = toQuery("development", filter);
  const truths = Object.fromEntries(["enabled", "embedded"].filter((name) => name in query).map((name) => [name, filter.get(name) === "true"]));
  return { ...query, ...truths } as Api["BulkFilter"];
}

export function toListQuery(environment: Environment, filter: URLSearchParams): ListQuery {
  const sort = filter.get("sort");
  return { ...toQuery(environment, filter), ...(sort && sort in SORTS ? { sort } : {}) } as ListQuery;
}

export const isFiltered = (filter: URLSearchParams) => [...SEVERAL, ...ONE].some((name) => filter.has(name));

/** The filter with one value set, or without it. */
export function withOne(filter: URLSearchParams, name: string, value: string | null): URLSearchParams {
  const next = new URLSearchParams(filter);
  if (value) next.set(name, value);
  else next.delete(name);
  return next;
}

/** The filter with a value of several added, or removed where it was. */
export function withToggled(filter: URLSearchParams, name: string, value: string): URLSearchParams {
  const next = new URLSearchParams(filter);
  if (next.has(name, value)) next.delete(name, value);
  else next.append(name, value);
  return next;
}
