// A connection of the customer's own: how it does, and what can be done with it.
import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { focusOn } from "../browser";
import type { Picker } from "../picker";
import type { Connection } from "../types";
import { icon } from "./icons";
import { tile } from "./list";

export function ownView(picker: Picker, connection: Connection, renaming: string | null): TemplateResult {
  const { t, busy, isLink } = picker;
  const isDisabled = busy !== null;
  const isActive = connection.status === "active";
  const type = picker.typeOf(connection);
  const isByConsent = type?.oauth?.grant === "authorization_code";
  const needsConsent = isByConsent && connection.health?.action === "reauthorize";
  const provider = picker.provider(connection.provider)?.name ?? connection.provider;
  const rename = (): void => {
    picker.show({ name: "own", connection, renaming: connection.name });
    focusOn("#name");
  };
  const again = html`<button class="button ${needsConsent ? "primary" : ""}" type="button" ?disabled=${isDisabled} @click=${() => picker.authorize(connection)}>
    ${needsConsent ? t.authorize(provider) : t.reauthorize}
  </button>`;
  return html`
    <div class="card padded stack">
      <div class="row">
        ${tile(picker, connection.provider)}
        <div class="grow names"><span class="name">${connection.name}</span><span class="quiet small">${provider}${type ? ` · ${type.name}` : ""}</span></div>
        <span class="badge ${isActive ? "good" : "bad"}">${isActive ? t.connected : t.notConnected}</span>
      </div>
      ${health(picker, connection)} ${renaming === null ? nothing : renameForm(picker, connection, renaming)}
    </div>
    <div class="actions">
      ${needsConsent ? again : nothing}
      ${needsConsent && !isActive
        ? nothing
        : html`<button class="button primary" type="button" ?disabled=${isDisabled || !isActive} @click=${() => picker.choose(connection)}>
            ${isLink ? t.done : t.use_this}
          </button>`}
    </div>
    <div class="actions wrap">
      <button class="button" type="button" ?disabled=${isDisabled} @click=${() => picker.edit(connection)}>${t.edit}</button>
      <button class="button" type="button" ?disabled=${isDisabled} @click=${() => picker.test(connection)}>${busy === "test" ? t.testing : t.test}</button>
      ${isByConsent && !needsConsent ? again : nothing}
      <button class="button" type="button" ?disabled=${isDisabled} @click=${rename}>${t.rename}</button>
      <button class="button danger" type="button" ?disabled=${isDisabled} @click=${() => picker.show({ name: "disconnect", connection })}>${t.disconnect}</button>
    </div>
  `;
}

function health(picker: Picker, { health, missing_scopes }: Connection): TemplateResult | typeof nothing {
  const { t, opened, notice } = picker;
  if (!health) return nothing;
  const when = health.checked_at ? t.testedWhen(new Date(health.checked_at).toLocaleString(opened.lang, { dateStyle: "medium", timeStyle: "short" })) : "";
  // What was just found is said above.
  const reason = notice ? "" : picker.reason(health.reason);
  return html`${reason ? html`<p>${reason}</p>` : nothing}
    ${health.stale && health.reason !== "template_changed" ? html`<p>${t.stale}</p>` : nothing}
    ${missing_scopes?.length ? html`<p>${t.missingScopes} <code>${missing_scopes.join(", ")}</code></p>` : nothing}
    ${when ? html`<p class="quiet small">${when}</p>` : nothing}`;
}

function renameForm(picker: Picker, connection: Connection, name: string): TemplateResult {
  const { t, busy } = picker;
  const enter = (event: Event): void => {
    if (picker.screen.name === "own") picker.screen.renaming = (event.target as HTMLInputElement).value;
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    if (picker.screen.name === "own") void picker.rename(connection, picker.screen.renaming ?? "");
  };
  return html`<form class="field" @submit=${submit}>
    <label for="name">${t.name}</label>
    <input class="input" id="name" maxlength="200" autocomplete="off" .value=${live(name)} @input=${enter} />
    <div class="row">
      <button class="button primary" type="submit" ?disabled=${busy !== null}>${t.saveName}</button>
      <button class="button plain" type="button" ?disabled=${busy !== null} @click=${() => picker.show({ name: "own", connection, renaming: null })}>${t.cancel}</button>
    </div>
  </form>`;
}

export function disconnectView(picker: Picker, connection: Connection): TemplateResult {
  const { t, busy } = picker;
  return html`<p>${t.disconnectText}</p>
    <div class="actions">
      <button class="button danger" type="button" ?disabled=${busy !== null} @click=${() => picker.disconnect(connection)}>${t.disconnect}</button>
      <button class="button" type="button" ?disabled=${busy !== null} @click=${() => picker.show({ name: "own", connection, renaming: null })}>${t.cancel}</button>
    </div>`;
}

export function authorizingView({ t }: Picker): TemplateResult {
  return html`<div class="ending" role="status">${icon("plug")}<h2>${t.authorizing}</h2><p class="quiet">${t.authorizingHint}</p></div>`;
}
