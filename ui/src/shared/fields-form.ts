// The fields of a connection type as a form: labels, help, defaults, what is wrong at once, secrets that can be shown, key files
// that can be pasted or chosen. It holds no values: it tells of each change by `values-changed`.
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { live } from "lit/directives/live.js";
import type { ValueError } from "./client";
import { PageElement } from "./element";
import { icon } from "./icons";
import { errorsAt, type Field, faultOf, isShown, noValues, type Values, valueOf } from "./values";

// More than any key file has.
const LARGEST_FILE = 64 * 1024;

@customElement("kf-fields")
export class FieldsForm extends PageElement {
  @property({ attribute: false }) fields: Field[] = [];
  @property({ attribute: false }) values: Values = noValues();
  /** The secrets that are stored, and kept unless they are replaced. */
  @property({ attribute: false }) kept: string[] = [];
  @property({ attribute: false }) errors: ValueError[] = [];
  /** Shows what is missing in all fields, not only in those that were visited. */
  @property({ type: Boolean }) checked = false;
  @property() group = "field";
  @state() private visited = new Set<string>();
  @state() private shown = new Set<string>();
  @state() private replaced = new Set<string>();

  private change(field: Field, value: unknown): void {
    const part = field.secret ? "secrets" : "settings";
    const values = { ...this.values, [part]: { ...this.values[part], [field.key]: value } };
    if (field.secret && value === undefined) delete values.secrets[field.key];
    this.tell<Values>("values-changed", values);
  }

  private visit(field: Field): void {
    this.visited = new Set(this.visited).add(field.key);
  }

  private toggle(set: "shown" | "replaced", key: string): void {
    const next = new Set(this[set]);
    if (!next.delete(key)) next.add(key);
    this[set] = next;
  }

  private faultAt(field: Field): string | undefined {
    const refused = errorsAt(field, this.errors);
    if (refused) return refused;
    if (!this.checked && !this.visited.has(field.key)) return undefined;
    return faultOf(field, valueOf(field, this.values), this.kept.includes(field.key) && this.values.secrets[field.key] === undefined);
  }

  private async readFile(field: Field, event: Event): Promise<void> {
    const input = event.target as HTMLInputElement;
    const file = input.files?.[0];
    input.value = "";
    if (!file || file.size > LARGEST_FILE) return;
    this.change(field, await file.text());
    this.visit(field);
  }

  override render() {
    return html`<div class="stack">${this.fields.filter((field) => isShown(field, this.fields, this.values)).map((field) => this.field(field))}</div>`;
  }

  private field(field: Field): TemplateResult {
    const id = `${this.group}-${field.key}`;
    const fault = this.faultAt(field);
    const keeps = field.secret && this.kept.includes(field.key) && !this.replaced.has(field.key) && !errorsAt(field, this.errors);
    if (field.type === "boolean") return this.checkbox(field, id);
    return html`
      <div class="field">
        <label for=${id}>${field.label}${field.required ? html`<span class="required" aria-hidden="true"> *</span>` : nothing}</label>
        ${keeps ? this.keeping(field, id) : this.entry(field, id, fault)}
        ${fault ? html`<span class="fault" id="${id}-fault" role="alert">${fault}</span>` : nothing}
        <span class="help" id="${id}-help">${field.help}
          ${field.obtain ? html`<span class="obtain">Where to find it: ${field.obtain}</span>` : nothing}</span>
      </div>
    `;
  }

  private checkbox(field: Field, id: string): TemplateResult {
    const value = valueOf(field, this.values) ?? field.default ?? false;
    return html`
      <div class="field">
        <div class="check">
          <input type="checkbox" id=${id} .checked=${live(value === true)} aria-describedby="${id}-help"
            @change=${(event: Event) => this.change(field, (event.target as HTMLInputElement).checked)}>
          <label for=${id}>${field.label}</label>
        </div>
        <span class="help" id="${id}-help">${field.help}</span>
      </div>
    `;
  }

