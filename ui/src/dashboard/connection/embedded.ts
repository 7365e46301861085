// Whether embedded workflows may use a connection, and what a customer sees of it then.
import "@awesome.me/webawesome/dist/components/switch/switch.js";
import { html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { live } from "lit/directives/live.js";
import { PageElement } from "../../shared/element";
import { STATUSES } from "../../shared/words";
import { providerIcon, providerName, typeName } from "../catalog";
import { change } from "../changes";
import type { Connection } from "../status";
import { toastError } from "../toast";
import { may } from "../who";

@customElement("kf-embedded")
export class EmbeddedPart extends PageElement {
  @property({ attribute: false }) connection!: Connection;

  private async flip(): Promise<void> {
    try {
      this.tell("connection-changed", await change(this.connection, { embedded: !this.connection.embedded }));
    } catch (error) {
      toastError(error);
      this.requestUpdate();
    }
  }

  override render() {
    const { name, provider, connection_type: type, status, embedded, enabled, kind } = this.connection;
    return html`
      <section class="card padded stack" aria-labelledby="embedded-title">
        <div class="row spread">
          <h2 id="embedded-title">Embedded workflows</h2>
          <wa-switch ?checked=${live(embedded)} ?disabled=${!may("connections:write")} @change=${this.flip}><span class="hidden-visually">Use for embedded workflows</span></wa-switch>
        </div>
        <p class="quiet small">${embedded
          ? enabled ? "Customers can pick it in the embedded workflow builder. This is all that they see of it:" : "It would be offered to customers, if it were enabled."
          : "Customers do not see it. Switched on, they would see this of it:"}</p>
        <div class="card tile preview">
          <span class="provider-tile"><img class="provider-icon" src=${providerIcon(provider)} alt=""></span>
          <span class="grow"><strong>${name}</strong><span class="quiet small">${providerName(provider)} · ${typeName(provider, type)}</span></span>
          ${kind === "template" ? html`<span class="badge accent">Connect</span>` : html`<span class="badge ${status === "active" ? "good" : ""}">${STATUSES[status]}</span>`}
        </div>
        ${kind === "template" ? html`<p class="quiet small">They connect with credentials of their own; the template's values stay hidden.</p>` : nothing}
      </section>
    `;
  }
}
