// A test message, which people see: sent after a warning.
import { html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { PageElement } from "../../shared/element";
import { icon } from "../../shared/icons";
import { runTest } from "../changes";
import type { Connection } from "../status";
import { toast, toastError } from "../toast";

@customElement("kf-message")
export class TestMessage extends PageElement {
  @property({ attribute: false }) connection!: Connection;
  @state() private asks = false;
  @state() private busy = false;

  private async send(): Promise<void> {
    this.busy = true;
    try {
      const tested = await runTest(this.connection, "send_message");
      const { last_attempt: last } = tested;
      toast(last?.verdict === "valid" ? "The message was accepted. Look whether it arrived." : `The message was not accepted. ${last?.message ?? ""}`, last?.verdict === "valid" ? "good" : "bad");
      this.tell("connection-changed", tested);
      this.asks = false;
    } catch (error) {
      toastError(error);
    }
    this.busy = false;
  }

  override render() {
    if (!this.asks) return html`<button type="button" class="button" @click=${() => (this.asks = true)}>${icon("send")}Send a test message</button>`;
    return html`
      <div class="note warn" role="alert">
        ${icon("triangle-alert")}
        <div class="stack-small grow">
          <span>Everybody in the channel sees one fixed message that says it is a test of Keyfob. Only this proves that messages arrive.</span>
          <div class="row wrap">
            <button type="button" class="button small" ?disabled=${this.busy} @click=${this.send}>${this.busy ? "Sending…" : "Send it"}</button>
            <button type="button" class="button small plain" @click=${() => (this.asks = false)}>Do not send</button>
          </div>
        </div>
      </div>
    `;
  }
}
