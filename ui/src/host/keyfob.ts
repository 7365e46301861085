// keyfob.js: what a page of the organization's product loads to open the picker. Knows the dialog, the frame and the
// messages between them; knows nothing of connections. Whatever is typed in the frame stays there.
import type { FromHost, FromPicker, Start } from "./messages";

/** The token of an embedded session, or what obtains one from your server. It is called again when one is over. */
export type Session = string | (() => string | Promise<string>);

/** What the picker looks like. All but `radius` and `font` are colours; what is left out is as Keyfob has it. */
export interface Theme {
  /** Buttons, links, what is chosen. The next two follow from it where they are left out. */
  accent?: string;
  "accent-strong"?: string;
  "accent-soft"?: string;
  /** Text on the accent. */
  "on-accent"?: string;
  surface?: string;
  /** What lies a little deeper than the surface. */
  sunken?: string;
  text?: string;
  /** Text that matters less. */
  quiet?: string;
  border?: string;
  "border-strong"?: string;
  /** Of corners: a length. */
  radius?: string;
  /** A font that the machine has. */
  font?: string;
}

export interface PickOptions {
  /** The session: `ks_…`, minted by your server, never an API key. */
  session: Session;
  /** The key of the provider whose connections are shown; without it, of all that the session may use. */
  provider?: string;
  /** The id of the connection that is chosen at present, which is marked. */
  selected?: string;
  /** The workflow and the step that the connection is for: a builder session then offers to switch it, or all of them. */
  workflow?: string;
  step?: string;
  /** The language: `en` or `de`. Without it, that of the page, or else of the browser. */
  lang?: string;
  /** `light` or `dark`; without it, what the browser prefers. */
  scheme?: "light" | "dark";
  theme?: Theme;
  /** Closes the picker. */
  signal?: AbortSignal;
  /** The origin of Keyfob, where this script was not loaded from it. */
  url?: string;
}

/**
 * - `invalid_option`: an option is wrong; the message says which
 * - `not_loaded`: the picker did not appear: the page's origin is not registered, or the network is lost
 * - `session_failed`: your function gave no session; `cause` is its error
 * - `session_over`: the session is over, and there is no function to give another one
 * - `aborted`: your signal closed the picker
 */
export type ErrorCode = "invalid_option" | "not_loaded" | "session_failed" | "session_over" | "aborted";

export class KeyfobError extends Error {
  override readonly name = "KeyfobError";

  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** How long the picker may take to appear. */
const PATIENCE = 20_000;

const STYLE = `
dialog { box-sizing: border-box; width: min(30rem, 100vw - 1rem); height: min(38rem, 100dvh - 1rem); max-width: none;
  max-height: none; padding: 0; border: 0; border-radius: 14px; overflow: hidden; background: Canvas;
  box-shadow: 0 24px 64px rgb(0 0 0 / 35%) }
dialog::backdrop { background: rgb(10 15 25 / 45%) }
iframe { display: block; width: 100%; height: 100%; border: 0; color-scheme: inherit }
@media (max-width: 30rem) { dialog { width: 100vw; height: 100dvh; border-radius: 0 } }`;

/** Opens the picker. Gives the id of the connection that was chosen; null where the picker was closed. */
export async function pick(options: PickOptions): Promise<string | null> {
  const { url, session } = checked(options);
  const language = options.lang ?? (document.documentElement.lang || navigator.language);
  const title = language.startsWith("de") ? "Verbindung wählen" : "Choose a connection";
  const { host, dialog, frame } = build(url, title, options.scheme);
  const ending = new AbortController();
  try {
    return await new Promise<string | null>((resolve, reject) => {
      const fail = (code: ErrorCode, message: string, cause?: unknown): void =>
        reject(new KeyfobError(code, message, { cause }));
      const { signal } = ending;
      const waiting = setTimeout(
        () => fail("not_loaded", `The picker of ${url} did not appear: is ${location.origin} a registered origin?`),
        PATIENCE,
      );
      signal.addEventListener("abort", () => clearTimeout(waiting));
      const aborted = (): void => fail("aborted", "The picker was closed.", options.signal?.reason);
      if (options.signal?.aborted) return aborted();
      options.signal?.addEventListener("abort", aborted, { signal });
      dialog.addEventListener("close", () => resolve(null), { signal });

      const obtain = async (): Promise<string | undefined> => {
        try {
          return token(await session());
        } catch (error) {
          fail("session_failed", "There is no session for the picker.", error);
          return undefined;
        }
      };
      const first = obtain();
      const heard = async (event: MessageEvent): Promise<void> => {
        const isPicker = event.source === frame.contentWindow && event.origin === url;
        if (!isPicker || event.data?.type !== "keyfob:ready") return;
        clearTimeout(waiting);
        const token = await first;
        if (token === undefined || signal.aborted) return;
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = async ({ data }: MessageEvent<FromPicker>) => {
          if (data.type === "picked") resolve(data.id);
          if (data.type === "cancelled") resolve(null);
          if (data.type !== "session_over") return;
          const next = typeof options.session === "function" ? await obtain() : undefined;
          const answer: FromHost = next === undefined ? { type: "no_session" } : { type: "session", session: next };
          port1.postMessage(answer);
          if (typeof options.session !== "function") fail("session_over", "The session is over.");
        };
        frame.contentWindow?.postMessage(start(options, token, language), url, [port2]);
        frame.focus();
      };
      addEventListener("message", (event) => void heard(event), { signal });
      document.body.append(host);
      dialog.showModal();
    });
  } finally {
    ending.abort();
    dialog.close();
    host.remove();
  }
}

function checked(options: PickOptions): { url: string; session: () => string | Promise<string> } {
  const { session, url = new URL(import.meta.url).origin, provider } = options;
  const fail = (message: string): never => {
    throw new KeyfobError("invalid_option", message);
  };
  if (typeof session !== "function") token(session);
  if (provider !== undefined && !/^[a-z0-9_]+$/.test(provider)) fail("provider is the key of a provider.");
  if (!URL.canParse(url)) fail("url is the origin of Keyfob.");
  return { url: new URL(url).origin, session: typeof session === "function" ? session : () => session };
}

/** The token of a session; anything else, an API key above all, is not to leave this page. */
function token(session: unknown): string {
  if (typeof session === "string" && /^ks_\w+$/.test(session)) return session;
  throw new KeyfobError("invalid_option", "session is the token of an embedded session (ks_…), or a function that gives one.");
}

function start(options: PickOptions, session: string, lang: string): Start {
  const { provider, selected, workflow, step, scheme, theme } = options;
  return {
    type: "keyfob:start",
    session,
    provider: provider ?? null,
    selected: selected ?? null,
    workflow: workflow ?? null,
    step: step ?? null,
    lang,
    scheme: scheme ?? null,
    theme: { ...theme },
  };
}

/** The dialog with the frame, in a tree of its own, which the page's styles do not reach. */
function build(url: string, title: string, scheme: string | undefined) {
  const host = document.createElement("div");
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
  const dialog = document.createElement("dialog");
  const frame = document.createElement("iframe");
  dialog.setAttribute("aria-label", title);
  dialog.style.colorScheme = scheme ?? "light dark";
  frame.title = title;
  frame.referrerPolicy = "no-referrer";
  frame.src = `${url}/embed/?origin=${encodeURIComponent(location.origin)}`;
  dialog.append(frame);
  root.append(dialog);
  return { host, dialog, frame };
}

export const Keyfob = { pick };
