// Asks a person for consent at the provider, in a popup, and waits for what came of it. Knows windows and waiting; the caller knows
// the API.
import type { Api } from "./client";

export type Authorization = Api["AuthorizationView"];

const INTERVAL = 1_500;
const SIZE = "popup,width=560,height=760";

export interface Attempt {
  /** Begins it: its answer names the page that asks for consent. */
  begin: () => Promise<Authorization>;
  /** Asks how far it is. */
  find: (id: string) => Promise<Authorization>;
  /** Where the popup is blocked, the address to open by hand. */
  blocked: (url: string) => void;
  signal: AbortSignal;
}

/** Begins at once, so that the click still counts as the person's, and answers when it is decided, expired or given up. */
export async function authorize({ begin, find, blocked, signal }: Attempt): Promise<Authorization | undefined> {
  const popup = window.open("", "keyfob-authorization", SIZE);
  // The provider's pages get no hold of this one.
  if (popup) popup.opener = null;
  let begun: Authorization;
  try {
    begun = await begin();
  } catch (error) {
    popup?.close();
    throw error;
  }
  if (popup && begun.start_url) popup.location.href = begun.start_url;
  else if (begun.start_url) blocked(begun.start_url);
  for (;;) {
    await pause(signal);
    if (signal.aborted) return undefined;
    const now = await find(begun.id);
    if (now.state === "pending") continue;
    popup?.close();
    return now;
  }
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, INTERVAL);
    signal.addEventListener("abort", done);
  });
}
