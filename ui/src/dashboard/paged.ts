// A list that the API answers a page at a time: what has come so far, and the rest when asked. An element holds one and draws it.
import type { ReactiveController, ReactiveControllerHost } from "lit";
import { html, nothing } from "lit";
import { messageOf } from "../shared/client";
import { icon } from "../shared/icons";

interface Page<T> { data: T[]; next_cursor?: string | null }

export class Paged<T> implements ReactiveController {
  items: T[] | undefined;
  fault = "";
  private cursor: string | null = null;
  private asked = 0;

  constructor(private readonly host: ReactiveControllerHost, private readonly ask: (cursor: { cursor?: string }) => Promise<Page<T>>) {
    host.addController(this);
  }

  hostConnected(): void {}

  /** Reads it from the beginning. */
  async load(cursor?: string): Promise<void> {
    const asked = ++this.asked;
    try {
      const page = await this.ask(cursor ? { cursor } : {});
      if (asked !== this.asked) return;
      this.items = cursor ? [...(this.items ?? []), ...page.data] : page.data;
      [this.cursor, this.fault] = [page.next_cursor ?? null, ""];
    } catch (error) {
      if (asked === this.asked) this.fault = messageOf(error);
    }
    this.host.requestUpdate();
  }

  /** What went wrong, that it is loading, or that there is more. */
  get state() {
    if (this.fault) return html`<div class="note bad" role="alert">${icon("triangle-alert")}<span class="grow">${this.fault}</span><button class="button small" @click=${() => this.load()}>Try again</button></div>`;
    if (!this.items) return html`<div class="stack-small" aria-busy="true"><div class="skeleton row-line"></div><div class="skeleton row-line"></div></div>`;
    return this.cursor ? html`<div class="row"><button class="button" @click=${() => this.load(this.cursor ?? undefined)}>Show more</button></div>` : nothing;
  }
}
