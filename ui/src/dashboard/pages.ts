// Which element shows which page.
import { html, type TemplateResult } from "lit";
import "./connection/page";
import "./connections/page";
import "./create/page";
import "./pages/audit";
import "./pages/components";
import "./pages/customers";
import "./pages/health";
import "./settings/page";
import { hrefOf, type Route } from "./route";

export function pageOf(route: Route): TemplateResult {
  switch (route.page) {
    case "connections":
      return route.id ? html`<kf-connection .route=${route}></kf-connection>` : html`<kf-connections .route=${route}></kf-connections>`;
    case "new":
      return html`<kf-create .route=${route}></kf-create>`;
    case "components":
      return html`<kf-components .route=${route}></kf-components>`;
    case "customers":
      return html`<kf-customers .route=${route}></kf-customers>`;
    case "health":
      return html`<kf-health-page .route=${route}></kf-health-page>`;
    case "audit":
      return html`<kf-audit .route=${route}></kf-audit>`;
    case "settings":
      return html`<kf-settings .route=${route}></kf-settings>`;
    default:
      return html`<main class="page"><h1>There is no such page</h1><p><a href=${hrefOf(route.environment, "connections")}>To the connections</a></p></main>`;
  }
}
