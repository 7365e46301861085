// What the page that frames us may say of our looks: a handful of custom properties, each checked for what it is.
import type { Theme } from "../host/keyfob";

const THEME: Record<keyof Theme, "color" | "length" | "font"> = {
  accent: "color",
  "accent-strong": "color",
  "accent-soft": "color",
  "on-accent": "color",
  surface: "color",
  sunken: "color",
  text: "color",
  quiet: "color",
  border: "color",
  "border-strong": "color",
  radius: "length",
  font: "font",
};

/** How long a value may be. */
const LONGEST = 100;

/** What a value may be made of: nothing that loads, nothing that ends the declaration. */
const HARMLESS = /^[\w\s#%.,()'"/+-]+$/;

const CHECKS: Record<"color" | "length" | "font", (value: string) => boolean> = {
  color: (value) => CSS.supports("color", value),
  length: (value) => CSS.supports("border-radius", value) && !/\s/.test(value.trim()),
  font: (value) => CSS.supports("font-family", value),
};

/** Sets the properties that are known and hold what they should; gives the names of those that were left out. */
export function dress(root: HTMLElement, theme: unknown): string[] {
  const refused: string[] = [];
  const given = Object.entries(theme && typeof theme === "object" ? theme : {});
  for (const [name, value] of given) {
    if (isGood(name, value)) root.style.setProperty(`--kf-${name}`, value as string);
    else refused.push(name);
  }
  const isSet = (name: string): boolean => root.style.getPropertyValue(`--kf-${name}`) !== "";
  // Of one accent colour follow the stronger and the softer one.
  const derived = { "accent-strong": "var(--kf-text) 20%", "accent-soft": "var(--kf-surface) 88%" };
  for (const [name, mixed] of Object.entries(derived)) {
    if (isSet("accent") && !isSet(name)) root.style.setProperty(`--kf-${name}`, `color-mix(in oklab, var(--kf-accent), ${mixed})`);
  }
  return refused;
}

function isGood(name: string, value: unknown): boolean {
  const kind = Object.hasOwn(THEME, name) ? THEME[name as keyof Theme] : undefined;
  if (kind === undefined || typeof value !== "string" || value.length > LONGEST) return false;
  return HARMLESS.test(value) && !/(url|var|env|attr|image|set)\s*\(/i.test(value) && CHECKS[kind](value);
}

/** Light or dark: as the page that frames us says, else as the browser prefers, now and later. */
export function light(root: HTMLElement, scheme: string | null): void {
  const prefers = matchMedia("(prefers-color-scheme: dark)");
  const apply = (): void => {
    const isDark = scheme === null ? prefers.matches : scheme === "dark";
    root.classList.toggle("wa-dark", isDark);
    root.style.colorScheme = isDark ? "dark" : "light";
  };
  if (scheme === null) prefers.addEventListener("change", apply);
  apply();
}
