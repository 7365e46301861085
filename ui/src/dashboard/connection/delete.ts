// Deleting: names the steps that use the connection, and asks for its name when some do.
import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { type Api, body, ifMatch, messageOf, Problem } from "../../shared/client";
import { PageElement } from "../../shared/element";
import { icon } from "../../shared/icons";
import { counted } from "../../shared/words";
import { api } from "../api";
import { findConnection } from "../changes";
import { dialog } from "../dialog";
import { go, hrefOf } from "../route";
import type { Connection } from "../status";
import { toast } from "../toast";
import { may } from "../who";
import "./choose-replacement";

const NAMED = 20;

@customElement("kf-delete")
export class DeleteDialog extends PageElement {
  @property({ attribute: false }) connection!: Connection;
  @state() private usages: Api["Place"][] = [];
  @state() private replacement = "";
  @state() private typed = "";
  @state() private fault = "";
  @state() private busy = false;

  override connectedCallback(): void {
    super.connectedCallback();
    void this.find();
  }

  // What is shown may be old: the steps are asked for now.
  private async find(): Promise<void> {
    const { id } = this.connection;
    try {
      this.usages = (await body(api.GET("/v1/connections/{id}/usages", { params: { path: { id }, query: { limit: 100 } } }))).data;
    } catch (error) {
      this.fault = messageOf(error);
    }
  }

  private get isInUse(): boolean {
    return this.usages.length > 0 || this.connection.usage_count > 0;
  }

  private async delete(): Promise<void> {
    [this.busy, this.fault] = [true, ""];
    const { id, name, environment } = this.connection;
    const query = this.replacement ? { replace_with: this.replacement } : this.isInUse ? { force: true } : {};
    try {
      await api.DELETE("/v1/connections/{id}", { params: { path: { id }, header: ifMatch(this.connection), query } });
      toast(`${name} is deleted: its credentials are unreadable from now on.`);
      go(hrefOf(environment, "connections"));
    } catch (error) {
      this.fault = messageOf(error);
      if (error instanceof Problem && error.usages.length) this.usages = error.usages;
      if (error instanceof Problem && error.status === 412) {
        this.connection = await findConnection(id);
        this.fault = `${this.connection.modified_by.name} changed it meanwhile. Look at it again before you delete it.`;
      }
    }
    this.busy = false;
  }

  override render() {
    const { name } = this.connection;
    const close = () => this.tell("closed");
    const ready = !this.isInUse || this.replacement || this.typed === name;
    return dialog({
      title: `Delete ${name}?`,
      close,
      body: html`<div class="stack">
        <p>Its credentials become unreadable at once. Nothing is deleted at the provider.</p>
        ${this.isInUse ? this.inUse(name) : nothing}
        ${this.fault ? html`<div class="note bad" role="alert">${icon("triangle-alert")}<span>${this.fault}</span></div>` : nothing}
      </div>`,
      foot: html`<button class="button" @click=${close}>Cancel</button><button class="button danger" ?disabled=${!ready || this.busy} @click=${this.delete}>${icon("trash-2")}${this.replacement ? "Replace and delete" : "Delete"}</button>`,
    });
  }

  private inUse(name: string) {
    const rest = Math.max(this.connection.usage_count, this.usages.length) - NAMED;
    return html`
      <div class="note warn">${icon("triangle-alert")}<div class="stack-small"><strong>${counted(Math.max(this.connection.usage_count, this.usages.length), "step")} use it and will fail:</strong>
        <ul class="used-by">${this.usages.slice(0, NAMED).map(({ workflow, step }) => html`<li><code>${workflow}</code> / <code>${step}</code></li>`)}${rest > 0 ? html`<li>and ${rest} more</li>` : nothing}</ul></div></div>
      ${may("usages:write") ? html`<kf-choose-replacement .connection=${this.connection} @chosen=${(event: CustomEvent<string>) => (this.replacement = event.detail)}></kf-choose-replacement>` : nothing}
      ${this.replacement ? nothing : html`
        <div class="field"><label for="delete-name">Or type <strong>${name}</strong> to delete it all the same</label>
          <input class="input" id="delete-name" autocomplete="off" @input=${(event: Event) => (this.typed = (event.target as HTMLInputElement).value)}></div>`}
    `;
  }
}
