// Export and import of definitions: what an import would do is shown before it is done.
import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { type Api, body, messageOf, Problem, type ValueError } from "../../shared/client";
import { PageElement } from "../../shared/element";
import { icon } from "../../shared/icons";
import { counted, ENVIRONMENTS, spoken } from "../../shared/words";
import { api } from "../api";
import { hrefOf, type Environment } from "../route";
import { toast } from "../toast";

const TONES: Record<string, string> = { create: "good", change: "warn", conflict: "bad", unchanged: "" };

@customElement("kf-export")
export class ExportPart extends PageElement {
  @property() environment!: Environment;
  @state() private fault = "";

  private async export(): Promise<void> {
    try {
      const whole = await this.collect();
      const url = URL.createObjectURL(new Blob([`${JSON.stringify(whole, null, 2)}\n`], { type: "application/json" }));
      const link = Object.assign(document.createElement("a"), { href: url, download: `keyfob-${this.environment}.json` });
      link.click();
      URL.revokeObjectURL(url);
      this.fault = "";
      toast(`${counted(whole.connections.length, "definition")} exported.`);
    } catch (error) {
      this.fault = messageOf(error);
    }
  }

  private async collect(): Promise<Api["Export"]> {
    const ask = (cursor?: string | null) => body(api.GET("/v1/export", { params: { query: { environment: this.environment, ...(cursor ? { cursor } : {}) } } }));
    const whole = await ask();
    while (whole.next_cursor) {
      const next = await ask(whole.next_cursor);
      whole.connections.push(...next.connections);
      whole.next_cursor = next.next_cursor ?? null;
    }
    return whole;
  }

  override render() {
    return html`
      <section class="card padded stack" aria-labelledby="export-title">
        <h2 id="export-title">Export</h2>
        <p class="quiet">The definitions of the connections and templates of ${ENVIRONMENTS[this.environment]}, by stable key. Never a secret, nothing of a customer.</p>
        ${this.fault ? html`<div class="note bad" role="alert">${this.fault}</div>` : nothing}
        <div class="row"><button class="button" @click=${this.export}>${icon("download")}Export</button></div>
      </section>
    `;
  }
}

@customElement("kf-import")
export class ImportPart extends PageElement {
  @property() environment!: Environment;
  @state() private text = "";
  @state() private plan: Api["Imported"][] | undefined;
  @state() private errors: ValueError[] = [];
  @state() private fault = "";
  @state() private done = false;
  @state() private busy = false;

  private take(text: string): void {
    [this.text, this.plan, this.errors, this.fault, this.done] = [text, undefined, [], "", false];
  }

  private async choose(event: Event): Promise<void> {
    const file = (event.target as HTMLInputElement).files?.[0];
    if (file) this.take(await file.text());
  }

  private async run(dryRun: boolean): Promise<void> {
    [this.busy, this.fault, this.errors] = [true, "", []];
    try {
      const document = JSON.parse(this.text) as Api["Import"];
      const parts: Api["Imported"][] = [];
      do {
        const query = { environment: this.environment, dry_run: dryRun, part: parts.length + 1 };
        parts.push(await body(api.POST("/v1/import", { params: { query }, body: document })));
      } while (parts.length < (parts[0]?.parts ?? 1));
      [this.plan, this.done] = [parts, !dryRun];
      if (!dryRun) this.text = "";
    } catch (error) {
      this.errors = error instanceof Problem ? error.errors : [];
      this.fault = error instanceof SyntaxError ? "This is not JSON." : messageOf(error);
    }
    this.busy = false;
  }

  override render() {
    return html`
      <section class="card padded stack" aria-labelledby="import-title">
        <h2 id="import-title">Import into ${ENVIRONMENTS[this.environment]}</h2>
        <p class="quiet">Matched by stable key. What would be done is shown first; nothing is deleted and nothing is tested.</p>
        <div class="field"><label for="import-text">Definitions</label>
          <textarea class="input" id="import-text" rows="6" spellcheck="false" placeholder="Paste an export, or choose a file" .value=${this.text} @input=${(event: Event) => this.take((event.target as HTMLTextAreaElement).value)}></textarea></div>
        <div class="row wrap"><label class="button file">${icon("upload")}Choose a file<input class="hidden-visually" type="file" accept="application/json" @change=${this.choose}></label>
          <button class="button primary" ?disabled=${!this.text.trim() || this.busy} @click=${() => this.run(true)}>Show what would be done</button></div>
        ${this.fault ? html`<div class="note bad" role="alert">${icon("triangle-alert")}<div class="stack-small"><span>${this.fault}</span>${this.errors.slice(0, 20).map(({ pointer, detail }) => html`<span><code>${pointer}</code> ${detail}</span>`)}</div></div>` : nothing}
        ${this.plan ? this.planned(this.plan) : nothing}
      </section>
    `;
  }

  private planned(parts: Api["Imported"][]) {
    const sum = (name: keyof Api["Counts"]) => parts.reduce((total, { counts }) => total + counts[name], 0);
    const conflicts = sum("conflict");
    return html`
      <div class="note ${this.done ? "good" : conflicts ? "bad" : ""}" role="status">${icon(this.done ? "circle-check" : "info")}
        <span>${this.done ? "Done" : "This would be done"}: ${sum("create")} created, ${sum("change")} changed, ${sum("unchanged")} unchanged, ${sum("conflict")} in conflict. ${sum("needs_secrets")} need secrets.</span></div>
      <div class="scroll" tabindex="0" role="region" aria-label="What is imported"><table><thead><tr><th>Stable key</th><th>What</th><th>Changes</th><th>Needs secrets</th></tr></thead>
        <tbody>${parts.flatMap(({ connections }) => connections).map((one) => html`<tr>
          <td>${one.connection_id ? html`<a href=${hrefOf(this.environment, "connections", one.connection_id)}><code>${one.stable_key}</code></a>` : html`<code>${one.stable_key}</code>`}</td>
          <td><span class="badge ${TONES[one.action] ?? ""}">${spoken(one.action)}</span></td><td>${one.changes.join(", ")}${one.conflict ? html`<span class="fault">${one.conflict.detail}</span>` : nothing}</td><td>${one.needs_secrets.join(", ")}</td></tr>`)}</tbody></table></div>
      ${this.done || conflicts ? nothing : html`<div class="row"><button class="button primary" ?disabled=${this.busy} @click=${() => this.run(false)}>Import</button></div>`}
    `;
  }
}
