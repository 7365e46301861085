// The provider's consent in a window of its own: started, watched, and told how it ended. The window's message only speeds
// up what asking tells; a provider may cut the tie between the two windows.
import type { Api } from "./api";
import type { Authorization } from "./types";

/** How often the state is asked for, in milliseconds. */
const PACE = 1500;

export interface Ended {
  state: "succeeded" | "failed" | "expired";
  error: string | null;
}

/** Leads a window through the consent for a connection. Gives up where the window was closed. */
export async function authorize(api: Api, connection: string, popup: Window): Promise<Ended> {
  const path = `/connections/${connection}/authorizations`;
  const begun = await api.send<Authorization>("POST", path, { body: {}, once: crypto.randomUUID() });
  if (begun.start_url) popup.location.replace(begun.start_url);
  for (;;) {
    const wasClosed = popup.closed;
    await news(begun.id, popup);
    const { state, error } = await api.get<Authorization>(`${path}/${begun.id}`);
    if (state !== "pending") return { state, error: error?.message ?? null };
    if (wasClosed) return { state: "failed", error: null };
  }
}

/** Waits for a message about it, or a while. */
function news(id: string, popup: Window): Promise<void> {
  return new Promise((resolve) => {
    const heard = (event: MessageEvent): void => {
      const isOurs = event.origin === location.origin && event.source === popup;
      if (isOurs && event.data?.type === "keyfob:authorization" && event.data.id === id) done();
    };
    const done = (): void => {
      removeEventListener("message", heard);
      clearTimeout(waiting);
      resolve();
    };
    const waiting = setTimeout(done, PACE);
    addEventListener("message", heard);
  });
}
