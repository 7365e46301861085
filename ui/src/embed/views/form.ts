// The form of a connection, made of its fields. What the provider's file says stands in English.
import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import type { Form } from "../form";
import { focusOn } from "../browser";
import type { Picker } from "../picker";
import type { Field } from "../types";
import { icon } from "./icons";
import { note } from "./index";

export function formView(picker: Picker, form: Form): TemplateResult {
  const { t, busy } = picker;
  const submit = (event: Event): void => {
    event.preventDefault();
    void picker.save(form);
  };
  return html`<form class="stack" novalidate @submit=${submit}>
    ${form.tested ? html`<p class="quiet">${t.testCredentialsHelp}</p>` : form.edited ? nothing : html`<p class="quiet" lang="en">${form.type.description}</p>`}
    ${guide(picker, form)}
    <div role="alert">${note(picker.notice)}</div>
    ${form.tested ? nothing : nameField(picker, form)} ${form.shown.map((field) => fieldView(picker, form, field))}
    ${form.edited && form.isElsewhere ? html`<p class="note warn">${icon("lock")}<span>${t.reenter}</span></p>` : nothing}
    <div class="actions">
      <button class="button primary" type="submit" ?disabled=${busy !== null}>
        ${busy === "save" ? t.saving : submitText(picker, form)}
      </button>
      ${form.tested || form.type.oauth?.grant === "authorization_code"
        ? nothing
        : html`<button class="button" type="button" ?disabled=${busy !== null} @click=${() => picker.testForm(form)}>
            ${busy === "test" ? t.testing : t.testEdits}
          </button>`}
    </div>
  </form>`;
}

function submitText({ t }: Picker, form: Form): string {
  if (form.tested) return t.testCredentialsSave;
  return form.isForConsent ? t.authorize(form.provider.name) : t.save;
}

function guide({ t }: Picker, { type, edited }: Form): TemplateResult {
  const { guide } = type;
  return html`<details class="howto">
    <summary>${t.guide}</summary>
    <div class="stack-small" lang="en">
      <ol>${guide.steps.map((step) => html`<li>${step}</li>`)}</ol>
      <p><strong lang=${document.documentElement.lang}>${t.leastPermissions}:</strong> ${guide.least_permissions}</p>
      ${guide.service_account ? html`<p><strong lang=${document.documentElement.lang}>${t.serviceAccount}:</strong> ${guide.service_account}</p>` : nothing}
      ${edited ? html`<p>${guide.rotation}</p>` : nothing}
      <p><a href=${guide.url} target="_blank" rel="noopener noreferrer">${t.guidePage}</a></p>
    </div>
  </details>`;
}

function nameField({ t, changed }: Picker, form: Form): TemplateResult {
  const enter = (event: Event): void => {
    form.name = (event.target as HTMLInputElement).value;
    form.once = crypto.randomUUID();
    delete form.errors["name"];
    changed();
  };
  return html`<div class="field">
    <label for="name">${t.name}</label>
    <input class="input" id="name" maxlength="200" autocomplete="off" .value=${live(form.name)} @input=${enter}
      aria-invalid=${form.errors["name"] ? "true" : "false"} aria-describedby="name-help" />
    <div id="name-help">${form.errors["name"] ? fault(form.errors["name"]) : html`<span class="help">${t.nameHelp}</span>`}</div>
  </div>`;
}

function fault(text: string): TemplateResult {
  return html`<span class="fault">${text}</span>`;
}

function fieldView(picker: Picker, form: Form, field: Field): TemplateResult {
  const { t } = picker;
  const id = `field-${field.key}`;
  const problem = form.errors[field.key];
  return html`<div class="field">
    ${field.type === "boolean"
      ? nothing
      : html`<label for=${id}><span lang="en">${field.label}</span>${field.required && !form.tested ? nothing : html` <span class="quiet small">(${t.optional})</span>`}</label>`}
    ${form.isKept(field) ? kept(picker, form, field, id) : control(picker, form, field, id)}
    <div id="${id}-help" class="stack-tiny">
      ${problem ? fault(problem) : nothing}
      <span class="help" lang="en">${field.help}</span>
      <span class="help">${t.where}: <span lang="en">${field.obtain}</span></span>
    </div>
  </div>`;
}

