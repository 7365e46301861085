// Where the sentences of the API about wrong values stand: at their field, or, where a form has none, above its buttons.
import type { ValueError } from "../shared/client";
import { ABOUT_POINTERS } from "./about";

const AT_FIELDS = ["/settings/", "/secrets/", "/customer_fields", "/template"];

/** Those that no field of a form shows. */
export function unplaced(errors: ValueError[]): ValueError[] {
  return errors.filter(({ pointer }) => !AT_FIELDS.some((prefix) => pointer.startsWith(prefix)) && !ABOUT_POINTERS.some((one) => pointer === one || pointer.startsWith(`${one}/`)));
}

/** Puts the cursor where something is wrong. */
export async function focusFirstFault(form: HTMLElement): Promise<void> {
  await new Promise(requestAnimationFrame);
  form.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
}
