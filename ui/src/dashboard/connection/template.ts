// Test credentials of a connection, and the customers under a template.
import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { body, ifMatch } from "../../shared/client";
import { PageElement } from "../../shared/element";
import { icon } from "../../shared/icons";
import { counted } from "../../shared/words";
import { api } from "../api";
import type { TypeView } from "../catalog";
import { go, hrefOf } from "../route";
import { type Connection, statusBadge } from "../status";
import { toast, toastError } from "../toast";
import { may } from "../who";

const SHOWN = 10;

@customElement("kf-template")
export class TemplatePart extends PageElement {
  @property({ attribute: false }) connection!: Connection;
  @property({ attribute: false }) type!: TypeView;
  @state() private customers: Connection[] | undefined;

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("connection") && this.connection.kind === "template") void this.load();
  }

  private async load(): Promise<void> {
    const { environment, id } = this.connection;
    const query = { environment, template: id, kind: "customer" as const, limit: SHOWN };
    this.customers = (await body(api.GET("/v1/connections", { params: { query } })).catch(() => ({ data: [] }))).data;
  }

  private async deleteTestCredentials(): Promise<void> {
    try {
      const { id } = this.connection;
      this.tell("connection-changed", await body(api.DELETE("/v1/connections/{id}/test-credentials", { params: { path: { id }, header: ifMatch(this.connection) } })));
      toast("The test credentials are deleted.");
    } catch (error) {
      toastError(error);
    }
  }

  override render() {
    const { connection } = this;
    const { environment, id, kind, test_credentials: test } = connection;
    const said = test
      ? "Test runs of the builder use them from the next run on."
      : kind === "template" ? "There are none: test runs of the builder are refused." : "There are none: test runs use the connection's own values.";
    return html`
      <section class="card padded stack" aria-labelledby="test-credentials-title">
        <div class="row spread wrap"><h2 id="test-credentials-title">Test credentials</h2>
          ${may("connections:write") ? html`<span class="row">
            ${test ? html`<button class="button small" @click=${this.deleteTestCredentials}>Delete</button>` : nothing}
            <button class="button small" @click=${() => go(hrefOf(environment, "connections", id, "do=test-credentials"))}>${test ? "Change" : "Enter"}<span class="hidden-visually"> test credentials</span></button></span>` : nothing}</div>
        <p class="quiet">${said}</p>
      </section>
      ${kind === "template" ? this.under() : nothing}
    `;
  }

  private under() {
    const { environment, id, provider, connection_type: type, customer_count: count } = this.connection;
    const query = new URLSearchParams({ kind: "customer", template: id });
    return html`
      <section class="card padded stack" aria-labelledby="customers-title">
        <div class="row spread wrap"><h2 id="customers-title">${counted(count ?? 0, "customer")}</h2>
          ${may("connections:write") ? html`<a class="button small" href=${hrefOf(environment, "new", provider, new URLSearchParams({ type, kind: "customer", template: id }))}>${icon("plus")}Enter for a customer</a>` : nothing}</div>
        ${this.customers?.length ? html`<ul class="plain-list stack-small">${this.customers.map((one) => html`
          <li class="row wrap"><a href=${hrefOf(environment, "connections", one.id)}>${one.customer}</a>${statusBadge(one)}</li>`)}</ul>` : html`<p class="quiet">No customer has connected yet.</p>`}
        ${(count ?? 0) > SHOWN ? html`<a href=${hrefOf(environment, "connections", undefined, query)}>All customers under it</a>` : nothing}
      </section>
    `;
  }
}
