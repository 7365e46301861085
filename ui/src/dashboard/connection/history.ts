// The history drawer: revisions of the values and, between them, what people changed besides; restoring an older revision.
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { type Api, body, ifMatch, messageOf, Problem } from "../../shared/client";
import { PageElement } from "../../shared/element";
import { icon } from "../../shared/icons";
import { when } from "../../shared/time";
import type { Field } from "../../shared/values";
import { verdictBadge } from "../../shared/verdict";
import { spoken } from "../../shared/words";
import { api } from "../api";
import type { TypeView } from "../catalog";
import { findConnection } from "../changes";
import { drawer } from "../dialog";
import type { Connection } from "../status";
import { toast } from "../toast";
import { may } from "../who";
import { changedParts } from "./merge";
import "./reveal";

type Revision = Api["Revision"];
type Event = Api["Event"];

const PAGE = 50;

@customElement("kf-history")
export class HistoryDrawer extends PageElement {
  @property({ attribute: false }) connection!: Connection;
  @property({ attribute: false }) type!: TypeView;
  @state() private revisions = new Map<number, Revision>();
  @state() private events: Event[] | undefined;
  @state() private cursor: string | null = null;
  @state() private restoring: number | undefined;
  @state() private revealing: { field: Field; revision: number } | undefined;
  @state() private fault = "";

  override connectedCallback(): void {
    super.connectedCallback();
    void this.load();
  }

  private async load(cursor?: string): Promise<void> {
    const path = { id: this.connection.id };
    try {
      const [events, revisions] = await Promise.all([
        body(api.GET("/v1/connections/{id}/events", { params: { path, query: { limit: PAGE, ...(cursor ? { cursor } : {}) } } })),
        body(api.GET("/v1/connections/{id}/revisions", { params: { path, query: { limit: 100 } } })),
      ]);
      this.events = cursor ? [...(this.events ?? []), ...events.data] : events.data;
      this.cursor = events.next_cursor ?? null;
      this.revisions = new Map(revisions.data.map((revision) => [revision.number, revision]));
    } catch (error) {
      this.fault = messageOf(error);
    }
  }

  private async restore(number: number): Promise<void> {
    this.fault = "";
    const path = { id: this.connection.id, number };
    try {
      const restored = await body(api.POST("/v1/connections/{id}/revisions/{number}/restore", { params: { path, header: ifMatch(this.connection) }, body: {} }));
      toast(`Revision ${number} is restored, as revision ${restored.revision}.`);
      this.restoring = undefined;
      this.tell("connection-changed", restored);
      this.connection = restored;
      await this.load();
    } catch (error) {
      this.fault = messageOf(error);
      if (error instanceof Problem && error.status === 412) {
        this.connection = await findConnection(this.connection.id);
        this.fault = `${this.connection.modified_by.name} changed it meanwhile. Look at the history again.`;
        await this.load();
      }
    }
  }

  override render() {
    const list = this.events === undefined
      ? html`<div class="stack" aria-busy="true"><div class="skeleton block"></div><div class="skeleton block"></div></div>`
      : html`<ol class="timeline plain-list">${this.events.map((event) => html`<li>${this.event(event)}</li>`)}</ol>`;
    return html`
      ${drawer({
        title: "History",
        close: () => this.tell("closed"),
        body: html`<div class="stack">
          ${this.fault ? html`<div class="note bad" role="alert">${icon("triangle-alert")}<span>${this.fault}</span></div>` : nothing}
          ${list}
          ${this.cursor ? html`<button class="button" @click=${() => this.load(this.cursor ?? undefined)}>Show earlier changes</button>` : nothing}
        </div>`,
      })}
      ${this.revealing ? html`<kf-reveal .connection=${this.connection} .field=${this.revealing.field} .revision=${this.revealing.revision} @closed=${(event: CustomEvent) => { event.stopPropagation(); this.revealing = undefined; }}></kf-reveal>` : nothing}
    `;
  }

  private event(event: Event): TemplateResult {
    const revision = event.revision ? this.revisions.get(event.revision) : undefined;
    const changes = Object.entries(event.changes ?? {});
    return html`
      <div class="stack-small">
        <div class="row wrap"><strong>${spoken(event.type)}</strong>${event.revision ? html`<span class="badge accent">Revision ${event.revision}</span>` : nothing}${revision && event.revision !== undefined ? verdictBadge(revision.verdict) : nothing}</div>
        <span class="quiet small">${when(event.at)} by ${event.actor.name}${event.actor.claimed ? ` for ${event.actor.claimed}` : ""}</span>
        ${changes.length ? html`<dl class="facts small">${changes.map(([name, { before, after }]) => html`<dt>${spoken(name)}</dt><dd>${difference(before, after)}</dd>`)}</dl>` : nothing}
        ${revision ? this.revision(revision) : nothing}
      </div>
    `;
  }

  private revision(revision: Revision): TemplateResult {
    const { number, note, settings, settings_before: before, secret_changes: secrets, restored_from: from } = revision;
    const label = (key: string) => this.type.fields.find((field) => field.key === key)?.label ?? key;
    const parts = before ? changedParts(before, settings) : [];
    const touched = Object.entries(secrets).filter(([, what]) => what !== "unchanged");
    return html`
      ${from ? html`<span class="small">Restored from revision ${from}.</span>` : nothing}
      ${note ? html`<span class="small">“${note}”</span>` : nothing}
      ${parts.length || touched.length ? html`<dl class="facts small">
        ${parts.map((key) => html`<dt>${label(key)}</dt><dd>${difference(before?.[key], settings[key])}</dd>`)}
        ${touched.map(([key, what]) => html`<dt>${label(key)}</dt><dd>${what}</dd>`)}</dl>` : nothing}
      ${number === this.connection.revision ? html`<span class="quiet small">These are the current values.</span>` : this.older(revision)}
    `;
  }

  private older({ number, secret_fields: secrets }: Revision): TemplateResult {
    if (this.restoring === number) {
      return html`<div class="note warn"><div class="stack-small"><span>The values of revision ${number} become the current ones, as a new revision. They are tested first.</span>
        <div class="row"><button class="button small primary" @click=${() => this.restore(number)}>Restore it</button><button class="button small plain" @click=${() => (this.restoring = undefined)}>Cancel</button></div></div></div>`;
    }
    return html`<div class="row wrap">
      ${may("connections:write") ? html`<button class="button small" @click=${() => (this.restoring = number)}>${icon("rotate-ccw")}Restore<span class="hidden-visually"> revision ${number}</span></button>` : nothing}
      ${may("credentials:reveal") ? this.type.fields.filter(({ key }) => secrets.includes(key)).map((field) => html`
        <button class="button plain small" @click=${() => (this.revealing = { field, revision: number })}>${icon("eye")}${field.label}</button>`) : nothing}
    </div>`;
  }
}

function text(value: unknown): string {
  if (Array.isArray(value)) return value.map(text).join(", ") || "nothing";
  if (value === undefined || value === null || value === "") return "nothing";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

const difference = (before: unknown, after: unknown) => html`<del>${text(before)}</del> → <ins>${text(after)}</ins>`;
