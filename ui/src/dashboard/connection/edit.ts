// Editing: secrets are kept unless they are replaced; what somebody else saved meanwhile is merged when asked; a lost network
// keeps what was typed.
import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { type Api, messageOf, Problem, type ValueError } from "../../shared/client";
import { PageElement } from "../../shared/element";
import "../../shared/fields-form";
import { icon } from "../../shared/icons";
import { type Field, toChange, type Values } from "../../shared/values";
import { verdictNote } from "../../shared/verdict";
import { counted } from "../../shared/words";
import { type About, aboutOf, dayToTime } from "../about";
import "../about";
import type { TypeView } from "../catalog";
import { change, findConnection, testEdits } from "../changes";
import { dialog } from "../dialog";
import { focusFirstFault, unplaced } from "../faults";
import { type Connection, whyOf } from "../status";
import { toast } from "../toast";
import { may } from "../who";
import { changedParts, conflicts, merged } from "./merge";

@customElement("kf-edit")
export class EditDialog extends PageElement {
  @property({ attribute: false }) connection!: Connection;
  @property({ attribute: false }) type!: TypeView;
  /** What the edits began with. */
  @state() private base!: Connection;
  @state() private theirs: Connection | undefined;
  @state() private about!: About;
  @state() private values!: Values;
  @state() private note = "";
  @state() private errors: ValueError[] = [];
  @state() private fault = "";
  @state() private affected = "";
  @state() private result: Api["TestResult"] | undefined;
  @state() private busy: "" | "test" | "save" = "";

  override connectedCallback(): void {
    super.connectedCallback();
    this.begin(this.connection);
  }

  private begin(connection: Connection): void {
    [this.base, this.theirs, this.fault, this.errors] = [connection, undefined, "", []];
    this.about = aboutOf(connection);
    this.values = { settings: { ...connection.settings }, secrets: {} };
  }

  // Under a template a customer's connection has the customer's fields only; a template the others.
  private get fields(): Field[] {
    const { kind, template, customer_fields: own } = this.base;
    if (kind === "template" && own) return this.type.fields.filter(({ key }) => !own.includes(key));
    return template && own ? this.type.fields.filter(({ key }) => own.includes(key)) : this.type.fields;
  }

  private sent(): Api["UpdateConnection"] {
    const before = aboutOf(this.base);
    const sent: Record<string, unknown> = {};
    for (const key of changedParts({ ...before }, { ...this.about }) as (keyof About)[]) {
      sent[key] = key === "expires_at" || key === "rotate_by" ? dayToTime(this.about[key]) : this.about[key];
    }
    const { settings, secrets } = toChange(this.fields, this.values, this.base.settings);
    if (Object.keys(settings).length) sent.settings = settings;
    if (Object.keys(secrets).length) sent.secrets = secrets;
    if (this.note) sent.note = this.note;
    return sent;
  }

  private refused(error: unknown): void {
    this.errors = error instanceof Problem ? error.errors : [];
    this.fault = this.errors.length ? unplaced(this.errors).map(({ detail }) => detail).join(" ") : messageOf(error);
    void focusFirstFault(this);
  }

  private async test(): Promise<void> {
    [this.busy, this.fault, this.errors, this.result] = ["test", "", [], undefined];
    try {
      this.result = await testEdits(this.base, toChange(this.fields, this.values, this.base.settings));
    } catch (error) {
      this.refused(error);
    }
    this.busy = "";
  }

  private async save(force = false): Promise<void> {
    [this.busy, this.fault, this.errors, this.affected] = ["save", "", [], ""];
    try {
      const saved = await change(this.base, this.sent(), force ? { force } : {});
      this.tell("connection-changed", saved);
      toast(saved.status === "active" ? `${saved.name} is saved and works.` : `${saved.name} is saved. ${whyOf(saved)}`, saved.status === "active" ? "good" : "bad");
      this.tell("closed");
    } catch (error) {
      if (error instanceof Problem && error.status === 412) this.theirs = await findConnection(this.base.id).catch(() => undefined);
      if (error instanceof Problem && error.code === "customers_affected") this.affected = error.message;
      else this.refused(error);
    }
    this.busy = "";
  }

