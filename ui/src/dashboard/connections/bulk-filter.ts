// Changes all connections that a filter finds: the plan first, then a page at a time, until all is done.
import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { type Api, body, messageOf } from "../../shared/client";
import { PageElement } from "../../shared/element";
import { icon } from "../../shared/icons";
import { counted } from "../../shared/words";
import { api } from "../api";
import { dialog } from "../dialog";
import { toQuery } from "../filter";
import type { Route } from "../route";
import { toast } from "../toast";
import { may } from "../who";

type Action = Api["BulkAction"];

const ACTIONS: Record<Action, string> = {
  enable: "Enable",
  disable: "Disable",
  embed: "Use for embedded workflows",
  unembed: "Not for embedded workflows",
  add_tags: "Add tags",
  remove_tags: "Remove tags",
  delete: "Delete",
};

@customElement("kf-bulk-filter")
export class BulkFilter extends PageElement {
  @property({ attribute: false }) route!: Route;
  @state() private action: Action = "enable";
  @state() private tags = "";
  @state() private plan: Api["BulkChanged"] | undefined;
  @state() private typed = "";
  @state() private busy = false;
  @state() private fault = "";

  private sent(dryRun: boolean, cursor?: string | null): Api["Bulk"] {
    const { environment, ...filter } = toQuery(this.route.environment, this.route.query);
    // What is text in the address is a truth here.
    const truths = Object.fromEntries(["enabled", "embedded"].filter((name) => name in filter).map((name) => [name, this.route.query.get(name) === "true"]));
    const tags = this.tags.split(",").map((tag) => tag.trim()).filter(Boolean);
    return {
      environment,
      filter: { ...filter, ...truths } as Api["BulkFilter"],
      action: this.action,
      dry_run: dryRun,
      ...(this.action.endsWith("_tags") ? { tags } : {}),
      ...(cursor ? { cursor } : {}),
    };
  }

  private async run(work: () => Promise<void>): Promise<void> {
    [this.busy, this.fault] = [true, ""];
    try {
      await work();
    } catch (error) {
      this.fault = messageOf(error);
    }
    this.busy = false;
  }

  private look = () => this.run(async () => {
    this.plan = await body(api.POST("/v1/connections/bulk", { body: this.sent(true) }));
  });

  private apply = () => this.run(async () => {
    let [changed, refused] = [0, 0];
    let cursor: string | null | undefined;
    do {
      const done: Api["BulkChanged"] = await body(api.POST("/v1/connections/bulk", { body: this.sent(false, cursor) }));
      [changed, refused, cursor] = [changed + done.changed, refused + done.refused.length, done.next_cursor];
    } while (cursor);
    toast(`${counted(changed, "connection")} changed.${refused ? ` ${counted(refused, "connection")} may not be changed.` : ""}`, refused ? "bad" : "good");
    this.tell("connections-changed");
    this.tell("closed");
  });

  override render() {
    const close = () => this.tell("closed");
    const matching = this.plan?.matching;
    const confirmed = this.action !== "delete" || this.typed === "delete";
    return dialog({
      title: "Change all that the filter finds",
      close,
      body: html`<div class="stack">
        <div class="field"><label for="bulk-action">What to do</label>
          <select class="input" id="bulk-action" @change=${(event: Event) => ([this.action, this.plan] = [(event.target as HTMLSelectElement).value as Action, undefined])}>
            ${Object.entries(ACTIONS).filter(([key]) => key !== "delete" || may("connections:delete")).map(([key, name]) => html`<option value=${key} ?selected=${key === this.action}>${name}</option>`)}</select></div>
        ${this.action.endsWith("_tags") ? html`<div class="field"><label for="bulk-tags">Tags, with commas between them</label>
          <input class="input" id="bulk-tags" .value=${this.tags} @input=${(event: Event) => ([this.tags, this.plan] = [(event.target as HTMLInputElement).value, undefined])}></div>` : nothing}
        ${this.plan ? html`<div class="note" role="status">${icon("info")}<div class="stack-small">
          <span>The filter finds ${matching?.exact === false ? "more than " : ""}${counted(matching?.count ?? this.plan.changed + this.plan.unchanged, "connection")}. Of the first of them ${this.plan.changed} would be changed, ${this.plan.unchanged} are so already.</span>
          ${this.plan.refused.slice(0, 10).map(({ name, detail }) => html`<span><strong>${name}</strong> may not: ${detail}</span>`)}</div></div>` : nothing}
        ${this.plan && this.action === "delete" ? html`<div class="field"><label for="bulk-confirm">Their credentials become unreadable at once. Type <strong>delete</strong> to do it.</label>
          <input class="input" id="bulk-confirm" autocomplete="off" @input=${(event: Event) => (this.typed = (event.target as HTMLInputElement).value)}></div>` : nothing}
        ${this.fault ? html`<div class="note bad" role="alert">${icon("triangle-alert")}<span>${this.fault}</span></div>` : nothing}</div>`,
      foot: html`<button class="button" @click=${close}>Cancel</button>
        ${this.plan
          ? html`<button class="button ${this.action === "delete" ? "danger" : "primary"}" ?disabled=${this.busy || !confirmed} @click=${this.apply}>${ACTIONS[this.action]}</button>`
          : html`<button class="button primary" ?disabled=${this.busy} @click=${this.look}>Show what would be done</button>`}`,
    });
  }
}
