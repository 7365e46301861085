// The provider's consent in a window of its own: started, watched, and told how it ended. The two windows have no tie, so the API is
// asked.
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
    await new Promise((resolve) => setTimeout(resolve, PACE));
    const { state, error } = await api.get<Authorization>(`${path}/${begun.id}`);
    if (state !== "pending") return { state, error: error?.message ?? null };
    if (wasClosed) return { state: "failed", error: null };
  }
}
