// One connection: how it is, its values, where it is used, its tests; and the dialogs that change it.
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { messageOf, Problem } from "../../shared/client";
import { PageElement } from "../../shared/element";
import { guide } from "../../shared/guide";
import { icon } from "../../shared/icons";
import { KINDS } from "../../shared/words";
import { findType, providerIcon, providerName, type TypeView, typeName } from "../catalog";
import { change, findConnection, runTest } from "../changes";
import { go, hrefOf, type Route } from "../route";
import { attentionBadges, type Connection, lastAttempt, statusBadge } from "../status";
import { toast, toastError } from "../toast";
import { may } from "../who";
import "./copy";
import "./delete";
import "./details";
import "./edit";
import "./embedded";
import "./health";
import "./history";
import "./message";
import "./template";
import "./test-credentials";
import "./tests";
import "./usages";
import "./values";

@customElement("kf-connection")
export class ConnectionPage extends PageElement {
  @property({ attribute: false }) route!: Route;
  @state() private connection: Connection | undefined;
  @state() private type: TypeView | undefined;
  @state() private fault = "";
  @state() private gone = false;
  @state() private testing = false;

  override willUpdate(changed: Map<string, unknown>): void {
    const before = changed.get("route") as Route | undefined;
    if (changed.has("route") && before?.id !== this.route.id) void this.load();
  }

  private async load(): Promise<void> {
    const { id } = this.route;
    [this.connection, this.type, this.fault, this.gone] = [undefined, undefined, "", false];
    try {
      const connection = await findConnection(id ?? "");
      if (this.route.id !== id) return;
      this.connection = connection;
      this.type = await findType(connection.provider, connection.connection_type);
    } catch (error) {
      this.gone = error instanceof Problem && error.status === 404;
      this.fault = messageOf(error);
    }
  }

  private take(event: CustomEvent<Connection>): void {
    this.connection = event.detail;
  }

  private async test(): Promise<void> {
    if (!this.connection) return;
    this.testing = true;
    try {
      this.connection = await runTest(this.connection);
      toast(this.connection.health.message ?? "The test found nothing wrong.", this.connection.status === "active" ? "good" : "bad");
    } catch (error) {
      toastError(error);
    }
    this.testing = false;
  }

  private async flip(): Promise<void> {
    if (!this.connection) return;
    try {
      this.connection = await change(this.connection, { enabled: !this.connection.enabled });
    } catch (error) {
      toastError(error);
    }
  }

  private open(what: string): void {
    go(hrefOf(this.route.environment, "connections", this.route.id, what ? `do=${what}` : ""), what === "");
  }

  override render() {
    const back = html`<a class="back" href=${hrefOf(this.route.environment, "connections")}>${icon("arrow-left")}Connections</a>`;
    if (this.gone) return html`<main class="page">${back}<div class="empty card"><h1>There is no such connection</h1><p class="quiet">It was deleted, or is in an environment that you may not see.</p></div></main>`;
    if (this.fault && !this.connection) return html`<main class="page">${back}<div class="note bad" role="alert">${icon("triangle-alert")}<span class="grow">${this.fault}</span><button class="button small" @click=${this.load}>Try again</button></div></main>`;
    if (!this.connection || !this.type) return html`<main class="page" aria-busy="true">${back}<div class="stack"><div class="skeleton block"></div><div class="skeleton block"></div></div></main>`;
    return html`<main class="page" @connection-changed=${this.take}>${back}${this.head(this.connection)}${this.parts(this.connection, this.type)}${this.overlay(this.connection, this.type)}</main>`;
  }

  private head(connection: Connection): TemplateResult {
    const { name, provider, connection_type: type, kind, embedded, description, enabled } = connection;
    return html`
      <div class="page-head">
        <div class="row grow">
          <span class="provider-tile"><img class="provider-icon" src=${providerIcon(provider)} alt=""></span>
          <div class="grow">
            <h1>${name}</h1>
            <div class="quiet">${providerName(provider)} · ${typeName(provider, type)}${description ? html` · ${description}` : nothing}</div>
          </div>
        </div>
        <div class="row wrap">
          ${may("connections:test") ? html`<button class="button" ?disabled=${this.testing} @click=${this.test}>${icon("flask-conical")}${this.testing ? "Testing…" : "Test"}</button>` : nothing}
          <button class="button" @click=${() => this.open("history")}>${icon("history")}History</button>
          ${may("connections:write") ? html`
            <button class="button" @click=${() => this.open("copy")}>${icon("copy")}Copy</button>
            <button class="button" @click=${this.flip}>${icon(enabled ? "unplug" : "plug")}${enabled ? "Disable" : "Enable"}</button>
            <button class="button primary" @click=${() => this.open("edit")}>${icon("pencil")}Edit</button>` : nothing}
          ${may("connections:delete") ? html`<button class="button danger" @click=${() => this.open("delete")}>${icon("trash-2")}Delete</button>` : nothing}
        </div>
      </div>
      <div class="row wrap badges">
        ${statusBadge(connection)}${lastAttempt(connection)}${attentionBadges(connection)}
        ${kind === "organization" ? nothing : html`<span class="badge accent">${KINDS[kind]}${connection.customer ? `: ${connection.customer}` : ""}</span>`}
        ${embedded ? html`<span class="badge accent">${icon("code")}Embedded</span>` : nothing}
      </div>
    `;
  }

  private parts(connection: Connection, type: TypeView): TemplateResult {
    return html`
      <div class="two-columns">
        <div class="stack">
          <kf-health .connection=${connection} .type=${type}></kf-health>
          <kf-values .connection=${connection} .type=${type}></kf-values>
          ${connection.kind === "customer" ? nothing : html`<kf-template .connection=${connection} .type=${type}></kf-template>`}
          <kf-usages .connection=${connection}></kf-usages>
          <kf-tests .connection=${connection}></kf-tests>
        </div>
        <div class="stack">
          <kf-details .connection=${connection}></kf-details>
          ${connection.kind === "customer" ? nothing : html`<kf-embedded .connection=${connection}></kf-embedded>`}
          ${guide(type.guide)}
        </div>
      </div>
    `;
  }

  private overlay(connection: Connection, type: TypeView) {
    const close = () => this.open("");
    switch (this.route.query.get("do")) {
      case "edit":
      case "tags":
        return html`<kf-edit .connection=${connection} .type=${type} @closed=${close}></kf-edit>`;
      case "history":
        return html`<kf-history .connection=${connection} .type=${type} @closed=${close}></kf-history>`;
      case "copy":
        return html`<kf-copy .connection=${connection} @closed=${close}></kf-copy>`;
      case "delete":
        return html`<kf-delete .connection=${connection} @closed=${close}></kf-delete>`;
      case "test-credentials":
        return html`<kf-test-credentials .connection=${connection} .type=${type} @closed=${close}></kf-test-credentials>`;
      default:
        return nothing;
    }
  }
}
