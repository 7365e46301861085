// A connection that has just been saved: how it is, and what to do next.
import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Api } from "../../shared/client";
import { PageElement } from "../../shared/element";
import { icon } from "../../shared/icons";
import type { TypeView } from "../catalog";
import "../connection/authorize";
import { needsConsent } from "../connection/authorize";
import "../connection/message";
import { hrefOf } from "../route";
import { type Connection, statusBadge, whyOf } from "../status";
import { may } from "../who";

@customElement("kf-saved")
export class Saved extends PageElement {
  @property({ attribute: false }) connection!: Connection;
  @property({ attribute: false }) plan: Api["Plan"] | undefined;
  @property({ attribute: false }) type!: TypeView;
  @state() private now: Connection | undefined;

  override firstUpdated(): void {
    this.querySelector<HTMLElement>("h2")?.focus();
  }

  override render() {
    const connection = this.now ?? this.connection;
    const { environment, id, name, kind, status } = connection;
    const wantsConsent = needsConsent(connection, this.type) && connection.health.reason === "not_authorized";
    const wantsTest = kind === "template" && this.plan?.test_credentials !== "none";
    return html`
      <div class="card padded stack saved" @connection-changed=${(event: CustomEvent<Connection>) => (this.now = event.detail)}>
        <div class="row wrap"><h2 tabindex="-1">${name} is saved</h2>${statusBadge(connection)}</div>
        ${status === "active" ? html`<div class="note good" role="status">${icon("circle-check")}<span>It works: workflows can use it now.</span></div>`
          : wantsConsent ? html`<div class="note" role="status">${icon("info")}<span>One step is left: you consent to it at the provider, in a window of its own.</span></div>`
          : wantsTest ? html`<div class="note" role="status">${icon("info")}<span>A template is tested with test credentials. The builder's test runs use them, too; they can be changed at any time.</span></div>`
          : html`<div class="note warn" role="status">${icon("triangle-alert")}<span>It is saved, and does not work yet. ${whyOf(connection)}</span></div>`}
        ${wantsConsent ? html`<kf-authorize .connection=${connection}></kf-authorize>` : nothing}
        ${this.type.sends_message && may("connections:test") ? html`<kf-message .connection=${connection}></kf-message>` : nothing}
        <div class="row wrap">
          ${wantsTest ? html`<a class="button primary" href=${hrefOf(environment, "connections", id, "do=test-credentials")}>Enter test credentials</a>` : nothing}
          ${status === "active" || wantsTest || wantsConsent ? nothing : html`<a class="button primary" href=${hrefOf(environment, "connections", id, "do=edit")}>${icon("pencil")}Edit</a>`}
          <a class="button" href=${hrefOf(environment, "connections", id)}>Open the connection</a>
          <a class="button plain" href=${hrefOf(environment, "connections")}>To all connections</a>
        </div>
      </div>
    `;
  }
}
