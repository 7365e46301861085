// The form of a new connection: what is asked follows from the plan that the API makes; tested before it is saved.
import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { type Api, body, messageOf, newAttempt, Problem, type ValueError } from "../../shared/client";
import { PageElement } from "../../shared/element";
import "../../shared/fields-form";
import { guide } from "../../shared/guide";
import { icon } from "../../shared/icons";
import { faultOf, isShown, noValues, toCreate, type Values, valueOf } from "../../shared/values";
import { verdictNote } from "../../shared/verdict";
import { type About, dayToTime, noAbout } from "../about";
import "../about";
import { api } from "../api";
import type { ProviderView, TypeView } from "../catalog";
import { focusFirstFault, unplaced } from "../faults";
import type { Environment } from "../route";
import type { Connection } from "../status";
import { may } from "../who";
import type { Owner } from "./owner";
import "./owner";
import "./saved";

@customElement("kf-create-form")
export class CreateForm extends PageElement {
  @property() environment!: Environment;
  @property({ attribute: false }) provider!: ProviderView;
  @property({ attribute: false }) type!: TypeView;
  @property({ attribute: false }) query!: URLSearchParams;
  @state() private owner!: Owner;
  @state() private about: About = noAbout();
  @state() private values: Values = noValues();
  @state() private embedded = false;
  @state() private plan: Api["Plan"] | undefined;
  @state() private errors: ValueError[] = [];
  @state() private fault = "";
  @state() private result: Api["TestResult"] | undefined;
  @state() private busy: "" | "test" | "save" = "";
  @state() private checked = false;
  @state() private saved: Connection | undefined;
  private attempt = newAttempt();
  private asked = 0;

  override willUpdate(changed: Map<string, unknown>): void {
    if (!changed.has("type") || changed.get("type") === this.type) return;
    const kind = (this.query.get("kind") as Api["Kind"] | null) ?? "organization";
    this.owner = {
      kind,
      supplied_by: "customer",
      customer: this.query.get("customer") ?? "",
      template: this.query.get("template") ?? "",
      customer_fields: this.type.fields.filter((field) => field.customer_specific).map(({ key }) => key),
    };
    this.about = { ...noAbout(), name: this.query.get("name") ?? "" };
    [this.values, this.result, this.saved] = [noValues(), undefined, undefined];
    void this.replan();
  }

  private edit(changed: Record<string, unknown>): void {
    Object.assign(this, changed);
    // Another body is another attempt; what was refused of this one may be right now.
    this.attempt = newAttempt();
    this.fault = "";
  }

  private get identity(): Api["PlanConnection"] {
    const { kind, supplied_by, customer_fields, template } = this.owner;
    const of = { environment: this.environment, provider: this.provider.key, connection_type: this.type.key, kind };
    if (kind === "template") return { ...of, supplied_by, customer_fields };
    return kind === "customer" && template ? { ...of, template } : of;
  }

  private async replan(): Promise<void> {
    const asked = ++this.asked;
    try {
      const plan = await body(api.POST("/v1/connections/plan", { body: this.identity }));
      if (asked === this.asked) [this.plan, this.fault] = [plan, ""];
    } catch (error) {
      if (asked === this.asked) this.refused(error);
    }
  }

  private get fields() {
    const now = new Set(this.plan?.fields.filter(({ asked }) => asked === "now").map(({ key }) => key));
    return this.type.fields.filter(({ key }) => now.has(key));
  }

  // There is no token to test before somebody consented.
  private get needsConsent(): boolean {
    return this.type.oauth?.grant === "authorization_code";
  }

  // A test needs every value: of a template those of its customers are not here. What a template has is the API's to lay below.
  private get isTestable(): boolean {
    return may("connections:test") && !this.needsConsent && this.owner.kind !== "template";
  }

  private refused(error: unknown): void {
    this.errors = error instanceof Problem ? error.errors : [];
    const left = unplaced(this.errors);
    this.fault = this.errors.length ? left.map(({ detail }) => detail).join(" ") : messageOf(error);
    void focusFirstFault(this);
  }

  private isComplete(): boolean {
    this.checked = true;
    this.errors = this.about.name.trim() ? [] : [{ pointer: "/name", code: "missing", detail: "A name is needed." }];
    const missing = this.fields.filter((field) => isShown(field, this.fields, this.values) && faultOf(field, valueOf(field, this.values), false));
    const complete = missing.length === 0 && this.errors.length === 0;
    if (!complete) void focusFirstFault(this);
    return complete;
  }