  private merge(): void {
    const theirs = this.theirs;
    if (!theirs) return;
    const about = merged(aboutOf(this.base), this.about, aboutOf(theirs));
    const settings = merged(this.base.settings, this.values.settings, theirs.settings);
    [this.base, this.theirs, this.fault] = [theirs, undefined, ""];
    [this.about, this.values] = [about, { ...this.values, settings }];
    void this.save();
  }

  override render() {
    const { name, secret_fields: kept } = this.base;
    return dialog({
      title: `Edit ${name}`,
      wide: true,
      close: () => this.tell("closed"),
      body: html`
        <form class="stack" id="edit-form" novalidate @submit=${(event: Event) => { event.preventDefault(); void this.save(); }}>
          <kf-about group="edit" .value=${this.about} .errors=${this.errors} .environment=${this.base.environment} stableKeyHelp=${this.stableKeyHelp}
            @about-changed=${(event: CustomEvent<About>) => (this.about = event.detail)}></kf-about>
          <hr>
          <kf-fields group="edit-field" .fields=${this.fields} .values=${this.values} .kept=${kept} .errors=${this.errors}
            @values-changed=${(event: CustomEvent<Values>) => ([this.values, this.result] = [event.detail, undefined])}></kf-fields>
          <div class="field"><label for="edit-note">Note for the history</label>
            <input class="input" id="edit-note" autocomplete="off" maxlength="500" .value=${this.note} @input=${(event: Event) => (this.note = (event.target as HTMLInputElement).value)}></div>
          ${this.result ? verdictNote(this.result, { inForm: true }) : nothing}
          ${this.theirs ? this.stale(this.theirs) : nothing}
          ${this.affected ? html`<div class="note warn" role="alert">${icon("triangle-alert")}<div class="stack-small"><span>${this.affected}</span><button type="button" class="button small danger" @click=${() => this.save(true)}>Save all the same</button></div></div>` : nothing}
          ${this.fault && !this.theirs ? html`<div class="note bad" role="alert">${icon("triangle-alert")}<span>${this.fault}</span></div>` : nothing}
        </form>`,
      foot: html`
        <button class="button" @click=${() => this.tell("closed")}>Cancel</button>
        ${may("connections:test") && this.base.kind !== "template" ? html`<button class="button" ?disabled=${this.busy !== ""} @click=${this.test}>${icon("flask-conical")}${this.busy === "test" ? "Testing…" : "Test"}</button>` : nothing}
        <button class="button primary" form="edit-form" ?disabled=${this.busy !== "" || this.theirs !== undefined}>${this.busy === "save" ? "Testing and saving…" : "Save"}</button>`,
    });
  }

  private get stableKeyHelp(): string {
    const { usage_count: count, stable_key: key } = this.base;
    if (this.about.stable_key === key) return "Workflows find this connection under it in every environment.";
    return `Workflows that look for ${key} will not find it any more${count ? `: ${counted(count, "step")} use this connection` : ""}.`;
  }

  private stale(theirs: Connection) {
    const theirParts = [...changedParts({ ...aboutOf(this.base) }, { ...aboutOf(theirs) }), ...changedParts(this.base.settings, theirs.settings)];
    const both = [...conflicts(aboutOf(this.base), this.about, aboutOf(theirs)), ...conflicts(this.base.settings, this.values.settings, theirs.settings)];
    return html`
      <div class="note warn" role="alert">${icon("triangle-alert")}<div class="stack-small grow">
        <strong>${theirs.modified_by.name} changed it while you were editing${theirParts.length ? `: ${theirParts.join(", ").replaceAll("_", " ")}` : ""}.</strong>
        <span>${both.length ? `Both of you changed ${both.join(", ").replaceAll("_", " ")}: yours would replace theirs.` : "None of it is what you changed."}</span>
        <div class="row wrap"><button type="button" class="button small" @click=${this.merge}>Keep both and save</button>
          <button type="button" class="button small plain" @click=${() => this.begin(theirs)}>Discard mine</button></div>
      </div></div>
    `;
  }
}
