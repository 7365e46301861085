// Connections that fit a filter, a page at a time as one scrolls. With `provider` only those of one provider.
import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { body, messageOf } from "../../shared/client";
import { PageElement } from "../../shared/element";
import { icon } from "../../shared/icons";
import { api } from "../api";
import { toListQuery } from "../filter";
import type { Route } from "../route";
import type { Connection } from "../status";
import "./row";

const PAGE = 25;

@customElement("kf-list")
export class ConnectionList extends PageElement {
  @property({ attribute: false }) route!: Route;
  @property() provider: string | undefined;
  @property({ type: Number }) reading = 0;
  /** Which are selected; without it none can be. */
  @property({ attribute: false }) selected: Map<string, Connection> | undefined;
  @state() private connections: Connection[] = [];
  @state() private cursor: string | null | undefined;
  @state() private busy = false;
  @state() private fault = "";
  private asked = 0;
  private showing = "";
  private readonly watcher = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && this.more(), { rootMargin: "400px" });

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.watcher.disconnect();
  }

  override willUpdate(): void {
    const wanted = JSON.stringify([this.query, this.reading]);
    if (wanted === this.showing) return;
    this.showing = wanted;
    this.cursor = undefined;
    void this.load();
  }

  private get query() {
    const query = toListQuery(this.route.environment, this.route.query);
    return this.provider ? { ...query, provider: [this.provider] } : query;
  }

  private more(): void {
    if (!this.busy && this.cursor && !this.fault) void this.load(this.cursor);
  }

  private async load(cursor?: string): Promise<void> {
    const asked = ++this.asked;
    this.busy = true;
    this.fault = "";
    try {
      const query = { ...this.query, limit: PAGE, ...(cursor ? { cursor } : {}) };
      const page = await body(api.GET("/v1/connections", { params: { query } }));
      if (asked !== this.asked) return;
      this.connections = cursor ? [...this.connections, ...page.data] : page.data;
      this.cursor = page.next_cursor ?? null;
    } catch (error) {
      if (asked === this.asked) this.fault = messageOf(error);
    }
    if (asked === this.asked) this.busy = false;
  }

  // Short pages may leave the end of the list in view: then it goes on.
  override updated(): void {
    this.watcher.disconnect();
    const end = this.querySelector(":scope > .end");
    if (end) this.watcher.observe(end);
  }

  private replace(event: CustomEvent<Connection>): void {
    this.connections = this.connections.map((one) => (one.id === event.detail.id ? event.detail : one));
  }

  override render() {
    return html`
      <div class="rows" role="list" @connection-changed=${this.replace}>
        ${repeat(this.connections, ({ id }) => id, (connection) => html`
          <kf-row role="listitem" .connection=${connection} ?selectable=${this.selected !== undefined} ?selected=${this.selected?.has(connection.id) ?? false}></kf-row>`)}
      </div>
      ${this.busy ? html`<div class="stack-small padded" aria-busy="true"><span class="hidden-visually" role="status">Loading</span><div class="skeleton row-line"></div><div class="skeleton row-line"></div></div>` : nothing}
      ${this.fault ? html`<div class="note bad" role="alert">${icon("triangle-alert")}<span class="grow">${this.fault}</span><button class="button small" @click=${() => this.load(this.cursor ?? undefined)}>Try again</button></div>` : nothing}
      ${!this.busy && !this.fault && this.connections.length === 0 ? html`<p class="padded quiet">Nothing fits here.</p>` : nothing}
      ${this.cursor ? html`<div class="end"></div>` : nothing}
    `;
  }
}
