// The customers that have connections; and one of them: their connections and health, and entry on their behalf.
import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { type Api, body, messageOf } from "../../shared/client";
import { PageElement } from "../../shared/element";
import { icon } from "../../shared/icons";
import { api } from "../api";
import "../connections/list";
import { dialog } from "../dialog";
import { Paged } from "../paged";
import { go, hrefOf, type Route } from "../route";
import { toast } from "../toast";
import { may } from "../who";
import "./connect-links";

type CustomerView = Api["CustomerSummary"];

@customElement("kf-customers")
export class CustomersPage extends PageElement {
  @property({ attribute: false }) route!: Route;
  private readonly customers = new Paged<CustomerView>(this, (cursor) =>
    body(api.GET("/v1/customers", { params: { query: { environment: this.route.environment, ...cursor } } })));

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("route") && !this.route.id) void this.customers.load();
  }

  override render() {
    const { environment, id } = this.route;
    if (id) return html`<kf-customer .route=${this.route}></kf-customer>`;
    const { items } = this.customers;
    return html`
      <main class="page">
        <div class="page-head"><h1>Customers</h1></div>
        <div class="stack">${items?.length === 0 ? html`<div class="empty card">${icon("building-2")}<h2>No customer has connected yet</h2><p class="quiet">Customers connect in the embedded workflow builder, or somebody enters credentials on their behalf under a template.</p></div>` : nothing}
        ${items?.length ? html`<div class="card padded scroll" tabindex="0" role="region" aria-label="Customers"><table>
          <thead><tr><th>Customer</th><th>Connections</th><th>Connected</th></tr></thead>
          <tbody>${items.map(({ customer, connection_count: all, active_count: active }) => html`
            <tr><td><a href=${hrefOf(environment, "customers", customer)}>${customer}</a></td><td>${all}</td>
              <td><span class="badge ${active === all ? "good" : active ? "warn" : "bad"}">${active} of ${all}</span></td></tr>`)}</tbody>
        </table></div>` : nothing}
        ${this.customers.state}
        ${may("embedded:manage") ? html`<kf-connect-links .environment=${environment}></kf-connect-links>` : nothing}</div>
      </main>
    `;
  }
}

@customElement("kf-customer")
export class CustomerPage extends PageElement {
  @property({ attribute: false }) route!: Route;
  @state() private deleting = false;
  @state() private typed = "";
  @state() private fault = "";

  private async delete(): Promise<void> {
    const { environment, id: customer = "" } = this.route;
    try {
      await api.DELETE("/v1/customers/{customer}", { params: { path: { customer }, query: { environment } } });
      toast(`Everything of ${customer} in this environment is deleted.`);
      go(hrefOf(environment, "customers"));
    } catch (error) {
      this.fault = messageOf(error);
    }
  }

  override render() {
    const { environment, id: customer = "" } = this.route;
    const query = new URLSearchParams({ kind: "customer", customer });
    return html`
      <main class="page">
        <a class="back" href=${hrefOf(environment, "customers")}>${icon("arrow-left")}Customers</a>
        <div class="page-head"><h1>${customer}</h1><div class="row wrap">
          ${may("connections:write") ? html`<a class="button primary" href=${hrefOf(environment, "new", undefined, query)}>${icon("plus")}Enter for this customer</a>` : nothing}
          ${may("customers:manage") ? html`<button class="button danger" @click=${() => (this.deleting = true)}>${icon("trash-2")}Delete all</button>` : nothing}</div></div>
        <div class="stack"><div class="card"><kf-list .route=${{ ...this.route, query }}></kf-list></div>
        ${may("embedded:manage") ? html`<kf-connect-links .environment=${environment} .customer=${customer}></kf-connect-links>` : nothing}</div>
      </main>
      ${this.deleting ? this.dialog(customer) : nothing}
    `;
  }

  private dialog(customer: string) {
    const close = () => (this.deleting = false);
    return dialog({
      title: `Delete everything of ${customer}?`,
      close,
      body: html`<div class="stack">
        <p>All connections of this customer in this environment become unreadable at once, and their sessions end. Steps that use them stay listed.</p>
        <div class="field"><label for="customer-name">Type <strong>${customer}</strong> to delete them</label><input class="input" id="customer-name" autocomplete="off" @input=${(event: Event) => (this.typed = (event.target as HTMLInputElement).value)}></div>
        ${this.fault ? html`<div class="note bad" role="alert">${this.fault}</div>` : nothing}</div>`,
      foot: html`<button class="button" @click=${close}>Cancel</button><button class="button danger" ?disabled=${this.typed !== customer} @click=${this.delete}>Delete all</button>`,
    });
  }
}
