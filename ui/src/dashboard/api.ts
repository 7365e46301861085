// The API as whoever is signed in to the dashboard. An answer that knows nobody is told to the page as `keyfob:ended`.
import { createApi } from "../shared/client";

export const ENDED = "keyfob:ended";

export const api = createApi();

api.use({
  onResponse({ response }) {
    if (response.status === 401) dispatchEvent(new Event(ENDED));
  },
});
