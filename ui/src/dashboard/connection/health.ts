// Whether a connection works: the last definitive verdict, the last attempt where it differs, what a test learned.
import { html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { PageElement } from "../../shared/element";
import { when } from "../../shared/time";
import { verdictBadge, verdictNote } from "../../shared/verdict";
import { SOURCES } from "../../shared/words";
import type { TypeView } from "../catalog";
import "./authorize";
import { needsConsent } from "./authorize";
import type { Connection } from "../status";
import { may } from "../who";

@customElement("kf-health")
export class HealthPart extends PageElement {
  @property({ attribute: false }) connection!: Connection;
  @property({ attribute: false }) type!: TypeView;

  override render() {
    const { health, last_attempt: last, facts, granted_scopes: granted, missing_scopes: missing, enabled } = this.connection;
    return html`
      <section class="card padded stack" aria-labelledby="health-title">
        <div class="row wrap spread"><h2 id="health-title">Health</h2>
          <span class="quiet small">${health.checked_at ? html`Found ${when(health.checked_at)}${health.source ? `, ${SOURCES[health.source]}` : ""}` : "Not tested yet"}</span></div>
        ${verdictNote({ verdict: health.verdict, reason: health.reason, message: health.message, action: health.action, facts })}
        ${enabled ? nothing : html`<p class="quiet">It is disabled: it is neither resolved nor exposed, whatever a test finds.</p>`}
        ${health.stale ? html`<p class="quiet">The template changed since: it will be tested again.</p>` : nothing}
        ${last && last.at !== health.checked_at ? html`<p class="small">Last attempt ${when(last.at)}: ${verdictBadge(last.verdict)} <span class="quiet">${last.message ?? ""}</span></p>` : nothing}
        ${granted.length ? html`<p class="small">Granted scopes: ${granted.map((scope) => html`<span class="tag">${scope}</span> `)}</p>` : nothing}
        ${missing.length ? html`<p class="small">Missing scopes: ${missing.map((scope) => html`<span class="tag">${scope}</span> `)}</p>` : nothing}
        ${needsConsent(this.connection, this.type) ? html`<kf-authorize .connection=${this.connection}></kf-authorize>` : nothing}
        ${this.type.sends_message && may("connections:test") ? html`<kf-message .connection=${this.connection}></kf-message>` : nothing}
      </section>
    `;
  }
}
