// Who may embed: the origins of pages, and the public keys whose tokens are exchanged for sessions.
import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { type Api, body, messageOf, newAttempt } from "../../shared/client";
import { PageElement } from "../../shared/element";
import { icon } from "../../shared/icons";
import { when } from "../../shared/time";
import { api } from "../api";
import { faultAt, faultLeft, faultsOf, isWrong, noFaults } from "../form-faults";
import { Paged } from "../paged";
import type { Environment } from "../route";
import { toast, toastError } from "../toast";

@customElement("kf-origins")
export class Origins extends PageElement {
  @state() private fault = "";
  private busy = false;
  private readonly origins = new Paged<Api["EmbeddedOrigin"]>(this, () => body(api.GET("/v1/embedded/origins")));

  override connectedCallback(): void {
    super.connectedCallback();
    void this.origins.load();
  }

  private async add(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (this.busy) return;
    this.busy = true;
    const form = event.target as HTMLFormElement;
    try {
      await api.POST("/v1/embedded/origins", { params: { header: newAttempt() }, body: { origin: String(new FormData(form).get("origin")).trim() } });
      this.fault = "";
      form.reset();
      await this.origins.load();
    } catch (error) {
      this.fault = messageOf(error);
    }
    this.busy = false;
  }

  private async drop({ id, origin }: Api["EmbeddedOrigin"]): Promise<void> {
    try {
      await api.DELETE("/v1/embedded/origins/{id}", { params: { path: { id } } });
      toast(`Pages of ${origin} embed no more.`);
      await this.origins.load();
    } catch (error) {
      toastError(error);
    }
  }

  override render() {
    return html`
      <section class="card padded stack" aria-labelledby="origins-title">
        <h2 id="origins-title">Origins</h2>
        <p class="quiet">Pages of these origins may embed the picker and call the embedded API, in every environment.</p>
        <ul class="plain-list stack-small">${this.origins.items?.map((one) => html`<li class="row spread wrap"><code>${one.origin}</code><span class="row"><span class="quiet small">${when(one.created_at)}</span>
          <button class="button small danger" @click=${() => this.drop(one)}>Remove<span class="hidden-visually"> ${one.origin}</span></button></span></li>`)}</ul>
        ${this.origins.state}
        <form class="row wrap" @submit=${this.add}>
          <label class="hidden-visually" for="origin">Origin</label><input class="input grow" id="origin" name="origin" required placeholder="https://app.example.com" aria-invalid=${this.fault !== ""} aria-describedby="origin-fault">
          <button class="button">${icon("plus")}Add</button></form>
        ${this.fault ? html`<span class="fault" id="origin-fault" role="alert">${this.fault}</span>` : nothing}
      </section>
    `;
  }
}

@customElement("kf-signing-keys")
export class SigningKeys extends PageElement {
  @property() environment!: Environment;
  @state() private faults = noFaults();
  private busy = false;
  private readonly keys = new Paged<Api["SigningKey"]>(this, () => body(api.GET("/v1/signing-keys", { params: { query: { environment: this.environment } } })));

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("environment")) void this.keys.load();
  }

  private async add(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (this.busy) return;
    this.busy = true;
    const form = event.target as HTMLFormElement;
    const data = new FormData(form);
    const text = String(data.get("public_key")).trim();
    try {
      const key = text.startsWith("{") ? (JSON.parse(text) as Record<string, unknown>) : text;
      const sent = { environment: this.environment, name: String(data.get("name")), public_key: key };
      await api.POST("/v1/signing-keys", { params: { header: newAttempt() }, body: sent });
      this.faults = noFaults();
      form.reset();
      await this.keys.load();
    } catch (error) {
      this.faults = error instanceof SyntaxError ? { at: { public_key: "This is neither a PEM nor a JWK." }, rest: "" } : faultsOf(error, ["name", "public_key"]);
    }
    this.busy = false;
  }

  private async drop({ id, name }: Api["SigningKey"]): Promise<void> {
    try {
      await api.DELETE("/v1/signing-keys/{id}", { params: { path: { id } } });
      toast(`${name} is deleted, and the sessions that it signed for have ended.`);
      await this.keys.load();
    } catch (error) {
      toastError(error);
    }
  }

  override render() {
    return html`
      <section class="card padded stack" aria-labelledby="signing-title">
        <h2 id="signing-title">Signing keys of this environment</h2>
        <p class="quiet">What the owner of one of these public keys signs is exchanged for embedded sessions.</p>
        <ul class="plain-list stack-small">${this.keys.items?.map((one) => html`<li class="row spread wrap"><span>${one.name} <span class="tag">${one.algorithm}</span><br><code class="quiet">${one.fingerprint}</code></span><span class="row"><span class="quiet small">${when(one.created_at)}</span>
          <button class="button small danger" @click=${() => this.drop(one)}>Delete<span class="hidden-visually"> ${one.name}</span></button></span></li>`)}</ul>
        ${this.keys.state}
        <form class="stack-small" @submit=${this.add}>
          <div class="field"><label for="signing-name">Name</label><input class="input" id="signing-name" name="name" required autocomplete="off" aria-invalid=${isWrong(this.faults, "name")} aria-describedby="signing-name-fault">${faultAt(this.faults, "name", "signing-name-fault")}</div>
          <div class="field"><label for="signing-key">Public key (PEM or JWK)</label><textarea class="input" id="signing-key" name="public_key" required rows="4" spellcheck="false" aria-invalid=${isWrong(this.faults, "public_key")} aria-describedby="signing-key-fault"></textarea>${faultAt(this.faults, "public_key", "signing-key-fault")}</div>
          ${faultLeft(this.faults)}
          <div class="row"><button class="button">${icon("plus")}Add</button></div></form>
      </section>
    `;
  }
}
