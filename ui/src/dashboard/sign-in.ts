// Signing in with an API key, or as the person whom Cloudflare Access vouches for.
import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { messageOf, Problem } from "../shared/client";
import { PageElement } from "../shared/element";
import { icon } from "../shared/icons";
import { signIn, signInByAccess, type Who } from "./who";

@customElement("kf-sign-in")
export class SignIn extends PageElement {
  /** Over a page whose session has ended, instead of as a page. */
  @property({ type: Boolean }) over = false;
  @state() private fault = "";
  @state() private busy = false;

  private async enter(prove: () => Promise<Who>, unknown = "This is not a key that works here."): Promise<void> {
    this.busy = true;
    this.fault = "";
    try {
      this.tell("signed-in", await prove());
    } catch (error) {
      this.fault = error instanceof Problem && error.status === 401 ? unknown : messageOf(error);
    }
    this.busy = false;
  }

  private submit(event: SubmitEvent): void {
    event.preventDefault();
    const key = new FormData(event.target as HTMLFormElement).get("key");
    void this.enter(() => signIn(String(key).trim()));
  }

  override render() {
    if (this.over) return html`<div class="stack">${this.ways()}</div>`;
    return html`
      <main class="sign-in">
        <div class="card stack">
          <span class="brand"><img src="/favicon.svg" alt="">Keyfob</span>
          <h1>Sign in</h1>
          ${this.ways()}
        </div>
      </main>
    `;
  }

  private ways() {
    return html`
      <form class="stack" @submit=${this.submit}>
        <div class="field">
          <label for="key">API key</label>
          <input class="input" id="key" name="key" type="password" required autocomplete="off" placeholder="kf_…"
            aria-invalid=${this.fault !== ""} aria-describedby="key-help key-fault">
          <span class="help" id="key-help">It is exchanged for a session of eight hours at most, and kept nowhere.</span>
          ${this.fault ? html`<span class="fault" id="key-fault" role="alert">${this.fault}</span>` : nothing}
        </div>
        <button class="button primary" ?disabled=${this.busy}>${icon("key-round")}Sign in</button>
      </form>
      <button class="button plain" ?disabled=${this.busy} @click=${() => this.enter(signInByAccess, "Cloudflare Access does not vouch for you here.")}>
        Continue with single sign-on
      </button>
    `;
  }
}
