// The API as whoever is signed in to the dashboard.
import { createApi } from "../shared/client";

export const api = createApi();
