// The connections of one provider as a card that expands. What is not looked at yet is not asked for.
import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { PageElement } from "../../shared/element";
import { icon } from "../../shared/icons";
import { counted } from "../../shared/words";
import { providerIcon, providerName } from "../catalog";
import { hrefOf, type Route } from "../route";
import type { Connection } from "../status";
import { may } from "../who";
import "./list";

@customElement("kf-group")
export class Group extends PageElement {
  @property({ attribute: false }) route!: Route;
  @property() provider = "";
  @property({ type: Number }) count = 0;
  @property({ type: Boolean }) exact = true;
  @property({ type: Number }) reading = 0;
  @property({ attribute: false }) selected: Map<string, Connection> = new Map();
  @state() private open = true;
  @state() private seen = false;
  private readonly watcher = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    this.seen = true;
    this.watcher.disconnect();
  }, { rootMargin: "200px" });

  override connectedCallback(): void {
    super.connectedCallback();
    if (!this.seen) this.watcher.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.watcher.disconnect();
  }

  override render() {
    const name = providerName(this.provider);
    const { environment } = this.route;
    return html`
      <section class="card group" aria-label=${name}>
        <header>
          <button class="group-toggle" aria-expanded=${this.open} @click=${() => (this.open = !this.open)}>
            ${icon(this.open ? "chevron-down" : "chevron-right")}
            <span class="provider-tile"><img class="provider-icon" src=${providerIcon(this.provider)} alt=""></span>
            <span class="group-title"><span class="group-name">${name}</span>
              <span class="quiet small">${counted(this.count, "connection")}${this.exact ? "" : " or more"}</span></span>
          </button>
          ${may("connections:write") ? html`<a class="button small" href=${hrefOf(environment, "new", this.provider)}>${icon("plus")}<span>Add<span class="roomy"> connection</span></span><span class="hidden-visually"> of ${name}</span></a>` : nothing}
        </header>
        ${this.open ? this.body() : nothing}
      </section>
    `;
  }

  private body() {
    if (!this.seen) return html`<div class="padded"><div class="skeleton row-line"></div></div>`;
    return html`<kf-list .route=${this.route} .provider=${this.provider} .reading=${this.reading} .selected=${this.selected}></kf-list>`;
  }
}
