// The whole page: signing in, or what a signed-in person sees.
import { html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { messageOf } from "../shared/client";
import { PageElement } from "../shared/element";
import { icon } from "../shared/icons";
import "./sign-in";
import { findWho, signOut, type Who } from "./who";

@customElement("kf-dashboard")
export class Dashboard extends PageElement {
  @state() private who: Who | null | undefined = null;
  @state() private fault = "";

  override connectedCallback(): void {
    super.connectedCallback();
    void this.load();
  }

  private async load(): Promise<void> {
    this.fault = "";
    try {
      this.who = await findWho();
    } catch (error) {
      this.fault = messageOf(error);
    }
  }

  private async leave(): Promise<void> {
    await signOut();
    this.who = undefined;
  }

  override render() {
    if (this.fault) {
      return html`<main class="sign-in"><div class="note bad" role="alert">${this.fault}
        <button class="button" @click=${this.load}>${icon("refresh-cw")}Try again</button></div></main>`;
    }
    if (this.who === null) return nothing;
    if (!this.who) return html`<kf-sign-in @signed-in=${(event: CustomEvent<Who>) => (this.who = event.detail)}></kf-sign-in>`;
    return html`<main class="padded"><h1>${this.who.name}</h1><button class="button" @click=${this.leave}>Sign out</button></main>`;
  }
}
