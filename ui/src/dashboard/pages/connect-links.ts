// Links with which one customer connects one account, from an e-mail or a button: made, shown once, and revoked.
import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { type Api, body, newAttempt } from "../../shared/client";
import { PageElement } from "../../shared/element";
import { icon } from "../../shared/icons";
import { when } from "../../shared/time";
import { api } from "../api";
import { allProviders, providerIcon, providerName, typeName } from "../catalog";
import { dialog } from "../dialog";
import { faultAt, faultLeft, faultsOf, isWrong, noFaults } from "../form-faults";
import { Paged } from "../paged";
import { hrefOf, type Environment } from "../route";
import "../settings/once";
import type { Connection } from "../status";
import { toast, toastError } from "../toast";

const LIFETIMES: [seconds: number, name: string][] = [[3_600, "1 hour"], [86_400, "1 day"], [259_200, "3 days"], [604_800, "1 week"]];
const USUAL = 86_400;
const FIELDS = ["customer", "template", "connection", "provider", "connection_type", "expires_in"];

@customElement("kf-connect-links")
export class ConnectLinks extends PageElement {
  @property() environment!: Environment;
  /** Those of this customer alone. */
  @property() customer = "";
  @state() private creating = false;
  @state() private created: Api["CreatedConnectLink"] | undefined;
  @state() private faults = noFaults();
  @state() private templates: Connection[] = [];
  @state() private own: Connection[] = [];
  /** What it connects: `template:<id>`, `connection:<id>`, or empty for a connection that stands alone. */
  @state() private target = "";
  @state() private provider = "";
  private busy = false;
  private readonly links = new Paged<Api["ConnectLink"]>(this, (cursor) => {
    const query = { environment: this.environment, ...(this.customer ? { customer: this.customer } : {}), ...cursor };
    return body(api.GET("/v1/connect-links", { params: { query } }));
  });

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("environment") || changed.has("customer")) void this.links.load();
  }

  private async begin(): Promise<void> {
    const { environment, customer } = this;
    const list = async (query: object): Promise<Connection[]> => (await body(api.GET("/v1/connections", { params: { query: { environment, limit: 100, ...query } } }))).data;
    try {
      const [templates, own] = await Promise.all([
        list({ kind: "template", embedded: true, enabled: true }),
        customer ? list({ kind: "customer", customer }) : [],
      ]);
      const theirs = ({ supplied_by: by }: Connection) => by !== "organization";
      [this.templates, this.own] = [templates.filter(theirs), own.filter(theirs)];
    } catch (error) {
      return toastError(error);
    }
    [this.target, this.provider] = [this.templates[0] ? `template:${this.templates[0].id}` : "", allProviders()[0]?.key ?? ""];
    [this.creating, this.faults] = [true, noFaults()];
  }

  private async create(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (this.busy) return;
    this.busy = true;
    const form = new FormData(event.target as HTMLFormElement);
    const [kind, id] = this.target.split(":");
    const sent: Api["CreateConnectLink"] = {
      environment: this.environment,
      customer: this.customer || String(form.get("customer")).trim(),
      ...(kind && id ? { [kind]: id } : { provider: this.provider, connection_type: String(form.get("connection_type")) }),
      expires_in: Number(form.get("expires_in")),
    };
    try {
      this.created = await body(api.POST("/v1/connect-links", { params: { header: newAttempt() }, body: sent }));
      this.creating = false;
      await this.links.load();
    } catch (error) {
      this.faults = faultsOf(error, FIELDS);
    }
    this.busy = false;
  }

  private async revoke({ id, customer }: Api["ConnectLink"]): Promise<void> {
    try {
      await api.DELETE("/v1/connect-links/{id}", { params: { path: { id } } });
      toast(`The link of ${customer} is revoked: nobody opens it any more.`);
      await this.links.load();
    } catch (error) {
      toastError(error);
    }
  }

  override render() {
    const { items } = this.links;
    return html`
      <section class="card padded stack" aria-labelledby="links-title">
        <div class="row spread wrap"><h2 id="links-title">Connect links</h2><button class="button" @click=${this.begin}>${icon("plus")}New connect link</button></div>
        <p class="quiet">With a link ${this.customer ? "this customer connects" : "a customer connects"} one account from an e-mail or a button, without your product around it. It opens once.</p>
        ${items?.length ? html`<div class="scroll" tabindex="0" role="region" aria-label="All connect links"><table>
          <thead><tr>${this.customer ? nothing : html`<th>Customer</th>`}<th>Connects</th><th>Created</th><th>State</th><th><span class="hidden-visually">Actions</span></th></tr></thead>
          <tbody>${items.map((link) => html`<tr>
            ${this.customer ? nothing : html`<td><a href=${hrefOf(this.environment, "customers", link.customer)}>${link.customer}</a></td>`}
            <td><span class="row"><img class="provider-icon" src=${providerIcon(link.provider)} alt=""><span>${providerName(link.provider)}<br><span class="quiet small">${typeName(link.provider, link.connection_type)}</span></span></span></td>
            <td>${when(link.created_at)} by ${link.created_by.name}</td><td>${stateOf(link)}</td>
            <td><button class="button small danger" @click=${() => this.revoke(link)}>Revoke<span class="hidden-visually"> the link of ${link.customer} to ${providerName(link.provider)}</span></button></td></tr>`)}</tbody></table></div>` : nothing}
        ${this.links.state}
      </section>
      ${this.creating ? this.form() : nothing}
      ${this.created ? html`<kf-once what=${`Connect link for ${this.created.customer}`} .secret=${this.created.url} @closed=${() => (this.created = undefined)}></kf-once>` : nothing}
    `;
  }

  private form() {
    const { faults } = this;
    return dialog({
      title: this.customer ? `New connect link for ${this.customer}` : "New connect link",
      close: () => (this.creating = false),
      body: html`
        <form class="stack" novalidate @submit=${this.create}>
          ${this.customer ? nothing : html`<div class="field"><label for="link-customer">Customer</label>
            <input class="input" id="link-customer" name="customer" autocomplete="off" aria-invalid=${isWrong(faults, "customer")} aria-describedby="link-customer-fault link-customer-help">
            ${faultAt(faults, "customer", "link-customer-fault")}<span class="help" id="link-customer-help">The id under which your product knows the customer.</span></div>`}
          <div class="field"><label for="link-target">What is connected</label>
            <select class="input" id="link-target" aria-describedby="link-target-fault" @change=${(event: Event) => (this.target = (event.target as HTMLSelectElement).value)}>
              ${this.options("Under a template", "template", this.templates)}
              ${this.options("What they have: enter it again, or authorize it again", "connection", this.own)}
              <option value="" ?selected=${this.target === ""}>A connection that stands alone</option></select>
            ${faultAt(faults, "template", "link-target-fault")}${faultAt(faults, "connection", "link-target-fault")}</div>
          ${this.target ? nothing : this.alone()}
          <div class="field"><label for="link-lifetime">It opens for</label>
            <select class="input" id="link-lifetime" name="expires_in">${LIFETIMES.map(([seconds, name]) => html`<option value=${seconds} ?selected=${seconds === USUAL}>${name}</option>`)}</select></div>
          <div class="note">${icon("info")}<span>Whoever opens it first is the customer: send it to nobody else.</span></div>
          ${faultLeft(faults)}
          <div class="row"><button class="button primary">Create</button></div>
        </form>`,
    });
  }

  private options(title: string, kind: string, connections: Connection[]) {
    if (connections.length === 0) return nothing;
    return html`<optgroup label=${title}>${connections.map(({ id, name, provider }) => html`
      <option value=${`${kind}:${id}`} ?selected=${this.target === `${kind}:${id}`}>${name} (${providerName(provider)})</option>`)}</optgroup>`;
  }

  private alone() {
    const types = allProviders().find(({ key }) => key === this.provider)?.connection_types ?? [];
    return html`
      <div class="field"><label for="link-provider">Component</label>
        <select class="input" id="link-provider" @change=${(event: Event) => (this.provider = (event.target as HTMLSelectElement).value)}>
          ${allProviders().map(({ key, name }) => html`<option value=${key} ?selected=${key === this.provider}>${name}</option>`)}</select>
        ${faultAt(this.faults, "provider", "link-provider-fault")}</div>
      <div class="field"><label for="link-type">Connection type</label>
        <select class="input" id="link-type" name="connection_type">${types.map(({ key, name }) => html`<option value=${key}>${name}</option>`)}</select>
        ${faultAt(this.faults, "connection_type", "link-type-fault")}</div>`;
  }
}

function stateOf({ used_at: used, expires_at: expires }: Api["ConnectLink"]) {
  if (used) return html`<span class="badge good">Opened ${when(used)}</span>`;
  return Date.parse(expires) < Date.now() ? html`<span class="badge">Ran out ${when(expires)}</span>` : html`<span class="badge">Runs out ${when(expires)}</span>`;
}
