// What every element of the pages is: a Lit element that draws into the page itself, so that one stylesheet serves all, labels
// reach their fields, and a form sees what is in it.
import { LitElement } from "lit";

export class PageElement extends LitElement {
  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  /** Tells the elements around it, with `detail`. */
  protected tell<T>(type: string, detail?: T): void {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }
}
