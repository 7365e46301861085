// The steps of workflows that use a connection, and giving all of them another one.
import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { type Api, body, messageOf } from "../../shared/client";
import { PageElement } from "../../shared/element";
import { icon } from "../../shared/icons";
import { when } from "../../shared/time";
import { counted } from "../../shared/words";
import { api } from "../api";
import { findConnection } from "../changes";
import { dialog } from "../dialog";
import type { Connection } from "../status";
import { toast } from "../toast";
import { may } from "../who";
import "./choose-replacement";

@customElement("kf-usages")
export class UsagesPart extends PageElement {
  @property({ attribute: false }) connection!: Connection;
  @state() private usages: Api["Usage"][] | undefined;
  @state() private cursor: string | null = null;
  @state() private fault = "";
  @state() private replacing = false;
  @state() private replacement = "";

  override willUpdate(changed: Map<string, unknown>): void {
    const before = changed.get("connection") as Connection | undefined;
    if (changed.has("connection") && (before?.id !== this.connection.id || before?.usage_count !== this.connection.usage_count)) void this.load();
  }

  private async load(cursor?: string): Promise<void> {
    try {
      const page = await body(api.GET("/v1/connections/{id}/usages", { params: { path: { id: this.connection.id }, query: cursor ? { cursor } : {} } }));
      this.usages = cursor ? [...(this.usages ?? []), ...page.data] : page.data;
      [this.cursor, this.fault] = [page.next_cursor ?? null, ""];
    } catch (error) {
      this.fault = messageOf(error);
    }
  }

  private async replaceAll(): Promise<void> {
    try {
      const sent = { replacement: this.replacement };
      const { moved } = await body(api.POST("/v1/connections/{id}/replace", { params: { path: { id: this.connection.id } }, body: sent }));
      toast(`${counted(moved, "step")} use the other connection now.`);
      this.replacing = false;
      this.tell("connection-changed", await findConnection(this.connection.id));
      await this.load();
    } catch (error) {
      this.fault = messageOf(error);
    }
  }

  override render() {
    const { usages, connection } = this;
    return html`
      <section class="card padded stack" aria-labelledby="usages-title">
        <div class="row spread wrap"><h2 id="usages-title">Used by ${counted(connection.usage_count, "step")}</h2>
          ${usages?.length && may("usages:write") ? html`<button class="button small" @click=${() => (this.replacing = true)}>${icon("repeat")}Replace in all steps</button>` : nothing}</div>
        ${this.fault && !this.replacing ? html`<div class="note bad" role="alert">${this.fault}</div>` : nothing}
        ${usages === undefined ? html`<div class="skeleton row-line"></div>` : usages.length === 0 ? html`<p class="quiet">No workflow has registered a use of it.</p>` : html`
          <div class="scroll" tabindex="0" role="region" aria-label="Steps"><table>
            <thead><tr><th>Workflow</th><th>Step</th><th>Since</th></tr></thead>
            <tbody>${usages.map(({ workflow, step, registered_at: at }) => html`<tr><td><code>${workflow}</code></td><td><code>${step}</code></td><td>${when(at)}</td></tr>`)}</tbody>
          </table></div>`}
        ${this.cursor ? html`<button class="button small" @click=${() => this.load(this.cursor ?? undefined)}>Show more</button>` : nothing}
      </section>
      ${this.replacing ? this.dialog() : nothing}
    `;
  }

  private dialog() {
    const close = () => (this.replacing = false);
    return dialog({
      title: "Replace in all steps",
      close,
      body: html`<div class="stack">
        <p>All ${counted(this.connection.usage_count, "step")} that use ${this.connection.name} will use the connection that you choose, all or none of them.</p>
        <kf-choose-replacement .connection=${this.connection} @chosen=${(event: CustomEvent<string>) => (this.replacement = event.detail)}></kf-choose-replacement>
        ${this.fault ? html`<div class="note bad" role="alert">${icon("triangle-alert")}${this.fault}</div>` : nothing}
      </div>`,
      foot: html`<button class="button" @click=${close}>Cancel</button><button class="button primary" ?disabled=${!this.replacement} @click=${this.replaceAll}>Replace</button>`,
    });
  }
}
