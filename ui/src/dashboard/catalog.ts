// The providers, asked for once: the list of all, and each whole view when it is needed.
import { type Api, body } from "../shared/client";
import { api } from "./api";

export type ProviderSummary = Api["ProviderSummary"];
export type ProviderView = Api["ProviderView"];
export type TypeView = Api["TypeView"];

let summaries: Map<string, ProviderSummary> = new Map();
const views = new Map<string, Promise<ProviderView>>();

export async function loadProviders(): Promise<void> {
  const page = await body(api.GET("/v1/providers"));
  summaries = new Map(page.data.map((provider) => [provider.key, provider]));
}

export const allProviders = () => [...summaries.values()];
export const providerName = (key: string) => summaries.get(key)?.name ?? key;
export const providerIcon = (key: string) => summaries.get(key)?.icon_url ?? "/favicon.svg";

export const typeName = (provider: string, type: string) =>
  summaries.get(provider)?.connection_types.find(({ key }) => key === type)?.name ?? type;

export function findProvider(key: string): Promise<ProviderView> {
  const known = views.get(key) ?? body(api.GET("/v1/providers/{provider}", { params: { path: { provider: key } } }));
  views.set(key, known);
  // A failure is not kept.
  known.catch(() => views.delete(key));
  return known;
}

export async function findType(provider: string, type: string): Promise<TypeView> {
  const view = await findProvider(provider);
  const found = view.connection_types.find(({ key }) => key === type);
  if (!found) throw new Error(`${view.name} has no connection type ${type} any more.`);
  return found;
}
