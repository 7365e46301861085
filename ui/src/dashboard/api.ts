// The API as whoever is signed in to the dashboard. An answer that knows nobody is told to the page as `keyfob:ended`.
import { createApi } from "../shared/client";

export const ENDED = "keyfob:ended";

export const api = createApi();

let access = false;

/** Whether people may sign in through Cloudflare Access: an answer that knows nobody names the ways in. */
export const offersAccess = () => access;

api.use({
  onResponse({ response }) {
    if (response.status !== 401) return;
    access = response.headers.get("www-authenticate")?.includes("Cloudflare-Access") ?? false;
    dispatchEvent(new Event(ENDED));
  },
});
