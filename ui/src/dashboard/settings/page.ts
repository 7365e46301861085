// Keys, origins, webhooks, master keys, export and import: each under an address of its own.
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import { PageElement } from "../../shared/element";
import { hrefOf, type Route } from "../route";
import { may, type Scope } from "../who";
import "./api-keys";
import "./embedding";
import "./master-keys";
import "./transfer";
import "./webhooks";

const PARTS: [id: string, name: string, scope: Scope][] = [
  ["api-keys", "API keys", "api-keys:manage"],
  ["embedding", "Embedding", "embedded:manage"],
  ["webhooks", "Webhooks", "webhooks:manage"],
  ["transfer", "Export and import", "transfer"],
  ["master-keys", "Master keys", "master-keys:manage"],
];

@customElement("kf-settings")
export class SettingsPage extends PageElement {
  @property({ attribute: false }) route!: Route;

  override render() {
    const parts = PARTS.filter(([, , scope]) => may(scope));
    const shown = parts.find(([id]) => id === this.route.id) ?? parts[0];
    return html`
      <main class="page">
        <div class="page-head"><h1>Settings</h1></div>
        ${shown ? html`<div class="settings">
          <nav aria-label="Settings">${parts.map(([id, name]) => html`<a href=${hrefOf(this.route.environment, "settings", id)} aria-current=${id === shown[0] ? "page" : nothing}>${name}</a>`)}</nav>
          <div class="stack">${this.section(shown[0])}</div></div>` : html`<p class="quiet">There is nothing that you may change here.</p>`}
      </main>
    `;
  }

  private section(id: string): TemplateResult {
    const { environment } = this.route;
    switch (id) {
      case "embedding":
        return html`<kf-origins></kf-origins><kf-signing-keys .environment=${environment}></kf-signing-keys>`;
      case "webhooks":
        return html`<kf-webhooks .environment=${environment}></kf-webhooks>`;
      case "transfer":
        return html`<kf-export .environment=${environment}></kf-export><kf-import .environment=${environment}></kf-import>`;
      case "master-keys":
        return html`<kf-master-keys></kf-master-keys>`;
      default:
        return html`<kf-api-keys></kf-api-keys>`;
    }
  }
}
