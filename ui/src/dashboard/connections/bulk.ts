// What is done with several connections at once.
import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { PageElement } from "../../shared/element";
import { icon } from "../../shared/icons";
import { counted } from "../../shared/words";
import { change, runTest } from "../changes";
import type { Environment } from "../route";
import type { Connection } from "../status";
import { toast } from "../toast";
import { may } from "../who";

@customElement("kf-bulk")
export class Bulk extends PageElement {
  @property() environment!: Environment;
  @property({ attribute: false }) selected: Map<string, Connection> = new Map();
  @state() private busy = false;

  // One after the other: what fails is told, and the others go on.
  private async each(work: (connection: Connection) => Promise<unknown>, done: string): Promise<void> {
    this.busy = true;
    const all = [...this.selected.values()];
    const results = [];
    for (const connection of all) results.push(await work(connection).then(() => true, () => false));
    const failed = results.filter((worked) => !worked).length;
    this.busy = false;
    this.tell("connections-changed");
    toast(`${counted(all.length - failed, "connection")} ${done}.${failed ? ` ${counted(failed, "connection")} could not be changed: they were changed by somebody else, or are gone.` : ""}`, failed ? "bad" : "good");
  }

  private addTag(event: SubmitEvent): void {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const tag = String(new FormData(form).get("tag")).trim();
    form.reset();
    if (tag) void this.each((one) => (one.tags.includes(tag) ? Promise.resolve() : change(one, { tags: [...one.tags, tag] })), `tagged ${tag}`);
  }

  override render() {
    const count = this.selected.size;
    if (count === 0) return nothing;
    return html`
      <div class="bulk card" role="region" aria-label="Selected connections">
        <strong>${counted(count, "connection")} selected</strong>
        ${may("connections:write") ? html`
          <button class="button small" ?disabled=${this.busy} @click=${() => this.each((one) => change(one, { enabled: true }), "enabled")}>Enable</button>
          <button class="button small" ?disabled=${this.busy} @click=${() => this.each((one) => change(one, { enabled: false }), "disabled")}>Disable</button>
          <button class="button small" ?disabled=${this.busy} @click=${() => this.each((one) => change(one, { embedded: true }), "for embedded workflows")}>Embed</button>
          <form class="row" @submit=${this.addTag}>
            <label class="hidden-visually" for="bulk-tag">Tag to add</label>
            <input class="input narrow" id="bulk-tag" name="tag" placeholder="Add a tag">
          </form>` : nothing}
        ${may("connections:test") ? html`<button class="button small" ?disabled=${this.busy} @click=${() => this.each((one) => runTest(one), "tested")}>${icon("flask-conical")}Test</button>` : nothing}
        <button class="button plain small" @click=${() => this.tell("cleared")}>Clear selection</button>
      </div>
    `;
  }
}
