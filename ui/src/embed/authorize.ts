// The provider's consent in a window of its own: started, watched, and told how it ended. The window's message only speeds
// up what asking tells; a provider may cut the tie between the two windows.
import type { Api } from "./api";

/** How often the state is asked for, in milliseconds. */
const PACE = 1500;

export type Ended = "succeeded" | "failed" | "expired";

interface Authorization {
  id: string;
  start_url: string;
  state: "pending" | Ended;
}

/** Leads a window through the consent for a connection. Gives up where the window was closed. */
export async function authorize(api: Api, connection: string, popup: Window): Promise<Ended> {
  const path = `/connections/${connection}/authorizations`;
  try {
    const begun = await api.send<Authorization>("POST", path, { body: {}, once: crypto.randomUUID() });
    popup.location.replace(begun.start_url);
    return await ended(api, `${path}/${begun.id}`, begun.id, popup);
  } finally {
    popup.close();
  }
}

async function ended(api: Api, path: string, id: string, popup: Window): Promise<Ended> {
  for (;;) {
    const wasClosed = popup.closed;
    await news(id, popup);
    const { state } = await api.get<Authorization>(path);
    if (state !== "pending") return state;
    if (wasClosed) return "failed";
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
