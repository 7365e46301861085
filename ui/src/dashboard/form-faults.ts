// What the API says of a small form that was sent: each sentence at the field that it is about, the others above the buttons.
import { html, nothing } from "lit";
import { messageOf, Problem } from "../shared/client";
import { icon } from "../shared/icons";

export interface FormFaults {
  /** By the name of a field. */
  at: Record<string, string>;
  rest: string;
}

export const noFaults = (): FormFaults => ({ at: {}, rest: "" });

/** Sorts what was refused: `fields` are those that the form shows. */
export function faultsOf(error: unknown, fields: string[]): FormFaults {
  const errors = error instanceof Problem ? error.errors : [];
  if (errors.length === 0) return { at: {}, rest: messageOf(error) };
  const faults = noFaults();
  for (const { pointer, detail } of errors) {
    const field = pointer.split("/")[1] ?? "";
    if (fields.includes(field)) faults.at[field] = [faults.at[field], detail].filter(Boolean).join(" ");
    else faults.rest = [faults.rest, detail].filter(Boolean).join(" ");
  }
  return faults;
}

/** Whether something is wrong at a field, for its `aria-invalid`. */
export const isWrong = ({ at }: FormFaults, field: string) => String(field in at);

/** What is wrong at a field; the field names `id` in its `aria-describedby`. */
export const faultAt = ({ at }: FormFaults, field: string, id: string) => (at[field] ? html`<span class="fault" id=${id} role="alert">${at[field]}</span>` : nothing);

/** What no field shows. */
export const faultLeft = ({ rest }: FormFaults) => (rest ? html`<div class="note bad" role="alert">${icon("triangle-alert")}<span>${rest}</span></div>` : nothing);
