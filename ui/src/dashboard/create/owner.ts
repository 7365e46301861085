// Whose credentials a new connection holds, and who supplies them.
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { type Api, body, type ValueError } from "../../shared/client";
import { PageElement } from "../../shared/element";
import { api } from "../api";
import type { TypeView } from "../catalog";
import type { Environment } from "../route";
import type { Connection } from "../status";

export interface Owner {
  kind: Api["Kind"];
  supplied_by: Api["SuppliedBy"];
  customer: string;
  /** The id of the template that a customer's connection stands under, or empty. */
  template: string;
  customer_fields: string[];
}

const KINDS: [Api["Kind"], string, string][] = [
  ["organization", "The organization's own", "One set of credentials, used across all customers."],
  ["template", "Different for each customer", "A template: global values for all, and fields that each customer has of their own."],
  ["customer", "One customer's", "Entered on behalf of one customer."],
];

@customElement("kf-owner")
export class OwnerForm extends PageElement {
  @property({ attribute: false }) value!: Owner;
  @property({ attribute: false }) errors: ValueError[] = [];
  @property() environment!: Environment;
  @property() provider = "";
  @property({ attribute: false }) type!: TypeView;
  @state() private templates: Connection[] | undefined;

  private change(changed: Partial<Owner>): void {
    this.tell<Owner>("owner-changed", { ...this.value, ...changed });
  }

  override updated(): void {
    if (this.value.kind === "customer" && !this.templates) void this.findTemplates();
  }

  private async findTemplates(): Promise<void> {
    this.templates = [];
    const query = { environment: this.environment, provider: [this.provider], connection_type: [this.type.key], kind: "template" as const, limit: 100 };
    this.templates = (await body(api.GET("/v1/connections", { params: { query } })).catch(() => ({ data: [] }))).data;
  }

  override render() {
    return html`
      <fieldset class="stack-small">
        <legend>Whose credentials</legend>
        ${KINDS.map(([kind, name, help]) => this.radio("kind", kind, name, help, this.value.kind === kind, () => this.change({ kind })))}
      </fieldset>
      ${this.value.kind === "template" ? this.template() : nothing}
      ${this.value.kind === "customer" ? this.customer() : nothing}
    `;
  }

  private radio(group: string, value: string, name: string, help: string, checked: boolean, choose: () => void): TemplateResult {
    return html`
      <label class="choice ${checked ? "chosen" : ""}">
        <input type="radio" name=${group} value=${value} .checked=${checked} @change=${choose}>
        <span><strong>${name}</strong><span class="quiet small">${help}</span></span>
      </label>
    `;
  }

  private template() {
    const { supplied_by: by, customer_fields: own } = this.value;
    const toggle = (key: string) => this.change({ customer_fields: own.includes(key) ? own.filter((one) => one !== key) : [...own, key] });
    return html`
      <fieldset class="stack-small">
        <legend>Who supplies them</legend>
        ${this.radio("supplied_by", "customer", "Each customer", "In the embedded workflow builder.", by === "customer", () => this.change({ supplied_by: "customer" }))}
        ${this.radio("supplied_by", "organization", "The organization, on each customer's behalf", "A customer can neither enter nor see them.", by === "organization", () => this.change({ supplied_by: "organization" }))}
      </fieldset>
      <fieldset class="stack-small">
        <legend>Fields that each customer has of their own</legend>
        ${this.type.fields.map(({ key, label }) => html`
          <label class="check"><input type="checkbox" .checked=${own.includes(key)} @change=${() => toggle(key)}>${label}</label>`)}
        ${this.fault("customer_fields")}
      </fieldset>
    `;
  }

  private customer() {
    return html`
      <div class="field">
        <label for="customer">Customer<span class="required" aria-hidden="true"> *</span></label>
        <input class="input" id="customer" autocomplete="off" .value=${this.value.customer} aria-describedby="customer-help"
          @input=${(event: Event) => this.change({ customer: (event.target as HTMLInputElement).value })}>
        ${this.fault("customer")}
        <span class="help" id="customer-help">The id under which your product knows the customer.</span>
      </div>
      <div class="field">
        <label for="template">Template</label>
        <select class="input" id="template" @change=${(event: Event) => this.change({ template: (event.target as HTMLSelectElement).value })}>
          <option value="">None: all values are this customer's</option>
          ${this.templates?.map(({ id, name }) => html`<option value=${id} ?selected=${id === this.value.template}>${name}</option>`)}
        </select>
        ${this.fault("template")}
      </div>
    `;
  }

  private fault(name: string) {
    const said = this.errors.filter(({ pointer }) => pointer.startsWith(`/${name}`)).map(({ detail }) => detail).join(" ");
    return said ? html`<span class="fault" role="alert">${said}</span>` : nothing;
  }
}
