// A secret that is shown this once.
import { html } from "lit";
import { customElement, property } from "lit/decorators.js";
import { PageElement } from "../../shared/element";
import { icon } from "../../shared/icons";
import { dialog } from "../dialog";
import { toast } from "../toast";

@customElement("kf-once")
export class Once extends PageElement {
  @property() what = "";
  @property({ attribute: false }) secret = "";

  private async copy(): Promise<void> {
    await navigator.clipboard.writeText(this.secret);
    toast("Copied.");
  }

  override render() {
    return dialog({
      title: this.what,
      close: () => this.tell("closed"),
      body: html`<div class="stack">
        <div class="note warn">${icon("triangle-alert")}<span>It is shown this once. Copy it to where it is used: nobody can look it up later.</span></div>
        <pre class="secret" tabindex="0" aria-label=${this.what}>${this.secret}</pre></div>`,
      foot: html`<button class="button" @click=${this.copy}>${icon("copy")}Copy</button><button class="button primary" @click=${() => this.tell("closed")}>I have it</button>`,
    });
  }
}
