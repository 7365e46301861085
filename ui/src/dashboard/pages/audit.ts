// Who did what to which connection when, with filters; and whether the log is whole.
import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { type Api, body, messageOf } from "../../shared/client";
import { PageElement } from "../../shared/element";
import { icon } from "../../shared/icons";
import { exact } from "../../shared/time";
import { counted, ENVIRONMENTS, spoken } from "../../shared/words";
import { api } from "../api";
import { Paged } from "../paged";
import { go, hrefOf, type Route } from "../route";

type Entry = Api["RecordedEntry"];

const FILTERS = ["action", "actor_id", "resource_id", "from", "to"] as const;

@customElement("kf-audit")
export class AuditPage extends PageElement {
  @property({ attribute: false }) route!: Route;
  @state() private verified = "";
  @state() private broken = "";
  private readonly entries = new Paged<Entry>(this, (cursor) => body(api.GET("/v1/audit-events", { params: { query: { ...this.filter, ...cursor } } })));

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("route")) void this.entries.load();
  }

  private get filter() {
    const { query, environment } = this.route;
    const filter: Record<string, string> = query.has("all") ? {} : { environment };
    for (const name of FILTERS) {
      const value = query.get(name);
      if (value) filter[name] = name === "from" || name === "to" ? new Date(value).toISOString() : value;
    }
    return filter as Record<string, never>;
  }

  private apply(event: Event): void {
    event.preventDefault();
    const form = new FormData(this.querySelector("form") as HTMLFormElement);
    const query = new URLSearchParams([...form].map(([name, value]) => [name, String(value).trim()] as [string, string]).filter(([, value]) => value));
    go(hrefOf(this.route.environment, "audit", undefined, query));
  }

  private async verify(): Promise<void> {
    [this.verified, this.broken] = ["Verifying…", ""];
    try {
      let rows = 0;
      let cursor: string | null | undefined;
      do {
        const part: Api["Verification"] = await body(api.GET("/v1/audit-events/verification", { params: { query: cursor ? { cursor } : {} } }));
        rows += part.rows_verified;
        if (part.broken) this.broken = `Row ${part.broken.seq} of ${spoken(part.broken.log).toLowerCase()}: ${spoken(part.broken.fault).toLowerCase()}.`;
        cursor = part.next_cursor;
      } while (cursor && !this.broken);
      this.verified = this.broken ? "" : `${counted(rows, "row")} verified: nothing was changed, removed or put in between.`;
    } catch (error) {
      [this.verified, this.broken] = ["", messageOf(error)];
    }
  }

  override render() {
    const { query } = this.route;
    const { items } = this.entries;
    return html`
      <main class="page">
        <div class="page-head"><h1>Audit log</h1><button class="button" @click=${this.verify}>${icon("shield-check")}Verify the log</button></div>
        ${this.verified ? html`<div class="note good" role="status">${icon("shield-check")}${this.verified}</div>` : nothing}
        ${this.broken ? html`<div class="note bad" role="alert">${icon("triangle-alert")}${this.broken}</div>` : nothing}
        <form class="card padded filter-form" @submit=${this.apply}>
          ${this.input("action", "Action", "connection.updated", query)}
          ${this.input("actor_id", "Who (id)", "key_… or person:…", query)}
          ${this.input("resource_id", "Resource (id)", "con_…", query)}
          ${this.input("from", "From", "", query, "date")}
          ${this.input("to", "Until", "", query, "date")}
          <label class="check"><input type="checkbox" name="all" value="1" .checked=${query.has("all")} @change=${this.apply}>All environments</label>
          <button class="button">${icon("filter")}Filter</button>
        </form>
        <div class="card padded stack">
          ${items?.length === 0 ? html`<p class="quiet">Nothing fits this filter.</p>` : nothing}
          ${items?.length ? html`<div class="scroll" tabindex="0" role="region" aria-label="Audit log"><table class="broad">
            <thead><tr><th>When</th><th>Who</th><th>What</th><th>Resource</th><th>Detail</th></tr></thead>
            <tbody>${items.map((entry) => this.entry(entry))}</tbody></table></div>` : nothing}
          ${this.entries.state}
        </div>
      </main>
    `;
  }

  private input(name: string, label: string, placeholder: string, query: URLSearchParams, type = "text") {
    return html`<div class="field"><label for="audit-${name}">${label}</label><input class="input" id="audit-${name}" name=${name} type=${type} placeholder=${placeholder} .value=${query.get(name) ?? ""}></div>`;
  }

  private entry({ at, actor, action, resource_id: id, environment, detail }: Entry) {
    const resource = id.startsWith("con_") && environment ? html`<a href=${hrefOf(environment, "connections", id)}><code>${id}</code></a>` : html`<code>${id}</code>`;
    return html`<tr><td class="whole">${exact(at)}</td><td title=${actor.id}>${actor.name}${actor.claimed ? html` <span class="quiet">for ${actor.claimed}</span>` : nothing}</td>
      <td>${action}${environment ? html`<br><span class="quiet small">${ENVIRONMENTS[environment]}</span>` : nothing}</td><td class="whole">${resource}</td>
      <td>${Object.keys(detail).length ? html`<code class="small">${JSON.stringify(detail)}</code>` : nothing}</td></tr>`;
  }
}
