// Changes many connections: all that a filter finds, or a selection. The plan first; it is done only when it was seen.
import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { type Api, messageOf } from "../../shared/client";
import { PageElement } from "../../shared/element";
import { icon } from "../../shared/icons";
import { counted } from "../../shared/words";
import { dialog } from "../dialog";
import type { Environment } from "../route";
import { toast } from "../toast";
import { may } from "../who";
import { type Action, apply, type Change, type Chosen, type Outcome, plan } from "./many";

const ACTIONS: Record<Action, string> = {
  enable: "Enable",
  disable: "Disable",
  embed: "Use for embedded workflows",
  unembed: "Not for embedded workflows",
  add_tags: "Add tags",
  remove_tags: "Remove tags",
  delete: "Delete",
};
const NAMED = 10;

@customElement("kf-bulk-dialog")
export class BulkDialog extends PageElement {
  @property() environment!: Environment;
  @property({ attribute: false }) chosen!: Chosen;
  @state() private action: Action = "enable";
  @state() private tags = "";
  @state() private plan: Outcome | undefined;
  @state() private typed = "";
  @state() private busy = false;
  @state() private fault = "";

  private get change(): Change {
    const tags = this.tags.split(",").map((tag) => tag.trim()).filter(Boolean);
    return { action: this.action, ...(this.action.endsWith("_tags") ? { tags } : {}) };
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
    this.plan = await plan(this.environment, this.chosen, this.change);
  });

  private apply = () => this.run(async () => {
    if (this.action !== "delete" || !this.plan) tell(await apply(this.environment, this.chosen, this.change), "changed");
    else tell(await this.delete(this.plan), "deleted");
    this.tell("connections-changed");
    this.tell("closed");
  });

  // What the filter finds by now may be more: only what was shown is deleted.
  private async delete({ ids, refused, missing }: Outcome): Promise<Outcome> {
    const done = await apply(this.environment, { ids }, this.change);
    return { ...done, refused: [...refused, ...done.refused], missing: missing + done.missing };
  }

  private revise(changed: Partial<{ action: Action; tags: string }>): void {
    Object.assign(this, changed);
    [this.plan, this.typed] = [undefined, ""];
  }

  override render() {
    const close = () => this.tell("closed");
    const deletes = this.action === "delete";
    const confirmed = !deletes || this.typed === "delete";
    return dialog({
      title: "filter" in this.chosen ? "Change all that the filter finds" : `Change ${counted(this.chosen.ids.length, "selected connection")}`,
      close,
      body: html`<div class="stack">
        <div class="field"><label for="bulk-action">What to do</label>
          <select class="input" id="bulk-action" @change=${(event: Event) => this.revise({ action: (event.target as HTMLSelectElement).value as Action })}>
            ${Object.entries(ACTIONS).filter(([key]) => key !== "delete" || may("connections:delete")).map(([key, name]) => html`<option value=${key} ?selected=${key === this.action}>${name}</option>`)}</select></div>
        ${this.action.endsWith("_tags") ? html`<div class="field"><label for="bulk-tags">Tags, with commas between them</label>
          <input class="input" id="bulk-tags" .value=${this.tags} @input=${(event: Event) => this.revise({ tags: (event.target as HTMLInputElement).value })}></div>` : nothing}
        ${this.plan ? this.planned(this.plan) : nothing}
        ${this.plan?.changed && deletes ? html`<div class="field"><label for="bulk-confirm">Their credentials become unreadable at once. Type <strong>delete</strong> to do it.</label>
          <input class="input" id="bulk-confirm" autocomplete="off" .value=${this.typed} @input=${(event: Event) => (this.typed = (event.target as HTMLInputElement).value)}></div>` : nothing}
        ${this.fault ? html`<div class="note bad" role="alert">${icon("triangle-alert")}<span>${this.fault}</span></div>` : nothing}</div>`,
      foot: html`<button class="button" @click=${close}>Cancel</button>
        ${this.plan
          ? html`<button class="button ${deletes ? "danger" : "primary"}" ?disabled=${this.busy || !confirmed || !(this.plan.changed || this.plan.more)} @click=${this.apply}>${ACTIONS[this.action]}</button>`
          : html`<button class="button primary" ?disabled=${this.busy} @click=${this.look}>Show what would be done</button>`}`,
    });
  }

  private planned({ count, exact, changed, unchanged, more, refused, missing }: Outcome) {
    const wont = this.action === "delete" ? "deleted" : "changed";
    return html`<div class="note" role="status">${icon("info")}<div class="stack-small">
      <span>${"filter" in this.chosen ? html`The filter finds ${exact ? "" : "more than "}${counted(count, "connection")}. ` : nothing}${more ? "Of the first of them " : ""}${changed} would be ${wont}${this.action === "delete" ? "" : `, ${unchanged} ${unchanged === 1 ? "is" : "are"} so already`}.${missing ? ` ${counted(missing, "connection")} of the selection ${missing === 1 ? "is" : "are"} not there any more.` : ""}</span>
      ${refused.slice(0, NAMED).map((one) => html`<span><strong>${one.name}</strong> stays as it is: ${whyNot(one)}</span>`)}
      ${refused.length > NAMED ? html`<span>${refused.length - NAMED} more stay as they are.</span>` : nothing}</div></div>`;
  }
}

// What the API says to those who write requests, in the words of this page.
function whyNot({ code, detail, usage_count: count }: Api["BulkRefused"]): string {
  if (code === "connection_in_use" && count) return `${counted(count, "step")} ${count === 1 ? "uses" : "use"} it.`;
  return code === "template_in_use" ? "Customers have connections under it." : detail;
}

/** Says what was done, and names what was not. */
export function tell({ changed, refused, missing, stopped }: Outcome, done: string): void {
  const names = refused.slice(0, 3).map(({ name }) => name).join(", ");
  const stayed = refused.length ? ` ${names}${refused.length > 3 ? ` and ${refused.length - 3} more` : ""} could not be: ${refused[0] ? whyNot(refused[0]) : ""}` : "";
  const gone = missing ? ` ${counted(missing, "connection")} ${missing === 1 ? "is" : "are"} not there any more.` : "";
  const end = stopped ? ` Then it stopped: ${stopped}` : "";
  toast(`${counted(changed, "connection")} ${done}.${stayed}${gone}${end}`, stayed || gone || end ? "bad" : "good");
}
