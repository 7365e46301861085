// Many connections at once: what would become of them, and doing it, as many requests as it takes.
import { type Api, body, messageOf } from "../../shared/client";
import { api } from "../api";
import type { Environment } from "../route";

export type Action = Api["BulkAction"];
/** All that a filter finds, or connections by their ids. */
export type Chosen = { filter: Api["BulkFilter"] } | { ids: string[] };
export interface Change {
  action: Action;
  tags?: string[];
}
export interface Outcome {
  /** How many are meant; of a filter there may be more. */
  count: number;
  exact: boolean;
  changed: number;
  unchanged: number;
  /** Of a plan by filter: whether more follow than these numbers tell. */
  more: boolean;
  refused: Api["BulkRefused"][];
  missing: number;
  /** Those that are changed, or would be. */
  ids: string[];
  /** Why it went no further; what is counted was done all the same. */
  stopped: string;
}

// The most ids that one request takes.
const AT_ONCE = 100;

const nothing = (): Outcome => ({ count: 0, exact: true, changed: 0, unchanged: 0, more: false, refused: [], missing: 0, ids: [], stopped: "" });

/** What would become of all that are named, or of the first of what a filter finds; where it cannot be undone, of all of it. */
export async function plan(environment: Environment, chosen: Chosen, change: Change): Promise<Outcome> {
  const outcome = nothing();
  await run(environment, chosen, change, outcome, true);
  return outcome;
}

/** Does it, each part all or nothing. What was done before a part failed stays done, and is told; doing it again does the rest. */
export async function apply(environment: Environment, chosen: Chosen, change: Change): Promise<Outcome> {
  const outcome = nothing();
  await run(environment, chosen, change, outcome, false).catch((error) => (outcome.stopped = messageOf(error)));
  return outcome;
}

async function run(environment: Environment, chosen: Chosen, change: Change, outcome: Outcome, dryRun: boolean): Promise<void> {
  for (const part of parts(chosen)) {
    let cursor: string | null | undefined;
    do {
      const sent: Api["Bulk"] = { environment, ...part, ...change, dry_run: dryRun, ...(cursor ? { cursor } : {}) };
      const done: Api["BulkChanged"] = await body(api.POST("/v1/connections/bulk", { body: sent }));
      outcome.count += done.matching?.count ?? 0;
      outcome.exact &&= done.matching?.exact ?? true;
      outcome.changed += done.changed;
      outcome.unchanged += done.unchanged;
      outcome.refused.push(...done.refused);
      outcome.missing += done.missing.length;
      outcome.ids.push(...done.connections.map(({ id }) => id));
      cursor = done.next_cursor;
    } while (cursor && (!dryRun || change.action === "delete"));
    outcome.more ||= Boolean(cursor);
  }
}

function parts(chosen: Chosen): Chosen[] {
  if ("filter" in chosen) return [chosen];
  return Array.from({ length: Math.ceil(chosen.ids.length / AT_ONCE) }, (_, part) => ({ ids: chosen.ids.slice(part * AT_ONCE, (part + 1) * AT_ONCE) }));
}
