// Short messages at the foot of the page, read out to screen readers.
import { html } from "lit";
import { customElement, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { messageOf } from "../shared/client";
import { PageElement } from "../shared/element";
import { icon } from "../shared/icons";

const LASTS = 6_000;
interface Message { id: number; text: string; tone: "good" | "bad" }

let shown: Toasts | undefined;
let last = 0;

export const toast = (text: string, tone: Message["tone"] = "good") => shown?.show({ id: ++last, text, tone });
export const toastError = (error: unknown) => toast(messageOf(error), "bad");

@customElement("kf-toasts")
export class Toasts extends PageElement {
  @state() private messages: Message[] = [];

  override connectedCallback(): void {
    super.connectedCallback();
    shown = this;
  }

  show(message: Message): void {
    this.messages = [...this.messages, message];
    setTimeout(() => this.drop(message.id), LASTS);
  }

  private drop(id: number): void {
    this.messages = this.messages.filter((message) => message.id !== id);
  }

  override render() {
    return html`<div class="toasts" role="status" aria-live="polite">${repeat(this.messages, ({ id }) => id, ({ id, text, tone }) => html`
      <div class="toast ${tone}">${icon(tone === "good" ? "circle-check" : "triangle-alert")}<span class="grow">${text}</span>
        <button class="button plain icon-only small" aria-label="Dismiss" @click=${() => this.drop(id)}>${icon("x")}</button></div>`)}</div>`;
  }
}
