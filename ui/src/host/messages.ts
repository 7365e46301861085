// What the picker and the page that frames it say to each other. None of it holds a value that somebody typed: what is
// typed in the picker goes to Keyfob alone.

/** The picker is there. Said to the origin that it was opened for, and to no other. */
export interface Ready {
  type: "keyfob:ready";
}

/** What the page wants picked, and the session to do it with. Said to Keyfob's origin alone, with a port for the rest. */
export interface Start {
  type: "keyfob:start";
  session: string;
  provider: string | null;
  selected: string | null;
  workflow: string | null;
  step: string | null;
  lang: string | null;
  scheme: string | null;
  theme: Record<string, string>;
}

/** What the picker says through the port. */
export type FromPicker =
  | { type: "picked"; id: string }
  | { type: "cancelled" }
  /** The session is over; a new one is wanted. */
  | { type: "session_over" };

/** What the page answers to that. */
export type FromHost = { type: "session"; session: string } | { type: "no_session" };
