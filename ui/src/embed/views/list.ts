// What can be picked, and what can be connected.
import { html, nothing, type TemplateResult } from "lit";
import type { Picker } from "../picker";
import type { Connection, Provider } from "../types";
import { icon } from "./icons";

/** From how many rows on there is a search. */
const MANY = 8;

export function listView(picker: Picker): TemplateResult {
  const { t, connections, isBuilder } = picker;
  const wanted = picker.search.trim().toLowerCase();
  const named = connections.filter(({ name }) => name.toLowerCase().includes(wanted));
  const own = named.filter((one) => one.own);
  const shared = named.filter((one) => !one.own && (isBuilder || one.kind === "organization"));
  const offered = picker.offered.filter(({ name }) => name.toLowerCase().includes(wanted));
  const choosable = picker.isLink ? own : [...own, ...shared];
  return html`
    ${isBuilder && picker.session ? html`<p class="quiet small">${t.builder(picker.session.environment)}</p>` : nothing}
    ${connections.length > MANY ? search(picker) : nothing}
    ${rows(picker, t.own, own)} ${picker.isLink ? nothing : rows(picker, isBuilder ? t.organization : t.shared, shared)}
    ${choosable.length + offered.length === 0
      ? html`<p class="empty quiet">${wanted ? t.nothingFound : t.empty}<br />${wanted ? nothing : picker.mayStandAlone ? t.emptyHint : t.nothingOffered}</p>`
      : nothing}
    ${picker.next
      ? html`<button class="button" type="button" ?disabled=${picker.busy !== null} @click=${() => picker.more()}>${t.more}</button>`
      : nothing}
    ${group(picker.isLink ? null : t.offered, offered.map((one) => offer(picker, one)))}
    ${picker.mayStandAlone ? alone(picker, offered.length > 0) : nothing}
  `;
}

function search(picker: Picker): TemplateResult {
  const enter = (event: Event): void => {
    picker.search = (event.target as HTMLInputElement).value;
    picker.changed();
  };
  return html`<input class="input" type="search" aria-label=${picker.t.search} placeholder=${picker.t.search} .value=${picker.search} @input=${enter} />`;
}

function rows(picker: Picker, title: string, connections: readonly Connection[]): TemplateResult | typeof nothing {
  return group(title, connections.map((connection) => row(picker, connection)));
}

function group(title: string | null, items: readonly TemplateResult[]): TemplateResult | typeof nothing {
  if (items.length === 0) return nothing;
  return html`<section class="group">${title ? html`<h2 class="quiet small">${title}</h2>` : nothing}<ul class="rows card">${items}</ul></section>`;
}

function row(picker: Picker, connection: Connection): TemplateResult {
  const { t, opened, isLink } = picker;
  const isManaged = connection.own && connection.version !== undefined;
  const isUsable = connection.status === "active" || picker.isBuilder;
  const isChosen = connection.id === opened.selected;
  // What does not work is looked at first, where one can do something about it.
  const use = isUsable && !isLink ? () => picker.choose(connection) : isManaged ? () => picker.open(connection) : null;
  const verb = use && isUsable && !isLink ? t.use : "";
  return html`<li class="item ${isChosen ? "chosen" : ""}">
    <button class="main" type="button" aria-current=${isChosen ? "true" : nothing} ?disabled=${!use || picker.busy !== null} @click=${use ?? nothing}>
      ${heard(verb)} ${tile(picker, connection.provider)}
      <span class="grow names"><span class="name">${connection.name}</span> ${subtitle(picker, connection)}</span>
      ${badge(picker, connection)}
    </button>
    ${isManaged
      ? html`<button class="button plain icon-only" type="button" aria-label=${t.manage(connection.name)} ?disabled=${picker.busy !== null}
          @click=${() => picker.open(connection)}>${icon("settings")}</button>`
      : nothing}
    ${picker.isBuilder
      ? html`<button class="button plain icon-only" type="button" title=${t.testCredentials} aria-label="${t.testCredentials}: ${connection.name}"
          ?disabled=${picker.busy !== null} @click=${() => picker.tests(connection)}>${icon("flask")}</button>`
      : nothing}
  </li>`;
}

