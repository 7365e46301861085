// Copies the definition of a connection, without its credentials, to this or another environment.
import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { body, messageOf, newAttempt } from "../../shared/client";
import { PageElement } from "../../shared/element";
import { icon } from "../../shared/icons";
import { ENVIRONMENTS } from "../../shared/words";
import { api } from "../api";
import { dialog } from "../dialog";
import { type Environment, go, hrefOf } from "../route";
import type { Connection } from "../status";
import { toast } from "../toast";
import { environments } from "../who";

@customElement("kf-copy")
export class CopyDialog extends PageElement {
  @property({ attribute: false }) connection!: Connection;
  @state() private fault = "";
  private attempt = newAttempt();

  private async copy(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const environment = form.get("environment") as Environment;
    const [name, key] = [String(form.get("name")), String(form.get("stable_key"))];
    try {
      const sent = { environment, name, ...(key ? { stable_key: key } : {}) };
      const copy = await body(api.POST("/v1/connections/{id}/copy", { params: { path: { id: this.connection.id }, header: this.attempt }, body: sent }));
      toast(`${copy.name} is there. Enter its credentials.`);
      go(hrefOf(environment, "connections", copy.id, "do=edit"));
    } catch (error) {
      this.attempt = newAttempt();
      this.fault = messageOf(error);
    }
  }

  override render() {
    const { name, environment, stable_key: key } = this.connection;
    // Definitions go from development towards production, one step at a time.
    const all = environments();
    const next = all[all.indexOf(environment) + 1] ?? all.find((one) => one !== environment);
    return dialog({
      title: `Copy ${name}`,
      close: () => this.tell("closed"),
      body: html`
        <form class="stack" @submit=${this.copy}>
          <p class="quiet">The definition is copied, without credentials: they have to be entered there.</p>
          <div class="field"><label for="copy-environment">To</label>
            <select class="input" id="copy-environment" name="environment">${all.map((one) => html`<option value=${one} ?selected=${one === next}>${ENVIRONMENTS[one]}</option>`)}</select></div>
          <div class="field"><label for="copy-name">Name</label><input class="input" id="copy-name" name="name" required .value=${name}></div>
          <div class="field"><label for="copy-key">Stable key</label><input class="input" id="copy-key" name="stable_key" placeholder=${key} aria-describedby="copy-key-help">
            <span class="help" id="copy-key-help">The same key in another environment lets workflows find the counterpart. Here it needs another one.</span></div>
          ${this.fault ? html`<div class="note bad" role="alert">${icon("triangle-alert")}${this.fault}</div>` : nothing}
          <div class="row"><button class="button primary">${icon("copy")}Copy</button></div>
        </form>`,
    });
  }
}
