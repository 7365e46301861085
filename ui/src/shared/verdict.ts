// What a test found: the verdict, why, what to do, and what it learned.
import { html, nothing, type TemplateResult } from "lit";
import type { Api } from "./client";
import { icon } from "./icons";
import { adviceOf, spoken, VERDICTS } from "./words";

const LOOKS: Record<Api["Verdict"], [tone: string, icon: string]> = {
  valid: ["good", "circle-check"],
  limited: ["warn", "triangle-alert"],
  invalid: ["bad", "circle-x"],
  unknown: ["", "circle-help"],
};

export const toneOf = (verdict: Api["Verdict"]) => LOOKS[verdict][0];

export function verdictBadge(verdict: Api["Verdict"]): TemplateResult {
  const [tone, name] = LOOKS[verdict];
  return html`<span class="badge ${tone}">${icon(name)}${VERDICTS[verdict]}</span>`;
}

type Found = Pick<Api["TestResult"], "verdict" | "reason" | "message" | "action" | "facts">;

/** A result of a test, in full, with what to do about it; whoever has the form before them is not sent to it. */
export function verdictNote(result: Found, { inForm = false } = {}): TemplateResult {
  const [tone, name] = LOOKS[result.verdict];
  const advice = inForm && result.action === "edit" ? "" : adviceOf(result);
  const facts = Object.entries(result.facts);
  return html`
    <div class="note ${tone}" role="status" data-verdict=${result.verdict}>
      ${icon(name)}
      <div class="stack-small grow">
        <strong>${VERDICTS[result.verdict]}${result.reason ? html`: ${spoken(result.reason).toLowerCase()}` : nothing}</strong>
        ${result.message ? html`<span>${result.message} ${advice}</span>` : nothing}
        ${facts.length ? html`<dl class="facts small">${facts.map(([key, value]) => html`<dt>${spoken(key)}</dt><dd>${value}</dd>`)}</dl>` : nothing}
      </div>
    </div>
  `;
}
