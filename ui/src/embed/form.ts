// A form that is being filled in: for a new connection, or for one of the customer's own. Knows which values there are, what
// is wrong with them and what of them is sent; knows nothing of how it is shown.
import type { Refused } from "./api";
import { type Entered, shown, toSetting, toText, wrong } from "./fields";
import type { Strings } from "./strings/index";
import type { Connection, ConnectionType, Field, ProviderView } from "./types";

export interface Values {
  settings: Record<string, string | number | boolean | null>;
  secrets: Record<string, string | null>;
}

export class Form {
  name: string;
  readonly entered: Entered = {};
  /** Stored secrets that are entered anew. */
  readonly replacing = new Set<string>();
  /** Secrets that are shown while they are typed. */
  readonly revealed = new Set<string>();
  /** What is wrong, by field; `name` for the name, empty for the whole. */
  errors: Record<string, string> = {};
  readonly fields: readonly Field[];
  /** One for what is saved, however often it is sent. */
  once = crypto.randomUUID();
  readonly #before: Entered = {};

  constructor(
    readonly provider: ProviderView,
    readonly type: ConnectionType,
    /** The template that a new one stands under. */
    readonly template: Connection | null,
    /** The connection that is edited. */
    readonly edited: Connection | null,
    /** The connection whose test credentials these are: laid over its values, so none of them is needed. */
    readonly tested: Connection | null = null,
  ) {
    const customer = (edited ?? template ?? tested)?.customer_fields;
    this.fields = customer ? type.fields.filter((field) => customer.includes(field.key)) : type.fields;
    this.name = edited?.name ?? template?.name ?? provider.name;
    const stored = (edited?.settings ?? {}) as Record<string, unknown>;
    for (const field of this.fields) {
      const value = tested ? "" : toText(edited ? stored[field.key] : field.default);
      this.#before[field.key] = value;
      this.entered[field.key] = field.secret ? "" : value;
    }
  }

  /** The fields that are shown at present. */
  get shown(): readonly Field[] {
    return this.tested ? this.fields : shown(this.fields, this.entered);
  }

  /** Whether a field that decides where secrets go was changed: then they are entered again. */
  get isElsewhere(): boolean {
    return this.edited !== null && this.fields.some((field) => field.destination && this.#isChanged(field));
  }

  /** Whether a stored secret is left as it is. */
  isKept(field: Field): boolean {
    return this.edited !== null && field.secret && !this.replacing.has(field.key) && !this.isElsewhere;
  }

  enter(field: Field, value: string): void {
    this.entered[field.key] = value;
    this.once = crypto.randomUUID();
    delete this.errors[field.key];
  }

  /** Looks at one field when it is left. */
  look(field: Field, t: Strings): void {
    if (this.isKept(field)) return;
    const value = this.entered[field.key] ?? "";
    const problem = this.#wrong(field, value.trim() === "", t);
    if (problem) this.errors[field.key] = problem;
  }

  #wrong(field: Field, mayBeEmpty: boolean, t: Strings): string | undefined {
    const value = this.entered[field.key] ?? "";
    return mayBeEmpty && value.trim() === "" ? undefined : wrong(field, value, t);
  }

  /** Looks at all of it; tells whether it will do. */
  check(t: Strings): boolean {
    this.errors = {};
    if (!this.tested && this.name.trim() === "") this.errors["name"] = t.missing;
    for (const field of this.shown) {
      const problem = this.isKept(field) ? undefined : this.#wrong(field, this.tested !== null, t);
      if (problem) this.errors[field.key] = problem;
    }
    return Object.keys(this.errors).length === 0;
  }

  /** Puts what Keyfob refused at the fields that it is about. */
  refused(problem: Refused, t: Strings): void {
    const whole: string[] = [];
    for (const { pointer, code, detail } of problem.errors) {
      const [, group, key = group] = pointer.split("/");
      const isHere = key === "name" || this.shown.some((field) => field.key === key);
      const sentence = code === "missing" ? t.missing : code === "reenter" ? t.reenter : detail;
      if (key && isHere) this.errors[key] = sentence;
      else whole.push(detail);
      if (group === "secrets" && key) this.replacing.add(key);
    }
    if (problem.errors.length === 0 && problem.problem.detail) whole.push(problem.problem.detail);
    if (whole.length > 0) this.errors[""] = whole.join(" ");
  }

  /** What is sent: all of a new connection, of an edited one what changed. */
  get values(): Values {
    const values: Values = { settings: {}, secrets: {} };
    const visible = new Set(this.shown);
    const before = new Set(shown(this.fields, this.#before));
    for (const field of this.fields) {
      if (visible.has(field)) this.#send(field, values);
      // What is hidden now and was not is cleared: it does not go with the other values.
      else if (this.edited && before.has(field) && (field.secret || this.#before[field.key])) {
        if (field.secret) values.secrets[field.key] = null;
        else values.settings[field.key] = null;
      }
    }
    return values;
  }

  /** Whether it is for a new connection that a person authorizes at the provider afterwards. */
  get isForConsent(): boolean {
    return this.type.oauth?.grant === "authorization_code" && !this.edited && !this.tested;
  }

  /** What a new connection is made of. */
  get of(): { template: string } | { provider: string; connection_type: string } {
    return this.template ? { template: this.template.id } : { provider: this.provider.key, connection_type: this.type.key };
  }

  get isNamed(): boolean {
    return this.name.trim() !== (this.edited?.name ?? "");
  }

  #send(field: Field, values: Values): void {
    const value = this.entered[field.key] ?? "";
    if (field.secret) {
      const isEmpty = value.trim() === "";
      if (!this.isKept(field) && !(isEmpty && !this.edited)) values.secrets[field.key] = isEmpty ? null : value;
      return;
    }
    if (this.edited && !this.#isChanged(field)) return;
    const setting = toSetting(field, value);
    if (setting !== null || this.edited) values.settings[field.key] = setting;
  }

  #isChanged(field: Field): boolean {
    return !field.secret && (this.entered[field.key] ?? "").trim() !== (this.#before[field.key] ?? "");
  }
}
