// The values of a connection: settings as they are, secrets masked, and revealed one by one.
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { PageElement } from "../../shared/element";
import { icon } from "../../shared/icons";
import { type Field, isEmpty } from "../../shared/values";
import type { TypeView } from "../catalog";
import type { Connection } from "../status";
import { may } from "../who";
import "./reveal";

@customElement("kf-values")
export class ValuesPart extends PageElement {
  @property({ attribute: false }) connection!: Connection;
  @property({ attribute: false }) type!: TypeView;
  @state() private revealing: Field | undefined;

  override render() {
    const { connection, type } = this;
    const shown = type.fields.filter(({ key, secret }) => (secret ? connection.secret_fields.includes(key) : !isEmpty(connection.settings[key])));
    const own = connection.customer_fields ?? [];
    return html`
      <section class="card padded stack" aria-labelledby="values-title">
        <div class="row spread"><h2 id="values-title">Values</h2><span class="quiet small">Revision ${connection.revision}</span></div>
        ${shown.length === 0 ? html`<p class="quiet">It has no values of its own.</p>` : html`<dl class="facts values">${shown.map((field) => this.value(field))}</dl>`}
        ${own.length ? html`<p class="quiet small">Each customer has of their own: ${type.fields.filter(({ key }) => own.includes(key)).map(({ label }) => label).join(", ")}.</p>` : nothing}
      </section>
      ${this.revealing ? html`<kf-reveal .connection=${connection} .field=${this.revealing} @closed=${() => (this.revealing = undefined)}></kf-reveal>` : nothing}
    `;
  }

  private value(field: Field): TemplateResult {
    if (!field.secret) return html`<dt>${field.label}</dt><dd><code>${String(this.connection.settings[field.key])}</code></dd>`;
    return html`
      <dt>${field.label}</dt>
      <dd class="row wrap"><span aria-label="Secret, not shown">••••••••</span>
        ${may("credentials:reveal") ? html`<button class="button plain small" @click=${() => (this.revealing = field)}>${icon("eye")}Reveal<span class="hidden-visually"> ${field.label}</span></button>` : nothing}
      </dd>
    `;
  }
}
