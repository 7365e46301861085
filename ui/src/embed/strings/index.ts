// Which language the picker speaks.
import de from "./de";
import en, { type Strings } from "./en";

const LANGUAGES: Record<string, Strings> = { de, en };

export type { Strings };

/** The strings of the first language that there are any of, and its tag. */
export function choose(...wanted: (string | null | undefined)[]): { lang: string; t: Strings } {
  for (const tag of wanted) {
    const lang = tag?.slice(0, 2).toLowerCase() ?? "";
    const t = Object.hasOwn(LANGUAGES, lang) ? LANGUAGES[lang] : undefined;
    if (t) return { lang, t };
  }
  return { lang: "en", t: en };
}
