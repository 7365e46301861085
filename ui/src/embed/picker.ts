// The picker: what it shows, and what each step does. Knows the embedded API and its screens; how they look is in views/.
import { type Api, Lost, Over, Refused } from "./api";
import { authorize } from "./authorize";
import { focusOn, openWindow } from "./browser";
import { Form } from "./form";
import type { Strings } from "./strings/index";
import type { Connection, ConnectionType, Page, Provider, ProviderView, Session, TestResult, Verdict, Reason } from "./types";

/** How the picker was opened, and what becomes of it. */
export interface Opened {
  api: Api;
  t: Strings;
  lang: string;
  provider: string | null;
  selected: string | null;
  /** Whether it is for a step that uses the selected one, so that others may be switched along with it. */
  isForStep: boolean;
  /** Hands the choice to the page that frames us; a connect link chooses nothing. */
  chosen: ((id: string) => void) | null;
  cancelled: () => void;
}

export type Screen =
  | { name: "loading" }
  | { name: "list" }
  | { name: "types"; provider: Provider | null }
  | { name: "form"; form: Form }
  | { name: "own"; connection: Connection; renaming: string | null }
  | { name: "disconnect"; connection: Connection }
  | { name: "authorizing"; connection: Connection }
  | { name: "switch"; from: Connection; to: Connection }
  | { name: "done" }
  | { name: "end"; title: string; hint: string; mayRetry?: boolean };

export interface Notice {
  tone: "good" | "warn" | "bad";
  text: string;
  detail?: string;
}

export class Picker {
  screen: Screen = { name: "loading" };
  notice: Notice | null = null;
  /** What is being done; then nothing else can be started. */
  busy: "save" | "test" | "change" | "load" | null = null;
  session: Session | null = null;
  providers: Provider[] = [];
  connections: Connection[] = [];
  next: string | null = null;
  search = "";
  #views = new Map<string, ProviderView>();

  constructor(
    readonly opened: Opened,
    readonly changed: () => void,
  ) {}

  get t(): Strings {
    return this.opened.t;
  }

  get isBuilder(): boolean {
    return this.session?.customer === null;
  }

  get isLink(): boolean {
    return this.opened.chosen === null;
  }

  provider(key: string): Provider | undefined {
    return this.providers.find((provider) => provider.key === key);
  }

