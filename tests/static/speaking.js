/** Stands for a page in a language, for the modules that say something. */

import { readFileSync } from "node:fs";

/** @param {string} lang */
export function speak(lang) {
  const file = new URL(`../../static/texts/${lang}.json`, import.meta.url);
  const textContent = readFileSync(file, "utf8");
  const page = { documentElement: { lang }, getElementById: () => ({ textContent }) };
  Object.assign(globalThis, { document: page });
}
