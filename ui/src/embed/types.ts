// The shapes of the API that the picker uses, as the API document has them.
import type { components } from "../../generated/api";

type Schemas = components["schemas"];
type Own = Schemas["OwnDetails"];

/** A connection as a session sees it; of its customer's own with the details. */
export type Connection = Omit<NonNullable<Schemas["EmbeddedConnection"]>, keyof Own> & Partial<Own>;
export type Page<T> = { data: T[]; next_cursor?: string | null };
export type Provider = Schemas["ProviderSummary"];
export type ProviderView = Schemas["ProviderView"];
export type ConnectionType = Schemas["TypeView"];
export type Field = Schemas["Field"];
export type Session = Schemas["EmbeddedSession"];
export type Authorization = Schemas["AuthorizationView"];
export type Redeemed = Schemas["RedeemedSession"];
export type TestResult = Schemas["TestResult"];
export type Problem = Schemas["Problem"];
export type ValueProblem = Schemas["ValueError"];
export type Reason = Schemas["Reason"];
export type Verdict = Schemas["Verdict"];
