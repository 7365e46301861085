// A connection in the list: what it is, how it is, the switch, and the menu of what can be done with it.
import "@awesome.me/webawesome/dist/components/dropdown/dropdown.js";
import "@awesome.me/webawesome/dist/components/dropdown-item/dropdown-item.js";
import "@awesome.me/webawesome/dist/components/switch/switch.js";
import type WaSwitch from "@awesome.me/webawesome/dist/components/switch/switch.js";
import { html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { live } from "lit/directives/live.js";
import { PageElement } from "../../shared/element";
import { icon } from "../../shared/icons";
import { when } from "../../shared/time";
import { counted, KINDS } from "../../shared/words";
import { change, runTest } from "../changes";
import { providerIcon, providerName, typeName } from "../catalog";
import { go, hrefOf } from "../route";
import { attentionBadges, type Connection, lastAttempt, statusBadge } from "../status";
import { toast, toastError } from "../toast";
import { may } from "../who";

@customElement("kf-row")
export class Row extends PageElement {
  @property({ attribute: false }) connection!: Connection;
  @property({ type: Boolean }) selectable = false;
  @property({ type: Boolean }) selected = false;

  private async act(work: () => Promise<Connection>, done: (connection: Connection) => string): Promise<void> {
    try {
      const changed = await work();
      this.tell("connection-changed", changed);
      toast(done(changed));
    } catch (error) {
      toastError(error);
      this.requestUpdate();
    }
  }

  private flip(event: Event): void {
    event.stopPropagation();
    const enabled = (event.target as WaSwitch).checked;
    void this.act(() => change(this.connection, { enabled }), ({ name }) => `${name} is ${enabled ? "enabled" : "disabled"}.`);
  }

  private choose(event: CustomEvent<{ item: { value?: string } }>): void {
    const { environment, id } = this.connection;
    const chosen = event.detail.item.value;
    if (chosen === "test") void this.act(() => runTest(this.connection), ({ name, health }) => `${name}: ${health.message ?? "the test found nothing wrong."}`);
    else if (chosen === "embed") void this.act(() => change(this.connection, { embedded: !this.connection.embedded }), ({ name, embedded }) => `${name} is ${embedded ? "" : "not "}for embedded workflows.`);
    else if (chosen) go(hrefOf(environment, "connections", id, `do=${chosen}`));
  }

  override render() {
    const { connection } = this;
    const { id, environment, provider, connection_type: type, name, description, tags, usage_count: usages, kind, embedded } = connection;
    return html`
      <div class="connection-row">
        ${this.selectable ? html`<input type="checkbox" class="select" aria-label="Select ${name}" .checked=${live(this.selected)}
          @change=${(event: Event) => this.tell("connection-selected", { connection, selected: (event.target as HTMLInputElement).checked })}>` : html`<span></span>`}
        <span class="provider-tile"><img class="provider-icon" src=${providerIcon(provider)} alt=""></span>
        <div class="what">
          <div class="row wrap name-line">
            <a class="name" href=${hrefOf(environment, "connections", id)}>${name}</a>
            ${kind === "organization" ? nothing : html`<span class="badge accent">${icon(kind === "template" ? "copy" : "building-2")}${kind === "customer" ? connection.customer : KINDS[kind]}</span>`}
            ${embedded ? html`<span class="badge accent" title="Used for embedded workflows">${icon("code")}Embedded</span>` : nothing}
          </div>
          <div class="quiet small sub">${providerName(provider)} · ${typeName(provider, type)}${description ? html` · ${description}` : nothing}</div>
          ${tags.length ? html`<div class="row wrap tags">${tags.map((tag) => html`<span class="tag">${tag}</span>`)}</div>` : nothing}
        </div>
        <div class="state row wrap">${statusBadge(connection)}${lastAttempt(connection)}${attentionBadges(connection)}</div>
        <div class="numbers small quiet">
          <span>${usages ? `Used by ${counted(usages, "step")}` : "Not used"}</span>
          <span>Modified ${when(connection.modified_at)}</span>
          <span>Created ${when(connection.created_at)}</span>
        </div>
        <wa-switch size="s" ?checked=${live(connection.enabled)} ?disabled=${!may("connections:write")} @change=${this.flip}><span class="hidden-visually">${name} enabled</span></wa-switch>
        ${this.menu()}
      </div>
    `;
  }

  private menu() {
    const { name, embedded } = this.connection;
    return html`
      <div class="row-menu"><wa-dropdown placement="bottom-end" @wa-select=${this.choose}>
        <button slot="trigger" class="button plain icon-only" aria-label="Actions for ${name}">${icon("ellipsis-vertical")}</button>
        ${may("connections:write") ? html`<wa-dropdown-item value="edit">Edit</wa-dropdown-item>` : html`<wa-dropdown-item value="look">Look at</wa-dropdown-item>`}
        ${may("connections:test") ? html`<wa-dropdown-item value="test">Test</wa-dropdown-item>` : nothing}
        ${may("connections:write") ? html`
          <wa-dropdown-item value="tags">Tags</wa-dropdown-item>
          <wa-dropdown-item value="embed">${embedded ? "Not for embedded workflows" : "Use for embedded workflows"}</wa-dropdown-item>` : nothing}
        <wa-dropdown-item value="history">History</wa-dropdown-item>
        ${may("connections:delete") ? html`<wa-dropdown-item value="delete" variant="danger">Delete</wa-dropdown-item>` : nothing}
      </wa-dropdown></div>
    `;
  }
}