  private async test(mode: Api["Mode"] = "silent"): Promise<void> {
    if (!this.isComplete()) return;
    [this.busy, this.fault, this.result] = ["test", "", undefined];
    const { environment, provider, type } = this;
    const { kind, template } = this.owner;
    try {
      const under = kind === "customer" && template ? { template } : {};
      const draft = { environment, ...under, provider: provider.key, connection_type: type.key, mode, ...toCreate(this.fields, this.values) };
      this.result = await body(api.POST("/v1/tests", { body: draft }));
    } catch (error) {
      this.refused(error);
    }
    this.busy = "";
  }

  private async save(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (!this.isComplete()) return;
    [this.busy, this.fault] = ["save", ""];
    try {
      this.saved = await body(api.POST("/v1/connections", { params: { header: this.attempt }, body: this.sent() }));
      // Nothing of the secrets stays.
      this.values = noValues();
    } catch (error) {
      this.refused(error);
    }
    this.busy = "";
  }

  private sent(): Api["CreateConnection"] {
    const { name, description, stable_key, tags, expires_at, rotate_by } = this.about;
    const { kind, customer } = this.owner;
    return {
      ...this.identity,
      ...(kind === "customer" ? { customer } : { embedded: this.embedded }),
      name, description, tags,
      ...(stable_key ? { stable_key } : {}),
      ...(expires_at ? { expires_at: dayToTime(expires_at) } : {}),
      ...(rotate_by ? { rotate_by: dayToTime(rotate_by) } : {}),
      ...toCreate(this.fields, this.values),
    };
  }

  override render() {
    if (this.saved) return html`<kf-saved .connection=${this.saved} .plan=${this.plan} .type=${this.type}></kf-saved>`;
    const later = this.plan?.fields.filter(({ asked }) => asked === "for_each_customer").map(({ label }) => label) ?? [];
    return html`
      <form class="two-columns" novalidate @submit=${this.save}>
        <div class="card padded stack">
          <kf-about .value=${this.about} .errors=${this.errors} .environment=${this.environment} stableKeyHelp="Under it workflows find this connection's counterpart in every environment. Made from the name where you give none."
            @about-changed=${(event: CustomEvent<About>) => this.edit({ about: event.detail })}></kf-about>
          <hr>
          <kf-owner class="stack" .value=${this.owner} .errors=${this.errors} .environment=${this.environment} .provider=${this.provider.key} .type=${this.type}
            @owner-changed=${(event: CustomEvent<Owner>) => { this.edit({ owner: event.detail }); void this.replan(); }}></kf-owner>
          <hr>
          <h2>${this.type.name}</h2>
          <kf-fields .fields=${this.fields} .values=${this.values} .errors=${this.errors} .checked=${this.checked}
            @values-changed=${(event: CustomEvent<Values>) => this.edit({ values: event.detail, result: undefined, errors: this.errors.filter(({ pointer }) => !/^\/(settings|secrets)\//.test(pointer)) })}></kf-fields>
          ${this.needsConsent ? html`<div class="note">${icon("info")}<span>Register this redirect URI with the provider, to the letter: <code>${location.origin}/oauth/callback</code></span></div>` : nothing}
          ${later.length ? html`<div class="note">${icon("info")}<span>Asked for each customer: ${later.join(", ")}.</span></div>` : nothing}
          ${this.owner.kind === "customer" ? nothing : html`
            <label class="check"><input type="checkbox" .checked=${this.embedded} @change=${(event: Event) => this.edit({ embedded: (event.target as HTMLInputElement).checked })}>
              <span>Use for embedded workflows<br><span class="help">Customers may pick it in the embedded workflow builder. They see its name, and nothing of its credentials.</span></span></label>`}
          ${this.result ? verdictNote(this.result, { inForm: true }) : nothing}
          ${this.fault ? html`<div class="note bad" role="alert">${icon("triangle-alert")}<span>${this.fault}</span></div>` : nothing}
          <div class="row wrap">
            ${this.isTestable ? html`<button type="button" class="button" ?disabled=${this.busy !== ""} @click=${() => this.test()}>${icon("flask-conical")}${this.busy === "test" ? "Testing…" : "Test"}</button>` : nothing}
            <button class="button primary" ?disabled=${this.busy !== ""}>${icon("check")}${this.busy === "save" ? "Testing and saving…" : "Save"}</button>
          </div>
        </div>
        <div>${guide(this.type.guide, true)}</div>
      </form>
    `;
  }
}
