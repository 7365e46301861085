// What is broken, since when and why; what expires or is to be rotated soon; what nobody used for long.
import { html, nothing, svg, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { type Api, body, messageOf } from "../../shared/client";
import { PageElement } from "../../shared/element";
import { icon } from "../../shared/icons";
import { when } from "../../shared/time";
import { VERDICTS } from "../../shared/words";
import { api } from "../api";
import { providerIcon, providerName } from "../catalog";
import "../connection/sparkline";
import { hrefOf, type Route } from "../route";
import { attentionBadges, type Connection, statusBadge, whyOf } from "../status";

const SHOWN = 20;
const SOON = 30 * 24 * 60 * 60 * 1000;
const UNUSED_DAYS = 90;
const VERDICT_TONES: [Api["Verdict"], string][] = [["valid", "good"], ["limited", "warn"], ["invalid", "bad"], ["unknown", "idle"]];

@customElement("kf-health-page")
export class HealthPage extends PageElement {
  @property({ attribute: false }) route!: Route;
  @state() private counts: Map<Api["Verdict"], number> | undefined;
  @state() private broken: Connection[] | undefined;
  @state() private due: Connection[] | undefined;
  @state() private unused: Connection[] | undefined;
  @state() private fault = "";

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("route")) void this.load();
  }

  private async load(): Promise<void> {
    const { environment } = this.route;
    const list = async (query: object) => (await body(api.GET("/v1/connections", { params: { query: { environment, limit: SHOWN, ...query } } }))).data;
    const count = async (verdict: Api["Verdict"]): Promise<[Api["Verdict"], number]> => {
      const { statuses } = await body(api.GET("/v1/connections/facets", { params: { query: { environment, verdict } } }));
      return [verdict, statuses.reduce((sum, { count }) => sum + count, 0)];
    };
    this.fault = "";
    try {
      [this.counts, this.broken, this.due, this.unused] = await Promise.all([
        Promise.all(VERDICT_TONES.map(([verdict]) => count(verdict))).then((all) => new Map(all)),
        list({ verdict: "invalid", enabled: true, sort: "-modified_at" }),
        list({ due_before: new Date(Date.now() + SOON).toISOString() }),
        list({ unused_for: UNUSED_DAYS }),
      ]);
    } catch (error) {
      this.fault = messageOf(error);
    }
  }

  override render() {
    return html`
      <main class="page">
        <div class="page-head"><h1>Health</h1></div>
        ${this.fault ? html`<div class="note bad" role="alert">${icon("triangle-alert")}<span class="grow">${this.fault}</span><button class="button small" @click=${this.load}>Try again</button></div>` : nothing}
        <div class="stack">
          ${this.overview()}
          ${this.section("Broken", "Enabled, and the provider says no.", this.broken, (one) => this.why(one), "Nothing is broken.", new URLSearchParams({ verdict: "invalid", enabled: "true" }))}
          ${this.section("Expires or to be rotated within 30 days", "", this.due, (one) => html`${attentionBadges(one)}<span class="quiet small">${one.expires_at ? html`expires ${when(one.expires_at)}` : nothing}${one.expires_at && one.rotate_by ? ", " : ""}${one.rotate_by ? html`to be rotated ${when(one.rotate_by)}` : nothing}</span>`, "Nothing is due.")}
          ${this.section(`Not used for ${UNUSED_DAYS} days`, "", this.unused, (one) => html`<span class="quiet small">${one.last_used_at ? html`last used ${when(one.last_used_at)}` : html`never used, created ${when(one.created_at)}`}</span>`, "Everything is in use, or new.")}
        </div>
      </main>
    `;
  }

  private overview(): TemplateResult {
    const { counts } = this;
    if (!counts) return html`<div class="skeleton block"></div>`;
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
    let x = 0;
    return html`
      <section class="card padded stack" aria-labelledby="overview-title">
        <h2 id="overview-title">All connections and templates</h2>
        <svg class="chart meter" viewBox="0 0 100 3" preserveAspectRatio="none" aria-hidden="true">${VERDICT_TONES.map(([verdict, tone]) => {
          const width = total ? ((counts.get(verdict) ?? 0) / total) * 100 : 0;
          const bar = rect(tone, x, width);
          x += width;
          return bar;
        })}</svg>
        <ul class="plain-list row wrap numbers-list">${VERDICT_TONES.map(([verdict, tone]) => html`
          <li><a class="number" href=${hrefOf(this.route.environment, "connections", undefined, `verdict=${verdict}`)}><strong>${(counts.get(verdict) ?? 0).toLocaleString("en")}</strong><span class="badge ${tone}">${VERDICTS[verdict]}</span></a></li>`)}</ul>
      </section>
    `;
  }

  private section(title: string, help: string, connections: Connection[] | undefined, say: (one: Connection) => TemplateResult, none: string, more?: URLSearchParams): TemplateResult {
    return html`
      <section class="card padded stack" aria-label=${title}>
        <div><h2>${title}</h2>${help ? html`<p class="quiet small">${help}</p>` : nothing}</div>
        ${connections === undefined ? html`<div class="skeleton row-line"></div>` : connections.length === 0 ? html`<p class="quiet">${none}</p>` : html`
          <ul class="plain-list stack">${connections.map((one) => html`<li class="row wrap">
            <img class="provider-icon" src=${providerIcon(one.provider)} alt=${providerName(one.provider)}>
            <a href=${hrefOf(one.environment, "connections", one.id)}>${one.name}</a>${say(one)}</li>`)}</ul>
          ${more && connections.length === SHOWN ? html`<a href=${hrefOf(this.route.environment, "connections", undefined, more)}>Show all</a>` : nothing}`}
      </section>
    `;
  }

  private why(one: Connection): TemplateResult {
    return html`${statusBadge(one)}<kf-sparkline .of=${one.id}></kf-sparkline><span class="quiet small grow why">${one.health.checked_at ? html`Found ${when(one.health.checked_at)}. ` : nothing}${one.health.message ?? whyOf(one)}</span>`;
  }
}

const rect = (tone: string, x: number, width: number) => svg`<rect class=${tone} x=${x} y="0" width=${width} height="3"></rect>`;
