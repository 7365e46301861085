// The status of a connection as a badge, with the reason on hover and focus, and the last attempt where it differs.
import { html, nothing, type TemplateResult } from "lit";
import type { Api } from "../shared/client";
import { icon } from "../shared/icons";
import { exact } from "../shared/time";
import { adviceOf, ATTENTION, SOURCES, spoken, STATUSES } from "../shared/words";

export type Connection = Api["Connection"];

function look({ enabled, status, health }: Connection): [tone: string, icon: string, text: string] {
  if (!enabled) return ["", "unplug", "Disabled"];
  if (status === "active") return health.verdict === "limited" ? ["warn", "triangle-alert", "Connected in part"] : ["good", "circle-check", STATUSES.active];
  return health.verdict === "invalid" ? ["bad", "circle-x", STATUSES.not_active] : ["warn", "circle-help", STATUSES.not_active];
}

/** Why it has its status, in sentences. */
export function whyOf({ enabled, health, must_reenter }: Connection): string {
  const said = [
    enabled ? "" : "Switched off: it is neither resolved nor exposed.",
    health.reason ? `${spoken(health.reason)}.` : "",
    health.message ?? "",
    adviceOf(health),
    must_reenter ? "Its secrets have to be entered again." : "",
    health.checked_at && health.source ? `Found ${exact(health.checked_at)}, ${SOURCES[health.source]}.` : "",
    health.stale ? "Something that this rests on changed since." : "",
  ];
  return said.filter(Boolean).join(" ") || "The last test found nothing wrong.";
}

export function statusBadge(connection: Connection): TemplateResult {
  const [tone, name, text] = look(connection);
  return html`<span class="tip" tabindex="0" data-tip=${whyOf(connection)}><span class="badge ${tone}">${icon(name)}${text}</span><span class="hidden-visually">. ${whyOf(connection)}</span></span>`;
}

/** "Unreachable since 14:02", where the last attempt says something else than health. */
export function lastAttempt({ health, last_attempt: last }: Connection): TemplateResult | typeof nothing {
  if (!last || (last.verdict === health.verdict && last.reason === health.reason) || last.verdict !== "unknown") return nothing;
  const said = `The last attempt, ${exact(last.at)}, found nothing definite. ${last.message ?? ""}`;
  return html`<span class="tip" tabindex="0" data-tip=${said}><span class="badge">${icon("clock")}${spoken(last.reason ?? "unknown")}</span><span class="hidden-visually">. ${said}</span></span>`;
}

export function attentionBadges({ attention }: Connection): TemplateResult {
  return html`${attention.map((one) => html`<span class="badge ${one.endsWith("ing") || one.endsWith("due") ? "warn" : "bad"}">${icon("clock")}${ATTENTION[one]}</span>`)}`;
}
