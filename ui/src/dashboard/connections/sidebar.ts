// The filters beside the list, with counts: providers, status, kind, embedded, tags, connection types.
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { Api } from "../../shared/client";
import { PageElement } from "../../shared/element";
import { icon } from "../../shared/icons";
import { KINDS } from "../../shared/words";
import { providerIcon, providerName, typeName, allProviders } from "../catalog";
import { isFiltered, withOne, withToggled } from "../filter";
import { hrefOf, type Route } from "../route";

const STATUS: [value: string, name: string][] = [["", "All"], ["active", "Connected"], ["not_active", "Not connected"]];
const KIND: [value: string, name: string][] = [["", "Organization and templates"], ...Object.entries(KINDS)];
const EMBEDDED: [value: string, name: string][] = [["", "All"], ["true", "Embedded"], ["false", "Not embedded"]];

@customElement("kf-sidebar")
export class Sidebar extends PageElement {
  @property({ attribute: false }) route!: Route;
  @property({ attribute: false }) facets: Api["Facets"] | undefined;

  private href(query: URLSearchParams): string {
    return hrefOf(this.route.environment, "connections", undefined, query);
  }

  override render() {
    const { query } = this.route;
    const all = new URLSearchParams(query);
    all.delete("provider");
    return html`
      <aside class="sidebar" aria-label="Filters">
        ${isFiltered(query) ? html`<a class="button small clear" href=${this.href(new URLSearchParams())}>${icon("x")}Clear filters</a>` : nothing}
        <section>
          <h2>Components</h2>
          <ul>
            <li><a href=${this.href(all)} aria-current=${query.has("provider") ? nothing : "true"}>${icon("layout-grid")}<span class="grow">All components</span></a></li>
            ${this.facets?.providers.map(({ value, count, exact }) => html`
              <li><a href=${this.href(withToggled(query, "provider", value))} aria-current=${query.has("provider", value) ? "true" : nothing}>
                <img class="provider-icon" src=${providerIcon(value)} alt=""><span class="grow">${providerName(value)}</span>${countOf(count, exact)}</a></li>`) ?? skeletons(5)}
          </ul>
        </section>
        ${this.choices("Status", "status", STATUS, this.facets?.statuses)}
        ${this.choices("Whose credentials", "kind", KIND)}
        ${this.choices("Embedded", "embedded", EMBEDDED)}
        ${this.tags()}
        ${this.types()}
      </aside>
    `;
  }

  private choices(title: string, name: string, choices: [string, string][], counts?: Api["FacetValue"][]): TemplateResult {
    const current = this.route.query.get(name) ?? "";
    return html`
      <section>
        <h2>${title}</h2>
        <ul>${choices.map(([value, text]) => {
          const facet = counts?.find((one) => one.value === value);
          return html`<li><a href=${this.href(withOne(this.route.query, name, value))} aria-current=${current === value ? "true" : nothing}>
            <span class="grow">${text}</span>${facet ? countOf(facet.count, facet.exact) : nothing}</a></li>`;
        })}</ul>
      </section>
    `;
  }

  private tags() {
    const { query } = this.route;
    if (!this.facets?.tags.length) return nothing;
    return html`
      <section>
        <h2>Tags</h2>
        <ul>${this.facets.tags.map(({ value, count, exact }) => html`
          <li><a href=${this.href(withToggled(query, "tag", value))} aria-current=${query.has("tag", value) ? "true" : nothing}>
            ${icon("tags")}<span class="grow">${value}</span>${countOf(count, exact)}</a></li>`)}</ul>
      </section>
    `;
  }

  // The connection types of the providers that are chosen, several at once.
  private types() {
    const { query } = this.route;
    const chosen = query.getAll("provider");
    const types = allProviders().filter(({ key }) => chosen.includes(key)).flatMap(({ key, connection_types: types }) => (types.length > 1 ? types.map((type) => ({ provider: key, type: type.key })) : []));
    if (types.length === 0) return nothing;
    return html`
      <section>
        <h2>Connection types</h2>
        <ul>${types.map(({ provider, type }) => html`
          <li><a href=${this.href(withToggled(query, "connection_type", type))} aria-current=${query.has("connection_type", type) ? "true" : nothing}>
            <span class="grow">${typeName(provider, type)}</span></a></li>`)}</ul>
      </section>
    `;
  }
}

const countOf = (count: number, exact: boolean) => html`<span class="count">${count.toLocaleString("en")}${exact ? "" : "+"}</span>`;

const skeletons = (count: number) => Array.from({ length: count }, () => html`<li><div class="skeleton line"></div></li>`);
