// What the picker asks of the browser: the focus, and a window.

/** Puts the focus on something that is about to be drawn. */
export function focusOn(selector: string): void {
  queueMicrotask(() => document.querySelector<HTMLElement>(selector)?.focus());
}

/** Opens an empty window; null where the browser does not. What is shown in it gets no hold of this page. */
export function openWindow(): Window | null {
  const opened = window.open("about:blank", "_blank", "popup,width=560,height=720");
  if (opened) opened.opener = null;
  return opened;
}
