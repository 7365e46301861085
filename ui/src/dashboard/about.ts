// What a connection is called and when it ends: everything about it but its values.
import { html, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import { live } from "lit/directives/live.js";
import type { ValueError } from "../shared/client";
import { PageElement } from "../shared/element";
import type { Environment } from "./route";
import type { Connection } from "./status";
import "./tags-input";

export interface About {
  name: string;
  description: string;
  stable_key: string;
  tags: string[];
  /** Days, such as `2026-11-27`, or empty. */
  expires_at: string;
  rotate_by: string;
}

export const noAbout = (): About => ({ name: "", description: "", stable_key: "", tags: [], expires_at: "", rotate_by: "" });

export const aboutOf = (connection: Connection): About => ({
  name: connection.name,
  description: connection.description,
  stable_key: connection.stable_key,
  tags: connection.tags,
  expires_at: connection.expires_at?.slice(0, 10) ?? "",
  rotate_by: connection.rotate_by?.slice(0, 10) ?? "",
});

/** The time that the API is sent for a day. */
export const dayToTime = (day: string) => (day ? `${day}T00:00:00Z` : null);

export const ABOUT_POINTERS = ["/name", "/description", "/stable_key", "/tags", "/expires_at", "/rotate_by", "/customer"];

@customElement("kf-about")
export class AboutForm extends PageElement {
  @property({ attribute: false }) value: About = noAbout();
  @property({ attribute: false }) errors: ValueError[] = [];
  @property() environment!: Environment;
  @property() group = "about";
  /** What the stable key is where none is given; an existing one warns. */
  @property() stableKeyHelp = "";

  private change(changed: Partial<About>): void {
    this.tell<About>("about-changed", { ...this.value, ...changed });
  }

  private faultAt(name: string): string | undefined {
    return this.errors.filter(({ pointer }) => pointer === `/${name}` || pointer.startsWith(`/${name}/`)).map(({ detail }) => detail).join(" ") || undefined;
  }

  override render() {
    return html`
      <div class="stack">
        ${this.line("name", "Name", { required: true })}
        ${this.line("description", "Description")}
        <kf-tags .tags=${this.value.tags} .environment=${this.environment} .group="${this.group}-tags" @tags-changed=${(event: CustomEvent<string[]>) => this.change({ tags: event.detail })}></kf-tags>
        ${this.fault("tags")}
        <details class="more">
          <summary>Stable key and dates</summary>
          <div class="stack">
            ${this.line("stable_key", "Stable key", { help: this.stableKeyHelp })}
            ${this.line("expires_at", "Credentials expire on", { type: "date" })}
            ${this.line("rotate_by", "Rotate by", { type: "date" })}
          </div>
        </details>
      </div>
    `;
  }

  private fault(name: string) {
    const fault = this.faultAt(name);
    return fault ? html`<span class="fault" id="${this.group}-${name}-fault" role="alert">${fault}</span>` : nothing;
  }

  private line(name: Exclude<keyof About, "tags">, label: string, { required = false, type = "text", help = "" } = {}): TemplateResult {
    const id = `${this.group}-${name}`;
    const fault = this.faultAt(name);
    return html`
      <div class="field">
        <label for=${id}>${label}${required ? html`<span class="required" aria-hidden="true"> *</span>` : nothing}</label>
        <input class="input" id=${id} name=${name} type=${type} autocomplete="off" .value=${live(this.value[name])} ?required=${required}
          aria-invalid=${fault !== undefined} aria-describedby=${`${id}-fault ${id}-help`} @input=${(event: Event) => this.change({ [name]: (event.target as HTMLInputElement).value })}>
        ${this.fault(name)}
        ${help ? html`<span class="help" id="${id}-help">${help}</span>` : nothing}
      </div>
    `;
  }
}
