// The tags of a connection: removed one by one, added by Enter or comma, with those that are in use suggested.
import { html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { body } from "../shared/client";
import { PageElement } from "../shared/element";
import { icon } from "../shared/icons";
import { api } from "./api";
import type { Environment } from "./route";

@customElement("kf-tags")
export class TagsInput extends PageElement {
  @property({ attribute: false }) tags: string[] = [];
  @property() environment!: Environment;
  @property() group = "tags";
  @state() private known: string[] = [];

  private async suggest(): Promise<void> {
    if (this.known.length) return;
    const facets = await body(api.GET("/v1/connections/facets", { params: { query: { environment: this.environment } } })).catch(() => undefined);
    this.known = facets?.tags.map(({ value }) => value) ?? [];
  }

  private add(input: HTMLInputElement): void {
    const added = input.value.split(",").map((tag) => tag.trim()).filter((tag) => tag && !this.tags.includes(tag));
    input.value = "";
    if (added.length) this.tell("tags-changed", [...this.tags, ...added]);
  }

  private key(event: KeyboardEvent): void {
    const input = event.target as HTMLInputElement;
    if (event.key === "Enter" || event.key === ",") {
      event.preventDefault();
      this.add(input);
    } else if (event.key === "Backspace" && !input.value && this.tags.length) {
      this.tell("tags-changed", this.tags.slice(0, -1));
    }
  }

  override render() {
    const id = `${this.group}-input`;
    return html`
      <div class="field">
        <label for=${id}>Tags</label>
        <div class="row wrap tag-box">
          ${this.tags.map((tag) => html`<span class="tag">${tag}<button type="button" aria-label="Remove the tag ${tag}"
            @click=${() => this.tell("tags-changed", this.tags.filter((one) => one !== tag))}>${icon("x")}</button></span>`)}
          <input id=${id} list="${id}-known" autocomplete="off" placeholder="Add a tag" @focus=${this.suggest} @keydown=${this.key}
            @change=${(event: Event) => this.add(event.target as HTMLInputElement)}>
          <datalist id="${id}-known">${this.known.filter((tag) => !this.tags.includes(tag)).map((tag) => html`<option value=${tag}></option>`)}</datalist>
        </div>
      </div>
    `;
  }
}
