// The bar at the top: environment, pages, light and dark, who is signed in.
import "@awesome.me/webawesome/dist/components/dropdown/dropdown.js";
import "@awesome.me/webawesome/dist/components/dropdown-item/dropdown-item.js";
import { html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { PageElement } from "../shared/element";
import { icon } from "../shared/icons";
import { ENVIRONMENTS } from "../shared/words";
import { type Environment, go, hrefOf, type Route } from "./route";
import { toastError } from "./toast";
import { may, type Scope, signOut, type Who } from "./who";

interface Entry { page: string; name: string; icon: string; scope: Scope }

const PAGES: Entry[] = [
  { page: "connections", name: "Connections", icon: "plug", scope: "connections:read" },
  { page: "components", name: "Components", icon: "layout-grid", scope: "connections:read" },
  { page: "customers", name: "Customers", icon: "building-2", scope: "connections:read" },
  { page: "health", name: "Health", icon: "activity", scope: "connections:read" },
  { page: "audit", name: "Audit", icon: "scroll-text", scope: "audit:read" },
  { page: "settings", name: "Settings", icon: "settings", scope: "connections:read" },
];

@customElement("kf-bar")
export class Bar extends PageElement {
  @property({ attribute: false }) who!: Who;
  @property({ attribute: false }) route!: Route;

  private choose(environment: Environment): void {
    // What is in one environment is not in another: its list is shown, with the filter that makes sense in all.
    const page = this.route.id && this.route.page !== "settings" ? "connections" : this.route.page;
    go(hrefOf(environment, page, page === this.route.page ? this.route.id : undefined));
  }

  private async leave(): Promise<void> {
    try {
      await signOut();
      this.tell("signed-out");
    } catch (error) {
      toastError(error);
    }
  }

  private switchTheme(): void {
    const dark = document.documentElement.classList.contains("wa-dark");
    localStorage.setItem("keyfob:theme", dark ? "light" : "dark");
    dispatchEvent(new Event("keyfob:theme"));
    this.requestUpdate();
  }

  // On a telephone the pages do not fit side by side.
  override updated(changed: Map<string, unknown>): void {
    if (changed.has("route")) this.querySelector("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }

  override render() {
    const { environment, page } = this.route;
    const dark = document.documentElement.classList.contains("wa-dark");
    return html`
      <header class="bar">
        <a class="brand" aria-label="Keyfob" href=${hrefOf(environment, "connections")}><img src="/favicon.svg" alt=""><span class="brand-name">Keyfob</span></a>
        <div class="environment">
          <label class="hidden-visually" for="environment">Environment</label>
          <span class="dot" aria-hidden="true"></span>
          <select id="environment" @change=${(event: Event) => this.choose((event.target as HTMLSelectElement).value as Environment)}>
            ${this.who.environments.map((one) => html`<option value=${one} ?selected=${one === environment}>${ENVIRONMENTS[one]}</option>`)}
          </select>
        </div>
        <nav aria-label="Pages">
          ${PAGES.filter(({ scope }) => may(scope)).map((entry) => html`
            <a href=${hrefOf(environment, entry.page)} aria-current=${entry.page === page ? "page" : nothing}>${icon(entry.icon)}<span>${entry.name}</span></a>`)}
        </nav>
        <button class="button plain icon-only" @click=${this.switchTheme} aria-label=${dark ? "Light colours" : "Dark colours"} title=${dark ? "Light colours" : "Dark colours"}>${icon(dark ? "sun" : "moon")}</button>
        <wa-dropdown placement="bottom-end" @wa-select=${this.leave}>
          <button slot="trigger" class="button plain" aria-label="Signed in as ${this.who.name}">${icon("user")}<span class="who">${this.who.name}</span>${icon("chevron-down")}</button>
          <div class="who-may"><strong>${this.who.name}</strong><span class="quiet small">May: ${this.who.scopes.join(", ")}</span></div>
          <wa-dropdown-item value="sign-out">Sign out</wa-dropdown-item>
        </wa-dropdown>
      </header>
    `;
  }
}
