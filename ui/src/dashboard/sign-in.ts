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
  /** Whether Cloudflare Access may vouch for people here. */
  @property({ attribute: false }) access = false;
  @state() private fault = "";
  /** What is said of single sign-on: nothing is wrong with the key then. */
  @state() private unknown = "";
  @state() private busy = false;

  private async enter(prove: () => Promise<Who>, refused: string): Promise<string> {
    [this.busy, this.fault, this.unknown] = [true, "", ""];
    try {
      this.tell("signed-in", await prove());
      return "";
    } catch (error) {
      return error instanceof Problem && error.status === 401 ? refused : messageOf(error);
    } finally {
      this.busy = false;
    }
  }

  private async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const key = new FormData(event.target as HTMLFormElement).get("key");
    this.fault = await this.enter(() => signIn(String(key).trim()), "This is not a key that works here.");
  }

  private async signOn(): Promise<void> {
    this.unknown = await this.enter(signInByAccess, "Cloudflare Access does not vouch for you here. Sign in with an API key, or ask who runs this Keyfob.");
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
      ${this.access ? html`<button class="button plain" ?disabled=${this.busy} aria-describedby="sign-on-fault" @click=${this.signOn}>
        Continue with single sign-on
      </button>` : nothing}
      ${this.unknown ? html`<div class="note bad" id="sign-on-fault" role="alert">${icon("triangle-alert")}<span>${this.unknown}</span></div>` : nothing}
    `;
  }
}