/** A word that is heard, and not seen. */
function heard(word: string): TemplateResult | typeof nothing {
  return word ? html`<span class="hidden-visually">${word}</span>` : nothing;
}

function subtitle(picker: Picker, { provider, connection_type, id }: Connection): TemplateResult {
  const known = picker.provider(provider);
  const type = known?.connection_types.find(({ key }) => key === connection_type)?.name ?? connection_type;
  const chosen = id === picker.opened.selected ? ` · ${picker.t.chosen}` : "";
  return html`<span class="quiet small">${picker.opened.provider ? "" : `${known?.name ?? provider} · `}${type}${chosen}</span>`;
}

function stateOf({ t, isBuilder }: Picker, connection: Connection): string {
  if (connection.kind === "template" && isBuilder) return t.template;
  if (connection.status === "active") return t.connected;
  return connection.own || isBuilder ? t.notConnected : t.unavailable;
}

function badge(picker: Picker, connection: Connection): TemplateResult {
  const isTemplate = connection.kind === "template" && picker.isBuilder;
  const tone = isTemplate ? "accent" : connection.status === "active" ? "good" : connection.own ? "bad" : "";
  return html`<span class="badge ${tone}">${stateOf(picker, connection)}</span>`;
}

function offer(picker: Picker, template: Connection): TemplateResult {
  const { provider, connection_type, name } = template;
  return html`<li class="item">
    <button class="main" type="button" ?disabled=${picker.busy !== null} @click=${() => picker.form(provider, connection_type, template)}>
      ${heard(picker.t.connect)} ${tile(picker, provider)}
      <span class="grow names"><span class="name">${name}</span> ${subtitle(picker, template)}</span>
      ${icon("chevronRight")}
    </button>
  </li>`;
}

/** The way to a connection that stands under no template. */
function alone(picker: Picker, isBeside: boolean): TemplateResult | typeof nothing {
  const { t, opened, providers } = picker;
  const provider = opened.provider ? picker.provider(opened.provider) : providers.length === 1 ? providers[0] : null;
  if (provider === undefined || providers.length === 0) return nothing;
  const hasOwn = picker.connections.some(({ own }) => own);
  const text = picker.isBuilder ? t.createTitle : isBeside ? t.others : hasOwn ? t.another : t.offered;
  return html`<button class="button ${isBeside || picker.connections.length > 0 ? "" : "primary"}" type="button" ?disabled=${picker.busy !== null}
    @click=${() => picker.create(provider ?? null)}>${icon("plus")}${text}</button>`;
}

export function tile(picker: Picker, key: string): TemplateResult {
  const url = picker.provider(key)?.icon_url;
  return html`<span class="provider-tile">${url ? html`<img class="provider-icon" src=${url} alt="" />` : icon("plug")}</span>`;
}

/** The choice of a provider, or of one of its types. */
export function typesView(picker: Picker, provider: Provider | null): TemplateResult {
  if (!provider) {
    const wanted = picker.search.trim().toLowerCase();
    const named = picker.providers.filter(({ name }) => name.toLowerCase().includes(wanted));
    return html`${picker.providers.length > MANY ? search(picker) : nothing}
      ${named.length === 0 ? html`<p class="empty quiet">${picker.t.nothingFound}</p>` : nothing}
      ${group(null, named.map((one) => choice(picker, one.key, one.name, () => picker.create(one))))}`;
  }
  const types = provider.connection_types;
  return html`${group(null, types.map((of) => choice(picker, provider.key, of.name, () => picker.form(provider.key, of.key, null))))}`;
}

function choice(picker: Picker, provider: string, name: string, go: () => Promise<void>): TemplateResult {
  return html`<li class="item">
    <button class="main" type="button" ?disabled=${picker.busy !== null} @click=${go}>
      ${tile(picker, provider)}
      <span class="grow names"><span class="name">${name}</span></span>
      ${icon("chevronRight")}
    </button>
  </li>`;
}
