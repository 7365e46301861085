// What is done with a connection from several places: each answers with the connection as it is afterwards.
import { type Api, body, ifMatch } from "../shared/client";
import { api } from "./api";
import type { Connection } from "./status";

const path = ({ id }: Pick<Connection, "id">) => ({ path: { id } });

export const findConnection = (id: string): Promise<Connection> => body(api.GET("/v1/connections/{id}", { params: { path: { id } } }));

export function change(connection: Connection, sent: Api["UpdateConnection"], query: { test?: boolean; force?: boolean } = {}): Promise<Connection> {
  return body(api.PATCH("/v1/connections/{id}", { params: { ...path(connection), header: ifMatch(connection), query }, body: sent }));
}

/** Tests what is stored; health and history keep the result. */
export async function runTest(connection: Connection, mode: Api["Mode"] = "silent"): Promise<Connection> {
  await api.POST("/v1/connections/{id}/tests", { params: path(connection), body: { mode } });
  return findConnection(connection.id);
}

/** Tests what is stored with unsaved edits laid over it; nothing is kept. */
export function testEdits(connection: Connection, sent: Api["StoredTest"]): Promise<Api["TestResult"]> {
  return body(api.POST("/v1/connections/{id}/tests", { params: path(connection), body: sent }));
}
