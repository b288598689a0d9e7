/** The page's texts, in the language that the server chose: static/texts/<language>.json. */

/** @type {Record<string, string>} */
const TEXTS = JSON.parse(document.getElementById("texts")?.textContent ?? "{}");
export const LANGUAGE = document.documentElement.lang;
const plurals = new Intl.PluralRules(LANGUAGE);

/** How dates and times are written: as the browser's, where it speaks the page's language. */
export const LOCALE =
  globalThis.navigator?.languages?.find((one) => one.startsWith(LANGUAGE)) ?? LANGUAGE;

/** The text of a key, with its `{name}` places filled. Where there is a `count`, the text is that
 * of `key.one`, `key.other`, ... as the language counts.
 * @param {string} key @param {Record<string, string | number>} [values] @returns {string} */
export function t(key, values = {}) {
  const full = "count" in values ? `${key}.${plurals.select(Number(values.count))}` : key;
  if (!has(full)) throw new Error(`there is no text ${full}`);
  return TEXTS[full].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/** A domain's name; of one that has none here, its own.
 * @param {string} domain @returns {string} */
export function domainText(domain) {
  return has(`domain.${domain}`) ? t(`domain.${domain}`) : domain;
}

/** A model as one of several to choose from, its domain first.
 * @param {import("./state.js").Model} model @returns {string} */
export function optionText({ domain, title, image_size }) {
  const name = domainText(domain);
  const named = { domain: name[0].toUpperCase() + name.slice(1), title, size: image_size };
  return t("model.option", named);
}

/** Whether there is such a text: for keys that come from the server. @param {string} key */
export function has(key) {
  return Object.hasOwn(TEXTS, key);
}

