// The values of a form while they are entered: settings and secrets by field. Knows which fields are shown and what is sent;
// draws nothing.
import type { Api, ValueError } from "./client";

export type Field = Api["Field"];

export interface Values {
  settings: Record<string, unknown>;
  /** What is not here is kept as it is; `null` clears it. */
  secrets: Record<string, string | null>;
}

export const noValues = (): Values => ({ settings: {}, secrets: {} });

export function valueOf(field: Field, values: Values): unknown {
  return field.secret ? values.secrets[field.key] : values.settings[field.key];
}

export const isEmpty = (value: unknown) => value === undefined || value === null || value === "";

/** Whether the whole text matches; a pattern that this browser cannot read decides nothing. */
function matches(pattern: string, text: string): boolean {
  try {
    return new RegExp(`^(?:${pattern})$`, "u").test(text);
  } catch {
    return true;
  }
}

/** Whether a field is shown, with what is entered in the others. */
export function isShown(field: Field, fields: Field[], values: Values): boolean {
  const condition = field.visible_when;
  if (!condition) return true;
  const other = fields.find(({ key }) => key === condition.field);
  if (!other) return true;
  const entered = valueOf(other, values);
  const value = isEmpty(entered) ? other.default : entered;
  if (condition.is?.length) return condition.is.some((one) => one === value);
  return condition.matches ? matches(condition.matches, String(value ?? "")) : true;
}

/** What is wrong with a value, as far as one sees it here; the API has the last word. */
export function faultOf(field: Field, value: unknown, kept: boolean): string | undefined {
  if (isEmpty(value)) {
    return field.required && !kept && isEmpty(field.default) ? `${field.label} is needed.` : undefined;
  }
  if (typeof value !== "string") return undefined;
  if (field.type === "integer" && !/^-?\d+$/.test(value)) return "A whole number is needed.";
  if (field.enum?.length && !field.enum.includes(value)) return "Choose one of the values.";
  if (field.type === "url" && !URL.canParse(value.trim())) return "A complete address is needed, such as https://…";
  if (field.pattern && !matches(field.pattern, value.trim())) return field.pattern_help ?? "The value does not have the form that is expected.";
  return undefined;
}

/** What is sent of a setting that was entered as text. */
function parsed(field: Field, value: unknown): unknown {
  if (field.type === "integer" && typeof value === "string" && /^-?\d+$/.test(value.trim())) return Number(value);
  return value;
}

/** What a new connection is sent: what is shown and not empty. */
export function toCreate(fields: Field[], values: Values): { settings: Record<string, unknown>; secrets: Record<string, string> } {
  const sent = { settings: {} as Record<string, unknown>, secrets: {} as Record<string, string> };
  for (const field of fields) {
    const value = valueOf(field, values);
    if (isEmpty(value) || !isShown(field, fields, values)) continue;
    if (field.secret) sent.secrets[field.key] = String(value);
    else sent.settings[field.key] = parsed(field, value);
  }
  return sent;
}

/** What a change is sent: only what differs from what is stored, `null` for what was emptied. */
export function toChange(fields: Field[], values: Values, stored: Record<string, unknown>): Values {
  const sent = noValues();
  for (const field of fields) {
    const value = valueOf(field, values);
    if (field.secret) {
      if (value === null || !isEmpty(value)) sent.secrets[field.key] = value as string | null;
    } else if (isEmpty(value)) {
      if (!isEmpty(stored[field.key])) sent.settings[field.key] = null;
    } else if (String(value) !== String(stored[field.key] ?? "")) {
      sent.settings[field.key] = parsed(field, value);
    }
  }
  return sent;
}

/** The pointer under which the API names a field, and the sentences about it. */
export function errorsAt(field: Field, errors: ValueError[]): string | undefined {
  const pointer = `/${field.secret ? "secrets" : "settings"}/${field.key}`;
  return errors.filter((error) => error.pointer === pointer).map(({ detail }) => detail).join(" ") || undefined;
}
