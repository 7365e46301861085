// Tests over time as a small chart; and as an element that asks for those of a connection itself, and says since when they fail.
import { html, nothing, svg, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { type Api, body } from "../../shared/client";
import { PageElement } from "../../shared/element";
import { exact, when } from "../../shared/time";
import { toneOf } from "../../shared/verdict";
import { counted, VERDICTS } from "../../shared/words";
import { api } from "../api";

const BAR = 8;
const HEIGHT = 40;
const SHOWN = 20;

type Tests = Pick<Api["Page_TestResult"], "data" | "next_cursor">;

// One bar a test, the oldest at the left; the higher, the longer it took.
export function chart(tests: Api["TestResult"][]): TemplateResult {
  const longest = Math.max(...tests.map(({ duration_ms: ms }) => ms), 1);
  const good = tests.filter(({ verdict }) => verdict === "valid" || verdict === "limited").length;
  return html`
    <svg class="chart" viewBox="0 0 ${tests.length * BAR} ${HEIGHT}" width=${tests.length * BAR} height=${HEIGHT} role="img" aria-label="${good} of the last ${counted(tests.length, "test")} found that it works">
      ${tests.toReversed().map((test, index) => {
        const height = 8 + (test.duration_ms / longest) * (HEIGHT - 8);
        return svg`<rect class=${toneOf(test.verdict) || "idle"} x=${index * BAR} y=${HEIGHT - height} width=${BAR - 2} height=${height} rx="1.5"><title>${VERDICTS[test.verdict]}, ${exact(test.at)}</title></rect>`;
      })}
    </svg>
  `;
}

/** Since when the last tests in a row, the newest first, found that it does not work; what is not known breaks no row. */
function brokenSince({ data, next_cursor: more }: Tests): TemplateResult | typeof nothing {
  const definite = data.filter(({ verdict }) => verdict !== "unknown");
  const working = definite.findIndex(({ verdict }) => verdict !== "invalid");
  const first = definite.slice(0, working < 0 ? undefined : working).at(-1);
  return first ? html`<span class="small">Broken ${working < 0 && more ? "at least " : ""}since ${when(first.at)}</span>` : nothing;
}

@customElement("kf-sparkline")
export class Sparkline extends PageElement {
  /** The id of a connection. */
  @property() of = "";
  @state() private tests: Tests = { data: [] };

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("of")) void this.load();
  }

  // Without an answer there is no chart, and the rest of the page stands.
  private async load(): Promise<void> {
    this.tests = await body(api.GET("/v1/connections/{id}/tests", { params: { path: { id: this.of }, query: { limit: SHOWN } } })).catch(() => ({ data: [] }));
  }

  override render() {
    const { data } = this.tests;
    return html`${brokenSince(this.tests)}${data.length > 1 ? chart(data) : nothing}`;
  }
}
