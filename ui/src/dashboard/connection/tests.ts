// The tests of a connection, the newest first, with a small chart of them over time.
import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { type Api, body, messageOf } from "../../shared/client";
import { PageElement } from "../../shared/element";
import { when } from "../../shared/time";
import { verdictBadge } from "../../shared/verdict";
import { SOURCES, spoken } from "../../shared/words";
import { api } from "../api";
import type { Connection } from "../status";
import { chart } from "./sparkline";

const SHOWN = 5;

@customElement("kf-tests")
export class TestsPart extends PageElement {
  @property({ attribute: false }) connection!: Connection;
  @state() private tests: Api["TestResult"][] | undefined;
  @state() private fault = "";
  @state() private all = false;

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("connection")) void this.load();
  }

  private async load(): Promise<void> {
    try {
      this.tests = (await body(api.GET("/v1/connections/{id}/tests", { params: { path: { id: this.connection.id }, query: { limit: 50 } } }))).data;
    } catch (error) {
      this.fault = messageOf(error);
    }
  }

  override render() {
    const { tests } = this;
    return html`
      <section class="card padded stack" aria-labelledby="tests-title">
        <h2 id="tests-title">Tests</h2>
        ${this.fault ? html`<div class="note bad" role="alert">${this.fault}</div>` : nothing}
        ${tests === undefined ? html`<div class="skeleton row-line"></div>` : tests.length === 0 ? html`<p class="quiet">It was not tested yet.</p>` : html`
          ${chart(tests)}
          <ul class="plain-list stack-small">${tests.slice(0, this.all ? undefined : SHOWN).map((test) => html`
            <li class="row wrap">${verdictBadge(test.verdict)}${test.reason ? html`<span>${spoken(test.reason)}</span>` : nothing}
              <span class="quiet small">${when(test.at)}, ${SOURCES[test.source]}, ${test.duration_ms} ms${test.revision ? `, revision ${test.revision}` : ""}</span></li>`)}</ul>
          ${tests.length > SHOWN && !this.all ? html`<button class="link" @click=${() => (this.all = true)}>Show all ${tests.length}</button>` : nothing}`}
      </section>
    `;
  }
}
