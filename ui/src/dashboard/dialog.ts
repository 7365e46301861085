// A dialog or drawer over the page: its title, what is in it, its buttons; closing it tells `close`.
import "@awesome.me/webawesome/dist/components/dialog/dialog.js";
import "@awesome.me/webawesome/dist/components/drawer/drawer.js";
import { html, nothing, type TemplateResult } from "lit";

interface Shown {
  title: string;
  body: unknown;
  /** Buttons at the foot. */
  foot?: unknown;
  close: () => void;
  wide?: boolean;
}

// What is inside (a menu, a tooltip) hides with events of the same name.
const own = (close: () => void) => (event: Event) => event.target === event.currentTarget && close();

// Fields that draw themselves come too late for the dialog's own choice, which would be a button.
function enter(event: Event): void {
  const shown = event.currentTarget as HTMLElement;
  if (event.target === shown) shown.querySelector<HTMLElement>("input, select, textarea")?.focus();
}

export function dialog({ title, body, foot, close, wide }: Shown): TemplateResult {
  return html`<wa-dialog class=${wide ? "wide" : ""} label=${title} open @wa-after-show=${enter} @wa-after-hide=${own(close)}>${body}${foot ? html`<div slot="footer" class="row wrap">${foot}</div>` : nothing}</wa-dialog>`;
}

export function drawer({ title, body, close }: Shown): TemplateResult {
  return html`<wa-drawer label=${title} open light-dismiss @wa-after-hide=${own(close)}>${body}</wa-drawer>`;
}