  // A secret that is stored: kept, replaced or cleared. Nothing of it is here.
  private keeping(field: Field, id: string): TemplateResult {
    const cleared = this.values.secrets[field.key] === null;
    return html`
      <div class="row wrap">
        <input class="input grow" id=${id} type="text" disabled .value=${cleared ? "Will be removed" : "•••••••• kept as it is"} aria-describedby="${id}-help">
        <button type="button" class="button" @click=${() => (this.change(field, undefined), this.toggle("replaced", field.key))}>Replace<span class="hidden-visually"> ${field.label}</span></button>
        ${field.required ? nothing : html`<button type="button" class="button plain" @click=${() => this.change(field, cleared ? undefined : null)}>${cleared ? "Keep" : "Remove"}<span class="hidden-visually"> ${field.label}</span></button>`}
      </div>
    `;
  }

  private entry(field: Field, id: string, fault: string | undefined): TemplateResult {
    const control = field.enum?.length ? this.choice(field, id, fault) : field.type === "multiline" ? this.text(field, id, fault) : this.line(field, id, fault);
    if (!this.kept.includes(field.key) || !this.replaced.has(field.key)) return control;
    return html`<div class="row">${control}<button type="button" class="button plain"
      @click=${() => (this.change(field, undefined), this.toggle("replaced", field.key))}>Keep<span class="hidden-visually"> the stored ${field.label}</span></button></div>`;
  }

  private describedBy = (id: string, fault?: string) => (fault ? `${id}-fault ${id}-help` : `${id}-help`);

  private line(field: Field, id: string, fault?: string): TemplateResult {
    const hidden = field.secret && !this.shown.has(field.key);
    return html`
      <div class="row grow">
        <input class="input grow" id=${id} name=${field.key} type=${hidden ? "password" : "text"} inputmode=${field.type === "integer" ? "numeric" : nothing}
          autocomplete=${field.secret ? "new-password" : "off"} autocapitalize="off" spellcheck="false"
          placeholder=${isPlain(field.default) ? String(field.default) : ""}
          aria-required=${field.required} aria-invalid=${fault !== undefined} aria-describedby=${this.describedBy(id, fault)}
          .value=${live(String(valueOf(field, this.values) ?? ""))}
          @input=${(event: Event) => this.change(field, (event.target as HTMLInputElement).value)} @blur=${() => this.visit(field)}>
        ${field.secret ? this.eye(field) : nothing}
      </div>
    `;
  }

  private text(field: Field, id: string, fault?: string): TemplateResult {
    const hidden = field.secret && !this.shown.has(field.key);
    return html`
      <div class="stack-small grow">
        <textarea class="input ${hidden ? "concealed" : ""}" id=${id} name=${field.key} rows="5" spellcheck="false" autocomplete="off"
          placeholder="Paste the contents of the file, or choose it below"
          aria-required=${field.required} aria-invalid=${fault !== undefined} aria-describedby=${this.describedBy(id, fault)}
          .value=${live(String(valueOf(field, this.values) ?? ""))}
          @input=${(event: Event) => this.change(field, (event.target as HTMLTextAreaElement).value)} @blur=${() => this.visit(field)}></textarea>
        <div class="row wrap">
          <label class="button small file">${icon("file-key")}Choose a file<input class="hidden-visually" type="file" @change=${(event: Event) => this.readFile(field, event)}></label>
          ${field.secret ? this.eye(field) : nothing}
        </div>
      </div>
    `;
  }

  private choice(field: Field, id: string, fault?: string): TemplateResult {
    const value = String(valueOf(field, this.values) ?? "");
    const standard = isPlain(field.default) ? String(field.default) : undefined;
    return html`
      <select class="input" id=${id} name=${field.key} aria-invalid=${fault !== undefined} aria-describedby=${this.describedBy(id, fault)}
        @change=${(event: Event) => this.change(field, (event.target as HTMLSelectElement).value)}>
        ${standard === undefined ? html`<option value="" ?selected=${value === ""}>Choose…</option>` : nothing}
        ${field.enum?.map((one) => html`<option value=${one} ?selected=${one === (value || standard)}>${one}</option>`)}
      </select>
    `;
  }

  private eye(field: Field): TemplateResult {
    const shown = this.shown.has(field.key);
    const label = `${shown ? "Hide" : "Show"} ${field.label}`;
    return html`<button type="button" class="button icon-only" aria-label=${label} title=${label} aria-pressed=${shown}
      @click=${() => this.toggle("shown", field.key)}>${icon(shown ? "eye-off" : "eye")}</button>`;
  }
}

const isPlain = (value: unknown) => typeof value === "string" || typeof value === "number";
