// What the words of the API are called for people. The sentences about reasons come from the API itself.
import type { Api } from "./client";

type Words<K extends string> = Record<K, string>;

export const KINDS: Words<Api["Kind"]> = {
  organization: "Organization",
  template: "Template",
  customer: "Customer",
};

export const ENVIRONMENTS: Words<Api["Environment"]> = {
  development: "Development",
  staging: "Staging",
  production: "Production",
};

export const VERDICTS: Words<Api["Verdict"]> = {
  valid: "Works",
  limited: "Works in part",
  invalid: "Does not work",
  unknown: "Not known",
};

export const STATUSES: Words<Api["Status"]> = { active: "Connected", not_active: "Not connected" };

export const SOURCES: Words<Api["Source"]> = {
  authorization: "when it was authorized",
  save: "when it was saved",
  test: "by a test",
  message: "by a test message",
  report: "reported by the engine",
  schedule: "by a scheduled test",
};

const ACTIONS: Words<Api["Action"]> = {
  edit: "Edit the connection.",
  reauthorize: "Authorize it again.",
  retry: "Try again later.",
  none: "",
};

/** What to do about what was found, in a sentence. */
export const adviceOf = ({ reason, action }: { reason?: Api["Reason"] | null; action: Api["Action"] }) =>
  reason === "never_tested" ? "Test it." : ACTIONS[action];

export const ATTENTION: Words<Api["Attention"]> = {
  expired: "Expired",
  expiring: "Expires soon",
  rotation_overdue: "Rotation overdue",
  rotation_due: "Rotate soon",
};

export const CATEGORIES: Words<Api["Category"]> = {
  ai: "AI",
  business: "Business",
  communication: "Communication",
  cloud: "Cloud",
  data: "Data",
  development: "Development",
  productivity: "Productivity",
  generic: "Any service",
};

/** `insufficient_scope` as "Insufficient scope". */
export function spoken(code: string): string {
  const text = code.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** `1 step`, `2 steps`. */
export const counted = (count: number, one: string, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
