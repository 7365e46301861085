// Lays one's own edits over what somebody else saved meanwhile. Knows values that can be compared; draws nothing.

type Parts = Record<string, unknown>;

const differs = (a: unknown, b: unknown) => JSON.stringify(a ?? "") !== JSON.stringify(b ?? "");

/** What was changed from `base` to `now`, by name. */
export function changedParts(base: Parts, now: Parts): string[] {
  return [...new Set([...Object.keys(base), ...Object.keys(now)])].filter((key) => differs(base[key], now[key]));
}

/** `theirs`, with those parts in which `mine` differs from what both began with. */
export function merged<T extends object>(base: T, mine: T, theirs: T): T {
  const own = changedParts(base as Parts, mine as Parts).map((key) => [key, (mine as Parts)[key]]);
  return { ...theirs, ...Object.fromEntries(own) };
}

/** The parts that both changed, to different things. */
export function conflicts(base: object, mine: object, theirs: object): string[] {
  const own = new Set(changedParts(base as Parts, mine as Parts));
  return changedParts(base as Parts, theirs as Parts).filter((key) => own.has(key) && differs((mine as Parts)[key], (theirs as Parts)[key]));
}
