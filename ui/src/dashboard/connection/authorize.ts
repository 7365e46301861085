// The button that asks for consent at the provider, and what came of it.
import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { authorize } from "../../shared/authorize";
import { body, messageOf, newAttempt } from "../../shared/client";
import { PageElement } from "../../shared/element";
import { icon } from "../../shared/icons";
import { api } from "../api";
import { providerName, type TypeView } from "../catalog";
import { findConnection } from "../changes";
import type { Connection } from "../status";
import { toast } from "../toast";
import { may } from "../who";

/** Whether a person has to consent before a connection works: not for a template, whose customers consent each for themselves. */
export const needsConsent = (connection: Connection, type: TypeView) => type.oauth?.grant === "authorization_code" && connection.kind !== "template";

@customElement("kf-authorize")
export class Authorize extends PageElement {
  @property({ attribute: false }) connection!: Connection;
  @state() private waiting: AbortController | undefined;
  @state() private url = "";
  @state() private fault = "";

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.waiting?.abort();
  }

  private async ask(): Promise<void> {
    const { id } = this.connection;
    this.waiting = new AbortController();
    [this.url, this.fault] = ["", ""];
    try {
      const ended = await authorize({
        signal: this.waiting.signal,
        begin: () => body(api.POST("/v1/connections/{id}/authorizations", { params: { path: { id }, header: newAttempt() }, body: {} })),
        find: (authorization) => body(api.GET("/v1/connections/{id}/authorizations/{authorization}", { params: { path: { id, authorization } } })),
        blocked: (url) => (this.url = url),
      });
      if (ended?.state === "succeeded") {
        const connection = await findConnection(id);
        this.tell("connection-changed", connection);
        toast(`${connection.name} is authorized${connection.status === "active" ? ", and works" : ""}.`);
      } else if (ended) {
        this.fault = ended.error?.message ?? "It took too long: begin again.";
      }
    } catch (error) {
      this.fault = messageOf(error);
    }
    [this.waiting, this.url] = [undefined, ""];
  }

  override render() {
    if (!may("connections:write")) return nothing;
    const { provider, health } = this.connection;
    return html`
      <div class="stack-small">
        ${this.fault ? html`<div class="note bad" role="alert">${icon("triangle-alert")}<span>${this.fault}</span></div>` : nothing}
        ${this.url ? html`<div class="note warn" role="alert">${icon("triangle-alert")}<span>Your browser blocked the window. <a href=${this.url} target="_blank">Open it by hand</a>.</span></div>` : nothing}
        ${this.waiting
          ? html`<div class="row wrap" role="status"><span>Waiting for your consent in the other window…</span><button type="button" class="button small" @click=${() => this.waiting?.abort()}>Stop waiting</button></div>`
          : html`<div class="row"><button type="button" class="button primary" @click=${this.ask}>${icon("external-link")}${health.reason === "not_authorized" ? "Authorize" : "Authorize again"} at ${providerName(provider)}</button></div>`}
      </div>
    `;
  }
}
