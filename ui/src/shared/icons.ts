// The icons of the pages: our own are drawn from the bundle, those inside of Web Awesome components come from /icons/. Without
// this Web Awesome would fetch them from elsewhere.
import { registerIconLibrary } from "@awesome.me/webawesome/dist/components/icon/library.js";
import { html, type TemplateResult } from "lit";
import { unsafeHTML } from "lit/directives/unsafe-html.js";

const files = import.meta.glob<string>("./icons/*.svg", { eager: true, query: "?raw", import: "default" });
const drawings = new Map(Object.entries(files).map(([path, text]) => [path.slice("./icons/".length, -".svg".length), text]));

const IN_COMPONENTS = new Set(["xmark", "check", "chevron-down", "chevron-left", "chevron-right", "minus", "circle"]);
const resolver = (name: string) => `/icons/${IN_COMPONENTS.has(name) ? name : "circle"}.svg`;
for (const library of ["default", "system"]) registerIconLibrary(library, { resolver });

/** Draws an icon of ui/src/shared/icons. It says nothing to a screen reader: the text beside it does. */
export function icon(name: string): TemplateResult {
  // Text of our own bundle, never of an answer.
  return html`<span class="icon" aria-hidden="true">${unsafeHTML(drawings.get(name) ?? "")}</span>`;
}
