// The fields of a form: which are shown, what was entered in them, and whether that will do. The same rules stand in
// Keyfob, which decides; here they spare a round trip.
import type { Strings } from "./strings/index";
import type { Field } from "./types";

/** What was entered, by field: texts as they are typed. */
export type Entered = Record<string, string>;

/** A value as a text field has it. */
export function toText(value: unknown): string {
  return value === null || value === undefined ? "" : String(value);
}

/** The fields that are shown for what was entered, in their order. A hidden field hides what depends on it; what depends on
 * a field that is not in the form is shown. */
export function shown(fields: readonly Field[], entered: Entered): Field[] {
  const keys = new Set(fields.map((field) => field.key));
  const visible = new Set<string>();
  return fields.filter((field) => {
    const when = field.visible_when;
    const isShown = !when || !keys.has(when.field) || (visible.has(when.field) && holds(when, entered[when.field] ?? ""));
    if (isShown) visible.add(field.key);
    return isShown;
  });
}

function holds(when: NonNullable<Field["visible_when"]>, value: string): boolean {
  if (when.matches !== undefined) return matches(when.matches, value) ?? true;
  return (when.is ?? []).some((one) => toText(one) === value);
}

/** Whether the whole value matches; unknown where the expression is not one of the browser's. */
function matches(pattern: string, value: string): boolean | undefined {
  try {
    return new RegExp(`^(?:${pattern})$`, "u").test(value);
  } catch {
    return undefined;
  }
}

/** What is wrong with what was entered in a field; nothing, where it will do. */
export function wrong(field: Field, value: string, t: Strings): string | undefined {
  const text = value.trim();
  if (text === "") return field.required ? t.missing : undefined;
  if (field.type === "integer" && !/^[+-]?\d+$/.test(text)) return t.notNumber;
  if (field.pattern && matches(field.pattern, text) === false) return field.pattern_help ?? t.notPattern;
  return undefined;
}

/** A setting as Keyfob takes it; null where it is empty. */
export function toSetting(field: Field, value: string): string | number | boolean | null {
  const text = value.trim();
  if (text === "") return null;
  if (field.type === "boolean") return text === "true";
  return field.type === "integer" ? Number(text) : value;
}
