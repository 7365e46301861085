// Another connection of the same provider, to take the place of one.
import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { body } from "../../shared/client";
import { PageElement } from "../../shared/element";
import { STATUSES } from "../../shared/words";
import { api } from "../api";
import type { Connection } from "../status";

@customElement("kf-choose-replacement")
export class ChooseReplacement extends PageElement {
  @property({ attribute: false }) connection!: Connection;
  @state() private others: Connection[] | undefined;
  @state() private more = false;

  override connectedCallback(): void {
    super.connectedCallback();
    void this.load();
  }

  private async load(): Promise<void> {
    const { id, environment, provider, customer } = this.connection;
    const query = { environment, provider: [provider], limit: 100, ...(customer ? { customer, kind: "customer" as const } : {}) };
    const page = await body(api.GET("/v1/connections", { params: { query } })).catch(() => ({ data: [], next_cursor: null }));
    this.others = page.data.filter((one) => one.id !== id);
    this.more = page.next_cursor !== null;
  }

  override render() {
    if (this.others?.length === 0) return html`<p class="quiet">There is no other connection of this component. Create one first.</p>`;
    return html`
      <div class="field">
        <label for="replacement">Use instead</label>
        <select class="input" id="replacement" @change=${(event: Event) => this.tell("chosen", (event.target as HTMLSelectElement).value)}>
          <option value="">Choose…</option>
          ${this.others?.map(({ id, name, status }) => html`<option value=${id}>${name} (${STATUSES[status]})</option>`)}
        </select>
        ${this.more ? html`<span class="help">The first hundred by name.</span>` : nothing}
      </div>
    `;
  }
}