/** A stored secret: it stays as it is, or is replaced. */
function kept({ t, changed }: Picker, form: Form, field: Field, id: string): TemplateResult {
  const replace = (): void => {
    form.replacing.add(field.key);
    changed();
    focusOn(`#${id}`);
  };
  return html`<div class="kept">
    ${icon("lock")}<span class="grow quiet">${t.stored}</span>
    <button class="button small" type="button" id=${id} aria-label="${t.replace}: ${field.label}" @click=${replace}>${t.replace}</button>
  </div>`;
}

function control(picker: Picker, form: Form, field: Field, id: string): TemplateResult {
  const { t, changed } = picker;
  const value = form.entered[field.key] ?? "";
  const enter = (text: string): void => {
    form.enter(field, text);
    changed();
  };
  const typed = (event: Event): void => enter((event.target as HTMLInputElement).value);
  const left = (): void => {
    form.look(field, t);
    changed();
  };
  const invalid = form.errors[field.key] ? "true" : "false";
  const described = `${id}-help`;
  if (field.type === "boolean") {
    const ticked = (event: Event): void => enter(String((event.target as HTMLInputElement).checked));
    return html`<label class="check"><input type="checkbox" id=${id} .checked=${live(value === "true")} @change=${ticked}
      aria-describedby=${described} /><span lang="en">${field.label}</span></label>`;
  }
  if (field.enum) {
    return html`<select class="input" id=${id} @change=${typed} aria-invalid=${invalid} aria-describedby=${described} aria-required=${field.required}>
      ${value === "" || !field.required ? html`<option value="" ?selected=${value === ""}>${t.choose}</option>` : nothing}
      ${field.enum.map((one) => html`<option value=${one} ?selected=${one === value}>${one}</option>`)}
    </select>`;
  }
  if (field.type === "multiline") {
    return html`<textarea class="input ${field.secret ? "secret" : ""}" id=${id} spellcheck="false" autocapitalize="off" autocomplete="off" .value=${live(value)}
        @input=${typed} @blur=${left} aria-invalid=${invalid} aria-describedby=${described} aria-required=${field.required}></textarea>
      ${beside(picker, form, field, html`<label class="button small file">${t.pasteFile}<input type="file" class="hidden-visually" @change=${fileInto(enter)} /></label>`)}`;
  }
  const isHidden = field.secret && !form.revealed.has(field.key);
  return html`<div class="row">
      <input class="input grow" id=${id} type=${isHidden ? "password" : "text"} inputmode=${field.type === "integer" ? "numeric" : nothing}
        spellcheck="false" autocapitalize="off" autocomplete=${field.secret ? "new-password" : "off"} .value=${live(value)} @input=${typed}
        @blur=${left} aria-invalid=${invalid} aria-describedby=${described} aria-required=${field.required} />
      ${field.secret ? reveal(picker, form, field) : nothing}
    </div>
    ${beside(picker, form, field, nothing)}`;
}

function reveal({ t, changed }: Picker, form: Form, field: Field): TemplateResult {
  const isShown = form.revealed.has(field.key);
  const turn = (): void => {
    if (isShown) form.revealed.delete(field.key);
    else form.revealed.add(field.key);
    changed();
  };
  return html`<button class="button icon-only" type="button" aria-label="${isShown ? t.hide : t.show}: ${field.label}" aria-pressed=${isShown} @click=${turn}>
    ${icon(isShown ? "eyeOff" : "eye")}
  </button>`;
}

function beside({ t, changed }: Picker, form: Form, field: Field, more: TemplateResult | typeof nothing): TemplateResult | typeof nothing {
  const isReplacing = form.edited !== null && field.secret && form.replacing.has(field.key) && !form.isElsewhere;
  if (!isReplacing && more === nothing) return nothing;
  const keep = (): void => {
    form.replacing.delete(field.key);
    form.enter(field, "");
    changed();
  };
  return html`<div class="row">
    ${more}
    ${isReplacing ? html`<button class="button small plain" type="button" aria-label="${t.keep}: ${field.label}" @click=${keep}>${t.keep}</button>` : nothing}
  </div>`;
}

/** Reads a chosen file into a field: it goes no further than what is typed. */
function fileInto(enter: (text: string) => void): (event: Event) => Promise<void> {
  return async (event) => {
    const file = (event.target as HTMLInputElement).files?.[0];
    if (file && file.size <= 64 * 1024) enter(await file.text());
  };
}
