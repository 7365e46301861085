// Where the picker begins: in the frame of a registered page, which brings the session, or by itself with a connect link,
// whose token it exchanges for one.
import { render } from "lit";
import { Api, Refused } from "./api";
import { meet } from "./host";
import { redeem } from "./link";
import { type Opened, Picker } from "./picker";
import { choose } from "./strings/index";
import { dress, light } from "./theme";
import { view } from "./views/index";

const root = document.documentElement;
const place = document.getElementById("picker") as HTMLElement;

void (window.parent === window ? opened() : framed());

/** In a frame. That the page around us is the one that the query names, and a registered one, our policy has seen to. */
async function framed(): Promise<void> {
  const origin = new URL(location.href).searchParams.get("origin");
  if (!origin) return;
  const { start, say, renew } = await meet(origin);
  light(root, start.scheme);
  const refused = dress(root, start.theme);
  if (refused.length > 0) console.warn(`Keyfob: these are no custom properties of the picker, or not what they should be: ${refused.join(", ")}`);
  await run({
    ...spoken(start.lang),
    api: new Api(start.session, renew),
    provider: start.provider,
    selected: start.selected,
    isForStep: start.workflow !== null && start.step !== null,
    chosen: (id) => say({ type: "picked", id }),
    cancelled: () => say({ type: "cancelled" }),
  });
}

/** By itself. The token leaves the address bar before anything else is done. */
async function opened(): Promise<void> {
  const token = location.hash.slice(1);
  history.replaceState(null, "", location.pathname + location.search);
  // Another link in the same window changes no more than the fragment.
  addEventListener("hashchange", () => location.reload());
  light(root, null);
  const language = spoken(null);
  const nothing: Opened = {
    ...language,
    api: new Api("", async () => null),
    provider: null,
    selected: null,
    isForStep: false,
    chosen: null,
    cancelled: () => undefined,
  };
  const { t } = language;
  if (!token) return end(nothing, t.noLink, t.noLinkHint);
  try {
    await run({ ...nothing, api: new Api(await redeem(token), async () => null) });
  } catch (error) {
    const isOver = error instanceof Refused && error.status < 500;
    end(nothing, isOver ? t.linkUsed : t.offline, isOver ? t.linkUsedHint : "");
  }
}

/** The language that is wanted, else that of the browser. */
function spoken(wanted: string | null): Pick<Opened, "t" | "lang"> {
  const { lang, t } = choose(wanted, ...navigator.languages);
  root.lang = lang;
  document.title = t.title;
  return { lang, t };
}

/** Draws what changed once all of it has: while it draws, a field may lose the focus, which is a change again. */
function start(opened: Opened): Picker {
  let isDue = false;
  let drawn: unknown;
  const draw = (): void => {
    isDue = false;
    render(view(picker), place);
    const { screen } = picker;
    const subject = "form" in screen ? screen.form : "connection" in screen ? `${screen.name} ${screen.connection.id}` : screen.name;
    // Whoever goes on to another screen goes on from its heading.
    if (drawn !== undefined && drawn !== subject) document.querySelector<HTMLElement>("[data-start]")?.focus();
    drawn = subject;
  };
  const picker = new Picker(opened, () => {
    if (!isDue) queueMicrotask(draw);
    isDue = true;
  });
  return picker;
}

async function run(opened: Opened): Promise<void> {
  const picker = start(opened);
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented) opened.cancelled();
  });
  await picker.begin();
}

function end(opened: Opened, title: string, hint: string): void {
  start(opened).show({ name: "end", title, hint });
}
