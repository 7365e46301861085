// Webhooks: who is told when a connection breaks or ends, and whether the messages arrived.
import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { type Api, body, newAttempt } from "../../shared/client";
import { PageElement } from "../../shared/element";
import { icon } from "../../shared/icons";
import { when } from "../../shared/time";
import { spoken } from "../../shared/words";
import { api } from "../api";
import { dialog } from "../dialog";
import { faultAt, faultLeft, faultsOf, isWrong, noFaults } from "../form-faults";
import { Paged } from "../paged";
import type { Environment } from "../route";
import { toast, toastError } from "../toast";
import "./once";

const OCCASIONS: Record<Api["Occasion"], string> = {
  "connection.status_changed": "A connection begins or ceases to work",
  "connection.expiring": "Credentials expire soon",
  "connection.rotation_due": "Credentials are to be rotated soon",
};

@customElement("kf-webhooks")
export class Webhooks extends PageElement {
  @property() environment!: Environment;
  @state() private faults = noFaults();
  @state() private created: Api["CreatedWebhook"] | undefined;
  @state() private looking: Api["Webhook"] | undefined;
  private busy = false;
  private readonly hooks = new Paged<Api["Webhook"]>(this, () => body(api.GET("/v1/webhooks", { params: { query: { environment: this.environment } } })));
  private readonly deliveries = new Paged<Api["Delivery"]>(this, (cursor) =>
    body(api.GET("/v1/webhooks/{id}/deliveries", { params: { path: { id: this.looking?.id ?? "" }, query: cursor } })));

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("environment")) void this.hooks.load();
  }

  private async add(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (this.busy) return;
    this.busy = true;
    const form = event.target as HTMLFormElement;
    const data = new FormData(form);
    const sent = { environment: this.environment, url: String(data.get("url")).trim(), event_types: data.getAll("event") as Api["Occasion"][] };
    try {
      this.created = await body(api.POST("/v1/webhooks", { params: { header: newAttempt() }, body: sent }));
      this.faults = noFaults();
      form.reset();
      await this.hooks.load();
    } catch (error) {
      this.faults = faultsOf(error, ["url", "event_types"]);
    }
    this.busy = false;
  }

  private async drop({ id }: Api["Webhook"]): Promise<void> {
    try {
      await api.DELETE("/v1/webhooks/{id}", { params: { path: { id } } });
      toast("The webhook is deleted.");
      await this.hooks.load();
    } catch (error) {
      toastError(error);
    }
  }

  private look(hook: Api["Webhook"]): void {
    this.looking = hook;
    this.deliveries.items = undefined;
    void this.deliveries.load();
  }

  override render() {
    const { items } = this.hooks;
    return html`
      <section class="card padded stack" aria-labelledby="webhooks-title">
        <h2 id="webhooks-title">Webhooks of this environment</h2>
        ${items?.length === 0 ? html`<p class="quiet">Nobody is told yet when a connection breaks.</p>` : nothing}
        <ul class="plain-list stack">${items?.map((hook) => html`<li class="row spread wrap">
          <span class="grow said"><code>${hook.url}</code>${hook.disabled_at ? html` <span class="badge bad">Switched off ${when(hook.disabled_at)}</span>` : nothing}<br><span class="quiet small">${hook.event_types.map((one) => OCCASIONS[one]).join(" · ")}</span></span>
          <span class="row"><button class="button small" @click=${() => this.look(hook)}>Deliveries<span class="hidden-visually"> to ${hook.url}</span></button><button class="button small danger" @click=${() => this.drop(hook)}>Delete<span class="hidden-visually"> ${hook.url}</span></button></span></li>`)}</ul>
        ${this.hooks.state}
        <hr>
        <form class="stack-small" @submit=${this.add}>
          <div class="field"><label for="webhook-url">New webhook: URL</label><input class="input" id="webhook-url" name="url" type="url" required placeholder="https://…" aria-invalid=${isWrong(this.faults, "url")} aria-describedby="webhook-url-fault">${faultAt(this.faults, "url", "webhook-url-fault")}</div>
          <fieldset><legend>Is told when</legend>${Object.entries(OCCASIONS).map(([key, name]) => html`<label class="check"><input type="checkbox" name="event" value=${key}>${name}</label>`)}${faultAt(this.faults, "event_types", "webhook-events-fault")}</fieldset>
          ${faultLeft(this.faults)}
          <div class="row"><button class="button">${icon("plus")}Add</button></div></form>
      </section>
      ${this.created ? html`<kf-once what="Secret of the webhook" .secret=${this.created.secret} @closed=${() => (this.created = undefined)}></kf-once>` : nothing}
      ${this.looking ? this.log(this.looking) : nothing}
    `;
  }

  private log(hook: Api["Webhook"]) {
    const { items } = this.deliveries;
    return dialog({
      title: "Deliveries",
      wide: true,
      close: () => (this.looking = undefined),
      body: html`<div class="stack"><code>${hook.url}</code>
        ${items?.length === 0 ? html`<p class="quiet">Nothing was sent yet.</p>` : nothing}
        ${items?.length ? html`<div class="scroll" tabindex="0" role="region" aria-label="Deliveries"><table><thead><tr><th>When</th><th>What</th><th>State</th><th>Attempts</th></tr></thead>
          <tbody>${items.map((one) => html`<tr><td>${when(one.at)}</td><td>${OCCASIONS[one.event_type]}</td><td><span class="badge ${one.state === "delivered" ? "good" : one.state === "failed" ? "bad" : ""}">${spoken(one.state)}</span> ${one.outcome ?? ""}</td><td>${one.attempts}</td></tr>`)}</tbody></table></div>` : nothing}
        ${this.deliveries.state}</div>`,
    });
  }
}
