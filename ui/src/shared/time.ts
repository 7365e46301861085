// Times for people: relative, and exact where one looks closer.
import { html, nothing, type TemplateResult } from "lit";

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
// Each with its length and from when it is used, in seconds: a date that comes near is told in days.
const UNITS: [unit: Intl.RelativeTimeFormatUnit, length: number, from: number][] = [
  ["year", 31_536_000, 31_536_000],
  ["month", 2_592_000, 2_592_000],
  ["week", 604_800, 1_209_600],
  ["day", 86_400, 86_400],
  ["hour", 3_600, 3_600],
  ["minute", 60, 60],
];

export function ago(time: string, now = Date.now()): string {
  const seconds = (Date.parse(time) - now) / 1000;
  for (const [unit, length, from] of UNITS) {
    if (Math.abs(seconds) >= from) return relative.format(Math.trunc(seconds / length), unit);
  }
  return seconds > 0 ? "in a moment" : "just now";
}

export const exact = (time: string) => new Date(time).toLocaleString("en", { dateStyle: "medium", timeStyle: "medium" });

/** A time that shows how long ago it was, and exactly when on hover. */
export function when(time: string | null | undefined): TemplateResult | typeof nothing {
  return time ? html`<time datetime=${time} title=${exact(time)}>${ago(time)}</time>` : nothing;
}
