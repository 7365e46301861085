// How to obtain, limit and rotate the credential of a connection type.
import { html, nothing, type TemplateResult } from "lit";
import type { Api } from "./client";
import { icon } from "./icons";

export function guide(of: Api["Guide"], open = false): TemplateResult {
  return html`
    <details class="guide card" ?open=${open}>
      <summary>${icon("info")}How to obtain the credentials</summary>
      <div class="stack-small">
        <ol>${of.steps.map((step) => html`<li>${step}</li>`)}</ol>
        <dl>
          <dt>Least permissions</dt><dd>${of.least_permissions}</dd>
          ${of.service_account ? html`<dt>Whose account</dt><dd>${of.service_account}</dd>` : nothing}
          <dt>How to rotate</dt><dd>${of.rotation}</dd>
          <dt>What Connected does not prove</dt><dd>${of.not_proven}</dd>
        </dl>
        <a href=${of.url} target="_blank" rel="noreferrer">${"Open the provider's page"}${icon("external-link")}</a>
      </div>
    </details>
  `;
}
