// What there is to know of a connection beside its values.
import { html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { PageElement } from "../../shared/element";
import { exact, when } from "../../shared/time";
import { KINDS } from "../../shared/words";
import { change } from "../changes";
import { hrefOf } from "../route";
import type { Connection } from "../status";
import { toastError } from "../toast";
import { may } from "../who";
import "../tags-input";

@customElement("kf-details")
export class DetailsPart extends PageElement {
  @property({ attribute: false }) connection!: Connection;

  private async retag(event: CustomEvent<string[]>): Promise<void> {
    try {
      this.tell("connection-changed", await change(this.connection, { tags: event.detail }));
    } catch (error) {
      toastError(error);
    }
  }

  override render() {
    const it = this.connection;
    const by = it.supplied_by === "customer" ? "each customer" : "the organization, on the customer's behalf";
    return html`
      <section class="card padded stack" aria-labelledby="details-title">
        <h2 id="details-title">Details</h2>
        <dl class="facts small">
          <dt>Stable key</dt><dd><code>${it.stable_key}</code></dd>
          <dt>Id</dt><dd><code>${it.id}</code></dd>
          <dt>Credentials of</dt><dd>${it.customer ? html`<a href=${hrefOf(it.environment, "customers", it.customer)}>${it.customer}</a>` : KINDS[it.kind]}</dd>
          ${it.template ? html`<dt>Template</dt><dd><a href=${hrefOf(it.environment, "connections", it.template)}>Open the template</a></dd>` : nothing}
          ${it.supplied_by ? html`<dt>Supplied by</dt><dd>${by}</dd>` : nothing}
          <dt>Used by</dt><dd>${it.usage_count} steps${it.last_used_at ? html`, last ${when(it.last_used_at)}` : nothing}</dd>
          ${it.expires_at ? html`<dt>Expires</dt><dd title=${exact(it.expires_at)}>${when(it.expires_at)}</dd>` : nothing}
          ${it.rotate_by ? html`<dt>Rotate by</dt><dd title=${exact(it.rotate_by)}>${when(it.rotate_by)}</dd>` : nothing}
          <dt>Created</dt><dd>${when(it.created_at)} by ${it.created_by.name}</dd>
          <dt>Modified</dt><dd>${when(it.modified_at)} by ${it.modified_by.name}</dd>
        </dl>
        ${may("connections:write")
          ? html`<kf-tags .tags=${it.tags} .environment=${it.environment} group="details-tags" @tags-changed=${this.retag}></kf-tags>`
          : html`<div class="row wrap">${it.tags.map((tag) => html`<span class="tag">${tag}</span>`)}</div>`}
      </section>
    `;
  }
}
