// The picker as it is drawn: a head, what there is to say, and the screen.
import { html, nothing, type TemplateResult } from "lit";
import type { Notice, Picker } from "../picker";
import { formView } from "./form";
import { icon } from "./icons";
import { listView, typesView } from "./list";
import { authorizingView, disconnectView, ownView } from "./own";
import { switchView } from "./switch";

export function view(picker: Picker): TemplateResult {
  const { screen, t } = picker;
  return html`
    <header class="head">
      ${back(picker)}
      <h1 class="grow" tabindex="-1" data-start>${heading(picker)}</h1>
      ${picker.isLink
        ? nothing
        : html`<button class="button plain icon-only" type="button" aria-label=${t.close} @click=${picker.opened.cancelled}>
            ${icon("x")}
          </button>`}
    </header>
    <main class="screen" aria-busy=${picker.busy !== null}>
      <div role="status" class="notices">${screen.name === "form" ? nothing : note(picker.notice)}</div>
      ${body(picker)}
    </main>
  `;
}

function body(picker: Picker): TemplateResult {
  const { screen, t } = picker;
  switch (screen.name) {
    case "loading":
      return html`<div class="stack" aria-label=${t.loading} role="img">
        ${[1, 2, 3].map(() => html`<div class="skeleton row-skeleton"></div>`)}
      </div>`;
    case "list":
      return listView(picker);
    case "types":
      return typesView(picker, screen.provider);
    case "form":
      return formView(picker, screen.form);
    case "own":
      return ownView(picker, screen.connection, screen.renaming);
    case "disconnect":
      return disconnectView(picker, screen.connection);
    case "authorizing":
      return authorizingView(picker);
    case "switch":
      return switchView(picker, screen.from, screen.to);
    case "done":
      return ending("check", t.doneTitle, t.doneText);
    case "end":
      return html`${ending("plug", screen.title, screen.hint)}
        ${screen.mayRetry ? html`<button class="button" type="button" @click=${() => picker.begin()}>${t.retry}</button>` : nothing}`;
  }
}

function ending(name: "check" | "plug", title: string, hint: string): TemplateResult {
  return html`<div class="ending ${name === "check" ? "good" : ""}">${icon(name)}<h2>${title}</h2><p class="quiet">${hint}</p></div>`;
}

function heading({ screen, t, isLink }: Picker): string {
  switch (screen.name) {
    case "switch":
      return t.switchTitle;
    case "form":
      if (screen.form.tested) return t.testCredentials;
      return screen.form.edited?.name ?? t.titleOf(screen.form.template?.name ?? screen.form.provider.name);
    case "types":
      return screen.provider ? t.titleOf(screen.provider.name) : t.createTitle;
    case "own":
    case "authorizing":
      return screen.connection.name;
    case "disconnect":
      return t.disconnectTitle(screen.connection.name);
    case "end":
    case "done":
      return "Keyfob";
    default:
      return isLink ? t.connectTitle : t.title;
  }
}

function back(picker: Picker): TemplateResult | typeof nothing {
  const { screen, t } = picker;
  const leads = ["form", "types", "own", "disconnect", "switch"].includes(screen.name);
  if (!leads) return nothing;
  const go = (): void => {
    if (screen.name === "disconnect") picker.show({ name: "own", connection: screen.connection, renaming: null });
    else void picker.list();
  };
  return html`<button class="button plain icon-only" type="button" aria-label=${t.back} ?disabled=${picker.busy !== null} @click=${go}>
    ${icon("arrowLeft")}
  </button>`;
}

/** What came of what was done. */
export function note(notice: Notice | null): TemplateResult | typeof nothing {
  if (!notice) return nothing;
  const name = notice.tone === "good" ? "check" : notice.tone === "warn" ? "triangle" : "circleX";
  return html`<div class="note ${notice.tone}">
    ${icon(name)}
    <div><strong>${notice.text}</strong>${notice.detail ? html`<br />${notice.detail}` : nothing}</div>
  </div>`;
}
