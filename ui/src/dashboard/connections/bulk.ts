// What is done with several connections at once: the usual at one click, everything else after its plan was seen.
import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { PageElement } from "../../shared/element";
import { icon } from "../../shared/icons";
import { counted } from "../../shared/words";
import { runTest } from "../changes";
import type { Environment } from "../route";
import type { Connection } from "../status";
import { toast } from "../toast";
import { may } from "../who";
import { tell } from "./bulk-dialog";
import { apply, type Change } from "./many";

@customElement("kf-bulk")
export class Bulk extends PageElement {
  @property() environment!: Environment;
  @property({ attribute: false }) selected: Map<string, Connection> = new Map();
  @state() private busy = false;
  /** Those that were selected when more was to be done with them. */
  @state() private asked: string[] | undefined;

  private async change(change: Change, done: string): Promise<void> {
    this.busy = true;
    tell(await apply(this.environment, { ids: [...this.selected.keys()] }, change), done);
    this.busy = false;
    this.tell("connections-changed");
  }

  // One after the other, each with its own provider: what cannot be tested is told, and the others go on.
  private async test(): Promise<void> {
    this.busy = true;
    const all = [...this.selected.values()];
    const results = [];
    for (const connection of all) results.push(await runTest(connection).catch(() => undefined));
    const works = results.filter((tested) => tested?.health.verdict === "valid" || tested?.health.verdict === "limited").length;
    const failed = results.filter((tested) => !tested).length;
    this.busy = false;
    this.tell("connections-changed");
    toast(`${counted(all.length - failed, "connection")} tested, ${works} of them ${works === 1 ? "works" : "work"}.${failed ? ` ${counted(failed, "connection")} could not be tested.` : ""}`, failed ? "bad" : "good");
  }

  override willUpdate(): void {
    if (this.selected.size === 0) this.asked = undefined;
  }

  private addTag(event: SubmitEvent): void {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const tag = String(new FormData(form).get("tag")).trim();
    form.reset();
    if (tag) void this.change({ action: "add_tags", tags: [tag] }, `tagged ${tag}`);
  }

  override render() {
    const count = this.selected.size;
    if (count === 0) return nothing;
    return html`
      <div class="bulk card" role="region" aria-label="Selected connections">
        <strong>${counted(count, "connection")} selected</strong>
        ${may("connections:write") ? html`
          <button class="button small" ?disabled=${this.busy} @click=${() => this.change({ action: "enable" }, "enabled")}>Enable</button>
          <button class="button small" ?disabled=${this.busy} @click=${() => this.change({ action: "disable" }, "disabled")}>Disable</button>
          <form class="row" @submit=${this.addTag}>
            <label class="hidden-visually" for="bulk-tag">Tag to add</label>
            <input class="input narrow" id="bulk-tag" name="tag" placeholder="Add a tag">
          </form>` : nothing}
        ${may("connections:test") ? html`<button class="button small" ?disabled=${this.busy} @click=${this.test}>${icon("flask-conical")}Test</button>` : nothing}
        ${may("connections:write") ? html`<button class="button small" ?disabled=${this.busy} @click=${() => (this.asked = [...this.selected.keys()])}>More…</button>` : nothing}
        <button class="button plain small" @click=${() => this.tell("cleared")}>Clear selection</button>
      </div>
      ${this.asked ? html`<kf-bulk-dialog .environment=${this.environment} .chosen=${{ ids: this.asked }} @closed=${() => (this.asked = undefined)}></kf-bulk-dialog>` : nothing}
    `;
  }
}
