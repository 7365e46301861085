// All providers in a searchable grid, by category.
import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { PageElement } from "../shared/element";
import { icon } from "../shared/icons";
import { CATEGORIES } from "../shared/words";
import { allProviders, type ProviderSummary } from "./catalog";

@customElement("kf-provider-grid")
export class ProviderGrid extends PageElement {
  @property({ attribute: false }) hrefTo: (key: string) => string = () => "#";
  /** How many connections there are of each, where it is known. */
  @property({ attribute: false }) counts: Map<string, number> | undefined;
  @state() private search = "";

  private fits({ name, key, category, connection_types: types }: ProviderSummary): boolean {
    const text = [name, key, CATEGORIES[category], ...types.map((type) => type.name)].join(" ").toLowerCase();
    return this.search.toLowerCase().split(/\s+/).every((word) => text.includes(word));
  }

  override render() {
    const found = allProviders().filter((provider) => this.fits(provider));
    const categories = Object.entries(CATEGORIES).map(([key, name]) => ({ name, providers: found.filter(({ category }) => category === key) }));
    return html`
      <div class="search wide">
        ${icon("search")}
        <label class="hidden-visually" for="provider-search">Search components</label>
        <input class="input" id="provider-search" type="search" placeholder="Search components" @input=${(event: Event) => (this.search = (event.target as HTMLInputElement).value)}>
      </div>
      <p class="hidden-visually" role="status">${found.length} components</p>
      ${found.length === 0 ? html`<div class="empty card"><h2>No component is called that</h2><p class="quiet">Any HTTP API can be reached with the component HTTP.</p></div>` : nothing}
      ${categories.filter(({ providers }) => providers.length).map(({ name, providers }) => html`
        <h2 class="section-title">${name}</h2>
        <ul class="grid plain-list">${providers.map((provider) => this.tile(provider))}</ul>`)}
    `;
  }

  private tile({ key, name, icon_url, connection_types: types }: ProviderSummary) {
    const count = this.counts?.get(key);
    return html`
      <li><a class="card tile" href=${this.hrefTo(key)}>
        <span class="provider-tile"><img class="provider-icon" src=${icon_url} alt="" loading="lazy"></span>
        <span class="grow"><strong>${name}</strong><span class="quiet small">${types.map((type) => type.name).join(", ")}</span></span>
        ${count ? html`<span class="badge accent">${count}<span class="hidden-visually"> connections</span></span>` : nothing}
      </a></li>
    `;
  }
}
