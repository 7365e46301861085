// API keys: created with no more than the caller may do, shown once, revoked at once.
import { html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { type Api, body, newAttempt } from "../../shared/client";
import { PageElement } from "../../shared/element";
import { icon } from "../../shared/icons";
import { when } from "../../shared/time";
import { ENVIRONMENTS } from "../../shared/words";
import { dayToTime } from "../about";
import { api } from "../api";
import { dialog } from "../dialog";
import { faultAt, faultLeft, faultsOf, isWrong, noFaults } from "../form-faults";
import { Paged } from "../paged";
import type { Environment } from "../route";
import { toast, toastError } from "../toast";
import { environments, type Scope, scopes } from "../who";
import "./once";

@customElement("kf-api-keys")
export class ApiKeys extends PageElement {
  @state() private creating = false;
  @state() private created: Api["CreatedApiKey"] | undefined;
  @state() private revoking: Api["ApiKey"] | undefined;
  @state() private faults = noFaults();
  private busy = false;
  private readonly keys = new Paged<Api["ApiKey"]>(this, (cursor) => body(api.GET("/v1/api-keys", { params: { query: cursor } })));

  override connectedCallback(): void {
    super.connectedCallback();
    void this.keys.load();
  }

  private async create(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (this.busy) return;
    this.busy = true;
    const form = new FormData(event.target as HTMLFormElement);
    const expires = String(form.get("expires_at"));
    const sent: Api["CreateApiKey"] = {
      name: String(form.get("name")),
      scopes: form.getAll("scope") as Scope[],
      environments: form.getAll("environment") as Environment[],
      ...(expires ? { expires_at: dayToTime(expires) } : {}),
    };
    try {
      this.created = await body(api.POST("/v1/api-keys", { params: { header: newAttempt() }, body: sent }));
      [this.creating, this.faults] = [false, noFaults()];
      await this.keys.load();
    } catch (error) {
      this.faults = faultsOf(error, ["name", "scopes", "environments", "expires_at"]);
    }
    this.busy = false;
  }

  private async revoke({ id, name }: Api["ApiKey"]): Promise<void> {
    try {
      await api.DELETE("/v1/api-keys/{id}", { params: { path: { id } } });
      toast(`${name} is revoked: it works nowhere any more.`);
      await this.keys.load();
    } catch (error) {
      toastError(error);
    }
    this.revoking = undefined;
  }

  override render() {
    const { items } = this.keys;
    return html`
      <section class="card padded stack" aria-labelledby="api-keys-title">
        <div class="row spread wrap"><h2 id="api-keys-title">API keys</h2><button class="button primary" @click=${() => (this.creating = true)}>${icon("plus")}New API key</button></div>
        <p class="quiet">The workflow engine, your servers and people sign in with them. The root key of the deployment is not among them.</p>
        ${items?.length === 0 ? html`<p class="quiet">There are none yet.</p>` : nothing}
        ${items?.length ? html`<div class="scroll" tabindex="0" role="region" aria-label="All API keys"><table class="broad">
          <thead><tr><th>Name</th><th>Scopes</th><th>Environments</th><th>Created</th><th>Ends</th><th><span class="hidden-visually">Actions</span></th></tr></thead>
          <tbody>${items.map((key) => html`<tr><td class="whole">${key.name}<br><code class="quiet">${key.id}</code></td><td>${key.scopes.map((scope) => html`<span class="tag">${scope}</span> `)}</td>
            <td>${key.environments.map((one) => ENVIRONMENTS[one]).join(", ")}</td><td>${when(key.created_at)} by ${key.created_by.name}</td><td>${key.expires_at ? when(key.expires_at) : "never"}</td>
            <td><button class="button small danger" @click=${() => (this.revoking = key)}>Revoke<span class="hidden-visually"> ${key.name}</span></button></td></tr>`)}</tbody></table></div>` : nothing}
        ${this.keys.state}
      </section>
      ${this.creating ? this.form() : nothing}
      ${this.created ? html`<kf-once what="API key ${this.created.name}" .secret=${this.created.secret} @closed=${() => (this.created = undefined)}></kf-once>` : nothing}
      ${this.revoking ? this.confirm(this.revoking) : nothing}
    `;
  }

  private form() {
    return dialog({
      title: "New API key",
      close: () => (this.creating = false),
      body: html`
        <form class="stack" @submit=${this.create}>
          <div class="field"><label for="key-name">Name</label><input class="input" id="key-name" name="name" required autocomplete="off" aria-invalid=${isWrong(this.faults, "name")} aria-describedby="key-name-fault">${faultAt(this.faults, "name", "key-name-fault")}</div>
          <fieldset><legend>Environments</legend><div class="checks">${environments().map((one) => html`<label class="check"><input type="checkbox" name="environment" value=${one}>${ENVIRONMENTS[one]}</label>`)}</div>${faultAt(this.faults, "environments", "key-environments-fault")}</fieldset>
          <fieldset><legend>It may</legend><div class="checks">${scopes().map((scope) => html`<label class="check"><input type="checkbox" name="scope" value=${scope}>${scope}</label>`)}</div>${faultAt(this.faults, "scopes", "key-scopes-fault")}</fieldset>
          <div class="field"><label for="key-expires">Ends on (optional)</label><input class="input" id="key-expires" name="expires_at" type="date" aria-invalid=${isWrong(this.faults, "expires_at")} aria-describedby="key-expires-fault">${faultAt(this.faults, "expires_at", "key-expires-fault")}</div>
          ${faultLeft(this.faults)}
          <div class="row"><button class="button primary">Create</button></div>
        </form>`,
    });
  }

  private confirm(key: Api["ApiKey"]) {
    const close = () => (this.revoking = undefined);
    return dialog({
      title: `Revoke ${key.name}?`,
      close,
      body: html`<p>It works nowhere at the next request, and nobody can bring it back.</p>`,
      foot: html`<button class="button" @click=${close}>Cancel</button><button class="button danger" @click=${() => this.revoke(key)}>Revoke</button>`,
    });
  }
}
