// Which element shows which page.
import { html, type TemplateResult } from "lit";
import "./connection/page";
import "./connections/page";
import "./create/page";
import { hrefOf, type Route } from "./route";

export function pageOf(route: Route): TemplateResult {
  switch (route.page) {
    case "connections":
      return route.id ? html`<kf-connection .route=${route}></kf-connection>` : html`<kf-connections .route=${route}></kf-connections>`;
    case "new":
      return html`<kf-create .route=${route}></kf-create>`;
    default:
      return html`<main class="page"><h1>There is no such page</h1><p><a href=${hrefOf(route.environment, "connections")}>To the connections</a></p></main>`;
  }
}
