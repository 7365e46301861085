// The list of connections: sidebar, search, groups by provider or one list, and what is done with several at once.
import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { type Api, body, messageOf } from "../../shared/client";
import { PageElement } from "../../shared/element";
import { icon } from "../../shared/icons";
import { api } from "../api";
import { isFiltered, SORTS, toBulkFilter, toQuery, withOne } from "../filter";
import { type Environment, go, hrefOf, type Route } from "../route";
import type { Connection } from "../status";
import { may } from "../who";
import "./bulk";
import "./bulk-dialog";
import "./group";
import "./list";
import type { Chosen } from "./many";
import "./sidebar";

// While one types, the list waits for the end of a word.
const PAUSE = 250;

@customElement("kf-connections")
export class ConnectionsPage extends PageElement {
  @property({ attribute: false }) route!: Route;
  @state() private facets: Api["Facets"] | undefined;
  @state() private fault = "";
  @state() private selected = new Map<string, Connection>();
  @state() private showsFilters = false;
  /** What the filter was when all that it finds were to be changed: what was planned is what is done. */
  @state() private changing: { environment: Environment; chosen: Chosen } | undefined;
  /** Raised when the lists have to be read again. */
  @state() private reading = 0;
  private pause: ReturnType<typeof setTimeout> | undefined;
  private asked = 0;

  override willUpdate(changed: Map<string, unknown>): void {
    if (!changed.has("route")) return;
    const before = changed.get("route") as Route | undefined;
    this.changing = undefined;
    if (before?.environment !== this.route.environment) {
      this.facets = undefined;
      this.selected = new Map();
    }
    void this.count();
  }

  private async count(): Promise<void> {
    const asked = ++this.asked;
    try {
      const query = toQuery(this.route.environment, this.route.query);
      const facets = await body(api.GET("/v1/connections/facets", { params: { query } }));
      if (asked === this.asked) [this.facets, this.fault] = [facets, ""];
    } catch (error) {
      if (asked === this.asked) this.fault = messageOf(error);
    }
  }

  private refresh(): void {
    this.reading++;
    this.selected = new Map();
    void this.count();
  }

  private filter(query: URLSearchParams, replace = false): void {
    go(hrefOf(this.route.environment, "connections", undefined, query), replace);
  }

  private type(event: Event): void {
    clearTimeout(this.pause);
    const text = (event.target as HTMLInputElement).value.trim();
    this.pause = setTimeout(() => this.filter(withOne(this.route.query, "search", text), true), PAUSE);
  }

  // They open above the list, where one may have scrolled away from.
  private async switchFilters(): Promise<void> {
    this.showsFilters = !this.showsFilters;
    await this.updateComplete;
    if (this.showsFilters) this.querySelector("kf-sidebar")?.scrollIntoView({ block: "start" });
  }

  private select(event: CustomEvent<{ connection: Connection; selected: boolean }>): void {
    const { connection, selected } = event.detail;
    const next = new Map(this.selected);
    if (selected) next.set(connection.id, connection);
    else next.delete(connection.id);
    this.selected = next;
  }

  override render() {
    const { environment, query } = this.route;
    const flat = query.get("view") === "list";
    return html`
      <div class="layout" @connection-selected=${this.select} @connections-changed=${this.refresh} @connection-changed=${this.count}>
        <kf-sidebar class=${this.showsFilters ? "open" : ""} .route=${this.route} .facets=${this.facets}></kf-sidebar>
        <main class="page">
          <div class="page-head">
            <h1>Connections</h1>
            ${may("connections:write") ? html`<a class="button primary" href=${hrefOf(environment, "new")}>${icon("plus")}New connection</a>` : nothing}
          </div>
          <div class="tools">
            <div class="search">
              ${icon("search")}
              <label class="hidden-visually" for="search">Search</label>
              <input class="input" id="search" type="search" placeholder="Search by name, description, component or tag" .value=${query.get("search") ?? ""} @input=${this.type}>
            </div>
            <button class="button filters-button" aria-expanded=${this.showsFilters} @click=${this.switchFilters}>${icon("filter")}Filters</button>
            <label class="hidden-visually" for="view">Grouping</label>
            <select class="input narrow" id="view" @change=${(event: Event) => this.filter(withOne(query, "view", (event.target as HTMLSelectElement).value))}>
              <option value="" ?selected=${!flat}>Grouped by component</option>
              <option value="list" ?selected=${flat}>One list</option>
            </select>
            <label class="hidden-visually" for="sort">Order</label>
            <select class="input narrow" id="sort" @change=${(event: Event) => this.filter(withOne(query, "sort", (event.target as HTMLSelectElement).value))}>
              ${Object.entries(SORTS).map(([value, name]) => html`<option value=${value} ?selected=${value === (query.get("sort") ?? "name")}>${name}</option>`)}
            </select>
            ${may("connections:write") && this.facets?.providers.some(({ count }) => count > 0) ? html`<button class="button" @click=${() => (this.changing = { environment, chosen: { filter: toBulkFilter(query) } })}>${icon("pencil")}Change all<span class="hidden-visually"> that the filter finds</span></button>` : nothing}
          </div>
          ${this.fault ? html`<div class="note bad" role="alert">${icon("triangle-alert")}<span class="grow">${this.fault}</span><button class="button small" @click=${this.refresh}>Try again</button></div>` : this.lists(flat)}
        </main>
        ${this.changing ? html`<kf-bulk-dialog .environment=${this.changing.environment} .chosen=${this.changing.chosen} @closed=${() => (this.changing = undefined)}></kf-bulk-dialog>` : nothing}
        <kf-bulk .environment=${environment} .selected=${this.selected} @cleared=${() => (this.selected = new Map())}></kf-bulk>
      </div>
    `;
  }

  private lists(flat: boolean) {
    if (!this.facets) return html`<div class="stack" aria-busy="true"><div class="skeleton block"></div><div class="skeleton block"></div><div class="skeleton block"></div></div>`;
    const chosen = this.route.query.getAll("provider");
    const groups = this.facets.providers.filter(({ value, count }) => count > 0 && (chosen.length === 0 || chosen.includes(value)));
    if (groups.length === 0) return this.empty();
    if (flat) return html`<div class="card"><kf-list .route=${this.route} .reading=${this.reading} .selected=${this.selected}></kf-list></div>`;
    return html`<div class="stack">${groups.map((group) => html`
      <kf-group .route=${this.route} .provider=${group.value} .count=${group.count} .exact=${group.exact} .reading=${this.reading} .selected=${this.selected}></kf-group>`)}</div>`;
  }

  private empty() {
    const { environment, query } = this.route;
    const filtered = isFiltered(query);
    return html`
      <div class="empty card">
        ${icon(filtered ? "search" : "plug")}
        <h2>${filtered ? "No connection fits this filter" : "No connections here yet"}</h2>
        <p class="quiet">${filtered ? "Try fewer words or fewer filters." : "A connection holds the credentials with which workflows reach a service. Create the first one, or import definitions from another environment."}</p>
        ${filtered
          ? html`<a class="button" href=${hrefOf(environment, "connections")}>Show all connections</a>`
          : may("connections:write") ? html`<a class="button primary" href=${hrefOf(environment, "new")}>${icon("plus")}New connection</a>` : nothing}
      </div>
    `;
  }

}
