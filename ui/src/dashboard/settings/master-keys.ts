// Master keys: what rests under each, whether it may be removed, and how far the rewrap is.
import { html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { type Api, body, messageOf } from "../../shared/client";
import { PageElement } from "../../shared/element";
import { icon } from "../../shared/icons";
import { counted, spoken } from "../../shared/words";
import { api } from "../api";

const TONES: Record<Api["KeyState"], string> = { primary: "good", secondary: "", missing: "bad", wrong: "bad" };

@customElement("kf-master-keys")
export class MasterKeysPart extends PageElement {
  @state() private keys: Api["MasterKeys"] | undefined;
  @state() private busy = false;
  @state() private fault = "";

  override connectedCallback(): void {
    super.connectedCallback();
    void this.run(() => body(api.GET("/v1/keys")));
  }

  private async run(ask: () => Promise<Api["MasterKeys"]>): Promise<void> {
    try {
      [this.keys, this.fault] = [await ask(), ""];
    } catch (error) {
      this.fault = messageOf(error);
    }
  }

  // Some hundred entries at a time, as long as it gets on.
  private async rewrap(): Promise<void> {
    this.busy = true;
    let waiting = Number.POSITIVE_INFINITY;
    while (!this.fault && this.isConnected && this.keys && !this.keys.rewrap.done && this.keys.rewrap.waiting < waiting) {
      waiting = this.keys.rewrap.waiting;
      await this.run(() => body(api.POST("/v1/keys/rewrap")));
    }
    this.busy = false;
  }

  override render() {
    const { keys } = this;
    return html`
      <section class="card padded stack" aria-labelledby="keys-title">
        <h2 id="keys-title">Master keys</h2>
        <p class="quiet">Rotate without downtime: add a key to the ring as secondary and deploy, make it primary and deploy, then wrap everything under it anew. The ciphertexts are never touched.</p>
        ${this.fault ? html`<div class="note bad" role="alert">${icon("triangle-alert")}${this.fault}</div>` : nothing}
        ${keys ? this.ring(keys) : html`<div class="skeleton row-line"></div>`}
      </section>
    `;
  }

  private ring({ data, rewrap, problem, unopenable }: Api["MasterKeys"]) {
    const all = rewrap.rewrapped + rewrap.waiting;
    return html`
      ${problem ? html`<div class="note bad" role="alert">${icon("triangle-alert")}${problem}</div>` : nothing}
      <div class="scroll" tabindex="0" role="region" aria-label="Keys of the ring"><table><thead><tr><th>Key</th><th>State</th><th>Entries</th><th>Needed by</th><th>May be removed</th></tr></thead>
        <tbody>${data.map((key) => html`<tr><td>${key.id}</td><td><span class="badge ${TONES[key.state]}">${spoken(key.state)}</span></td><td>${key.entries.toLocaleString("en")}${key.unopenable ? html` <span class="badge bad">${key.unopenable} do not open</span>` : nothing}</td>
          <td>${key.needed_by.map(spoken).join(", ") || "nothing"}</td><td>${key.removable ? "yes" : "no"}</td></tr>`)}</tbody></table></div>
      <div class="stack-small"><label for="rewrap">${rewrap.done ? "Everything is wrapped under the primary key." : `${counted(rewrap.waiting, "entry", "entries")} wait to be wrapped anew.`}</label>
        <progress id="rewrap" max=${Math.max(all, 1)} value=${all ? rewrap.rewrapped : 1}></progress></div>
      ${unopenable.length ? html`<div class="note bad">${icon("triangle-alert")}<span>${counted(unopenable.length, "entry", "entries")} do not open: ${unopenable.slice(0, 5).map(({ owner_id: owner }) => owner).join(", ")}</span></div>` : nothing}
      <div class="row"><button class="button" ?disabled=${rewrap.done || this.busy} @click=${this.rewrap}>${icon("refresh-cw")}${this.busy ? "Wrapping anew…" : "Wrap anew now"}</button></div>
    `;
  }
}
