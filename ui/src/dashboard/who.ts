// Who is signed in, and what they may do. What they may not do is not offered; the API refuses it all the same.
import { type Api, body, createApi, Problem } from "../shared/client";
import { api } from "./api";

export type Who = Api["WhoAmI"];
export type Scope = Api["Scope"];

let who: Who | undefined;

/** Asks the API who is signed in; `undefined` where nobody is. */
export async function findWho(): Promise<Who | undefined> {
  try {
    who = await body(api.GET("/v1/session"));
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 401) throw error;
    who = undefined;
  }
  return who;
}

/** Exchanges an API key for a session in a cookie; the key is kept nowhere. */
export async function signIn(key: string): Promise<Who> {
  who = await body(createApi(() => key, "same-origin").POST("/v1/session"));
  return who;
}

/** Signs in as the person whom Cloudflare Access vouches for, where it stands in front. */
export async function signInByAccess(): Promise<Who> {
  who = await body(api.POST("/v1/session"));
  return who;
}

export async function signOut(): Promise<void> {
  await api.DELETE("/v1/session");
  who = undefined;
}

export const environments = () => who?.environments ?? [];
export const scopes = () => who?.scopes ?? [];

export const may = (scope: Scope) => who?.scopes.includes(scope) ?? false;
