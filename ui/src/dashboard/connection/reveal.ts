// Reveals one secret: asks for the reason, shows it for half a minute, and forgets it.
import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { body, messageOf } from "../../shared/client";
import { PageElement } from "../../shared/element";
import { icon } from "../../shared/icons";
import type { Field } from "../../shared/values";
import { api } from "../api";
import { dialog } from "../dialog";
import type { Connection } from "../status";
import { toast } from "../toast";

const SECONDS = 30;

@customElement("kf-reveal")
export class RevealDialog extends PageElement {
  @property({ attribute: false }) connection!: Connection;
  @property({ attribute: false }) field!: Field;
  /** An older revision, or the current one. */
  @property({ type: Number }) revision: number | undefined;
  @state() private secret: string | undefined;
  @state() private left = 0;
  @state() private fault = "";
  private timer: ReturnType<typeof setInterval> | undefined;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.hide();
  }

  private hide(): void {
    clearInterval(this.timer);
    this.secret = undefined;
  }

  private async reveal(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    this.fault = "";
    const reason = String(new FormData(event.target as HTMLFormElement).get("reason"));
    try {
      const sent = { fields: [this.field.key], reason, ...(this.revision ? { revision: this.revision } : {}) };
      const revealed = await body(api.POST("/v1/connections/{id}/reveal", { params: { path: { id: this.connection.id } }, body: sent }));
      this.secret = revealed.secrets[this.field.key];
      this.left = SECONDS;
      this.timer = setInterval(() => --this.left <= 0 && this.hide(), 1000);
    } catch (error) {
      this.fault = messageOf(error);
    }
  }

  private async copy(): Promise<void> {
    await navigator.clipboard.writeText(this.secret ?? "");
    toast("Copied. The clipboard keeps it until something else is copied.");
  }

  override render() {
    const { label } = this.field;
    return dialog({
      title: `Reveal ${label}`,
      close: () => this.tell("closed"),
      body: this.secret === undefined ? html`
        <form class="stack" id="reveal-form" @submit=${this.reveal}>
          <p>Whoever sees it can use it. That you looked at it, and why, is recorded.</p>
          <div class="field">
            <label for="reveal-reason">Why do you need it?<span class="required" aria-hidden="true"> *</span></label>
            <input class="input" id="reveal-reason" name="reason" required maxlength="500" autocomplete="off" autofocus>
          </div>
          ${this.fault ? html`<div class="note bad" role="alert">${icon("triangle-alert")}${this.fault}</div>` : nothing}
          <div class="row"><button class="button primary">${icon("eye")}Reveal</button></div>
        </form>` : html`
        <div class="stack">
          <pre class="secret" tabindex="0" aria-label=${label}>${this.secret}</pre>
          <div class="row wrap spread">
            <span class="quiet" role="timer">Hidden again in ${this.left} seconds</span>
            <span class="row"><button class="button" @click=${this.copy}>${icon("copy")}Copy</button><button class="button" @click=${this.hide}>${icon("eye-off")}Hide now</button></span>
          </div>
        </div>`,
    });
  }
}
