// Entering test credentials: the same form, over values that are used for test runs and nothing else.
import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { body, ifMatch, messageOf, Problem, type ValueError } from "../../shared/client";
import { PageElement } from "../../shared/element";
import "../../shared/fields-form";
import { icon } from "../../shared/icons";
import { toChange, type Values } from "../../shared/values";
import { api } from "../api";
import type { TypeView } from "../catalog";
import { findConnection } from "../changes";
import { dialog } from "../dialog";
import { focusFirstFault } from "../faults";
import { type Connection, whyOf } from "../status";
import { toast } from "../toast";

@customElement("kf-test-credentials")
export class TestCredentialsDialog extends PageElement {
  @property({ attribute: false }) connection!: Connection;
  @property({ attribute: false }) type!: TypeView;
  @state() private values!: Values;
  @state() private errors: ValueError[] = [];
  @state() private fault = "";
  @state() private busy = false;

  override connectedCallback(): void {
    super.connectedCallback();
    this.values = { settings: { ...this.connection.test_credentials?.settings }, secrets: {} };
  }

  // Of a template those that each customer has; else whatever differs for test runs.
  private get fields() {
    const own = this.connection.customer_fields;
    return own ? this.type.fields.filter(({ key }) => own.includes(key)) : this.type.fields.map((field) => ({ ...field, required: false }));
  }

  private async save(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    [this.busy, this.fault, this.errors] = [true, "", []];
    const { id } = this.connection;
    try {
      const sent = toChange(this.fields, this.values, this.connection.test_credentials?.settings ?? {});
      const saved = await body(api.PATCH("/v1/connections/{id}/test-credentials", { params: { path: { id }, header: ifMatch(this.connection) }, body: sent }));
      this.tell("connection-changed", saved);
      const works = saved.kind !== "template" || saved.status === "active";
      toast(works ? "The test credentials are saved." : `The test credentials are saved. ${whyOf(saved)}`, works ? "good" : "bad");
      this.tell("closed");
    } catch (error) {
      this.errors = error instanceof Problem ? error.errors : [];
      this.fault = messageOf(error);
      if (error instanceof Problem && error.status === 412) {
        this.tell("connection-changed", await findConnection(id));
        this.fault = "The connection was changed meanwhile. What you entered is still here: save again.";
      }
      void focusFirstFault(this);
    }
    this.busy = false;
  }

  override render() {
    return dialog({
      title: "Test credentials",
      close: () => this.tell("closed"),
      body: html`
        <form class="stack" novalidate @submit=${this.save}>
          <p class="quiet">Used by test runs of the builder, from the next one on, and for nothing else.</p>
          <kf-fields group="test" .fields=${this.fields} .values=${this.values} .errors=${this.errors} .kept=${this.connection.test_credentials?.secret_fields ?? []}
            @values-changed=${(event: CustomEvent<Values>) => (this.values = event.detail)}></kf-fields>
          ${this.fault ? html`<div class="note bad" role="alert">${icon("triangle-alert")}<span>${this.fault}</span></div>` : nothing}
          <div class="row"><button class="button primary" ?disabled=${this.busy}>${this.busy ? "Testing and saving…" : "Save"}</button></div>
        </form>`,
    });
  }
}
