// Where another connection is to be used: in the step that the picker was opened for, or wherever the present one is.
import { html, type TemplateResult } from "lit";
import type { Picker } from "../picker";
import type { Connection } from "../types";

export function switchView(picker: Picker, from: Connection, to: Connection): TemplateResult {
  const { t, busy } = picker;
  const submit = (event: Event): void => {
    event.preventDefault();
    const all = new FormData(event.target as HTMLFormElement).get("where") === "all";
    void picker.replace(from, to, all);
  };
  return html`<form class="stack" @submit=${submit}>
    <p>${t.switchText(from.name, to.name)}</p>
    <fieldset class="stack-small plain">
      <legend class="hidden-visually">${t.switchTitle}</legend>
      <label class="check"><input type="radio" name="where" value="step" checked />${t.switchStep}</label>
      <label class="check"><input type="radio" name="where" value="all" />${t.switchAll(from.name)}</label>
    </fieldset>
    <div class="actions"><button class="button primary" type="submit" ?disabled=${busy !== null}>${t.switchDo}</button></div>
  </form>`;
}
