// The whole catalogue; and one provider with its guide, its connection types and its connections.
import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { body, messageOf } from "../../shared/client";
import { PageElement } from "../../shared/element";
import { guide } from "../../shared/guide";
import { icon } from "../../shared/icons";
import { CATEGORIES } from "../../shared/words";
import { api } from "../api";
import { findProvider, type ProviderView } from "../catalog";
import "../connections/group";
import "../provider-grid";
import { hrefOf, type Route } from "../route";
import { may } from "../who";

@customElement("kf-components")
export class ComponentsPage extends PageElement {
  @property({ attribute: false }) route!: Route;
  @state() private counts = new Map<string, number>();
  @state() private provider: ProviderView | undefined;
  @state() private fault = "";

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("route")) void this.load();
  }

  private async load(): Promise<void> {
    const { environment, id } = this.route;
    this.fault = "";
    try {
      if (id !== this.provider?.key) this.provider = id ? await findProvider(id) : undefined;
      const facets = await body(api.GET("/v1/connections/facets", { params: { query: { environment } } }));
      this.counts = new Map(facets.providers.map(({ value, count }) => [value, count]));
    } catch (error) {
      this.fault = messageOf(error);
    }
  }

  override render() {
    const { environment, id } = this.route;
    const fault = this.fault ? html`<div class="note bad" role="alert">${icon("triangle-alert")}${this.fault}</div>` : nothing;
    if (!id) {
      return html`<main class="page"><div class="page-head"><h1>Components</h1></div>${fault}
        <kf-provider-grid .counts=${this.counts} .hrefTo=${(key: string) => hrefOf(environment, "components", key)}></kf-provider-grid></main>`;
    }
    const back = html`<a class="back" href=${hrefOf(environment, "components")}>${icon("arrow-left")}Components</a>`;
    if (!this.provider) return html`<main class="page">${back}${fault || html`<div class="skeleton block"></div>`}</main>`;
    return html`<main class="page">${back}${fault}${this.one(this.provider)}</main>`;
  }

  private one(provider: ProviderView) {
    const { environment } = this.route;
    const count = this.counts.get(provider.key) ?? 0;
    return html`
      <div class="page-head">
        <div class="row"><span class="provider-tile"><img class="provider-icon" src=${provider.icon_url} alt=""></span>
          <div><h1>${provider.name}</h1><div class="quiet">${CATEGORIES[provider.category]} · <a href=${provider.homepage} target="_blank" rel="noreferrer">${new URL(provider.homepage).hostname}</a></div></div></div>
        ${may("connections:write") ? html`<a class="button primary" href=${hrefOf(environment, "new", provider.key)}>${icon("plus")}Add connection</a>` : nothing}
      </div>
      <div class="stack">
        ${count ? html`<kf-group .route=${{ ...this.route, query: new URLSearchParams() }} .provider=${provider.key} .count=${count}></kf-group>` : html`<p class="quiet">There are no connections of it in this environment yet.</p>`}
        ${provider.connection_types.map((type) => html`
          <section class="card padded stack" aria-label=${type.name}>
            <div class="row spread wrap"><div><h2>${type.name}</h2><p class="quiet">${type.description}</p></div>
              ${may("connections:write") ? html`<a class="button small" href=${hrefOf(environment, "new", provider.key, `type=${type.key}`)}>${icon("plus")}Add<span class="hidden-visually"> a connection of the type ${type.name}</span></a>` : nothing}</div>
            <dl class="facts fields small">${type.fields.map(({ label, help, secret }) => html`<dt>${label}${secret ? html` <span class="badge">${icon("lock")}secret</span>` : nothing}</dt><dd>${help}</dd>`)}</dl>
            ${guide(type.guide, provider.connection_types.length === 1)}
          </section>`)}
      </div>
    `;
  }
}
