// Times for people: relative, and exact where one looks closer.
import { html, nothing, type TemplateResult } from "lit";

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

export function ago(time: string, now = Date.now()): string {
  const seconds = (Date.parse(time) - now) / 1000;
  for (const [unit, length] of UNITS) {
    if (Math.abs(seconds) >= length) return relative.format(Math.trunc(seconds / length), unit);
  }
  return seconds > 0 ? "in a moment" : "just now";
}

export const exact = (time: string) => new Date(time).toLocaleString("en", { dateStyle: "medium", timeStyle: "medium" });

/** A time that shows how long ago it was, and exactly when on hover. */
export function when(time: string | null | undefined): TemplateResult | typeof nothing {
  return time ? html`<time datetime=${time} title=${exact(time)}>${ago(time)}</time>` : nothing;
}
