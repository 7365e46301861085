// The whole page: signing in, or the frame around what a signed-in person sees.
import { html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { messageOf } from "../shared/client";
import { PageElement } from "../shared/element";
import { icon } from "../shared/icons";
import { loadProviders } from "./catalog";
import "./bar";
import { ENDED, offersAccess } from "./api";
import { dialog } from "./dialog";
import "./sign-in";
import "./toast";
import { pageOf } from "./pages";
import { readRoute, remember, type Route } from "./route";
import { findWho, type Who } from "./who";

@customElement("kf-dashboard")
export class Dashboard extends PageElement {
  /** `null` until it is known. */
  @state() private who: Who | null | undefined = null;
  @state() private route: Route | undefined;
  @state() private fault = "";
  /** The session has ended while somebody was at work: what they entered stays, under the question. */
  @state() private ended = false;

  private readonly follow = () => {
    if (!this.who) return;
    this.route = readRoute(this.who.environments);
    remember(this.route.environment);
  };

  private readonly end = () => {
    this.ended = Boolean(this.who);
  };

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener(ENDED, this.end);
    addEventListener("hashchange", this.follow);
    void this.load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener(ENDED, this.end);
    removeEventListener("hashchange", this.follow);
  }

  private async load(): Promise<void> {
    this.fault = "";
    try {
      await this.enter(await findWho());
    } catch (error) {
      this.fault = messageOf(error);
    }
  }

  // Nobody is asked for, so that the answer names the ways in.
  private leave = async () => {
    this.who = undefined;
    await this.load();
    this.requestUpdate();
  };

  private async enter(who: Who | undefined): Promise<void> {
    if (who) await loadProviders();
    // What somebody else has typed, and may read, goes with them.
    if (this.who && who && this.who.id !== who.id) {
      this.who = undefined;
      await this.updateComplete;
    }
    [this.who, this.ended] = [who, false];
    this.follow();
  }

  override render() {
    if (this.fault) {
      return html`<main class="sign-in"><div class="note bad" role="alert">${icon("triangle-alert")}<span class="grow">${this.fault}</span>
        <button class="button" @click=${this.load}>${icon("refresh-cw")}Try again</button></div></main>`;
    }
    if (this.who === null) return nothing;
    if (!this.who || !this.route) {
      return html`<kf-sign-in .access=${offersAccess()} @signed-in=${(event: CustomEvent<Who>) => this.enter(event.detail).catch((error) => (this.fault = messageOf(error)))}></kf-sign-in>`;
    }
    return html`
      <div class="frame" data-environment=${this.route.environment}>
        <kf-bar .who=${this.who} .route=${this.route} @signed-out=${this.leave}></kf-bar>
        ${pageOf(this.route)}
      </div>
      <kf-toasts></kf-toasts>
      ${this.ended ? this.question() : nothing}
    `;
  }

  private question() {
    return dialog({
      title: "Your session has ended",
      close: () => (this.ended = false),
      body: html`<kf-sign-in over .access=${offersAccess()} @signed-in=${(event: CustomEvent<Who>) => this.enter(event.detail).catch((error) => (this.fault = messageOf(error)))}></kf-sign-in>`,
    });
  }
}