  /** Loads what there is, and shows where it begins. */
  async begin(): Promise<void> {
    this.show({ name: "loading" });
    await this.#do("load", async () => {
      const { api } = this.opened;
      const [session, { data }] = await Promise.all([
        api.get<Session>("/session"),
        api.get<Page<Provider>>("/providers"),
        this.#load(null),
      ]);
      this.session = session;
      this.providers = data;
      if (this.isLink) await this.#beginLink();
      else this.show({ name: "list" });
    });
  }

  /** A link leads where there is one thing to do; else to the list. */
  async #beginLink(): Promise<void> {
    const limits = this.session?.templates;
    const own = this.session?.connection ?? this.connections.find(({ template }) => template && limits?.includes(template))?.id;
    const offered = this.offered;
    const [type, ...others] = this.providers.flatMap((provider) => provider.connection_types.map((of) => [provider, of] as const));
    if (own) return this.#openOwn(own);
    if (offered.length === 1 && offered[0]) return this.#openForm(offered[0].provider, offered[0].connection_type, offered[0]);
    if (offered.length === 0 && this.mayStandAlone && type && others.length === 0) {
      return this.#openForm(type[0].key, type[1].key, null);
    }
    this.show({ name: "list" });
  }

  /** The templates that the customer has not connected to yet. */
  get offered(): Connection[] {
    const connected = new Set(this.connections.map(({ template }) => template));
    return this.connections.filter((one) => one.kind === "template" && !this.isBuilder && one.customer_fields && !connected.has(one.id));
  }

  /** Whether connections may be made that stand under no template. */
  get mayStandAlone(): boolean {
    return !this.session?.templates && !this.session?.connection;
  }

  /** Shows another screen. */
  show(screen: Screen, notice: Notice | null = null): void {
    this.screen = screen;
    this.notice = notice;
    this.changed();
  }

  async more(): Promise<void> {
    await this.#do("load", () => this.#load(this.next));
  }

  async #load(cursor: string | null): Promise<void> {
    const query = new URLSearchParams({ limit: "100" });
    if (this.opened.provider) query.set("provider", this.opened.provider);
    if (cursor) query.set("cursor", cursor);
    const page = await this.opened.api.get<Page<Connection>>(`/connections?${query}`);
    this.connections = cursor ? [...this.connections, ...page.data] : page.data;
    this.next = page.next_cursor ?? null;
  }

  /** Back to the list, as it is now. */
  async list(notice: Notice | null = null): Promise<void> {
    await this.#do("load", async () => {
      await this.#load(null);
      this.show({ name: "list" }, notice);
    });
  }

  choose(connection: Connection): void {
    const { chosen, selected, isForStep } = this.opened;
    const from = this.connections.find(({ id }) => id === selected);
    const mayReplace = this.isBuilder && isForStep && from && from.id !== connection.id && from.provider === connection.provider;
    if (!chosen) this.show({ name: "done" });
    else if (mayReplace) this.show({ name: "switch", from, to: connection });
    else chosen(connection.id);
  }

  /** Uses another connection: in this step, which the page around us sees to, or in all steps that use the present one. */
  async replace(from: Connection, to: Connection, all: boolean): Promise<void> {
    await this.#do("change", async () => {
      if (all) await this.opened.api.send("POST", `/connections/${from.id}/replace`, { body: { replacement: to.id } });
      this.opened.chosen?.(to.id);
    });
  }

  /** Opens the form of the test credentials of a connection of the organization's. */
  async tests(connection: Connection): Promise<void> {
    await this.#do("load", async () => {
      const view = await this.#view(connection.provider);
      const type = view.connection_types.find((of) => of.key === connection.connection_type);
      if (type) this.show({ name: "form", form: new Form(view, type, null, null, connection) });
    });
  }

  /** Begins a new connection: at the choice of its type, where there is one. */
  async create(provider: Provider | null): Promise<void> {
    const [type, ...others] = provider?.connection_types ?? [];
    if (provider && type && others.length === 0) await this.form(provider.key, type.key, null);
    else this.show({ name: "types", provider });
  }

  async form(provider: string, type: string, template: Connection | null): Promise<void> {
    await this.#do("load", () => this.#openForm(provider, type, template));
  }

  async #openForm(provider: string, key: string, template: Connection | null, edited: Connection | null = null): Promise<void> {
    const view = await this.#view(provider);
    const type = view.connection_types.find((of) => of.key === key);
    if (!type) return this.show(this.screen, { tone: "bad", text: this.t.gone });
    this.show({ name: "form", form: new Form(view, type, template, edited) });
  }

  async #view(provider: string): Promise<ProviderView> {
    const known = this.#views.get(provider);
    if (known) return known;
    const view = await this.opened.api.get<ProviderView>(`/providers/${provider}`);
    this.#views.set(provider, view);
    return view;
  }

  async edit(connection: Connection): Promise<void> {
    await this.#do("load", async () => {
      const fresh = await this.opened.api.get<Connection>(`/connections/${connection.id}`);
      await this.#openForm(fresh.provider, fresh.connection_type, null, fresh);
    });
  }

  async open(connection: Connection): Promise<void> {
    await this.#do("load", () => this.#openOwn(connection.id));
  }

  async #openOwn(id: string, notice: Notice | null = null): Promise<void> {
    const connection = await this.opened.api.get<Connection>(`/connections/${id}`);
    await this.#view(connection.provider);
    this.show({ name: "own", connection, renaming: null }, notice);
  }

  /** The connection type of a connection, once its provider was read. */
  typeOf(connection: Connection): ConnectionType | undefined {
    const view = this.#views.get(connection.provider);
    return view?.connection_types.find((of) => of.key === connection.connection_type);
  }

  /** Saves what is typed. Where consent has to follow, its window opens at once: a browser lets only a click do that. */
  async save(form: Form): Promise<void> {
    const popup = form.isForConsent && form.check(this.t) ? openWindow() : null;
    await this.#submit("save", form, async () => {
      if (form.tested) return this.#saveTests(form, form.tested);
      const saved = await this.#send(form);
      if (popup) await this.#authorized(saved, popup);
      else await this.#saved(form, saved);
    });
    popup?.close();
  }

  /** Does something with what is typed; what is wrong with it is told at its fields. */
  async #submit(busy: "save" | "test", form: Form, what: () => Promise<void>): Promise<void> {
    if (!form.check(this.t)) return this.#complain(form);
    await this.#do(busy, async () => {
      try {
        await what();
      } catch (error) {
        if (!(error instanceof Refused) || error.status !== 422) throw error;
        form.refused(error, this.t);
        this.#complain(form);
      }
    });
  }

  async #saveTests(form: Form, { id }: Connection): Promise<void> {
    const { api } = this.opened;
    const version = await api.version(`/connections/${id}`);
    await api.send("PATCH", `/connections/${id}/test-credentials`, { body: form.values, version });
    await this.#load(null);
    this.show({ name: "list" }, { tone: "good", text: this.t.testCredentialsSaved });
  }

  #send(form: Form): Promise<Connection> {
    const { api } = this.opened;
    const name = form.name.trim();
    if (form.edited) {
      const body = { ...form.values, ...(form.isNamed ? { name } : {}) };
      return api.send("PATCH", `/connections/${form.edited.id}`, { body, version: form.edited.version ?? 0 });
    }
    return api.send("POST", "/connections", { body: { ...form.of, name, ...form.values }, once: form.once });
  }

  async #saved(form: Form, saved: Connection): Promise<void> {
    const fresh = await this.opened.api.get<Connection>(`/connections/${saved.id}`);
    const { health } = fresh;
    if (!health) {
      // Of the organization's own a builder session sees whether it works, and not why.
      await this.#load(null);
      return this.show({ name: "list" }, this.verdict(fresh.status === "active" ? "valid" : "invalid", null));
    }
    if (health.verdict !== "invalid") {
      const notice = health.action === "reauthorize" ? null : this.verdict(health.verdict, health.reason);
      return this.show({ name: "own", connection: fresh, renaming: null }, notice);
    }
    const next = new Form(form.provider, form.type, null, fresh);
    this.show({ name: "form", form: next }, { tone: "bad", text: this.reason(health.reason), detail: this.t.stillWrong });
  }

  #complain(form: Form): void {
    this.show({ name: "form", form }, { tone: "bad", text: form.errors[""] ?? this.t.inForm });
    focusOn("[aria-invalid=true]");
  }

  /** Tests what is stored. */
  async test(connection: Connection): Promise<void> {
    await this.#do("test", async () => {
      const result = await this.opened.api.send<TestResult>("POST", `/connections/${connection.id}/tests`, { body: {} });
      await this.#openOwn(connection.id, this.verdict(result.verdict, result.reason));
    });
  }

  /** Tests what is typed; nothing is stored. */
  async testForm(form: Form): Promise<void> {
    await this.#submit("test", form, async () => {
      const { edited, of, values } = form;
      const path = edited ? `/connections/${edited.id}/tests` : "/tests";
      const result = await this.opened.api.send<TestResult>("POST", path, { body: edited ? values : { ...of, ...values } });
      this.show({ name: "form", form }, this.verdict(result.verdict, result.reason));
    });
  }

  async rename(connection: Connection, name: string): Promise<void> {
    if (name.trim() === "") return this.show({ name: "own", connection, renaming: name }, { tone: "bad", text: this.t.missing });
    await this.#do("change", async () => {
      const request = { body: { name: name.trim() }, version: connection.version ?? 0 };
      await this.opened.api.send("PATCH", `/connections/${connection.id}?test=false`, request);
      await this.#openOwn(connection.id, { tone: "good", text: this.t.renamed });
    });
  }

  async disconnect(connection: Connection): Promise<void> {
    await this.#do("change", async () => {
      await this.opened.api.send("DELETE", `/connections/${connection.id}`, { version: connection.version ?? 0 });
      this.connections = this.connections.filter(({ id }) => id !== connection.id);
      await this.#load(null);
      this.show({ name: "list" }, { tone: "good", text: this.t.disconnected(connection.name) });
    });
  }

  /** Leads through the provider's consent. */
  async authorize(connection: Connection): Promise<void> {
    const popup = openWindow();
    if (!popup) return this.show(this.screen, { tone: "bad", text: this.t.popupBlocked });
    await this.#do("change", () => this.#authorized(connection, popup));
    popup.close();
  }

  async #authorized(connection: Connection, popup: Window): Promise<void> {
    this.show({ name: "authorizing", connection });
    const { state, error } = await authorize(this.opened.api, connection.id, popup);
    const notice: Record<typeof state, Notice> = {
      succeeded: { tone: "good", text: this.t.authorized },
      failed: { tone: "bad", text: this.t.authorizationFailed, ...(error ? { detail: error } : {}) },
      expired: { tone: "bad", text: this.t.authorizationExpired },
    };
    if (!this.isBuilder) return this.#openOwn(connection.id, notice[state]);
    await this.#load(null);
    this.show({ name: "list" }, notice[state]);
  }

  reason(reason: Reason | null | undefined): string {
    return reason ? this.t.reasons[reason] : "";
  }

  verdict(verdict: Verdict, reason: Reason | null | undefined): Notice {
    const { t } = this;
    const detail = this.reason(reason);
    if (verdict === "valid") return { tone: "good", text: t.works };
    if (verdict === "limited") return { tone: "warn", text: t.worksInPart, detail };
    return verdict === "invalid" ? { tone: "bad", text: t.fails, detail } : { tone: "warn", text: t.unclear, detail };
  }

  /** Does one thing at a time, and says what came of it where that was not what was wanted. */
  async #do(busy: NonNullable<Picker["busy"]>, what: () => Promise<void>): Promise<void> {
    if (this.busy) return;
    this.busy = busy;
    this.changed();
    try {
      await what();
    } catch (error) {
      await this.#failed(error);
    } finally {
      this.busy = null;
      this.changed();
    }
  }

  async #failed(error: unknown): Promise<void> {
    const { t } = this;
    const say = (text: string): void => {
      if (this.screen.name === "loading") this.show({ name: "end", title: text, hint: "", mayRetry: true });
      else this.show(this.screen, { tone: "bad", text });
    };
    if (error instanceof Over) return this.show({ name: "end", title: t.sessionOver, hint: this.isLink ? t.linkUsedHint : t.sessionOverHint });
    if (error instanceof Lost) return say(t.offline);
    if (!(error instanceof Refused)) {
      console.error(error);
      return say(t.fault(""));
    }
    if (error.status === 429) return say(t.tooOften(error.retryAfter));
    if (error.status === 412 || error.status === 404) return this.#reload(error.status === 412 ? t.changed : t.gone);
    say(error.status >= 500 ? t.fault(error.requestId) : (error.problem.detail ?? t.fault(error.requestId)));
  }

  /** What was to be changed is not as it was: shows it as it is. */
  async #reload(text: string): Promise<void> {
    const { screen } = this;
    const id = screen.name === "form" ? screen.form.edited?.id : "connection" in screen ? screen.connection.id : undefined;
    const notice: Notice = { tone: "warn", text };
    try {
      if (id) return await this.#openOwn(id, notice);
    } catch {
      // It is gone; the list tells.
    }
    await this.#load(null);
    this.show({ name: "list" }, notice);
  }
}
