// A new connection: first the provider, then the type, then whose credentials, then the form.
import { html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { messageOf } from "../../shared/client";
import { PageElement } from "../../shared/element";
import { icon } from "../../shared/icons";
import { findProvider, type ProviderView, providerIcon } from "../catalog";
import { hrefOf, type Route } from "../route";
import "../provider-grid";
import "./form";

@customElement("kf-create")
export class CreatePage extends PageElement {
  @property({ attribute: false }) route!: Route;
  @state() private provider: ProviderView | undefined;
  @state() private fault = "";

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("route") && this.route.id !== this.provider?.key) void this.load();
  }

  private async load(): Promise<void> {
    const key = this.route.id;
    [this.provider, this.fault] = [undefined, ""];
    if (!key) return;
    try {
      const provider = await findProvider(key);
      if (this.route.id === key) this.provider = provider;
    } catch (error) {
      this.fault = messageOf(error);
    }
  }

  override render() {
    const { environment, id, query } = this.route;
    if (!id) {
      return html`<main class="page"><div class="page-head"><h1>New connection</h1></div>
        <kf-provider-grid .hrefTo=${(key: string) => hrefOf(environment, "new", key, query)}></kf-provider-grid></main>`;
    }
    return html`
      <main class="page">
        <a class="back" href=${hrefOf(environment, "new", undefined, query)}>${icon("arrow-left")}All components</a>
        ${this.fault ? html`<div class="note bad" role="alert">${icon("triangle-alert")}${this.fault}</div>` : this.body()}
      </main>
    `;
  }

  private body() {
    const { provider } = this;
    if (!provider) return html`<div class="stack" aria-busy="true"><div class="skeleton block"></div><div class="skeleton block"></div></div>`;
    const { environment, query } = this.route;
    const types = provider.connection_types;
    const type = types.find(({ key }) => key === query.get("type")) ?? (types.length === 1 ? types[0] : undefined);
    const head = html`<div class="page-head"><div class="row"><span class="provider-tile"><img class="provider-icon" src=${providerIcon(provider.key)} alt=""></span><h1>New ${provider.name} connection</h1></div></div>`;
    if (type) return html`${head}<kf-create-form .environment=${environment} .provider=${provider} .type=${type} .query=${query}></kf-create-form>`;
    const hrefTo = (key: string) => {
      const next = new URLSearchParams(query);
      next.set("type", key);
      return hrefOf(environment, "new", provider.key, next);
    };
    return html`
      ${head}
      <h2 class="section-title">How shall it authenticate?</h2>
      <ul class="grid plain-list">${types.map(({ key, name, description }) => html`
        <li><a class="card tile" href=${hrefTo(key)}><span><strong>${name}</strong><span class="quiet small">${description}</span></span>${icon("arrow-right")}</a></li>`)}</ul>
    `;
  }
}
